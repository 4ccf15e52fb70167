package porttest

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"kefu/shared/core/queue"
)

var modelClauses = []queueClause{
	{name: "any run of calls agrees with a simple model", setClock: true, groups: true, delays: true, receives: 3, check: func(t *testing.T, q queueCase) {
		rapid.Check(t, func(rt *rapid.T) {
			m := &model{t: rt, q: q.again(t), receives: 3, byID: map[string]*modelMessage{}}
			rt.Repeat(map[string]func(*rapid.T){
				"send":    m.send,
				"receive": m.receive,
				"ack":     m.ack,
				"retry":   m.retry,
				"wait":    m.wait,
			})
			m.drain()
		})
	}},
	{name: "many consumers keep every group's order and lose nothing", groups: true, check: crowd},
	{name: "many consumers lose nothing of what has no group", check: throng},
}

// model is a queue as a list, for one caller.
type model struct {
	t        *rapid.T
	q        queueCase
	receives int
	list     []*modelMessage // in the order of their places
	byID     map[string]*modelMessage
	sent     int
	dead     []string
}

// modelMessage is one message in it.
type modelMessage struct {
	body, group string
	joins       time.Time // its place
	hidden      time.Time // delivered or put off: until then; zero while it is visible
	delivered   []queue.Delivery
	over        bool // acked or dead
	died        bool
}

func (m *model) now() time.Time { return m.q.clock.Now() }

// look brings the model to the present: who was hidden for long enough is visible or dead.
func (m *model) look() {
	for _, v := range m.list {
		if !v.over && !v.hidden.IsZero() && !v.hidden.After(m.now()) {
			v.hidden = time.Time{}
			if len(v.delivered) >= m.receives {
				v.over, v.died = true, true
				m.dead = append(m.dead, v.body)
			}
		}
	}
}

// locked reports whether a message of the group is hidden.
func (m *model) locked(group string) bool {
	return group != "" && slices.ContainsFunc(m.list, func(v *modelMessage) bool {
		return v.group == group && !v.over && !v.hidden.IsZero()
	})
}

// next is what a Receive may give of a group, in order.
func (m *model) next(group string) (out []*modelMessage) {
	if m.locked(group) {
		return nil
	}
	for _, v := range m.list {
		if v.group == group && !v.over && v.hidden.IsZero() && !v.joins.After(m.now()) {
			out = append(out, v)
		}
	}
	return out
}

var modelGroups = []string{"", "a", "b", "c"}

func (m *model) send(t *rapid.T) {
	m.sent++
	v := &modelMessage{
		body:  fmt.Sprintf("m%d", m.sent),
		group: rapid.SampledFrom(modelGroups).Draw(t, "group"),
	}
	delay := m.q.units(float64(rapid.SampledFrom([]int{0, 0, 0, 1, 3}).Draw(t, "delay")))
	v.joins = m.now().Add(delay)
	if err := m.q.Send(m.t.Context(), v.group, delay, []byte(v.body)); err != nil {
		t.Fatalf("Send: %v", err)
	}
	m.list = append(m.list, v)
	slices.SortStableFunc(m.list, func(a, b *modelMessage) int { return a.joins.Compare(b.joins) })
}

func (m *model) receive(t *rapid.T) {
	m.look()
	limit := rapid.IntRange(1, 5).Draw(t, "limit")
	allowed, ready := map[string][]*modelMessage{}, 0
	for _, g := range modelGroups {
		allowed[g] = m.next(g)
		ready += len(allowed[g])
	}
	list, err := m.q.Receive(m.t.Context(), limit)
	if err != nil || len(list) > limit || (len(list) == 0 && ready > 0) {
		t.Fatalf("Receive(%d): got %d messages, error %v; %d are ready", limit, len(list), err, ready)
	}
	for _, d := range list {
		g := allowed[d.Group]
		i := slices.IndexFunc(g, func(v *modelMessage) bool { return v.body == string(d.Body) })
		if i < 0 || (i > 0 && d.Group != "") {
			t.Fatalf("received %s of group %q; its turn has %s", d.Body, d.Group, names(g))
		}
		v := g[i]
		allowed[d.Group] = slices.Delete(g, i, i+1)
		v.delivered = append(v.delivered, d)
		v.hidden = m.now().Add(m.q.units(visible))
		if d.Receives != len(v.delivered) || (len(v.delivered) > 1 && v.delivered[0].ID != d.ID) {
			t.Fatalf("received %s: got id %s, receives %d; want id %s, %d", d.Body, d.ID, d.Receives, v.delivered[0].ID, len(v.delivered))
		}
		m.byID[d.ID] = v
	}
}

func names(list []*modelMessage) string {
	var out []string
	for _, v := range list {
		out = append(out, v.body)
	}
	return "[" + strings.Join(out, " ") + "]"
}

// some draws a delivery, perhaps a stale one; the message it counts for is nil if it is.
func (m *model) some(t *rapid.T) (queue.Delivery, *modelMessage, bool) {
	m.look()
	var list []queue.Delivery
	for _, v := range m.list {
		list = append(list, v.delivered...)
	}
	if len(list) == 0 {
		return queue.Delivery{}, nil, false
	}
	d := list[rapid.IntRange(0, len(list)-1).Draw(t, "delivery")]
	v := m.byID[d.ID]
	if v.died {
		// The engine may find out at its next Receive, and until then take an Ack.
		return queue.Delivery{}, nil, false
	}
	if v.over || d.Receives != len(v.delivered) {
		v = nil
	}
	return d, v, true
}

func (m *model) ack(t *rapid.T) {
	d, v, ok := m.some(t)
	if !ok {
		return
	}
	if err := m.q.Ack(m.t.Context(), d.Receipt); err != nil {
		t.Fatalf("Ack: %v", err)
	}
	if v != nil {
		v.over = true
	}
}

func (m *model) retry(t *rapid.T) {
	d, v, ok := m.some(t)
	if !ok || (v != nil && v.hidden.IsZero()) {
		return // its time is over, though nobody else has the message: what Retry then does is open
	}
	delay := m.q.units(float64(rapid.IntRange(0, 6).Draw(t, "delay")))
	if err := m.q.Retry(m.t.Context(), d.Receipt, delay); err != nil {
		t.Fatalf("Retry: %v", err)
	}
	if v != nil {
		v.hidden = m.now().Add(delay)
	}
}

func (m *model) wait(t *rapid.T) {
	m.q.clock.pass(t, float64(rapid.IntRange(1, 3).Draw(t, "units")))
}

// drain lets everything end, and looks that nothing was lost.
func (m *model) drain() {
	for range 1000 {
		m.look()
		if !slices.ContainsFunc(m.list, func(v *modelMessage) bool { return !v.over }) {
			break
		}
		list, err := m.q.Receive(m.t.Context(), 10)
		if err != nil {
			m.t.Fatalf("Receive: %v", err)
		}
		for _, d := range list {
			i := slices.IndexFunc(m.list, func(v *modelMessage) bool { return v.body == string(d.Body) })
			m.list[i].over = true
			if err := m.q.Ack(m.t.Context(), d.Receipt); err != nil {
				m.t.Fatalf("Ack: %v", err)
			}
		}
		if len(list) == 0 {
			m.q.clock.pass(m.t, 1)
		}
	}
	if list, err := m.q.Receive(m.t.Context(), 10); err != nil || len(list) > 0 {
		m.t.Fatalf("Receive after all is over: got %d messages, error %v", len(list), err)
	}
	for _, v := range m.list {
		if !v.over {
			m.t.Fatalf("%s of group %q was lost", v.body, v.group)
		}
	}
	letters, err := m.q.Dead(m.t.Context(), 1000)
	if err != nil {
		m.t.Fatalf("Dead: %v", err)
	}
	var got []string
	for _, l := range letters {
		got = append(got, string(l.Body))
	}
	slices.Sort(got)
	slices.Sort(m.dead)
	if d := diff(m.dead, got); d != "" {
		m.t.Fatalf("dead letters: %s", d)
	}
}

// crowd lets senders and consumers run against each other.
func crowd(t *testing.T, q queueCase) {
	const groups, each, consumers = 8, 40, 6
	c := &crowdLog{working: map[string]int{}, done: map[string][]string{}, left: groups * each}
	var all sync.WaitGroup
	for g := range groups {
		all.Go(func() {
			name := string(rune('a' + g))
			for _, body := range numbered(name, 1, each) {
				if err := q.Send(t.Context(), name, 0, []byte(body)); err != nil {
					t.Errorf("Send: %v", err)
					return
				}
			}
		})
	}
	for i := range consumers {
		all.Go(func() { c.consume(t, q, rand.New(rand.NewPCG(uint64(i), 7))) })
	}
	all.Wait()
	for g := range groups {
		name := string(rune('a' + g))
		if d := diff(numbered(name, 1, each), c.done[name]); d != "" {
			t.Errorf("group %s, as it was worked off: %s", name, d)
		}
	}
}

// crowdLog is what the consumers do together.
type crowdLog struct {
	mu      sync.Mutex
	working map[string]int      // group to consumer + 1
	done    map[string][]string // group to bodies in the order of their acks
	left    int
}

// begin notes that a consumer has a group, and complains if another has it.
func (c *crowdLog) begin(t *testing.T, group string, who int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if other := c.working[group]; other != 0 && other != who {
		t.Errorf("group %s is with two consumers at once", group)
	}
	c.working[group] = who
}

// end notes what of a group was worked off, before the queue is told.
func (c *crowdLog) end(group string, bodies []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.working[group] = 0
	c.done[group] = append(c.done[group], bodies...)
	c.left -= len(bodies)
}

func (c *crowdLog) open() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.left > 0
}

// consume works until everything is done. Now and then it gives back the rest of a group instead.
func (c *crowdLog) consume(t *testing.T, q queueCase, dice *rand.Rand) {
	who := int(dice.Int64()>>1) | 1
	for c.open() && !t.Failed() {
		list, err := q.Receive(t.Context(), 1+dice.IntN(6))
		if err != nil {
			t.Errorf("Receive: %v", err)
			return
		}
		byGroup := map[string][]queue.Delivery{}
		for _, d := range list {
			byGroup[d.Group] = append(byGroup[d.Group], d)
		}
		for g := range byGroup {
			c.begin(t, g, who)
		}
		runtime.Gosched()
		for g, ds := range byGroup {
			keep := len(ds)
			if dice.IntN(4) == 0 {
				keep = dice.IntN(len(ds) + 1)
			}
			c.end(g, bodiesOf(ds[:keep]))
			// What is given back goes first: an ack of all that stands before would free the group too early.
			for i := len(ds) - 1; i >= keep; i-- {
				if err := q.Retry(t.Context(), ds[i].Receipt, 0); err != nil {
					t.Errorf("Retry: %v", err)
				}
			}
			for _, d := range ds[:keep] {
				if err := q.Ack(t.Context(), d.Receipt); err != nil {
					t.Errorf("Ack: %v", err)
				}
			}
		}
		if len(list) == 0 && q.lag > 0 {
			pause(t)
		}
	}
}

// throng is a crowd without groups: everything is worked off at least once.
func throng(t *testing.T, q queueCase) {
	const messages, senders, consumers = 120, 4, 6
	var all sync.WaitGroup
	for i := range senders {
		all.Go(func() {
			for _, body := range numbered(string(rune('a'+i)), 1, messages/senders) {
				if err := q.Send(t.Context(), "", 0, []byte(body)); err != nil {
					t.Errorf("Send: %v", err)
					return
				}
			}
		})
	}
	var mu sync.Mutex
	done := map[string]bool{}
	open := func() bool {
		mu.Lock()
		defer mu.Unlock()
		return len(done) < messages && !t.Failed()
	}
	for range consumers {
		all.Go(func() {
			for open() {
				list, err := q.Receive(t.Context(), 5)
				if err != nil {
					t.Errorf("Receive: %v", err)
					return
				}
				var receipts []string
				mu.Lock()
				for _, d := range list {
					done[string(d.Body)] = true
					receipts = append(receipts, d.Receipt)
				}
				mu.Unlock()
				if err := q.Ack(t.Context(), receipts...); err != nil {
					t.Errorf("Ack: %v", err)
				}
				if len(list) == 0 && q.lag > 0 {
					pause(t)
				}
			}
		})
	}
	all.Wait()
	wantEqual(t, "different messages", len(done), messages)
	q.wantNothing(t)
}
