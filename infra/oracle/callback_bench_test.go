package oracle

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha1"
	"encoding/base64"
	"flag"
	"fmt"
	"slices"
	"strings"
	"testing"
)

var ratios = flag.Bool("ratios", false, "measure what reading a callback costs, against a foreign SDK and the bare cryptography")

// The budget is for a message of 600 bytes. In a smaller one less cryptography hides the rest, so its ratio is shown too,
// without a budget of its own; the comparison with the foreign SDK holds for both.
var sizes = []struct {
	name   string
	plain  int     // bytes
	budget float64 // times the bare cryptography; 0 is none
}{
	{"message of 600 bytes", 600, 1.5},
	{"message of 332 bytes", 332, 0},
}

// The three ways to read a push, each as the body of a benchmark.
var readers = []struct {
	name string
	run  func(b *testing.B, p push)
}{
	{"kefu", benchOurs},
	{"silenceper", benchTheirs},
	{"bare cryptography", benchBare},
}

func benchOurs(b *testing.B, p push) {
	key := parseKey(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ours(key, p); err != nil {
			b.Fatal(err)
		}
	}
}

func benchTheirs(b *testing.B, p push) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := theirs(p); err != nil {
			b.Fatal(err)
		}
	}
}

// benchBare does what no reader can do without: SHA-1 of the signed bytes, and base64 and AES-CBC into a new buffer. It
// looks at nothing.
func benchBare(b *testing.B, p push) {
	raw, err := base64.StdEncoding.DecodeString(aesKey + "=")
	if err != nil {
		b.Fatal(err)
	}
	block, err := aes.NewCipher(raw)
	if err != nil {
		b.Fatal(err)
	}
	parts := []string{token, timestamp, nonce, p.encrypt}
	slices.Sort(parts)
	signed, sealed := []byte(strings.Join(parts, "")), []byte(p.encrypt)
	b.ReportAllocs()
	for b.Loop() {
		sum := sha1.Sum(signed)
		plain := make([]byte, base64.StdEncoding.DecodedLen(len(sealed)))
		n, err := base64.StdEncoding.Decode(plain, sealed)
		if err != nil || sum[0] == 0 && sum[1] == 0 && sum[2] == 0 {
			b.Fatal("unlikely", err)
		}
		cipher.NewCBCDecrypter(block, raw[:16]).CryptBlocks(plain[:n], plain[:n])
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

// TestRatios measures the budget of reading a push: at most 1.5 times the bare cryptography, at least 4 times faster
// than the foreign SDK, with a fifth of its allocations. Only `make bench-oracle` asks for it: a busy machine must not
// turn a test red. It runs alone, because it measures time.
func TestRatios(t *testing.T) {
	if !*ratios {
		t.Skip("measures time; make bench-oracle runs it")
	}
	for _, size := range sizes {
		p := encrypted(t, size.plain)
		var best [3]testing.BenchmarkResult // by readers
		for range 3 {
			for i, r := range readers {
				got := testing.Benchmark(func(b *testing.B) { r.run(b, p) })
				if best[i].N == 0 || got.NsPerOp() < best[i].NsPerOp() {
					best[i] = got
				}
			}
		}
		kefu, silenceper, bare := best[0], best[1], best[2]
		fmt.Printf("%s (body %d bytes)\n", size.name, len(p.body))
		for i, r := range readers {
			fmt.Printf("  %-18s %7d ns %4d allocations\n", r.name, best[i].NsPerOp(), best[i].AllocsPerOp())
		}
		overBare := float64(kefu.NsPerOp()) / float64(bare.NsPerOp())
		faster := float64(silenceper.NsPerOp()) / float64(kefu.NsPerOp())
		fewer := float64(silenceper.AllocsPerOp()) / float64(max(kefu.AllocsPerOp(), 1))
		limit := "no budget"
		if size.budget > 0 {
			limit = fmt.Sprintf("budget %v", size.budget)
		}
		fmt.Printf("  %.2f × the bare cryptography (%s), %.1f × faster (4), %.1f × fewer allocations (5) than silenceper\n",
			overBare, limit, faster, fewer)
		if size.budget > 0 && overBare > size.budget || faster < 4 || fewer < 5 {
			t.Errorf("%s: over budget", size.name)
		}
	}
}
