package bolt_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"kefu/shared/adapter/bolt"
	"kefu/shared/core/fault"
	"kefu/shared/core/queue"
)

// handClock is a clock that tests move.
type handClock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *handClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *handClock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// hinted reports whether a hint was waiting, and takes it.
func hinted(q *bolt.Queue) bool {
	select {
	case <-q.Ready():
		return true
	default:
		return false
	}
}

func send(t *testing.T, q *bolt.Queue, group string, delay time.Duration, body string) {
	t.Helper()
	if err := q.Send(t.Context(), group, delay, []byte(body)); err != nil {
		t.Fatalf("Send: got error %v; want none", err)
	}
}

func receive(t *testing.T, q *bolt.Queue, limit, want int) []queue.Delivery {
	t.Helper()
	list, err := q.Receive(t.Context(), limit)
	if err != nil || len(list) != want {
		t.Fatalf("Receive: got %d messages, error %v; want %d", len(list), err, want)
	}
	return list
}

func wantHint(t *testing.T, q *bolt.Queue, what string, want bool) {
	t.Helper()
	if got := hinted(q); got != want {
		t.Errorf("hint %s: got %v; want %v", what, got, want)
	}
}

func wantNext(t *testing.T, q *bolt.Queue, want time.Time) {
	t.Helper()
	at, ok := q.NextAt(t.Context())
	if ok == want.IsZero() || !at.Equal(want) {
		t.Errorf("NextAt: got %v, %v; want %v", at, ok, want)
	}
}

// A poller that waits for Ready or NextAt misses nothing and needs no other clock.
func TestReadyAndNextAt(t *testing.T) {
	t.Parallel()
	clock := &handClock{now: start}
	q := open(t, bolt.Options{Now: clock.Now}).Queue("q", bolt.QueueOptions{Visibility: time.Minute})
	wantHint(t, q, "after the start", true)
	wantNext(t, q, time.Time{})

	send(t, q, "g", 0, "g1")
	wantHint(t, q, "after a Send", true)
	send(t, q, "g", 0, "g2")
	wantHint(t, q, "after a Send behind another", false)
	first := receive(t, q, 1, 1)[0]
	wantHint(t, q, "after the first timer", true)
	wantNext(t, q, start.Add(time.Minute))
	if err := q.Ack(t.Context(), first.Receipt); err != nil {
		t.Fatalf("Ack: got error %v; want none", err)
	}
	wantHint(t, q, "after an Ack that frees its group", true)
	wantNext(t, q, time.Time{})

	second := receive(t, q, 1, 1)[0]
	hinted(q)
	if err := q.Retry(t.Context(), second.Receipt, 5*time.Second); err != nil {
		t.Fatalf("Retry: got error %v; want none", err)
	}
	wantHint(t, q, "after a Retry that ends sooner", true)
	wantNext(t, q, start.Add(5*time.Second))
	send(t, q, "", 2*time.Second, "late")
	wantHint(t, q, "after a delayed Send that comes sooner", true)
	wantNext(t, q, start.Add(2*time.Second))
	send(t, q, "", 9*time.Second, "later")
	wantHint(t, q, "after a delayed Send that comes later", false)

	clock.pass(10 * time.Second)
	receive(t, q, 1, 1)
	hinted(q)
	receive(t, q, 1, 1) // its timer is no sooner than that of the one before
	wantHint(t, q, "after a Receive that left something", true)
	receive(t, q, 1, 1)
	wantHint(t, q, "after a Receive that left nothing", false)
	receive(t, q, 10, 0)
}

// Several pollers that wait for hints alone work off everything.
func TestPollersShareHints(t *testing.T) {
	t.Parallel()
	q := open(t, bolt.Options{}).Queue("q", bolt.QueueOptions{Visibility: time.Hour})
	const total = 300
	var left sync.WaitGroup
	left.Add(total)
	over := make(chan struct{})
	var pollers sync.WaitGroup
	for range 4 {
		pollers.Go(func() {
			for {
				select {
				case <-over:
					return
				case <-q.Ready():
				}
				list, err := q.Receive(t.Context(), 3)
				if err != nil {
					t.Errorf("Receive: got error %v; want none", err)
					return
				}
				for _, d := range list {
					if err := q.Ack(t.Context(), d.Receipt); err != nil {
						t.Errorf("Ack: got error %v; want none", err)
					}
					left.Done()
				}
			}
		})
	}
	for i := range total {
		send(t, q, fmt.Sprintf("g%d", i%7), 0, "body")
	}
	left.Wait()
	close(over)
	pollers.Wait()
}

// What no receipt is, is refused; the same name is the same queue; another name another.
func TestQueueNames(t *testing.T) {
	t.Parallel()
	db := open(t, bolt.Options{})
	a, b := db.Queue("a", bolt.QueueOptions{}), db.Queue("b", bolt.QueueOptions{})
	if db.Queue("a", bolt.QueueOptions{MaxReceives: 9}) != a {
		t.Error("Queue: got another queue of the same name; want the same")
	}
	send(t, a, "g", 0, "in a")
	receive(t, b, 1, 0)
	receive(t, a, 1, 1)
	for _, receipt := range []string{"", "x", "00000000000000001", "0000000000000001", "0000000000000001.", "0000000000000001.x"} {
		if err := a.Ack(t.Context(), receipt); fault.CodeOf(err) != "bad-receipt" {
			t.Errorf("Ack(%q): got error %v; want bad-receipt", receipt, err)
		}
	}
}

// More timers than one Receive works off at once end in the right order all the same.
func TestManyTimersKeepOrder(t *testing.T) {
	t.Parallel()
	clock := &handClock{now: start}
	q := open(t, bolt.Options{Now: clock.Now}).Queue("q", bolt.QueueOptions{Visibility: time.Hour})
	const delayed = 2500
	var all sync.WaitGroup
	for i := range delayed { // over 50 groups, each in turn a second later
		all.Go(func() {
			delay := time.Duration(1+i/50) * time.Second
			if err := q.Send(t.Context(), fmt.Sprintf("g%d", i%50), delay, []byte(fmt.Sprint(i/50))); err != nil {
				t.Errorf("Send: got error %v; want none", err)
			}
		})
	}
	all.Wait()
	clock.pass(100 * time.Second)
	for g := range 50 {
		send(t, q, fmt.Sprintf("g%d", g), 0, fmt.Sprint(delayed/50)) // the last of each group
	}
	next := map[string]int{}
	for n := 0; n < delayed+50; {
		list, err := q.Receive(t.Context(), 400)
		if err != nil || len(list) == 0 {
			t.Fatalf("Receive after %d: got %d messages, error %v; want some", n, len(list), err)
		}
		var receipts []string
		for _, d := range list {
			if want := fmt.Sprint(next[d.Group]); string(d.Body) != want {
				t.Fatalf("group %s: got %s; want %s", d.Group, d.Body, want)
			}
			next[d.Group]++
			receipts = append(receipts, d.Receipt)
		}
		if err := q.Ack(t.Context(), receipts...); err != nil {
			t.Fatalf("Ack: got error %v; want none", err)
		}
		n += len(list)
	}
	receive(t, q, 10, 0)
}

// A message must not overtake one of its group whose delay is over, though so many timers are that one step doesn't
// reach it.
func TestNothingOvertakesAnOverdueTimer(t *testing.T) {
	t.Parallel()
	clock := &handClock{now: start}
	q := open(t, bolt.Options{Now: clock.Now}).Queue("q", bolt.QueueOptions{Visibility: time.Hour})
	send(t, q, "busy", 0, "in flight")
	receive(t, q, 1, 1)
	var all sync.WaitGroup
	for range 1100 { // they join a group that is locked, so that none of them fills the page
		all.Go(func() {
			if err := q.Send(t.Context(), "busy", time.Second, []byte("waits")); err != nil {
				t.Errorf("Send: got error %v; want none", err)
			}
		})
	}
	all.Wait()
	send(t, q, "z", 2*time.Second, "first")
	clock.pass(3 * time.Second)
	send(t, q, "z", 0, "second")
	for _, want := range []string{"first", "second"} {
		list := receive(t, q, 10, 1)
		if string(list[0].Body) != want {
			t.Errorf("got %s; want %s", list[0].Body, want)
		}
		if err := q.Ack(t.Context(), list[0].Receipt); err != nil {
			t.Fatalf("Ack: got error %v; want none", err)
		}
	}
}
