package app_test

import (
	"context"
	"encoding/json"
	mathrand "math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"kefu/shared/app"
	"kefu/shared/core/fault"
	"kefu/shared/core/session"
	"kefu/shared/core/tenant"

	core "kefu/shared/core/agent"
)

// seatWatch is a store that counts who serves what, with each save.
type seatWatch struct {
	app.Store
	t        *testing.T
	capacity map[core.ID]int
	full     atomic.Int64
	peak     atomic.Int64

	mu   sync.Mutex
	of   map[session.Ref]held
	load map[core.ID]int
}

// held is who has a session, as of a version.
type held struct {
	version int64
	agent   core.ID // empty: nobody
}

// SaveSession counts before it returns: whoever frees a seat does so after his save.
func (w *seatWatch) SaveSession(ctx context.Context, s session.Session, was int64) error {
	err := w.Store.SaveSession(ctx, s, was)
	if err != nil {
		return err
	}
	next := held{version: was + 1}
	if s.State == session.Serving {
		next.agent = s.Agent
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	before := w.of[s.Ref()]
	if before.version >= next.version {
		return nil // a later save has been counted
	}
	w.of[s.Ref()] = next
	w.load[before.agent]--
	w.load[next.agent]++
	if n := w.load[next.agent]; next.agent != "" && n > w.capacity[next.agent] {
		w.t.Errorf("%s serves %d sessions; his capacity is %d", next.agent, n, w.capacity[next.agent])
	}
	return nil
}

// TakeSeat looks at the seats that are taken then.
func (w *seatWatch) TakeSeat(ctx context.Context, t tenant.ID, a core.ID, id session.ID, n int, at time.Time) (bool, error) {
	taken, err := w.Store.TakeSeat(ctx, t, a, id, n, at)
	if fault.CodeOf(err) == "capacity-full" {
		w.full.Add(1)
	}
	if err != nil {
		return taken, err
	}
	d, readErr := w.Desk(ctx, t, a)
	if readErr != nil {
		w.t.Errorf("desk of %s: %v", a, readErr)
	}
	seats := len(d.Seats)
	if seats > w.capacity[a] {
		w.t.Errorf("%s has %d seats taken; his capacity is %d", a, seats, w.capacity[a])
	}
	for old := w.peak.Load(); int64(seats) > old && !w.peak.CompareAndSwap(old, int64(seats)); old = w.peak.Load() {
	}
	return taken, nil
}

// lossy is a queue of wake-ups that loses some and gives others twice. It keeps no order.
type lossy struct {
	bodies       chan []byte
	lose, double float64

	mu                  sync.Mutex
	dice                *mathrand.Rand
	pending             int        // given in, and not worked off
	idle                *sync.Cond // nothing is pending
	sent, lost, doubled int
}

func newLossy(seed uint64) *lossy {
	q := &lossy{bodies: make(chan []byte, 1<<16), dice: mathrand.New(mathrand.NewPCG(1, seed))}
	q.idle = sync.NewCond(&q.mu)
	return q
}

func (q *lossy) Send(_ context.Context, _ string, _ time.Duration, body []byte) error {
	if !json.Valid(body) {
		return fault.New(fault.Invalid, "", "no JSON")
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.sent++
	if q.dice.Float64() < q.lose {
		q.lost++
		return nil
	}
	q.put(body)
	if q.dice.Float64() < q.double {
		q.doubled++
		q.put(body)
	}
	return nil
}

// put puts a wake-up in; what finds no room is lost.
func (q *lossy) put(body []byte) {
	select {
	case q.bodies <- body:
		q.pending++
	default:
		q.lost++
	}
}

// again gives a wake-up back.
func (q *lossy) again(body []byte) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.put(body)
}

// worked says that one has been worked off.
func (q *lossy) worked() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.pending--; q.pending == 0 {
		q.idle.Broadcast()
	}
}

// settle waits until all have been.
func (q *lossy) settle() {
	q.mu.Lock()
	defer q.mu.Unlock()
	for q.pending > 0 {
		q.idle.Wait()
	}
}
