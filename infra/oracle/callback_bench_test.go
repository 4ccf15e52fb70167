package oracle

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha1"
	"encoding/base64"
	"encoding/hex"
	"flag"
	"fmt"
	"slices"
	"strings"
	"testing"

	"kefu/shared/adapter/wechat"
)

var ratios = flag.Bool("ratios", false, "measure what reading a callback costs, against a foreign SDK and the bare cryptography")

// The budget is for a message of 600 bytes. In a smaller one less cryptography hides the rest, so its ratio is shown too,
// without a budget of its own; the comparison with the foreign SDK holds for both.
var sizes = []struct {
	name   string
	plain  int     // bytes
	budget float64 // of opening, times the bare cryptography; 0 is none
}{
	{"message of 600 bytes", 600, 1.5},
	{"message of 332 bytes", 332, 0},
}

// The ways to read a push, each as the body of a benchmark, in the order of the constants.
var readers = []struct {
	name string
	run  func(b *testing.B, p push)
}{
	{"bare cryptography", benchBare},
	{"silenceper", func(b *testing.B, p push) {
		repeat(b, func() error { _, err := theirs(p); return err })
	}},
	{"kefu, opened", func(b *testing.B, p push) {
		var inbox wechat.Inbox
		repeat(b, func() error { _, err := opened(&inbox, p); return err })
	}},
	{"kefu, opened and written for the queue", func(b *testing.B, p push) {
		var inbox wechat.Inbox
		repeat(b, func() error { _, err := queued(&inbox, p); return err })
	}},
	{"kefu, everything read", func(b *testing.B, p push) {
		var inbox wechat.Inbox
		repeat(b, func() error { _, err := read(&inbox, p); return err })
	}},
}

const (
	bare = iota
	silenceper
	kefuOpened
	kefuQueued
	kefuRead
	readerCount
)

func repeat(b *testing.B, do func() error) {
	b.ReportAllocs()
	for b.Loop() {
		if err := do(); err != nil {
			b.Fatal(err)
		}
	}
}

// benchBare does what no reader can do without: the hex of SHA-1 over what each of the two signatures covers, and base64
// and AES-CBC into a new buffer. It looks at nothing.
func benchBare(b *testing.B, p push) {
	raw, err := base64.StdEncoding.DecodeString(aesKey + "=")
	if err != nil {
		b.Fatal(err)
	}
	block, err := aes.NewCipher(raw)
	if err != nil {
		b.Fatal(err)
	}
	request := []string{token, timestamp, nonce}
	body := append([]string{p.encrypt}, request...)
	slices.Sort(request)
	slices.Sort(body)
	signed := [][]byte{[]byte(strings.Join(request, "")), []byte(strings.Join(body, ""))}
	sealed := []byte(p.encrypt)
	b.ReportAllocs()
	for b.Loop() {
		for _, text := range signed {
			sum := sha1.Sum(text)
			var signature [2 * sha1.Size]byte
			hex.Encode(signature[:], sum[:])
		}
		plain := make([]byte, base64.StdEncoding.DecodedLen(len(sealed)))
		n, err := base64.StdEncoding.Decode(plain, sealed)
		if err != nil {
			b.Fatal(err)
		}
		cipher.NewCBCDecrypter(block, raw[:aes.BlockSize]).CryptBlocks(plain[:n], plain[:n])
	}
}

func BenchmarkCallback(b *testing.B) {
	for _, size := range sizes {
		p := encrypted(b, size.plain)
		for _, r := range readers {
			b.Run(strings.ReplaceAll(size.name+"/"+r.name, " ", "-"), func(b *testing.B) {
				b.SetBytes(int64(len(p.body)))
				r.run(b, p)
			})
		}
	}
}

// rounds is how often every reader takes its turn. A busy machine slows all that run in one round, so the ratio within a
// round says more than that of two averages.
const rounds = 15

// measured is what every reader took in every round, in nanoseconds, and how often it allocated.
type measured struct {
	took   [readerCount][rounds]float64
	allocs [readerCount]int64
}

func measure(p push) *measured {
	var m measured
	for round := range rounds {
		for i, r := range readers {
			got := testing.Benchmark(func(b *testing.B) { r.run(b, p) })
			m.took[i][round] = float64(got.T.Nanoseconds()) / float64(max(got.N, 1))
			m.allocs[i] = got.AllocsPerOp()
		}
	}
	return &m
}

// ratio is how many times as long as reader b reader a takes: the median of the rounds.
func (m *measured) ratio(a, b int) float64 {
	all := m.took[a]
	for round := range all {
		all[round] /= m.took[b][round]
	}
	return median(all)
}

func median(all [rounds]float64) float64 {
	slices.Sort(all[:])
	return all[rounds/2]
}

// TestRatios measures the budget of reading a push: opening it takes at most 1.5 times the bare cryptography, and all of
// the callback's work on it at most a quarter of the foreign SDK's time, with a fifth of its allocations. Only
// `make bench-oracle` asks for it: a busy machine must not turn a test red. It runs alone, because it measures time.
func TestRatios(t *testing.T) {
	if !*ratios {
		t.Skip("measures time; make bench-oracle runs it")
	}
	if err := flag.Set("test.benchtime", "100ms"); err != nil { // of one reader in one round
		t.Fatal(err)
	}
	for _, size := range sizes {
		p := encrypted(t, size.plain)
		m := measure(p)
		fmt.Printf("%s (body %d bytes)\n", size.name, len(p.body))
		for i, r := range readers {
			fmt.Printf("  %-40s %7.0f ns %4d allocations %6.2f × bare\n", r.name, median(m.took[i]), m.allocs[i], m.ratio(i, bare))
		}
		overBare, faster := m.ratio(kefuOpened, bare), m.ratio(silenceper, kefuQueued)
		fewer := float64(m.allocs[silenceper]) / float64(max(m.allocs[kefuQueued], 1))
		limit := "no budget"
		if size.budget > 0 {
			limit = fmt.Sprintf("budget %v", size.budget)
		}
		fmt.Printf("  opening: %.2f × the bare cryptography (%s)\n", overBare, limit)
		fmt.Printf("  opening and writing: %.1f × faster (4), %.1f × fewer allocations (5) than silenceper\n", faster, fewer)
		fmt.Printf("  everything read: %.1f × faster than silenceper\n", m.ratio(silenceper, kefuRead))
		if size.budget > 0 && overBare > size.budget || faster < 4 || fewer < 5 {
			t.Errorf("%s: over budget", size.name)
		}
	}
}
