package wxfake

import (
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// FaultKind is a way in which API calls go wrong.
type FaultKind string

// The ways. "Performed" means that the call took effect: the customer has the message although its sender doesn't know.
const (
	// FaultSlow answers after Delay (by Options.Wait), otherwise as usual; other faults may follow it.
	FaultSlow FaultKind = "slow"
	// FaultStatus answers with Status (500 if 0) and an HTML body. Not performed, unless Performed is set.
	FaultStatus FaultKind = "status"
	// FaultHTML answers 200 with an HTML body. Not performed, unless Performed is set.
	FaultHTML FaultKind = "html"
	// FaultLostAnswer performs the call, then cuts the connection without an answer.
	FaultLostAnswer FaultKind = "lost-answer"
	// FaultRefuse closes the connection before the request's body is read. Not performed.
	FaultRefuse FaultKind = "refuse"
	// FaultCode answers with the error code Code. Not performed.
	FaultCode FaultKind = "code"
)

// Fault is one misbehaviour on demand.
type Fault struct {
	Kind      FaultKind
	Path      string        // only calls whose path ends so, for example "custom/send"; empty: all calls
	AppID     string        // only calls with a token of this account; empty: all
	Times     int           // how many calls it hits; 0: all until cancelled
	Skip      int           // how many matching calls it lets pass first
	Chance    float64       // probability by the platform's seed; 0 means always
	Delay     time.Duration // of FaultSlow
	Status    int           // of FaultStatus
	Code      int           // of FaultCode
	Performed bool          // of FaultStatus and FaultHTML
}

type activeFault struct {
	Fault
	left, skip int
}

type faultBox struct {
	n    atomic.Int64 // how many are active: the usual call takes no lock
	mu   sync.Mutex
	list []*activeFault
}

// Inject makes the next matching calls go wrong, and returns what ends it. Faults are tried in the order in which
// they were injected; the first that matches hits.
func (p *Platform) Inject(f Fault) (cancel func()) {
	b := &p.faults
	one := &activeFault{Fault: f, left: f.Times, skip: f.Skip}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.list = append(b.list, one)
	b.n.Store(int64(len(b.list)))
	p.bell.ring()
	return func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.drop(one)
		p.bell.ring()
	}
}

// ClearFaults ends all injected faults and push faults. Pushes held back for reordering stay held: see [Platform.Flush].
func (p *Platform) ClearFaults() {
	p.faults.mu.Lock()
	p.faults.list = nil
	p.faults.n.Store(0)
	p.faults.mu.Unlock()
	p.SetPushFaults(PushFaults{})
}

// Faults returns the injected faults that are still active, with Times as what is left of it.
func (p *Platform) Faults() []Fault {
	p.faults.mu.Lock()
	defer p.faults.mu.Unlock()
	out := make([]Fault, 0, len(p.faults.list))
	for _, f := range p.faults.list {
		left := f.Fault
		left.Times, left.Skip = f.left, f.skip
		out = append(out, left)
	}
	return out
}

// drop takes one fault off the list. The box is locked.
func (b *faultBox) drop(one *activeFault) {
	b.list = slices.DeleteFunc(b.list, func(f *activeFault) bool { return f == one })
	b.n.Store(int64(len(b.list)))
}

// hit returns the first matching fault of the kinds wanted and counts it.
func (b *faultBox) hit(path, appID string, dice *dice, want func(FaultKind) bool) (Fault, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, f := range b.list {
		switch {
		case !want(f.Kind), f.AppID != "" && f.AppID != appID, !strings.HasSuffix(path, f.Path):
			continue
		case f.skip > 0:
			f.skip--
			continue
		case f.Chance > 0 && !dice.chance(f.Chance):
			continue
		}
		if f.Times > 0 {
			if f.left--; f.left == 0 {
				b.drop(f)
			}
		}
		return f.Fault, true
	}
	return Fault{}, false
}

// apiFault is what happens to one call.
type apiFault struct {
	perform bool // run the call
	delay   time.Duration
	code    int
	status  int // 0: the call's own answer
	body    []byte
	cut     bool // close the connection instead of answering
}

const faultPage = "<html><head><title>502 Bad Gateway</title></head><body><center><h1>Bad Gateway</h1></center></body></html>"

// takeFault decides what happens to one call.
func (p *Platform) takeFault(path, appID string) apiFault {
	if p.faults.n.Load() == 0 {
		return apiFault{perform: true}
	}
	var delay time.Duration
	if slow, ok := p.faults.hit(path, appID, &p.dice, func(k FaultKind) bool { return k == FaultSlow }); ok {
		delay = slow.Delay
	}
	f, ok := p.faults.hit(path, appID, &p.dice, func(k FaultKind) bool { return k != FaultSlow })
	if !ok {
		return apiFault{perform: true, delay: delay}
	}
	switch f.Kind {
	case FaultStatus:
		status := f.Status
		if status == 0 {
			status = http.StatusInternalServerError
		}
		return apiFault{perform: f.Performed, delay: delay, status: status, body: []byte(faultPage)}
	case FaultHTML:
		return apiFault{perform: f.Performed, delay: delay, status: http.StatusOK, body: []byte(faultPage)}
	case FaultRefuse:
		return apiFault{delay: delay, cut: true}
	case FaultCode:
		return apiFault{delay: delay, code: f.Code}
	case FaultLostAnswer, FaultSlow:
	}
	return apiFault{perform: true, delay: delay, cut: f.Kind == FaultLostAnswer}
}
