package shell_test

import (
	"context"
	"slices"
	"testing"

	"kefu/shared/core/account"
	"kefu/shared/core/fault"
	"kefu/shared/core/message"
	"kefu/shared/core/session"
	"kefu/shared/shell"
)

// sentOne plays a conversation up to the record of an answer that was sent, and
// returns what became of it.
func sentOne(t *testing.T, sh *shell.Shell, d *diary) shell.Result {
	t.Helper()
	if _, err := sh.Do(t.Context(), ref, rules, d.row, arrived("s1", "p1"), session.Accept{Agent: "ann"}); err != nil {
		t.Fatal(err)
	}
	if _, err := sh.Do(t.Context(), ref, rules, d.keep, session.Enqueue{Parts: 1}); err != nil {
		t.Fatal(err)
	}
	res, err := sh.Do(t.Context(), ref, rules, nil, session.Next{})
	if err != nil || res.Call == nil {
		t.Fatalf("the sender's turn: %v, %v", res.Call, err)
	}
	d.lines = nil
	res, err = sh.Do(t.Context(), ref, rules, nil, answered(res.Call.Message))
	if err != nil {
		t.Fatal(err)
	}
	return res
}

func answered(id message.ID) session.Answered {
	return session.Answered{Message: id, Outcome: session.Outcome{Kind: session.Sent}}
}

// TestLands: the end of a flight that nobody saved is found by whoever comes next.
func TestLands(t *testing.T) {
	t.Parallel()
	for name, e := range map[string]session.Event{
		"a sender": session.Next{}, "an agent": session.Enqueue{Parts: 1}, "the end": session.Close{By: "ann"},
		"a new process": session.Orphaned{},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sh, d := open(t)
			if res := sentOne(t, sh, d); res.Session.Flight != nil {
				t.Fatal("the caller sees the flight, which has ended")
			}
			d.expect(t, "the answer's end", "settle sent")
			stored, err := d.Session(t.Context(), "shop", "mei")
			if err != nil || stored.Flight == nil {
				t.Fatalf("the flight was to stay: %v, %v", stored.Flight, err)
			}
			res, err := sh.Do(t.Context(), ref, rules, d.keep, e)
			if err != nil {
				t.Fatal(err)
			}
			if res.Session.Flight != nil || len(res.Session.Endings) > 0 {
				t.Errorf("got flight %v, endings %v; want none", res.Session.Flight, res.Session.Endings)
			}
			if m, err := d.Message(t.Context(), stored.Flight.Message); err != nil || m.State != message.Sent {
				t.Errorf("the message reads %s, %v; want sent", m.State, err)
			}
		})
	}
}

// TestLandsBehindCustomer: a customer's message wakes the sender for what waits
// behind a flight that has ended.
func TestLandsBehindCustomer(t *testing.T) {
	t.Parallel()
	sh, d := open(t)
	sentOne(t, sh, d)
	d.lines = nil
	if _, err := sh.Do(t.Context(), ref, rules, d.row, arrived("s1", "p2")); err != nil {
		t.Fatal(err)
	}
	d.expect(t, "a message with nothing waiting", "save", "row")
	if _, err := sh.Do(t.Context(), ref, rules, d.keep, session.Enqueue{Parts: 1}); err != nil {
		t.Fatal(err)
	}
	d.lines = nil
	if _, err := sh.Do(t.Context(), ref, rules, d.row, arrived("s1", "p3")); err != nil {
		t.Fatal(err)
	}
	d.expect(t, "a message with an answer waiting", "save", "row", "wake sender shop/mei 0s")
}

// meddler lets something happen at one point of a step.
type meddler struct {
	*diary
	before, after func() // the row of an ending is written
	glance        func() (session.Session, error)
}

func (m *meddler) SettleMessage(ctx context.Context, s message.Settlement) (bool, error) {
	once(&m.before)
	wrote, err := m.diary.SettleMessage(ctx, s)
	once(&m.after)
	return wrote, err
}

func once(f *func()) {
	if g := *f; g != nil {
		*f = nil
		g()
	}
}

func (m *meddler) GlanceSession(ctx context.Context, a account.ID, c account.Customer) (session.Session, error) {
	if m.glance != nil {
		return m.glance()
	}
	return m.diary.GlanceSession(ctx, a, c)
}

// TestNoWakeLost: an answer that is enqueued while the sender records the one
// before, and is about to leave, is called by him or by the sender that it wakes.
func TestNoWakeLost(t *testing.T) {
	t.Parallel()
	for name, after := range map[string]bool{"before the record": false, "after it": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sh, d := open(t)
			m := &meddler{diary: d}
			sh.Store = m
			var second shell.Result
			enqueue := func() {
				var err error
				if second, err = sh.Do(t.Context(), ref, rules, d.keep, session.Enqueue{Parts: 1}); err != nil {
					t.Error(err)
				}
			}
			if m.before = enqueue; after {
				m.before, m.after = nil, enqueue
			}
			res := sentOne(t, sh, d)
			if res.Call == nil {
				if !slices.Contains(d.lines, "wake sender shop/mei 0s") {
					t.Fatalf("the sender leaves and nobody is woken: %v", d.lines)
				}
				var err error
				if res, err = sh.Do(t.Context(), ref, rules, nil, session.Next{}); err != nil {
					t.Fatal(err)
				}
			}
			if res.Call == nil || res.Call.Message != second.Stored.Message {
				t.Errorf("got call %v; want one of %s", res.Call, second.Stored.Message)
			}
		})
	}
}

// TestStaleGlance: a glance that is out of date leads to no second effect and to no
// wrong conclusion.
func TestStaleGlance(t *testing.T) {
	t.Parallel()
	sh, d := open(t)
	m := &meddler{diary: d}
	sh.Store = m
	ctx := t.Context()
	do := func(e session.Event) shell.Result {
		t.Helper()
		res, err := sh.Do(ctx, ref, rules, d.row, e)
		if err != nil {
			t.Fatal(err)
		}
		return res
	}
	do(arrived("s1", "p1"))
	old, err := d.Session(ctx, "shop", "mei")
	if err != nil {
		t.Fatal(err)
	}
	do(arrived("s1", "p2"))
	m.glance = func() (session.Session, error) { return old.Clone(), nil }
	if res := do(arrived("s1", "p2")); !res.Stored.Repeat || res.Session.Seq != 2 {
		t.Errorf("the push that the glance doesn't know: repeat %v, %d messages; want a repeat of 2", res.Stored.Repeat, res.Session.Seq)
	}
	if res := do(arrived("s1", "p3")); res.Stored.Repeat || res.Session.Seq != 3 {
		t.Errorf("a new push: repeat %v, %d messages; want a third", res.Stored.Repeat, res.Session.Seq)
	}
	m.glance = func() (session.Session, error) { return session.Session{}, fault.NotFound }
	if res := do(arrived("s9", "p4")); res.Session.ID != "s1" || res.Session.Seq != 4 {
		t.Errorf("a glance that sees nothing: session %s with %d messages; want s1 with 4", res.Session.ID, res.Session.Seq)
	}
}
