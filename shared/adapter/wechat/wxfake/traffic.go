package wxfake

import (
	"sync"
	"sync/atomic"
	"time"
	"unicode/utf8"
)

// The kinds of an [Exchange].
const (
	KindAPI    = "api"    // the account's server called the platform
	KindPush   = "push"   // the platform called the account's server
	KindVerify = "verify" // the platform checked the account's URL
)

// Exchange is one HTTP request with its answer, as it stood on the wire. Tokens and secrets are masked, long
// bodies are clipped to 8 KiB, and media are left out.
type Exchange struct {
	Seq    uint64 // counts from 1 without gaps; after Load, from where the saved platform was
	Kind   string
	At     time.Time     // by the platform's clock
	Took   time.Duration // in real time
	AppID  string
	OpenID string // the customer concerned, if known
	Method string
	URL    string // path and query of a call; the whole URL of a push
	Outer  []byte // request body as sent
	Plain  []byte // what a push's Encrypt holds; nil if it was not encrypted
	Status int    // 0 when no answer came
	Code   int    // errcode of a call
	Answer []byte
	// AnswerPlain is the decrypted passive reply.
	AnswerPlain []byte
	Err         string // why there was no answer, or why a delivery failed
}

const (
	trafficKept = 500
	bodyKept    = 8 << 10
)

// trafficLog keeps the newest exchanges.
type trafficLog struct {
	mu     sync.Mutex
	ring   [trafficKept]Exchange
	before uint64 // the last one of an earlier run, of which nothing is kept
	last   uint64
}

// resume goes on counting where an earlier run stopped, so that a page that was open then shows what comes.
func (l *trafficLog) resume(last uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if last > l.last {
		l.before, l.last = last, last
	}
}

func (l *trafficLog) lastSeq() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.last
}

func (l *trafficLog) add(x Exchange) {
	l.mu.Lock()
	l.last++
	x.Seq = l.last
	l.ring[l.last%trafficKept] = x
	l.mu.Unlock()
}

// since returns what came after seq and is still kept, oldest first.
func (l *trafficLog) since(seq uint64) []Exchange {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.last > trafficKept {
		seq = max(seq, l.last-trafficKept)
	}
	seq = max(seq, l.before)
	var out []Exchange
	for seq++; seq <= l.last; seq++ {
		out = append(out, l.ring[seq%trafficKept])
	}
	return out
}

// Traffic returns the newest exchanges, at most 500, oldest first, that came after the one with this Seq; 0 means
// from the start.
func (p *Platform) Traffic(after uint64) []Exchange { return p.traffic.since(after) }

// clip keeps the log's memory bounded: binary bodies are left out, long ones shortened.
func clip(b []byte) []byte {
	if len(b) <= bodyKept {
		if !utf8.Valid(b) {
			return []byte("(binary)")
		}
		return b
	}
	head := b[:bodyKept]
	for len(head) > bodyKept-utf8.UTFMax && !utf8.Valid(head) {
		head = head[:len(head)-1]
	}
	if !utf8.Valid(head) {
		return []byte("(binary)")
	}
	return append(append([]byte(nil), head...), "…"...)
}

// bell wakes everybody who waits for something to change. Ringing costs one atomic read when nobody waits.
type bell struct {
	version atomic.Uint64
	waiting atomic.Int64
	mu      sync.Mutex
	rung    chan struct{}
}

func (b *bell) ring() {
	b.version.Add(1)
	if b.waiting.Load() == 0 {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.rung != nil {
		close(b.rung)
		b.rung = nil
	}
}

// listen announces a waiter: leave must be called. Whoever takes changed before he looks at the state misses nothing.
func (b *bell) listen() (changed func() <-chan struct{}, leave func()) {
	b.waiting.Add(1)
	return func() <-chan struct{} {
		b.mu.Lock()
		defer b.mu.Unlock()
		if b.rung == nil {
			b.rung = make(chan struct{})
		}
		return b.rung
	}, func() { b.waiting.Add(-1) }
}
