package dynamo

import (
	"bytes"
	"encoding/base64"
	varint "encoding/binary"
	"errors"
	"time"
)

// Marks stand in a shrunk JSON text for what was taken out of it. A JSON text has no such bytes.
const (
	markTail    = 0 // the text ends here
	markDigest  = 1 // a text of 16 characters that is 12 bytes in base64
	markSeconds = 2 // a time in whole seconds
	markTime    = 3 // any other time
)

const (
	digestText = 16
	digestLen  = 12
)

// shrink takes out of a JSON text the strings that can't be compressed, and leaves a mark for each: digests, and
// times, of which only the distance to the time before is kept. What isn't written in the one form that [expand] gives
// stays as it is.
func shrink(plain []byte) (rest, taken []byte) {
	rest = make([]byte, 0, len(plain))
	before := time.Unix(0, 0)
	for len(plain) > 0 {
		start := bytes.IndexByte(plain, '"')
		if start < 0 {
			break
		}
		end := start + 1 + quoted(plain[start+1:])
		value := plain[start+1 : max(end-1, start+1)]
		rest = append(rest, plain[:start]...)
		mark := byte(0)
		if end == len(plain) || plain[end] != ':' { // a member's name stays
			mark, taken, before = take(value, taken, before)
		}
		if mark == 0 {
			rest = append(rest, plain[start:end]...)
		} else {
			rest = append(rest, mark)
		}
		plain = plain[end:]
	}
	return append(rest, plain...), taken
}

// quoted is the length of a string, from behind its first quote to behind its last.
func quoted(s []byte) int {
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(s)
}

// take appends what a string holds, if it is one to be taken, and tells its mark; 0 if it isn't.
func take(value, taken []byte, before time.Time) (mark byte, _ []byte, _ time.Time) {
	if len(value) == digestText {
		var b [digestLen]byte
		if _, err := base64.RawURLEncoding.Strict().Decode(b[:], value); err == nil {
			return markDigest, append(taken, b[:]...), before
		}
		return 0, taken, before
	}
	if len(value) < len("2006-01-02T15:04:05Z") || value[len(value)-1] != 'Z' || value[len("2006-01-02")] != 'T' {
		return 0, taken, before // most strings are done with here
	}
	at, err := time.Parse(time.RFC3339Nano, string(value))
	if err != nil || at.Year() < 1700 || at.Year() > 2200 || at.UTC().Format(time.RFC3339Nano) != string(value) {
		return 0, taken, before
	}
	if at.Nanosecond() == 0 {
		return markSeconds, varint.AppendVarint(taken, at.Unix()-before.Unix()), at
	}
	return markTime, varint.AppendVarint(taken, at.UnixNano()-before.UnixNano()), at
}

var errShrunk = errors.New("what was taken out of it isn't there")

// expand is the inverse of shrink.
func expand(rest, taken []byte) ([]byte, error) {
	plain := make([]byte, 0, 2*len(rest))
	before := time.Unix(0, 0)
	for _, c := range rest {
		if c > markTime {
			plain = append(plain, c)
			continue
		}
		plain = append(plain, '"')
		switch c {
		case markDigest:
			if len(taken) < digestLen {
				return nil, errShrunk
			}
			plain, taken = base64.RawURLEncoding.AppendEncode(plain, taken[:digestLen]), taken[digestLen:]
		case markSeconds, markTime:
			apart, n := varint.Varint(taken)
			if n <= 0 {
				return nil, errShrunk
			}
			taken = taken[n:]
			if c == markSeconds {
				before = time.Unix(before.Unix()+apart, 0)
			} else {
				before = time.Unix(0, before.UnixNano()+apart)
			}
			plain = before.UTC().AppendFormat(plain, time.RFC3339Nano)
		default:
			return nil, errShrunk
		}
		plain = append(plain, '"')
	}
	return plain, nil
}
