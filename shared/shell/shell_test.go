package shell_test

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"kefu/shared/adapter/bolt"
	"kefu/shared/core/account"
	"kefu/shared/core/agent"
	"kefu/shared/core/fault"
	"kefu/shared/core/message"
	"kefu/shared/core/quota"
	"kefu/shared/core/session"
	"kefu/shared/core/tenant"
	"kefu/shared/shell"
)

var (
	now   = time.Date(2026, 11, 21, 8, 0, 0, 0, time.UTC)
	ref   = session.Ref{Account: "shop", Customer: "mei"}
	rules = session.RulesOf(account.Account{Tenant: tenant.Default, Channel: account.MiniProgram})
)

// diary is the store with a record of what was written, in order; one kind of
// write can be told to fail.
type diary struct {
	*bolt.Store
	mu    sync.Mutex
	lines []string
	fails string
}

func (d *diary) write(what string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.lines = append(d.lines, what)
	if what == d.fails {
		return fault.New(fault.Unavailable, "broken", what)
	}
	return nil
}

func (d *diary) SaveSession(ctx context.Context, s session.Session, was int64) error {
	if err := d.write("save"); err != nil {
		return err
	}
	return d.Store.SaveSession(ctx, s, was)
}

func (d *diary) ArchiveSession(ctx context.Context, s session.Session) error {
	return errors.Join(d.write("archive"), d.Store.ArchiveSession(ctx, s))
}

func (d *diary) SettleMessage(ctx context.Context, s message.Settlement) (bool, error) {
	if err := d.write("settle " + string(s.State)); err != nil {
		return false, err
	}
	return d.Store.SettleMessage(ctx, s)
}

func (d *diary) FreeSeat(ctx context.Context, t tenant.ID, a agent.ID, s session.ID, at time.Time) error {
	return errors.Join(d.write("free seat"), d.Store.FreeSeat(ctx, t, a, s, at))
}

type bell struct {
	d    *diary
	name string
}

func (b bell) Send(_ context.Context, group string, delay time.Duration, _ []byte) error {
	return b.d.write("wake " + b.name + " " + group + " " + delay.String())
}

func open(t *testing.T) (*shell.Shell, *diary) {
	t.Helper()
	db, err := bolt.Open(bolt.Options{Path: filepath.Join(t.TempDir(), "kefu.db")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	d := &diary{Store: db.Store()}
	return &shell.Shell{Store: d, Route: bell{d, "router"}, Outbound: bell{d, "sender"}, Now: func() time.Time { return now }}, d
}

func arrived(id session.ID, key string) session.Arrived {
	return session.Arrived{ID: id, Account: "shop", Customer: "mei", Key: key, At: now, Action: quota.Message, FromCustomer: true}
}

func (d *diary) row(context.Context, session.Session, session.Store) error { return d.write("row") }

// keep writes the row, and into the diary that it did.
func (d *diary) keep(ctx context.Context, s session.Session, e session.Store) error {
	_, n, _ := e.Message.Split()
	err := d.PutMessage(ctx, message.Message{
		ID: e.Message, N: n, Tenant: s.Tenant, Account: s.Account, Customer: s.Customer, Session: s.ID,
		Direction: message.Out, Content: message.Content{Type: message.TypeText, Text: &message.Text{}}, State: message.Pending, CreatedAt: now,
	})
	return errors.Join(err, d.write("row"))
}

// expect compares what was written since the last time.
func (d *diary) expect(t *testing.T, what string, want ...string) {
	t.Helper()
	if !slices.Equal(d.lines, want) {
		t.Errorf("%s wrote\n got  %s\n want %s", what, strings.Join(d.lines, ", "), strings.Join(want, ", "))
	}
	d.lines = nil
}

// TestOrder: facts before the save, the save, rows, then wake-ups.
func TestOrder(t *testing.T) {
	t.Parallel()
	sh, d := open(t)
	ctx := t.Context()
	do := func(e ...session.Event) shell.Result {
		t.Helper()
		row := d.keep
		if _, ok := e[0].(session.Arrived); ok {
			row = d.row
		}
		res, err := sh.Do(ctx, ref, rules, row, e...)
		if err != nil {
			t.Fatal(err)
		}
		return res
	}
	do(arrived("s1", "p1"))
	d.expect(t, "an arrival", "save", "row")
	do(arrived("s1", "p1"))
	d.expect(t, "the same again", "row")
	do(session.Accept{Agent: "ann"})
	d.expect(t, "accepting", "save")
	do(session.Enqueue{Parts: 1})
	d.expect(t, "an answer", "save", "row", "wake sender shop/mei 0s")
	res := do(session.Next{})
	d.expect(t, "a sender's turn", "save")
	if res.Call == nil {
		t.Fatal("there is a call to make")
	}
	do(session.Answered{Message: res.Call.Message, Outcome: session.Outcome{Kind: session.Sent}})
	d.expect(t, "its outcome, which the row tells and the next save takes along", "settle sent")
	res = do(session.Enqueue{Parts: 1, SendAt: now.Add(time.Minute)})
	d.expect(t, "an answer for later", "save", "row", "wake sender shop/mei 1m0s")
	do(session.Cancel{Message: res.Stored.Message})
	d.expect(t, "cancelling it", "save", "settle cancelled", "save")
	do(session.Enqueue{Parts: 1, SendAt: now.Add(time.Hour)})
	d.expect(t, "one that no queue can delay so long", "save", "row")
	do(session.Close{By: "ann"})
	d.expect(t, "closing", "save", "free seat")
	do(arrived("s2", "p2"))
	d.expect(t, "the next session", "archive", "save", "row")
	do(session.Next{})
	d.expect(t, "a turn with nothing to do") // the sweep sees to what is further ahead
}

// TestFailures: what fails before the save leaves everything as it was; what
// fails after it doesn't keep the rest from being done.
func TestFailures(t *testing.T) {
	t.Parallel()
	sh, d := open(t)
	ctx := t.Context()
	if _, err := sh.Do(ctx, ref, rules, d.row, session.Accept{Agent: "ann"}); fault.KindOf(err) != fault.NotFound {
		t.Errorf("accepting what doesn't exist: %v, want not found", err)
	}
	d.fails = "row"
	if _, err := sh.Do(ctx, ref, rules, d.row, arrived("s1", "p1")); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("a row that can't be written: %v", err)
	}
	d.fails, d.lines = "", nil
	res, err := sh.Do(ctx, ref, rules, d.row, arrived("s1", "p1"))
	if err != nil || !res.Stored.Repeat {
		t.Errorf("the second try: %+v, %v", res.Stored, err)
	}
	d.expect(t, "the second try", "row")

	if _, err := sh.Do(ctx, ref, rules, d.row, session.Accept{Agent: "ann"}); err != nil {
		t.Fatal(err)
	}
	_, err = sh.Do(ctx, ref, rules, d.row, session.Close{}, session.Accept{Agent: "bo"})
	if fault.CodeOf(err) != "session-closed" {
		t.Errorf("the second of two events is refused: %v", err)
	}
	d.expect(t, "two events of which one is refused", "save") // that of ann's acceptance
	d.fails = "free seat"
	if _, err := sh.Do(ctx, ref, rules, d.row, session.Enqueue{Parts: 1}, session.Close{}); err == nil {
		t.Error("a seat that can't be freed is no success")
	}
	d.expect(t, "an effect that fails", "save", "row", "wake sender shop/mei 0s", "free seat")
	s, err := d.Session(ctx, "shop", "mei")
	if err != nil || s.State != session.Closed {
		t.Errorf("what was saved: %s, %v", s.State, err)
	}
	if _, err := sh.DoFor(ctx, "s0", ref, rules, nil, session.Close{}); fault.CodeOf(err) != "session-closed" {
		t.Errorf("a session that is no longer the current one: %v", err)
	}
}

// TestNeverWritten: a message whose row was never written ends buried, and its row
// can't be written any more.
func TestNeverWritten(t *testing.T) {
	t.Parallel()
	sh, d := open(t)
	ctx := t.Context()
	if _, err := sh.Do(ctx, ref, rules, d.row, arrived("s1", "p1")); err != nil {
		t.Fatal(err)
	}
	res, err := sh.Do(ctx, ref, rules, d.row, session.Enqueue{Parts: 1}) // the row goes into the diary alone
	if err != nil {
		t.Fatal(err)
	}
	if _, err := sh.Do(ctx, ref, rules, nil, session.Cancel{Message: res.Stored.Message}); err != nil {
		t.Fatal(err)
	}
	m, err := d.Message(ctx, res.Stored.Message)
	if err != nil || m.State != message.Cancelled || m.Reason != shell.NeverAccepted {
		t.Fatalf("got %s %s, %v", m.State, m.Reason, err)
	}
	m.State = message.Pending
	if err := d.PutMessage(ctx, m); fault.KindOf(err) != fault.Conflict {
		t.Errorf("its row can still be written: %v", err)
	}
}

// TestRaces: ten at once, each change is there once.
func TestRaces(t *testing.T) {
	t.Parallel()
	sh, d := open(t)
	ctx := t.Context()
	if _, err := sh.Do(ctx, ref, rules, d.row, arrived("s1", "p0")); err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	errs := make([]error, 10)
	for i := range errs {
		all.Go(func() {
			_, errs[i] = sh.Do(ctx, ref, rules, d.row, session.Enqueue{Parts: 1})
		})
	}
	all.Wait()
	s, err := d.Session(ctx, "shop", "mei")
	if err := errors.Join(errors.Join(errs...), err); err != nil {
		t.Fatal(err)
	}
	if len(s.Outbox) != len(errs) || s.Seq != int64(1+len(errs)) || s.Version != int64(1+len(errs)) {
		t.Errorf("%d waiting, seq %d, version %d; want each of %d once", len(s.Outbox), s.Seq, s.Version, len(errs))
	}
}
