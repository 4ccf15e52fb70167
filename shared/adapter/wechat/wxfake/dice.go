package wxfake

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"sync/atomic"
	"time"
)

// dice is a seeded source of numbers (splitmix64) that many goroutines share without a lock. Nothing
// that it makes guards a secret: the simulator's tokens are as worthless as its messages.
type dice struct{ state atomic.Uint64 }

func (d *dice) seed(seed uint64, start time.Time) {
	var b [8]byte
	// The start is mixed in so that a restarted simulator hands out new tokens and media ids.
	binary.LittleEndian.PutUint64(b[:], seed)
	for i, c := range []byte(start.UTC().Format(time.RFC3339Nano)) {
		b[i%8] = b[i%8]*31 + c
	}
	d.state.Store(binary.LittleEndian.Uint64(b[:]))
}

func (d *dice) next() uint64 {
	z := d.state.Add(0x9e3779b97f4a7c15)
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb
	return z ^ (z >> 31)
}

// below returns a number in [0, n), for n from 1 to 2^31.
func (d *dice) below(n int) int { return int(d.next() >> 33 % uint64(max(n, 1))) } //nolint:gosec // 31 bits at most

// chance reports true with probability p.
func (d *dice) chance(p float64) bool { return float64(d.next()>>11)/(1<<53) < p }

// shuffle permutes n things by swap.
func (d *dice) shuffle(n int, swap func(i, j int)) {
	for i := n - 1; i > 0; i-- {
		swap(i, d.below(i+1))
	}
}

// text returns n characters out of A-Z a-z 0-9 - and _.
func (d *dice) text(n int) string {
	raw := make([]byte, 0, n+8)
	for len(raw) < n {
		raw = binary.LittleEndian.AppendUint64(raw, d.next())
	}
	return base64.RawURLEncoding.EncodeToString(raw)[:n]
}

// hex16 returns the 16 random bytes that stand before a ciphertext's message.
func (d *dice) hex16() string { return fmt.Sprintf("%016x", d.next()) }

// nonce returns the decimal text of a push's nonce parameter.
func (d *dice) nonce() string { return fmt.Sprint(d.next() % 2_000_000_000) }

// rid returns a request id as it stands at the end of an error text.
func (d *dice) rid(now time.Time) string {
	r := d.next()
	return fmt.Sprintf("%08x-%08x-%08x", uint64(max(now.Unix(), 0)), r>>32, r&0xffffffff)
}
