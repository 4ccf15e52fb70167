package bolt

import (
	"encoding/binary"
	"time"
)

// key is the name of a value in a bucket, built from parts. Every text but the last part carries its length, so that
// no id, whatever its characters, can be read as two parts or reach into the range of another. The last part may be
// bare, which keeps its order.
type key []byte

// newKey begins a key with room for a usual one.
func newKey() key { return make(key, 0, 96) }

// text appends a text with its length.
func (k key) text(s string) key {
	return append(binary.AppendUvarint(k, uint64(len(s))), s...)
}

// bare appends a text as it is; only at the end of a key.
func (k key) bare(s string) key { return append(k, s...) }

// byte appends one letter that tells kinds of keys apart.
func (k key) byte(b byte) key { return append(k, b) }

// num appends a number so that keys sort by it.
func (k key) num(n uint64) key { return binary.BigEndian.AppendUint64(k, n) }

// timeLen is the length of a time in a key.
const timeLen = 12

// time appends an instant so that keys sort by it, earliest first. Every time.Time fits, the zero one included.
func (k key) time(t time.Time) key {
	k = binary.BigEndian.AppendUint64(k, orderedSeconds(t))
	return binary.BigEndian.AppendUint32(k, uint32(t.Nanosecond())) //nolint:gosec // 0 to 999,999,999
}

// newest appends an instant so that keys sort by it, latest first.
func (k key) newest(t time.Time) key {
	n := len(k)
	k = k.time(t)
	for i := n; i < len(k); i++ {
		k[i] = ^k[i]
	}
	return k
}

// plus returns a new key with more at its end and leaves the receiver, which others may share, alone.
func (k key) plus(more []byte) key {
	out := make(key, 0, len(k)+len(more))
	return append(append(out, k...), more...)
}

// end returns the first key behind all that begin with k; nil if none is, for a k of nothing but 0xff.
func (k key) end() key {
	for i := len(k) - 1; i >= 0; i-- {
		if k[i] != 0xff {
			out := k[:i+1].plus(nil)
			out[i]++
			return out
		}
	}
	return nil
}

// orderedSeconds maps seconds since 1970, which may be negative, to numbers of the same order.
func orderedSeconds(t time.Time) uint64 {
	return uint64(t.Unix()) ^ 1<<63 //nolint:gosec // the bits are wanted; the sign bit is flipped
}

// readTime reads what key.time wrote.
func readTime(b []byte) (time.Time, bool) {
	if len(b) < timeLen {
		return time.Time{}, false
	}
	s := int64(binary.BigEndian.Uint64(b) ^ 1<<63) //nolint:gosec // the reverse of orderedSeconds
	ns := binary.BigEndian.Uint32(b[8:])
	if s == (time.Time{}).Unix() && ns == 0 {
		return time.Time{}, true
	}
	return time.Unix(s, int64(ns)).UTC(), true
}

// readText reads what key.text wrote and returns the rest.
func readText(b []byte) (s string, rest []byte, ok bool) {
	n, used := binary.Uvarint(b)
	if used <= 0 || n > uint64(len(b)-used) { //nolint:gosec // used is at most len(b)
		return "", nil, false
	}
	end := used + int(n) //nolint:gosec // n is at most len(b)
	return string(b[used:end]), b[end:], true
}
