package app_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"time"

	"kefu/shared/app"
	"kefu/shared/core/agent"
	"kefu/shared/core/queue"
	"kefu/shared/core/replay"
	"kefu/shared/core/session"
	"kefu/shared/core/tenant"
	"kefu/shared/faas"
)

// trouble is what goes wrong on the day. It stands before the platform as a proxy that refuses calls and loses answers,
// and between the functions and their engine as a fuse. What befalls a customer's calls depends on him alone, what befalls
// a function on how many ran before: so the same seed brings the same.
type trouble struct {
	on       bool
	seed     uint64
	fuse     fuse
	platform http.Handler
	now      func() time.Time
	day      *day

	mu      sync.Mutex
	calls   map[string][]sendCall // custom/send, by openid
	counts  map[string]int        // troubles by kind
	drawn   map[string]int        // lots, by whom they befall
	clouded map[string]time.Time  // customers of whose window Kefu may think too little, since when
}

// sendCall is one call of custom/send as the platform's side saw it.
type sendCall struct {
	at    time.Time
	fault string // what was injected
	code  int    // what the platform itself answered, if it was asked
	asked bool
}

func newTrouble(seed uint64) *trouble {
	return &trouble{seed: seed, drawn: map[string]int{}, calls: map[string][]sendCall{}, counts: map[string]int{}, clouded: map[string]time.Time{}}
}

// sendFaults are what befalls a call, in thousandths.
var sendFaults = []struct {
	kind string
	per  int
	code int // the refusal; 0: another misfortune
}{
	{"45047", 5, 45047},
	{"45015", 5, 45015},
	{"-1", 8, -1},
	{"45011", 5, 45011},
	{"lost answer", 6, 0},
	{"502", 4, 0},
	{"cut", 6, 0},
	{"hung", 6, 0},
}

// ServeHTTP stands before the platform.
func (x *trouble) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !strings.HasSuffix(r.URL.Path, "/custom/send") {
		x.platform.ServeHTTP(w, r)
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, "unreadable", http.StatusBadRequest)
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	var to struct {
		User string `json:"touser"`
	}
	_ = json.Unmarshal(body, &to)
	c, code := x.befalls(to.User)
	switch {
	case code != 0:
		x.note(to.User, c)
		_, _ = fmt.Fprintf(w, `{"errcode":%d,"errmsg":"injected"}`, code)
		return
	case c.fault == "502":
		x.note(to.User, c)
		w.WriteHeader(http.StatusBadGateway)
		return
	case c.fault == "cut":
		x.note(to.User, c)
		panic(http.ErrAbortHandler)
	case c.fault == "hung":
		x.note(to.User, c)
		x.day.hang(r, 10*time.Second)
	}
	rec := httptest.NewRecorder()
	x.platform.ServeHTTP(rec, r)
	var answer struct {
		Code int `json:"errcode"`
	}
	_ = json.Unmarshal(rec.Body.Bytes(), &answer)
	c.asked, c.code = true, answer.Code
	x.note(to.User, c)
	if c.fault == "lost answer" {
		panic(http.ErrAbortHandler)
	}
	w.WriteHeader(rec.Code)
	_, _ = w.Write(rec.Body.Bytes())
}

// befalls draws what befalls a customer's next call.
func (x *trouble) befalls(openID string) (c sendCall, code int) {
	x.mu.Lock()
	defer x.mu.Unlock()
	c.at = x.now()
	if c.at.Before(x.day.hangs.until) {
		x.counts["hung in an outage"]++
		c.fault = "hung"
		return c, 0
	}
	if !x.on {
		return c, 0
	}
	n := dice(x.seed, fmt.Sprint(openID, len(x.calls[openID]))).IntN(1000)
	for _, f := range sendFaults {
		if n -= f.per; n < 0 {
			x.counts[f.kind]++
			c.fault = f.kind
			return c, f.code
		}
	}
	return c, 0
}

func (x *trouble) note(openID string, c sendCall) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.calls[openID] = append(x.calls[openID], c)
	if c.fault != "" {
		x.clouded[openID] = c.at
	}
	if c.fault == "45015" {
		x.clouded[openID] = c.at.Add(48 * time.Hour) // Kefu forgets grants which the platform, in truth, still has
	}
}

// lot is what is drawn for somebody next; what is drawn for others changes nothing in it.
func (x *trouble) lot(of string) *rand.Rand {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.drawn[of]++
	return dice(x.seed, fmt.Sprint(of, " ", x.drawn[of]))
}

func (x *trouble) happens(kind, to string, in1000 int) bool {
	if !x.on || x.lot(kind+" "+to).IntN(1000) >= in1000 {
		return false
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	x.counts[kind]++
	return true
}

func (x *trouble) count(kind string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.counts[kind]++
}

// kinds are the names of what happened.
func (x *trouble) kinds() []string { return sorted(x.counts) }

func sorted[V any](of map[string]V) []string { return slices.Sorted(maps.Keys(of)) }

// mortal lets one in a hundred runs of a function die at one of its first writes, before or after it took effect. Of
// tells on whose account it runs.
func (x *trouble) mortal(h faas.Handler, of func(payload []byte) string) faas.Handler {
	return func(ctx context.Context, payload []byte) ([]byte, error) {
		x.fuse.at = 0
		if lot := x.lot(of(payload)); x.on && lot.IntN(100) == 0 {
			x.fuse.at, x.fuse.after = x.fuse.ops.Load()+1+lot.Int64N(4), lot.IntN(2) == 0
		}
		out, err := h.Invoke(ctx, payload)
		x.fuse.at = 0
		if x.fuse.dead.Swap(false) {
			x.mu.Lock()
			x.counts["crash"]++
			x.mu.Unlock()
			return nil, errDied
		}
		return out, err
	}
}

// web is mortal for a function that answers HTTP: whoever calls one that dies is told 502 by the front.
func (x *trouble) web(h faas.Handler) faas.Handler {
	h = x.mortal(h, address)
	return func(ctx context.Context, payload []byte) ([]byte, error) {
		out, err := h(ctx, payload)
		if errors.Is(err, errDied) {
			return []byte(`{"statusCode":502}`), nil
		}
		return out, err
	}
}

// address is on whose account an HTTP function runs.
func address(payload []byte) string {
	var event struct {
		Path string `json:"rawPath"`
	}
	_ = json.Unmarshal(payload, &event)
	return event.Path
}

// work is pump with the troubles of queues: what was given out comes twice, or again because its acknowledgement was
// lost, or much later; a function that dies acknowledges nothing.
func (d *day) work() {
	d.t.Helper()
	for range 10_000 {
		worked := false
		for _, name := range []string{"inbound", "route", "outbound", "hooks"} {
			worked = d.take(name) || worked
		}
		if !worked {
			return
		}
	}
	d.t.Fatal("the queues never come to rest")
}

func (d *day) take(name string) bool {
	q := d.queues()[name].(dayQueue).Queue
	batch, err := q.Receive(d.ctx, 1)
	if err != nil {
		d.t.Fatalf("receive from %s: %v", name, err)
	}
	if len(batch) == 0 {
		return false
	}
	of := name + " " + batch[0].Group
	if name == "inbound" && d.trouble.happens("late repeat", of, 10) {
		late := batch[0]
		d.in(between(d.trouble.lot(of), time.Minute, 30*time.Hour), func() { _ = q.Send(d.ctx, late.Group, 0, late.Body) })
	}
	run := func(ctx context.Context) outcome { return d.run(ctx, name, batch[0]) }
	settle := func(o outcome) { d.settle(name, of, o) }
	if d.trouble.happens("redelivery", of, 15) {
		d.begin(name, batch[0], run, func(o outcome) {
			if !o.died {
				d.begin(name, batch[0], run, settle)
			}
		})
		return true
	}
	d.begin(name, batch[0], run, settle)
	return true
}

// settle gives back what failed and acknowledges what is done, unless the function died, or its word is lost.
func (d *day) settle(name, of string, o outcome) {
	if o.died || d.trouble.happens("lost acknowledgement", of, 5) {
		return
	}
	q := d.queues()[name].(dayQueue).Queue
	for _, f := range o.failed {
		if name == "hooks" { // it gives back by itself
			continue
		}
		if err := q.Retry(d.ctx, f.Receipt, time.Second); err != nil {
			d.t.Fatal(err)
		}
	}
	if err := q.Ack(d.ctx, o.done...); err != nil {
		d.t.Fatal(err)
	}
}

// run is invoke for a function that may die.
func (d *day) run(ctx context.Context, name string, with queue.Delivery) (o outcome) {
	h := d.trouble.mortal(d.handlers[name], func([]byte) string { return name + " " + with.Group })
	o.done, o.failed = d.invokeBy(ctx, name, func(ctx context.Context, payload []byte) ([]byte, error) {
		out, err := h(ctx, payload)
		if o.died = errors.Is(err, errDied); o.died {
			return []byte(`{"batchItemFailures":[]}`), nil
		}
		return out, err
	}, []queue.Delivery{with})
	if o.died {
		d.mourn(name, with)
	}
	return o
}

// mourn notes what the death of a function excuses: a call of which nobody knows whether it was made, and a queue whose
// next wake-up is the one that comes again in a minute.
func (d *day) mourn(name string, with queue.Delivery) {
	var ref session.Ref
	if name == "outbound" && json.Unmarshal(with.Body, &ref) == nil {
		d.trouble.clouded[string(ref.Customer)] = d.now()
	}
	if was, ok := d.watch.first[with.Group]; ok && name == "route" {
		d.watch.first[with.Group] = stays{was.session, d.now()}
	}
}

// dayStore is mortal in the writes of the interface too.
type dayStore struct{ mortalStore }

func (s dayStore) BeginCall(ctx context.Context, t tenant.ID, c replay.Call, now time.Time) (was replay.Call, ok bool, err error) {
	err = s.f.op(func() error { was, ok, err = s.Store.BeginCall(ctx, t, c, now); return err })
	return was, ok, err
}

func (s dayStore) FinishCall(ctx context.Context, t tenant.ID, c replay.Call) error {
	return s.f.op(func() error { return s.Store.FinishCall(ctx, t, c) })
}

func (s dayStore) AbandonCall(ctx context.Context, t tenant.ID, key string) error {
	return s.f.op(func() error { return s.Store.AbandonCall(ctx, t, key) })
}

func (s dayStore) SetStatus(ctx context.Context, t tenant.ID, id agent.ID, st agent.Status, at, until time.Time) (g agent.Agent, err error) {
	err = s.f.op(func() error { g, err = s.Store.SetStatus(ctx, t, id, st, at, until); return err })
	return g, err
}

// dayQueue is a queue that a function may die at.
type dayQueue struct {
	app.Queue
	f *fuse
}

func (q dayQueue) Send(ctx context.Context, group string, delay time.Duration, body []byte) error {
	return q.f.op(func() error { return q.Queue.Send(ctx, group, delay, body) })
}

func (q dayQueue) Retry(ctx context.Context, receipt string, delay time.Duration) error {
	return q.f.op(func() error { return q.Queue.Retry(ctx, receipt, delay) })
}

func (q dayQueue) NextAt(ctx context.Context) (time.Time, bool) {
	timed, ok := q.Queue.(interface {
		NextAt(context.Context) (time.Time, bool)
	})
	if !ok {
		return time.Time{}, false
	}
	return timed.NextAt(ctx)
}
