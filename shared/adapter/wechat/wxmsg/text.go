package wxmsg

import (
	"encoding/binary"
	"unicode/utf8"
)

// kind is what legal found in a text.
type kind uint8

const (
	broken   kind = 1 << iota // invalid UTF-8, or a control character that no text has
	nonchars                  // U+FFFE or U+FFFF, which JSON has and XML has not
	controls                  // tab or line feed
	returns                   // carriage return
)

// legal looks at every character of a text, 32 or 8 bytes at a time where they are
// plain ASCII.
func legal(b []byte) kind {
	var k kind
	for i := 0; i < len(b); {
		i += plain(b[i:])
		if n := len(b) - i; n == 0 || (n < 8 && len(b) >= 8 && odd(b[len(b)-8:])&tops == 0) {
			break // the last eight bytes, some of them for the second time
		}
		for stop := min(i+8, len(b)); i < stop; {
			c := b[i]
			switch {
			case (0xE1 <= c && c <= 0xEC || c == 0xEF && len(b)-i >= 3 && b[i+1] < 0xBF) &&
				len(b)-i >= 3 && b[i+1]&0xC0 == 0x80 && b[i+2]&0xC0 == 0x80:
				// U+1000 to U+CFFF and U+F000 to U+FFBF, and with them Chinese and its punctuation:
				// three bytes, and nothing to forbid.
				i += 3
				continue
			case c >= utf8.RuneSelf:
				r, n := utf8.DecodeRune(b[i:])
				switch {
				case r == utf8.RuneError && n == 1:
					return broken
				case r == 0xFFFE || r == 0xFFFF:
					k |= nonchars
				}
				i += n
				continue
			case c >= ' ':
			case c == '\t' || c == '\n':
				k |= controls
			case c == '\r':
				k |= returns
			default:
				return broken
			}
			i++
		}
	}
	return k
}

// plain is how many bytes at the beginning of a text, in steps of 8, are ASCII that any
// text may have.
func plain(b []byte) int {
	rest := b
	for len(rest) >= 32 {
		b := (*[32]byte)(rest)
		if (odd(b[:8])|odd(b[8:16])|odd(b[16:24])|odd(b[24:]))&tops != 0 {
			break
		}
		rest = rest[32:]
	}
	for len(rest) >= 8 && odd(rest)&tops == 0 {
		rest = rest[8:]
	}
	return len(b) - len(rest)
}

// tops are the top bits of eight bytes.
const tops = 0x8080808080808080

// odd gives eight bytes of which one has its top bit set if any of the first eight of
// b is not ASCII or is below a space: the subtraction borrows the top bit then.
func odd(b []byte) uint64 {
	w := binary.LittleEndian.Uint64(b)
	return w | (w - 0x2020202020202020)
}

// isChar reports whether XML has the character: production 2 of its specification.
func isChar(c rune) bool {
	return c == '\t' || c == '\n' || c == '\r' || (c >= 0x20 && c <= 0xD7FF) || (c >= 0xE000 && c <= 0xFFFD) || (c >= 0x10000 && c <= utf8.MaxRune)
}
