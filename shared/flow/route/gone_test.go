package route_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"kefu/shared/core/account"
	"kefu/shared/core/agent"
	"kefu/shared/core/session"
	"kefu/shared/shell"
)

// behind is a list that still shows a session which waits no longer.
type behind struct {
	*counting
	old session.Session
}

func (b behind) Sessions(ctx context.Context, q session.Query) ([]session.Session, string, error) {
	items, next, err := b.counting.Sessions(ctx, q)
	return append([]session.Session{b.old}, items...), next, err
}

// office has ann online with a lease of three minutes, serving mei and bei.
func office(t *testing.T) *world {
	t.Helper()
	w := newWorld(t)
	w.account("shop", auto())
	w.agent("ann", 5, 3*time.Minute, "shop")
	for _, who := range []account.Customer{"mei", "bei"} {
		w.says("shop", who, "hello")
	}
	w.handle(shell.Wake{Account: "shop"})
	w.want("mei", w.stands("shop", "mei"), "serving ann")
	w.want("bei", w.stands("shop", "bei"), "serving ann")
	w.wakes.take()
	return w
}

var annGone = shell.Wake{Owner: account.Owner{Tenant: "t"}, Agent: "ann"}

func TestSessionsOfOneWhoseLeaseHasEnded(t *testing.T) {
	t.Parallel()
	w := office(t)
	w.pass(3 * time.Minute)
	w.handle(annGone)
	w.want("mei", w.stands("shop", "mei"), "released ann")
	w.want("bei", w.stands("shop", "bei"), "released ann")
	w.want("load", w.load("ann"), "0")
	g, err := w.store.Agent(t.Context(), "t", "ann")
	if err != nil || g.Status != agent.Offline || !g.StatusAt.Equal(nine.Add(3*time.Minute)) || !g.Until.IsZero() {
		t.Errorf("got %s since %v until %v (%v), want offline since the end of the lease", g.Status, g.StatusAt, g.Until, err)
	}
	w.handle(annGone) // twice
	if !strings.Contains(w.log.String(), `"agent":"ann","released":2`) {
		t.Errorf("the log doesn't say what was released:\n%s", w.log.String())
	}
}

// TestAWakeUpThatIsEarly: one that a queue gave too soon comes again; one that finds a later lease does not, however
// often it comes, since that lease has its own.
func TestAWakeUpThatIsEarly(t *testing.T) {
	t.Parallel()
	w := office(t)
	w.pass(time.Minute)
	w.handle(annGone)
	w.handle(annGone)
	w.want("mei", w.stands("shop", "mei"), "serving ann")
	w.want("a later lease", strings.Join(w.wakes.take(), " "), "")
	w.pass(2*time.Minute - time.Millisecond)
	w.handle(annGone)
	w.want("too soon", strings.Join(w.wakes.take(), " "), `2s {"tenant":"t","agent":"ann"}`)
	w.status("ann", agent.Online, 0)
	w.handle(annGone)
	w.want("there for good", strings.Join(w.wakes.take(), " "), "")
	w.want("mei", w.stands("shop", "mei"), "serving ann")
}

func TestSessionsOfOneWhoSaidThatHeGoes(t *testing.T) {
	t.Parallel()
	w := office(t)
	w.status("ann", agent.Offline, 0)
	w.handle(annGone)
	w.want("mei", w.stands("shop", "mei"), "released ann")
	w.want("load", w.load("ann"), "0")
}

// TestSeatsThatACrashLeft: who goes leaves no seat taken that no session of his needs.
func TestSeatsThatACrashLeft(t *testing.T) {
	t.Parallel()
	w := office(t)
	taken, err := w.store.TakeSeat(t.Context(), "t", "ann", w.says("shop", "late", "hello").ID, 5, w.clock())
	if err != nil || !taken {
		t.Fatalf("take a seat: %v, %v", taken, err)
	}
	w.want("load", w.load("ann"), "3")
	w.pass(time.Minute)
	w.status("ann", agent.Offline, 0)
	w.handle(annGone)
	w.want("load", w.load("ann"), "0")
}

func TestSessionsOfADeletedAgent(t *testing.T) {
	t.Parallel()
	w := office(t)
	w.must(w.store.DeleteAgent(t.Context(), "t", "ann"))
	w.must(w.store.DeleteAccount(t.Context(), "shop"))
	w.handle(annGone)
	w.want("mei", w.stands("shop", "mei"), "released ann")
	w.handle(shell.Wake{Owner: account.Owner{Tenant: "t"}, Agent: "never was"})
}

// raced passes a session to somebody else just before it would be released.
type raced struct {
	*counting
	pass func()
}

func (r *raced) Session(ctx context.Context, a account.ID, c account.Customer) (session.Session, error) {
	if c == "mei" && r.pass != nil {
		pass := r.pass
		r.pass = nil
		pass()
	}
	return r.counting.Session(ctx, a, c)
}

func TestASessionThatHasJustBeenPassedOnStays(t *testing.T) {
	t.Parallel()
	w := office(t)
	w.agent("bo", 5, 0, "shop")
	w.status("ann", agent.Offline, 0)
	r := &raced{counting: w.store}
	r.pass = func() { w.do("shop", "mei", session.Transfer{Agent: "bo"}) }
	under := *w.shell
	under.Store = r
	w.router.Shell = &under
	w.handle(annGone)
	w.want("mei", w.stands("shop", "mei"), "serving bo")
	w.want("bei", w.stands("shop", "bei"), "released ann")
}
