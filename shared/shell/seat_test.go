package shell_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"kefu/shared/core/account"
	"kefu/shared/core/agent"
	"kefu/shared/core/fault"
	"kefu/shared/core/session"
	"kefu/shared/core/tenant"
	"kefu/shared/shell"
)

var ann = agent.Agent{ID: "ann", Tenant: tenant.Default, Capacity: 3}

// desk makes a shell with a clock of its own, and a session s1 that waits.
func desk(t *testing.T) (sh *shell.Shell, d *diary, pass func(time.Duration)) {
	t.Helper()
	sh, d = open(t)
	at := now
	sh.Now = func() time.Time { return at }
	if _, err := sh.Do(t.Context(), ref, rules, d.row, arrived("s1", "p1")); err != nil {
		t.Fatal(err)
	}
	return sh, d, func(by time.Duration) { at = at.Add(by) }
}

// take takes or keeps ann's seat for a session, now.
func take(t *testing.T, sh *shell.Shell, d *diary, id session.ID) {
	t.Helper()
	taken, err := d.TakeSeat(t.Context(), ann.Tenant, ann.ID, id, ann.Capacity, sh.Now())
	if err == nil && !taken {
		_, err = d.KeepSeat(t.Context(), ann.Tenant, ann.ID, id, sh.Now())
	}
	if err != nil {
		t.Fatal(err)
	}
}

func wantSeats(t *testing.T, d *diary, what, want string) {
	t.Helper()
	desk, err := d.Desk(t.Context(), ann.Tenant, ann.ID)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, s := range desk.Seats {
		got = append(got, s.Session)
	}
	if strings.Join(got, " ") != want {
		t.Errorf("%s: got seats %q, want %q", what, got, want)
	}
}

// TestASilentSessionThatItsAgentTakesAgain: the one step takes it from him and gives
// it back to him; his seat stays.
func TestASilentSessionThatItsAgentTakesAgain(t *testing.T) {
	t.Parallel()
	sh, d, pass := desk(t)
	silent := rules
	silent.Silence = 30 * time.Minute
	for _, event := range []session.Event{session.Accept{Agent: "ann"}, session.Transfer{Agent: "ann"}} {
		take(t, sh, d, "s1")
		if _, err := sh.Do(t.Context(), ref, silent, nil, event); err != nil {
			t.Fatalf("%T: %v", event, err)
		}
		wantSeats(t, d, "taken", "s1")
		pass(31 * time.Minute)
	}
	if _, err := sh.Do(t.Context(), ref, silent, nil, session.Tick{}); err != nil {
		t.Fatal(err)
	}
	wantSeats(t, d, "silent again, and nobody took it", "")
}

func TestUnseat(t *testing.T) {
	t.Parallel()
	sh, d, pass := desk(t)
	lost, err := d.Session(t.Context(), "shop", "mei")
	if err != nil {
		t.Fatal(err)
	}
	unseat := func(at time.Time) {
		t.Helper()
		if err := sh.Unseat(t.Context(), ann, lost, at); err != nil {
			t.Fatal(err)
		}
	}
	at := sh.Now()
	take(t, sh, d, "s1")
	pass(time.Second)
	take(t, sh, d, "s1") // another, for the same
	unseat(at)
	wantSeats(t, d, "another needs it", "s1")
	if _, err := sh.Do(t.Context(), ref, rules, nil, session.Accept{Agent: "ann"}); err != nil {
		t.Fatal(err)
	}
	unseat(sh.Now())
	wantSeats(t, d, "another gave it to her", "s1")
	if _, err := sh.Do(t.Context(), ref, rules, nil, session.Transfer{Agent: "bo"}); err != nil {
		t.Fatal(err)
	}
	at = sh.Now()
	take(t, sh, d, "s1")
	unseat(at)
	wantSeats(t, d, "nobody needs it", "")
	lost.Customer = "nobody"
	unseat(at) // gone altogether
}

// TestASeatIsFreedAsOfItsStep: who has taken it since, for the same session, keeps it.
func TestASeatIsFreedAsOfItsStep(t *testing.T) {
	t.Parallel()
	sh, d, pass := desk(t)
	take(t, sh, d, "s1")
	if _, err := sh.Do(t.Context(), ref, rules, nil, session.Accept{Agent: "ann"}); err != nil {
		t.Fatal(err)
	}
	late := &delayed{Store: d, before: func() { // between the save and the seat
		pass(time.Second)
		take(t, sh, d, "s1")
	}}
	slow := *sh
	slow.Store = late
	if _, err := slow.Do(t.Context(), ref, rules, nil, session.Transfer{}); err != nil {
		t.Fatal(err)
	}
	wantSeats(t, d, "taken again meanwhile", "s1")
}

// delayed lets something happen before a seat is freed.
type delayed struct {
	shell.Store
	before func()
}

func (d *delayed) FreeSeat(ctx context.Context, t tenant.ID, a agent.ID, s session.ID, at time.Time) error {
	d.before()
	return d.Store.FreeSeat(ctx, t, a, s, at)
}

func TestFreeStaleSeats(t *testing.T) {
	t.Parallel()
	sh, d, pass := desk(t)
	take(t, sh, d, "s1")
	take(t, sh, d, "never saved")
	if _, err := sh.Do(t.Context(), ref, rules, nil, session.Accept{Agent: "ann"}); err != nil {
		t.Fatal(err)
	}
	free := func(want int) {
		t.Helper()
		desk, err := d.Desk(t.Context(), ann.Tenant, ann.ID)
		if err != nil {
			t.Fatal(err)
		}
		if n, err := sh.FreeStaleSeats(t.Context(), d, desk.Seats, ann); n != want || err != nil {
			t.Errorf("got %d freed, error %v; want %d", n, err, want)
		}
	}
	free(0)
	pass(time.Minute)
	take(t, sh, d, "just now")
	free(1)
	wantSeats(t, d, "a minute later", "s1 just now")
}

func TestUnseated(t *testing.T) {
	t.Parallel()
	for err, want := range map[error]bool{
		nil: false, fault.Conflict: true, fault.NotFound: true, fault.Denied: true, fault.Invalid: true,
		fault.Unavailable: false, fault.Internal: false, fault.Exhausted: false, errors.New("the line was cut"): false,
	} {
		if got := shell.Unseated(err); got != want {
			t.Errorf("%v: got %v, want %v", err, got, want)
		}
	}
}

// TestReleaseAllGoesOnAfterAFailure: what was released stays so, and the repetition does the rest.
func TestReleaseAllGoesOnAfterAFailure(t *testing.T) {
	t.Parallel()
	sh, d, _ := desk(t)
	if _, err := d.PutAccount(t.Context(), account.Account{ID: "shop", Tenant: tenant.Default, Channel: account.MiniProgram}); err != nil {
		t.Fatal(err)
	}
	take(t, sh, d, "s1")
	take(t, sh, d, "unknown")
	if _, err := sh.Do(t.Context(), ref, rules, nil, session.Accept{Agent: "ann"}); err != nil {
		t.Fatal(err)
	}
	all := func(session.Session) bool { return true }
	d.fails = "free seat"
	if n, err := sh.ReleaseAll(t.Context(), d, ann.Tenant, ann.ID, all); n != 1 || fault.KindOf(err) != fault.Unavailable {
		t.Errorf("got %d released, error %v; want 1 and that its seat could not be freed", n, err)
	}
	d.fails = ""
	if n, err := sh.ReleaseAll(t.Context(), d, ann.Tenant, ann.ID, all); n != 0 || err != nil {
		t.Errorf("again: got %d released, error %v; want none", n, err)
	}
	s, err := d.Session(t.Context(), "shop", "mei")
	if err != nil || s.State != session.Released {
		t.Errorf("got %s (%v), want released", s.State, err)
	}
}
