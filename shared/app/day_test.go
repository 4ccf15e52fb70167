package app_test

import (
	"container/heap"
	"context"
	"flag"
	"hash/fnv"
	"math/rand/v2"
	"net/http/httptest"
	"strconv"
	"testing"
	"time"

	"kefu/shared/adapter/wechat/wxfake"
	"kefu/shared/app"
)

var (
	// playDay is what make day sets.
	playDay = flag.Bool("day", false, "play the working day in full, and print its report")
	daySeed = flag.Uint64("seed", 1, "what the customers, agents and troubles of the day come from")
	dayOf   = flag.Int("customers", 0, "how many customers the day has; 0: 300 with -day, else 16")
)

// TestDay plays a working day of a customer-service desk: customers who enter, choose, ask, call a human, wait and come
// back in the evening; agents who come, pause, answer, pass on and go; a platform that repeats, reorders, refuses and
// loses; a receiver that is down, and functions that die in the middle. Then the guarantees of design section 2 must
// hold, by what the simulator saw. The same seed gives the same day.
func TestDay(t *testing.T) {
	t.Parallel()
	size := *dayOf
	switch {
	case size > 0:
	case *playDay:
		size = 300
	default:
		size = 16
	}
	d := newDay(t, *daySeed, size)
	d.play()
	d.check()
	if *playDay && !t.Failed() {
		d.report(t.Output())
	}
}

// day is a rig with an agenda: its clock goes from one thing that happens to the next.
type day struct {
	*rig
	trouble  *trouble
	seed     uint64
	size     int
	midnight time.Time // at which it begins, China time
	agenda   agenda
	asked    int // calls with an idempotency key

	modes     map[string]string // of assignment, by account
	hooks     map[string]*receiver
	customers []*dayCustomer
	agents    []*dayAgent
	reviews   []review
	flushed   []wxfake.Push // that were held back to be shuffled
	held      time.Time     // until when some are
	watch     watcher
	rival     *rival
	hangs     hangs
}

func newDay(t *testing.T, seed uint64, size int, change ...func(*app.Config)) *day {
	t.Helper()
	d := &day{seed: seed, size: size, modes: map[string]string{}, hooks: map[string]*receiver{}, watch: newWatch(), hangs: newHangs()}
	d.trouble = newTrouble(seed)
	front := httptest.NewServer(d.trouble)
	t.Cleanup(front.Close)
	d.rig = newRig(t, append(change, func(c *app.Config) { c.WeChatURL = front.URL })...)
	d.trouble.platform = d.rig.platform.Handler()
	d.trouble.now, d.trouble.day = d.now, d
	d.midnight = time.Date(2026, 11, 23, 0, 0, 0, 0, time.FixedZone("UTC+8", 8*60*60))
	d.time.Store(d.midnight.UnixNano())
	d.rewire()
	return d
}

// rewire puts the fuse between the system and its engine, and lets each function die of it.
func (d *day) rewire() {
	app.Rewire(d.system, func(s app.Store) app.Store { return dayStore{mortalStore{s, &d.trouble.fuse}} },
		func(q app.Queue) app.Queue { return dayQueue{q, &d.trouble.fuse} })
	s := d.system
	d.handlers["callback"], d.handlers["api"] = d.trouble.web(s.Callback()), d.trouble.web(s.API())
	d.handlers["inbound"], d.handlers["route"] = s.Ingest(), s.Router()
	d.handlers["outbound"], d.handlers["hooks"] = s.Sender(), s.Webhook()
	d.handlers["expiry"] = s.Expiry()
}

// play opens the desk, lets the day go by, and then as much time as it takes for holds and sessions to end.
func (d *day) play() {
	d.openDesk()
	d.inviteCustomers()
	const h, m = time.Hour, time.Minute
	d.every(m, d.at(8*h), d.at(23*h), d.sweep) // the night's sweeps find nothing that can't wait for the next
	d.every(10*m, d.at(0), d.at(8*h), d.sweep)
	d.every(30*m, d.at(23*h), d.at(76*h), d.sweep)
	d.every(d.rarely(20*time.Second), d.at(8*h+50*m), d.at(19*h), d.sample)
	d.on(d.at(8*h+30*m), func() { d.trouble.on = true })
	d.on(d.at(22*h+30*m), func() { d.trouble.on = false })
	for _, at := range []time.Duration{10*h + 7*m, 14*h + 33*m} {
		d.on(d.at(at), d.outage)
	}
	d.until(d.at(76 * h))
}

// rarely is the pause between two looks: in a small day agents look at their work, and are looked at, less often.
func (d *day) rarely(pause time.Duration) time.Duration {
	if d.size < 100 {
		return 4 * pause
	}
	return pause
}

// replace ends the process and starts another on the same data, as an update does.
func (d *day) replace() {
	d.restart()
	d.rewire()
}

// at is a moment of the day, told by the desk's clock.
func (d *day) at(since time.Duration) time.Time { return d.midnight.Add(since) }

// on puts something on the agenda.
func (d *day) on(at time.Time, do func()) {
	if now := d.now(); at.Before(now) {
		at = now
	}
	heap.Push(&d.agenda, entry{at, d.agenda.n, do})
	d.agenda.n++
}

// in is on, from now.
func (d *day) in(after time.Duration, do func()) { d.on(d.now().Add(after), do) }

func (d *day) every(gap time.Duration, from, to time.Time, do func()) {
	var again func()
	again = func() {
		do()
		if d.now().Add(gap).Before(to) {
			d.in(gap, again)
		}
	}
	d.on(from, again)
}

// until goes on to a moment, with all that happens before: what is on the agenda, and what the queues give out by then.
func (d *day) until(end time.Time) {
	for !d.t.Failed() {
		next := end
		if len(d.agenda.list) > 0 && d.agenda.list[0].at.Before(next) {
			next = d.agenda.list[0].at
		}
		// A group that waits for another message has its time, and nothing to give: so always a little on.
		if at, ok := d.nextDelivery(); ok && at.Before(next) {
			next = at
			if soon := d.now().Add(time.Second); next.Before(soon) {
				next = soon
			}
			if len(d.agenda.list) > 0 && d.agenda.list[0].at.Before(next) {
				next = d.agenda.list[0].at
			}
		}
		if !next.Before(end) {
			d.time.Store(end.UnixNano())
			d.work()
			return
		}
		if next.After(d.now()) {
			d.time.Store(next.UnixNano())
		}
		if len(d.agenda.list) > 0 && !d.agenda.list[0].at.After(d.now()) {
			e, _ := heap.Pop(&d.agenda).(entry)
			e.do()
		}
		d.work()
	}
}

// nextDelivery is when a queue gives something out.
func (d *day) nextDelivery() (at time.Time, ok bool) {
	for _, q := range d.queues() {
		timed, is := q.(interface {
			NextAt(context.Context) (time.Time, bool)
		})
		if !is {
			continue
		}
		if next, some := timed.NextAt(d.ctx); some && (!ok || next.Before(at)) {
			at, ok = next, true
		}
	}
	return at, ok
}

// ask makes a call that changes something as a careful client does: with an idempotency key, again when there was no
// answer. Then gets the answer that there was in the end.
func (d *day) ask(who, method, path string, body any, then func(status int, v m)) {
	d.asked++
	key := "call-" + strconv.Itoa(d.asked)
	tries := 0
	var try func()
	try = func() {
		status, v := d.call(who, method, path, body, "Idempotency-Key", key)
		if tries++; tries < 20 && (status >= 500 || v.str("code") == "in-progress") {
			d.in(5*time.Second, try)
			return
		}
		then(status, v)
	}
	try()
}

// dice are the fortunes of one who has this name, whatever others do.
func (d *day) dice(name string) *rand.Rand { return dice(d.seed, name) }

func dice(seed uint64, name string) *rand.Rand {
	h := fnv.New64a()
	_, _ = h.Write([]byte(name))
	return rand.New(rand.NewPCG(seed, h.Sum64()))
}

// between draws a time.
func between(r *rand.Rand, from, to time.Duration) time.Duration {
	return from + time.Duration(r.Int64N(int64(to-from)))
}

// entry is something on the agenda.
type entry struct {
	at time.Time
	n  int // of equals the first comes first
	do func()
}

type agenda struct {
	list []entry
	n    int
}

func (a *agenda) Len() int      { return len(a.list) }
func (a *agenda) Swap(i, j int) { a.list[i], a.list[j] = a.list[j], a.list[i] }
func (a *agenda) Less(i, j int) bool {
	x, y := a.list[i], a.list[j]
	return x.at.Before(y.at) || (x.at.Equal(y.at) && x.n < y.n)
}
func (a *agenda) Push(x any) { e, _ := x.(entry); a.list = append(a.list, e) }
func (a *agenda) Pop() any {
	last := a.list[len(a.list)-1]
	a.list = a.list[:len(a.list)-1]
	return last
}

var _ heap.Interface = (*agenda)(nil)
