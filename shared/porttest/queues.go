package porttest

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"kefu/shared/core/queue"
)

// Queues tells [TestQueue] how to make the queues that it tries, and what to put up with.
type Queues struct {
	// Open returns an empty queue of the subtest's own, whose end the engine ties to t.
	Open func(t *testing.T, o QueueSetup) Queue
	// RealClock is for engines that have their own clock: the suite then lets time pass instead of setting it, in
	// units of a second, and clauses that would take too long are skipped.
	RealClock bool
	// Lag is how long a Receive may miss what is ready, and a list what was written; zero for an engine that sees
	// everything at once.
	Lag time.Duration
	// Unordered is for engines without groups: clauses about a group's order are skipped, and every Delivery's Group is
	// expected to be empty.
	Unordered bool
	// NoDelay is for engines that can't delay a message: clauses that do so are skipped.
	NoDelay bool
	// Skip names clauses that the engine can't keep, with the reason.
	Skip map[string]string
}

// QueueSetup is what a clause needs of its queue.
type QueueSetup struct {
	Now         func() time.Time // the clause's clock; engines with RealClock leave it alone
	Visibility  time.Duration
	MaxReceives int // 0: without end
}

// queueClause is one sentence of the contract.
type queueClause struct {
	name  string
	check func(t *testing.T, q queueCase)
	// setClock: the clause makes no sense, or takes too long, with a clock that only time moves.
	setClock bool
	// groups: the clause is about the order within a group; delays: it sends with a delay.
	groups, delays bool
	// receives is the queue's MaxReceives.
	receives int
}

// queueCase is what one subtest works with.
type queueCase struct {
	Queue
	clock *clock
	lag   time.Duration
	// unordered is Queues.Unordered.
	unordered bool
	// again opens a further queue of the same rules, for clauses that try many.
	again func(testing.TB) queueCase
}

// unit is what clauses measure time in; the visibility of all queues is visible units.
const visible = 4

// clock is the time of one subtest: set by hand, or real.
type clock struct {
	mu   sync.Mutex
	now  time.Time
	unit time.Duration
	real bool
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// pass lets units of time pass.
func (c *clock) pass(t caller, units float64) {
	t.Helper()
	d := time.Duration(units * float64(c.unit))
	if c.real {
		select {
		case <-t.Context().Done():
		case <-time.After(d):
		}
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// units is a span of the clock.
func (q queueCase) units(n float64) time.Duration {
	return time.Duration(n * float64(q.clock.unit))
}

// TestQueue runs every clause of the [Queue] contract against fresh queues, in parallel.
func TestQueue(t *testing.T, o Queues) {
	t.Helper()
	known := map[string]bool{}
	for _, c := range slices.Concat(sendClauses, orderClauses, returnClauses, deadClauses, modelClauses) {
		known[c.name] = true
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if why := o.skip(c); why != "" {
				t.Skip(why)
			}
			c.check(t, o.open(t, c.receives))
		})
	}
	for name := range o.Skip {
		if !known[name] {
			t.Errorf("Skip: no clause is called %q", name)
		}
	}
}

// skip is why the engine can't be held to a clause; empty if it can.
func (o Queues) skip(c queueClause) string {
	switch {
	case o.Skip[c.name] != "":
		return o.Skip[c.name]
	case c.setClock && o.RealClock:
		return "needs a clock that can be set"
	case c.groups && o.Unordered:
		return "the engine has no groups, hence no order"
	case c.delays && o.NoDelay:
		return "the engine can't delay a message"
	}
	return ""
}

func (o Queues) open(t *testing.T, receives int) queueCase {
	clk := &clock{now: epoch, unit: 10 * time.Second}
	if o.RealClock {
		clk.real, clk.unit = true, time.Second
	}
	q := queueCase{clock: clk, lag: o.Lag, unordered: o.Unordered}
	q.Queue = o.Open(t, QueueSetup{Now: clk.Now, Visibility: visible * clk.unit, MaxReceives: receives})
	q.again = func(testing.TB) queueCase { return o.open(t, receives) }
	return q
}

// group is what a Delivery says of a message that was sent to that group.
func (q queueCase) group(name string) string {
	if q.unordered {
		return ""
	}
	return name
}

// send sends bodies to a group, one after the other.
func (q queueCase) send(t testing.TB, group string, bodies ...string) {
	t.Helper()
	for _, b := range bodies {
		if err := q.Send(t.Context(), group, 0, []byte(b)); err != nil {
			t.Fatalf("Send %q: got error %v; want none", b, err)
		}
	}
}

// take receives until it has n messages or, where an engine lags, its patience is over.
func (q queueCase) take(t testing.TB, n int) (list []queue.Delivery) {
	t.Helper()
	for end := time.Now().Add(q.lag); ; {
		page, err := q.Receive(t.Context(), min(n-len(list), 10))
		if err != nil {
			t.Fatalf("Receive: got error %v; want none", err)
		}
		if len(page) > n-len(list) {
			t.Fatalf("Receive: got %d messages; want at most %d", len(page), n-len(list))
		}
		list = append(list, page...)
		if len(list) == n || (len(page) == 0 && !time.Now().Before(end)) {
			return list
		}
		if len(page) == 0 {
			pause(t)
		}
	}
}

// want receives exactly these bodies, in this order.
func (q queueCase) want(t testing.TB, bodies ...string) (list []queue.Delivery) {
	t.Helper()
	list = q.take(t, len(bodies))
	if d := diff(bodies, bodiesOf(list)); d != "" {
		t.Fatalf("received: %s", d)
	}
	return list
}

// wantNothing fails if anything can be received.
func (q queueCase) wantNothing(t testing.TB) {
	t.Helper()
	if list := q.take(t, 1); len(list) > 0 {
		t.Fatalf("received: got %q; want nothing", bodiesOf(list))
	}
}

func (q queueCase) ack(t testing.TB, list ...queue.Delivery) {
	t.Helper()
	var receipts []string
	for _, d := range list {
		receipts = append(receipts, d.Receipt)
	}
	if err := q.Ack(t.Context(), receipts...); err != nil {
		t.Fatalf("Ack: got error %v; want none", err)
	}
}

func (q queueCase) retry(t testing.TB, d queue.Delivery, units float64) {
	t.Helper()
	if err := q.Retry(t.Context(), d.Receipt, q.units(units)); err != nil {
		t.Fatalf("Retry: got error %v; want none", err)
	}
}

// wantDead fails unless exactly these are the dead letters, in this order.
func (q queueCase) wantDead(t testing.TB, bodies ...string) (list []queue.DeadLetter) {
	t.Helper()
	for end := time.Now().Add(q.lag); ; pause(t) {
		var err error
		if list, err = q.Dead(t.Context(), 100); err != nil {
			t.Fatalf("Dead: got error %v; want none", err)
		}
		var names []string
		for _, l := range list {
			names = append(names, string(l.Body))
		}
		d := diff(bodies, names)
		if d == "" {
			return list
		}
		if !time.Now().Before(end) {
			t.Fatalf("dead letters: %s", d)
		}
	}
}

func bodiesOf(list []queue.Delivery) (out []string) {
	for _, d := range list {
		out = append(out, string(d.Body))
	}
	return out
}

// numbered makes bodies such as "a3".
func numbered(group string, from, to int) (out []string) {
	for i := from; i <= to; i++ {
		out = append(out, fmt.Sprintf("%s%d", group, i))
	}
	return out
}
