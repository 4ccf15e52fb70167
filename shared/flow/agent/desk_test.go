package agent_test

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"kefu/shared/core/account"
	coreagent "kefu/shared/core/agent"
	"kefu/shared/core/fault"
	"kefu/shared/core/message"
	"kefu/shared/core/quota"
	"kefu/shared/core/session"
	"kefu/shared/shell"
)

func path(s, verb string) string { return "/v1/sessions/" + s + "/" + verb }

func TestAccept(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := string(w.says("shop", "alice", "hi"))
	w.call("operator", "POST", path(s, "accept"), nil).want(403, "role")
	w.call("olga", "POST", path(s, "accept"), nil).want(404, "not-found")
	w.call("ann", "POST", path(s, "accept"), `{"force":true}`).want(400, "unknown-field")
	for _, status := range []string{"away", "paused", "offline"} {
		w.call("ann", "PUT", "/v1/agents/me/status", map[string]string{"status": status}).want(200)
		w.call("ann", "POST", path(s, "accept"), nil).want(409, "not-available")
	}
	w.call("ann", "PUT", "/v1/agents/me/status", `{"status":"online"}`).want(200)
	w.call("ann", "POST", path(s, "accept"), `{}`).want(200).is("serving", "state").is("ann", "agent")
	w.call("ann", "POST", path(s, "accept"), nil).want(409, "already-taken")
	w.call("bob", "POST", path(s, "accept"), nil).want(409, "already-taken")
	w.call("ann", "GET", "/v1/agents/me", nil).want(200).is(1, "load")
	w.call("bob", "GET", "/v1/agents/me", nil).want(200).is(0, "load")
	w.call("ann", "POST", path(s, "close"), nil).want(200)
	w.call("bob", "POST", path(s, "accept"), nil).want(409, "session-closed")
	w.call("bob", "POST", path("none", "accept"), nil).want(404, "not-found")

	late := string(w.says("shop", "carol", "hi"))
	w.pass(48 * time.Hour)
	w.call("bob", "POST", path(late, "accept"), nil).want(409, "session-closed")
	w.call("bob", "GET", "/v1/agents/me", nil).want(200).is(0, "load")

	// A customer who has only entered may be taken as well: M9, agents answer by hand.
	enter := message.Content{Type: message.TypeEvent, Event: &message.Event{Name: "enter"}}
	bot := string(w.arrives("shop", "dora", enter, quota.Enter, false))
	w.call("bob", "POST", path(bot, "accept"), nil).want(200).is("serving", "state")
}

// TestAcceptRace lets twenty agents reach for one session: one gets it.
func TestAcceptRace(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := string(w.says("shop", "alice", "hi"))
	var who []string
	for i := range 20 {
		id := fmt.Sprintf("racer%d", i)
		w.agent("default", coreagent.ID(id), coreagent.RoleAgent, 5, "shop")
		who = append(who, id)
	}
	got := w.together(len(who), func(i int) reply { return w.call(who[i], "POST", path(s, "accept"), nil) })
	winners := 0
	for i, r := range got {
		if r.status == 200 {
			winners++
			w.call("sue", "GET", "/v1/sessions/"+s, nil).want(200).is(who[i], "agent")
			continue
		}
		r.want(409, "already-taken")
	}
	if winners != 1 {
		t.Errorf("%d agents got the session, want 1", winners)
	}
	taken := 0
	for _, id := range who {
		load, _ := w.call(id, "GET", "/v1/agents/me", nil).want(200).get("load").(float64)
		taken += int(load)
	}
	if taken != 1 {
		t.Errorf("%d seats are taken for one session, want 1", taken)
	}
}

// together makes n calls at the same time.
func (w *world) together(n int, do func(i int) reply) []reply {
	var wg sync.WaitGroup
	got := make([]reply, n)
	start := make(chan struct{})
	for i := range n {
		wg.Go(func() {
			<-start
			got[i] = do(i)
		})
	}
	close(start)
	wg.Wait()
	return got
}

// TestCapacityRace lets one agent reach for more sessions than he has seats.
func TestCapacityRace(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.agent("default", "busy", coreagent.RoleAgent, 3, "shop")
	var ids []string
	for i := range 12 {
		ids = append(ids, string(w.says("shop", account.Customer(fmt.Sprintf("c%d", i)), "hi")))
	}
	got := w.together(len(ids), func(i int) reply { return w.call("busy", "POST", path(ids[i], "accept"), nil) })
	n := 0
	for _, r := range got {
		if r.status == 200 {
			n++
			continue
		}
		r.want(409, "capacity-full")
	}
	if n != 3 {
		t.Errorf("the agent got %d sessions, want his 3", n)
	}
	w.call("busy", "GET", "/v1/agents/me", nil).want(200).is(3, "load")
	w.agent("default", "none", coreagent.RoleAgent, 0, "shop")
	w.call("none", "POST", path(ids[0], "accept"), nil).want(409)
}

// TestStaleSeats: seats that a crash left taken are given back when they are missed.
func TestStaleSeats(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.agent("default", "busy", coreagent.RoleAgent, 2, "shop")
	first, second, third := string(w.says("shop", "a", "hi")), string(w.says("shop", "b", "hi")), string(w.says("shop", "c", "hi"))
	w.call("busy", "POST", path(first, "accept"), nil).want(200)
	_, err := w.store.TakeSeat(t.Context(), "default", "busy", session.ID(second), 2, w.clock()) // and then the process died
	w.must(err)
	w.call("busy", "POST", path(third, "accept"), nil).want(409, "capacity-full")
	w.pass(time.Minute)
	w.call("busy", "POST", path(third, "accept"), nil).want(200)
	w.call("busy", "GET", "/v1/agents/me", nil).want(200).is(2, "load")
	w.call("busy", "POST", path(second, "accept"), nil).want(409, "capacity-full")
}

func TestTransfer(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := string(w.says("shop", "alice", "hi"))
	w.call("ann", "POST", path(s, "transfer"), `{"to":"queue"}`).want(403, "not-yours")
	w.call("ann", "POST", path(s, "accept"), nil).want(200)
	w.route.take()
	for body, code := range map[string]string{
		`{}`: "transfer-invalid", `{"to":"bob"}`: "transfer-invalid", `{"to":"queue","to_agent":"bob"}`: "transfer-invalid",
		`{"agent":"bob"}`: "unknown-field", `{"to_agent":5}`: "wrong-type", ``: "malformed-json",
	} {
		w.call("ann", "POST", path(s, "transfer"), body).want(400, code)
	}
	w.call("bob", "POST", path(s, "transfer"), `{"to":"queue"}`).want(403, "not-yours")
	w.call("ann", "POST", path(s, "transfer"), `{"to_agent":"nobody"}`).want(404, "not-found")
	w.call("ann", "POST", path(s, "transfer"), `{"to_agent":"eve"}`).want(404, "not-found")
	w.call("ann", "POST", path(s, "transfer"), `{"to_agent":"olga"}`).want(409, "not-available")
	w.call("ann", "POST", path(s, "transfer"), `{"to_agent":"ann"}`).want(409, "already-taken")
	w.call("ann", "GET", "/v1/agents/me", nil).want(200).is(1, "load")
	w.call("bob", "PUT", "/v1/agents/me/status", `{"status":"away"}`).want(200)
	w.call("ann", "POST", path(s, "transfer"), `{"to_agent":"bob"}`).want(409, "not-available")
	w.call("ada", "PUT", "/v1/agents/bob", `{"name":"Bob","accounts":["shop"],"capacity":0}`).want(200)
	w.call("bob", "PUT", "/v1/agents/me/status", `{"status":"online"}`).want(200)
	w.call("ann", "POST", path(s, "transfer"), `{"to_agent":"bob"}`).want(409, "capacity-full")
	w.call("ada", "PUT", "/v1/agents/bob", `{"name":"Bob","accounts":["shop"],"capacity":1}`).want(200)
	w.route.take()

	w.call("ann", "POST", path(s, "transfer"), `{"to_agent":"bob"}`).want(200).is("bob", "agent").is("serving", "state")
	w.call("ann", "GET", "/v1/agents/me", nil).want(200).is(0, "load")
	w.call("bob", "GET", "/v1/agents/me", nil).want(200).is(1, "load")
	if woken := w.route.take(); len(woken) != 1 || woken[0].group != "shop" {
		t.Errorf("woken %v, want the router of shop: ann has a seat again", woken)
	}
	w.call("ann", "POST", path(s, "transfer"), `{"to_agent":"ann"}`).want(403, "not-yours")
	// A supervisor moves anybody's; an admin need not be bound to be given one.
	w.call("sue", "POST", path(s, "transfer"), `{"to_agent":"ada"}`).want(200).is("ada", "agent")
	r := w.call("ada", "POST", path(s, "transfer"), `{"to":"queue"}`).want(200).is("queued", "state").is(1, "queue_position")
	if _, there := r.json["agent"]; there {
		t.Errorf("a queued session has an agent: %s", r.raw)
	}
	w.call("sue", "POST", path(s, "transfer"), `{"to_agent":"me"}`).want(200).is("sue", "agent")
	w.call("sue", "POST", path(s, "close"), nil).want(200)
	w.call("sue", "POST", path(s, "transfer"), `{"to":"queue"}`).want(409, "session-closed")
}

func TestClose(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := string(w.says("shop", "alice", "hi"))
	w.call("ann", "POST", path(s, "close"), nil).want(403, "not-yours")
	w.call("ann", "POST", path(s, "accept"), nil).want(200)
	w.call("bob", "POST", path(s, "close"), nil).want(403, "not-yours")
	w.call("ann", "POST", path(s, "close"), `[]`).want(400, "malformed-json")
	w.route.take()
	w.call("ann", "POST", path(s, "close"), nil).want(200).is("closed", "state").is("ann", "ended_by").is("2026-11-21T08:00:00Z", "ended_at")
	if woken := w.route.take(); len(woken) != 1 || woken[0].group != "shop" {
		t.Errorf("woken %v, want the router of shop: a seat is free", woken)
	}
	w.call("ann", "GET", "/v1/agents/me", nil).want(200).is(0, "load")
	w.call("ann", "POST", path(s, "close"), nil).want(409, "session-closed")
	w.call("ann", "POST", path(s, "messages"), `{"type":"text","text":{"content":"x"}}`).want(409, "session-closed")

	// A wake-up that can't be sent doesn't undo what has been saved.
	s = string(w.says("shop", "carol", "hi"))
	w.call("ann", "POST", path(s, "accept"), nil).want(200)
	w.route.refuse(fault.Wrap(fault.Unavailable, "", errors.New("queue is full")))
	w.call("ann", "POST", path(s, "close"), nil).want(200).is("closed", "state")
	if !strings.Contains(w.log.String(), "queue is full") {
		t.Error("the log does not tell of the wake-up that failed")
	}
}

func TestTyping(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := string(w.says("shop", "alice", "hi"))
	w.call("ann", "POST", path(s, "typing"), nil).want(403, "not-yours")
	w.call("sue", "POST", path(s, "typing"), nil).want(409, "not-serving")
	w.call("ann", "POST", path(s, "accept"), nil).want(200)
	w.call("ann", "POST", path(s, "typing"), nil).want(200).is(true, "shown")
	w.call("bob", "POST", path(s, "typing"), nil).want(403, "not-yours")
	w.typer.fail = true
	w.call("ann", "POST", path(s, "typing"), nil).want(200).is(false, "shown")
	if want := []account.Customer{"alice", "alice"}; !slices.Equal(w.typer.to, want) {
		t.Errorf("the signal was shown to %v, want %v", w.typer.to, want)
	}
	w.pass(48 * time.Hour)
	w.call("ann", "POST", path(s, "typing"), nil).want(409, "session-closed")
}

// TestTypingIsCut: the signal is nothing to wait for when the host wants its time back, though the call is one that writes.
func TestTypingIsCut(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := string(w.says("shop", "alice", "hi"))
	w.call("ann", "POST", path(s, "accept"), nil).want(200)
	ctx, cut := context.WithCancel(t.Context())
	w.typer.wait = cut
	req := httptest.NewRequestWithContext(ctx, "POST", path(s, "typing"), nil)
	req.Header.Set("Authorization", "Bearer "+w.keyOf("ann"))
	rec := httptest.NewRecorder()
	w.h.ServeHTTP(rec, req)
	if want := `{"shown":false}`; rec.Code != 200 || strings.TrimSpace(rec.Body.String()) != want {
		t.Errorf("got %d %s, want 200 %s", rec.Code, rec.Body.String(), want)
	}
}

// racing is a store in which somebody else does something to the session between
// the first look at it and the change.
type racing struct {
	shell.Store
	once sync.Once
	do   func()
}

func (r *racing) SaveSession(ctx context.Context, s session.Session, was int64) error {
	r.once.Do(r.do)
	return r.Store.SaveSession(ctx, s, was)
}

// TestPermissionIsCheckedOnWhatIsSaved: who may close a session is asked again
// when another version was saved in between.
func TestPermissionIsCheckedOnWhatIsSaved(t *testing.T) {
	t.Parallel()
	for _, verb := range []struct{ name, body string }{
		{"close", ""}, {"transfer", `{"to":"queue"}`}, {"messages", `{"type":"text","text":{"content":"x"}}`},
	} {
		t.Run(verb.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			s := string(w.says("shop", "alice", "hi"))
			w.call("ann", "POST", path(s, "accept"), nil).want(200)
			quick := *w.api
			other := quick.Handler()
			r := &racing{Store: w.store}
			r.do = func() {
				was := w.h
				w.h = other
				w.call("sue", "POST", path(s, "transfer"), `{"to_agent":"bob"}`).want(200)
				w.h = was
			}
			sh := *w.api.Shell
			sh.Store = r
			w.api.Shell = &sh
			w.h = w.api.Handler()
			w.call("ann", "POST", path(s, verb.name), verb.body).want(403, "not-yours")
			w.call("bob", "GET", "/v1/sessions/"+s, nil).want(200).is("bob", "agent").is("serving", "state").is(0, "waiting")
			w.call("ann", "GET", "/v1/agents/me", nil).want(200).is(0, "load")
			w.call("bob", "GET", "/v1/agents/me", nil).want(200).is(1, "load")
		})
	}
}

// TestAcceptGivesTheSeatBack: whoever loses the race for a session keeps no seat.
func TestAcceptGivesTheSeatBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := string(w.says("shop", "alice", "hi"))
	quick := *w.api
	other := quick.Handler()
	r := &racing{Store: w.store}
	r.do = func() {
		was := w.h
		w.h = other
		w.call("bob", "POST", path(s, "accept"), nil).want(200)
		w.h = was
	}
	sh := *w.api.Shell
	sh.Store = r
	w.api.Shell = &sh
	w.h = w.api.Handler()
	w.call("ann", "POST", path(s, "accept"), nil).want(409, "already-taken")
	w.call("ann", "GET", "/v1/agents/me", nil).want(200).is(0, "load")
	w.call("bob", "GET", "/v1/agents/me", nil).want(200).is(1, "load")
}
