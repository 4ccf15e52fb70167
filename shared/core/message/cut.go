package message

import (
	"unicode"
	"unicode/utf8"
)

// Cut divides a text into pieces of at most limit bytes, at character
// boundaries, so that their concatenation is the text. It keeps a character
// together with the marks that modify it (combining marks, variation selectors,
// skin tones, joined emoji) unless such a cluster alone is longer than the limit.
func Cut(s string, limit int) []string {
	if limit < utf8.UTFMax {
		limit = utf8.UTFMax
	}
	var parts []string
	for len(s) > limit {
		n := boundary(s, limit)
		parts = append(parts, s[:n])
		s = s[n:]
	}
	return append(parts, s)
}

// boundary finds the last place at or before limit where s may be cut.
func boundary(s string, limit int) int {
	runeStart := limit
	for runeStart > 0 && !utf8.RuneStart(s[runeStart]) {
		runeStart--
	}
	if runeStart == 0 {
		return limit // not UTF-8 at all; cut anywhere
	}
	// Step back over clusters, but not for ever: no cluster is longer than this.
	const longest = 64
	for n := runeStart; n > 0 && runeStart-n <= longest; {
		next, _ := utf8.DecodeRuneInString(s[n:])
		last, size := utf8.DecodeLastRuneInString(s[:n])
		if !joins(last, next) {
			return n
		}
		n -= size
	}
	return runeStart
}

const zeroWidthJoiner = 0x200D

// joins reports whether no cut may stand between a and b.
func joins(a, b rune) bool {
	switch {
	case b == zeroWidthJoiner || a == zeroWidthJoiner:
		return true
	case unicode.Is(unicode.Mn, b) || unicode.Is(unicode.Me, b): // accents, variation selectors, keycaps
		return true
	case b >= 0x1F3FB && b <= 0x1F3FF: // skin tones
		return true
	case a == '\r' && b == '\n':
		return true
	}
	return false
}
