package session

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"kefu/shared/core/account"
	"kefu/shared/core/agent"
	"kefu/shared/core/fault"
	"kefu/shared/core/message"
	"kefu/shared/core/quota"
)

// FuzzStep drives a conversation with events made of bytes and checks after each
// step what must hold whatever happened.
func FuzzStep(f *testing.F) {
	f.Add([]byte("\x00\x01\x10\x20\x21\x22\x30\x31\x32\x41\x52\x63"))
	f.Add([]byte{0x10, 0x40, 0x50, 0x50, 0x50, 0x50, 0x50, 0x50, 0x60, 0x70, 0x70, 0x70, 0x70, 0x70, 0x80, 0x90})
	f.Add([]byte{0x11, 0x42, 0x53, 0x54, 0x60, 0xa1, 0x60, 0xa2, 0x60, 0xa3, 0x60, 0xa4, 0x60, 0xa5, 0x60, 0xa6})
	f.Fuzz(func(t *testing.T, script []byte) {
		if len(script) > 400 {
			script = script[:400]
		}
		newRun(t).play(script)
	})
}

// run is one conversation under test, beside a naive account of what every
// message has been through.
type run struct {
	t      *testing.T
	now    time.Time
	rules  Rules
	s      Session
	pushes int
	ids    int
	rows   map[message.ID]*row
	called []message.ID // first calls, in order
}

type row struct {
	n       int64
	sendAt  time.Time
	endings map[message.State]bool
	calls   int
}

func newRun(t *testing.T) *run {
	return &run{
		t: t, now: time.Date(2026, 11, 21, 8, 0, 0, 0, time.UTC), rows: map[message.ID]*row{},
		rules: Rules{
			Tenant: "default", Channel: account.Official, Grants: quota.Preset(quota.Official2023),
			SessionFor: 48 * time.Hour, HoldFor: 48 * time.Hour,
		},
	}
}

func (r *run) play(script []byte) {
	if len(script) > 0 {
		r.desk(script[0])
	}
	for _, b := range script {
		r.step(r.event(b>>4, int(b&15)))
	}
	// Let everything come to its end: the sender answers, holds run out, rows are written.
	for range 12 {
		r.now = r.now.Add(13 * time.Hour)
		r.step(Tick{})
		r.step(Next{})
		r.recordRows()
		r.step(Informed{UpTo: r.s.NewsSeq})
	}
	if len(r.s.Outbox) > 0 || r.s.Flight != nil || len(r.s.Endings) > 0 {
		r.t.Fatalf("something is left after all time has passed: %d waiting, flight %v, %d endings", len(r.s.Outbox), r.s.Flight, len(r.s.Endings))
	}
	for id, m := range r.rows {
		if len(m.endings) != 1 {
			r.t.Errorf("message %s ended %d times: %v", id, len(m.endings), m.endings)
		}
	}
	if r.s.State.Active() || !r.s.DueAt.IsZero() {
		if r.s.ID != "" {
			r.t.Errorf("after all time has passed the session is %s, due %v", r.s.State, r.s.DueAt)
		}
	}
}

// desk switches the rules of the desk on by the bits of a byte.
func (r *run) desk(bits byte) {
	on := func(bit byte) bool { return bits&bit != 0 }
	if on(1) {
		r.rules.Silence = 30 * time.Minute
	}
	r.rules.Auto = on(2)
	r.rules.Handoff = account.Handoff{Enabled: on(4), Keywords: []string{"人工"}, Notice: "正在接入"}
	r.rules.Bot = account.Bot{Enabled: on(8), Greeting: "欢迎", Fallback: "请换个说法"}
	if on(16) {
		r.rules.Bot.Responder.URL = "https://shop.example/bot"
	}
	if on(32) {
		r.rules.Queue = account.Queue{Text: "第{position}位", Timeout: account.Duration(10 * time.Minute), TimeoutText: "抱歉"}
		r.rules.Queue.Then = []account.Then{account.ThenClose, account.ThenBot, account.ThenStay}[int(bits)%3]
	}
	if on(64) {
		r.rules.Webhook.URL = "https://shop.example/hook"
	}
	if on(128) {
		r.rules.Hours = account.Hours{Text: "明天再来", Open: []account.Span{{Days: []string{"mon"}, From: "09:00", To: "18:00"}}}
	}
}

var pauses = []time.Duration{0, time.Millisecond, time.Second, 2 * time.Second, 8 * time.Second, 59 * time.Second, time.Minute, 10 * time.Minute, 47 * time.Hour, 48 * time.Hour}

var outcomes = []OutcomeKind{Sent, Sent, Refused, WindowClosed, QuotaUsedUp, Busy, Throttled, DayQuota, Unreached, MediaGone, Lost, Review}

func (r *run) event(kind byte, x int) Event {
	arrive := func(a quota.Action, from bool) Event {
		r.pushes++
		r.ids++
		return Arrived{ID: ID(fmt.Sprint("s", r.ids)), Account: "shop", Customer: "mei", Key: fmt.Sprint("p", r.pushes-x%2), At: r.now.Add(-time.Duration(x) * time.Second), Action: a, FromCustomer: from, Text: []string{"在吗", "人工"}[x/2%2], Transferred: from && x == 13, Name: r.toolEvent(from, x)}
	}
	switch kind {
	case 0:
		return arrive(quota.Message, true)
	case 1:
		return arrive([]quota.Action{quota.Click, quota.Follow, quota.Scan, ""}[x%4], false)
	case 2:
		return Accept{Agent: agent.ID(fmt.Sprint("a", x%3))}
	case 3:
		return Assign{Agent: agent.ID(fmt.Sprint("a", x%3))}
	case 4:
		return Transfer{Agent: []agent.ID{"", "a0", "a1"}[x%3]}
	case 5, 6:
		e := Enqueue{Parts: 1 + x%3, FailClosed: x == 7}
		if x > 10 {
			e.SendAt = r.now.Add(time.Duration(x-10) * time.Minute)
		}
		if x%5 == 4 {
			e.ExpiresAt = r.now.Add(time.Duration(x) * time.Minute)
		}
		return e
	case 7, 8:
		return Next{}
	case 9, 10, 11:
		if r.s.Flight == nil {
			return Next{}
		}
		return Answered{Message: r.s.Flight.Message, Outcome: Outcome{Kind: outcomes[x%len(outcomes)]}, Yield: x > 12}
	case 12:
		if len(r.s.Outbox) > 0 {
			return Cancel{Message: r.s.Outbox[x%len(r.s.Outbox)].Message}
		}
		return Close{By: "a0"}
	case 13:
		return r.deskEvent(x)
	case 14:
		r.now = r.now.Add(pauses[x%len(pauses)])
		return Tick{}
	}
	if x%2 == 0 {
		return Close{By: "a1"}
	}
	r.recordRows()
	return Tick{}
}

func (r *run) toolEvent(from bool, x int) string {
	if from {
		return ""
	}
	return map[int]string{3: toolTook, 7: toolClosed}[x]
}

func (r *run) deskEvent(x int) Event {
	switch {
	case x < 4:
		return Release{}
	case x < 7:
		return Told{Position: x}
	case x < 11 && r.s.Turn != nil:
		said := message.Content{Type: message.TypeText, Text: &message.Text{Content: "您好"}}
		return Replied{To: r.s.Turn.To - int64(x%2), Content: []message.Content{said}, Failed: x == 8, Handoff: x == 9}
	case x < 13:
		return Informed{UpTo: r.s.NewsSeq - int64(x%2)}
	}
	for _, w := range r.s.Outbox {
		if w.Review {
			return Approve{Message: w.Message, By: "sue"}
		}
	}
	return Tick{}
}

func (r *run) recordRows() {
	var ids []message.ID
	for _, end := range r.s.Endings {
		ids = append(ids, end.Message)
	}
	if len(ids) > 0 {
		r.step(Settled{Messages: ids})
	}
}

func (r *run) step(e Event) {
	before := r.s.Clone()
	next, effects, err := Step(r.s, e, r.rules, r.now)
	if err != nil {
		if k := fault.KindOf(err); k == fault.Internal {
			r.t.Fatalf("%T: %v", e, err)
		}
		if !errors.Is(err, fault.Conflict) && !errors.Is(err, fault.NotFound) && !errors.Is(err, fault.Invalid) && !errors.Is(err, fault.Exhausted) {
			r.t.Fatalf("%T is refused with %v", e, err)
		}
		if next.Seq != before.Seq || len(next.Outbox) != len(before.Outbox) || next.State != before.State {
			r.t.Fatalf("%T was refused and changed the session", e)
		}
		return
	}
	r.s = next
	r.checkState(before, e)
	for _, effect := range effects {
		r.checkEffect(e, effect)
	}
}

func (r *run) checkState(before Session, e Event) {
	s := r.s
	switch {
	case s.ID != "" && !s.State.Valid():
		r.t.Fatalf("%T led to state %q", e, s.State)
	case s.State == Serving && s.Agent == "":
		r.t.Fatalf("%T: serving without an agent", e)
	case s.State == External && s.ExternalUntil.IsZero():
		r.t.Fatalf("%T: the platform's tool has the session for ever", e)
	case s.Turn != nil && s.State != Bot:
		r.t.Fatalf("%T: the responder is asked about a session that is %s", e, s.State)
	case len(s.News) > 0 && r.rules.Webhook.URL == "":
		r.t.Fatalf("%T: news for nobody", e)
	case s.State == Queued && s.QueuedAt.IsZero():
		r.t.Fatalf("%T: queued since never", e)
	case s.ID == before.ID && !before.State.Active() && s.State.Active():
		r.t.Fatalf("%T brought an ended session back", e)
	case s.ID != before.ID && before.State.Active() && r.now.Before(before.expiresAt(r.rules)):
		r.t.Fatalf("%T opened a second session", e)
	case s.Seq < before.Seq:
		r.t.Fatalf("%T counted backwards", e)
	case (len(s.News) > 0 || len(s.Outbox) > 0 || s.Flight != nil || len(s.Endings) > 0 || s.State.Active()) && s.DueAt.IsZero():
		r.t.Fatalf("%T: the sweep would never come by", e)
	case s.DueAt.After(s.due(r.rules, r.now)):
		r.t.Fatalf("%T: the sweep comes by at %v and must at %v", e, s.DueAt, s.due(r.rules, r.now))
	case len(s.Recent) > recentLimit || len(s.Calls) > callLimit:
		r.t.Fatalf("%T: the short memory has grown to %d", e, len(s.Recent))
	}
	w := s.Window.At(r.now)
	if w.Used > w.Limit && w.Limit > 0 && len(s.Window.Live) > 0 && w.Used > 5 {
		r.t.Fatalf("%T: %d used of %d", e, w.Used, w.Limit)
	}
	if !slices.IsSortedFunc(s.Outbox, func(a, b Waiting) int {
		if a.PartsSent > 0 || b.PartsSent > 0 {
			return 0
		}
		return int(a.N - b.N)
	}) {
		r.t.Fatalf("%T: the outbox is out of order", e)
	}
}

func (r *run) checkEffect(e Event, effect Effect) {
	switch x := effect.(type) {
	case Store:
		if q, ok := e.(Enqueue); ok && !x.Repeat {
			_, n, _ := x.Message.Split()
			r.rows[x.Message] = &row{n: n, sendAt: q.SendAt, endings: map[message.State]bool{}}
		}
	case Say:
		_, n, _ := x.Message.Split()
		r.rows[x.Message] = &row{n: n, endings: map[message.State]bool{}}
		if x.State != "" {
			r.rows[x.Message].endings[x.State] = true
		}
	case Call:
		r.checkCall(e, x)
	case Settle:
		r.end(e, x.Settlement)
	case Record:
		r.end(e, x.Settlement)
	}
}

func (r *run) end(e Event, end message.Settlement) {
	m := r.rows[end.Message]
	if m == nil {
		r.t.Fatalf("%T ended %s, which was never accepted", e, end.Message)
	}
	m.endings[end.State] = true
	if end.State == message.Sent && m.calls == 0 {
		r.t.Fatalf("%T: %s is sent and was never called", e, end.Message)
	}
}

func (r *run) checkCall(e Event, c Call) {
	m := r.rows[c.Message]
	if m == nil || len(m.endings) > 0 {
		r.t.Fatalf("%T calls %s, which is not waiting", e, c.Message)
	}
	if limit := r.s.Window.At(r.now).Limit; limit == 0 {
		r.t.Fatalf("%T calls %s in a closed window", e, c.Message)
	}
	if r.s.Flight == nil || r.s.Flight.Message != c.Message || !r.s.Flight.Deadline.Equal(c.Deadline) {
		r.t.Fatalf("%T calls %s without a flight", e, c.Message)
	}
	if r.now.Before(m.sendAt) {
		r.t.Fatalf("%T calls %s before its time", e, c.Message)
	}
	m.calls++
	if m.calls > 1 {
		return
	}
	// Order: nothing that was accepted earlier and could go is passed over.
	for _, w := range r.s.Outbox {
		if w.N < m.n && !w.waitsAside(r.now) && w.ExpiresAt.After(r.now) {
			r.t.Fatalf("%T calls #%d while #%d waits", e, m.n, w.N)
		}
	}
	r.called = append(r.called, c.Message)
}
