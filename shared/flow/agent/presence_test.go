package agent_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestOffline: who goes offline gives his sessions back, and a wake-up is left behind
// for the case that this is cut short.
func TestOffline(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := string(w.says("shop", "alice", "hi"))
	w.call("ann", "POST", path(s, "accept"), nil).want(200)
	w.route.take()
	for _, status := range []string{"away", "paused", "online"} {
		w.call("ann", "PUT", "/v1/agents/me/status", map[string]string{"status": status}).want(200)
		w.call("ann", "GET", "/v1/sessions/"+s, nil).want(200).is("serving", "state")
	}
	w.route.take()
	w.call("ann", "PUT", "/v1/agents/me/status", `{"status":"offline"}`).want(200).is(0, "load")
	w.call("ann", "GET", "/v1/sessions/"+s, nil).want(200).is("released", "state").is("ann", "agent")
	var looked bool
	for _, q := range w.route.take() {
		looked = looked || strings.Contains(q.body, `"agent":"ann"`) && q.delay > 0
	}
	if !looked {
		t.Error("nobody will look after the sessions should the call be cut short")
	}
}

// TestLeaseOfACallCutShort: a lease that was written without an answer ends all the same.
func TestLeaseOfACallCutShort(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := string(w.says("shop", "alice", "hi"))
	w.call("ann", "POST", path(s, "accept"), nil).want(200)
	w.route.fail = errors.New("no queue")
	w.call("ann", "PUT", "/v1/agents/me/status", `{"status":"online","lease":"4m"}`).want(503)
	w.call("bob", "GET", "/v1/agents/ann", nil).want(200).is(nil, "status_until") // it says no more than somebody looks after
}

// TestLease: a presence that isn't set again ends, and saying often that one is there costs nothing.
func TestLease(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	set := func(body string) reply { return w.call("ann", "PUT", "/v1/agents/me/status", body) }
	set(`{"status":"online","lease":"5s"}`).want(400, "status-invalid")
	set(`{"status":"online","lease":"16m"}`).want(400, "status-invalid")
	set(`{"status":"online","lease":5}`).want(400, "wrong-type")
	set(`{"status":"online","lease":"4m"}`).want(200).is("online", "status").is("2026-11-21T08:04:00Z", "status_until")
	sent := w.route.take()
	if len(sent) == 0 || !strings.Contains(sent[0].body, `"agent":"ann"`) || sent[0].delay != 4*time.Minute {
		t.Errorf("got wake-ups %v, want one when the lease ends", sent)
	}
	w.pass(time.Minute)
	set(`{"status":"online","lease":"4m"}`).want(200).is("2026-11-21T08:04:00Z", "status_until") // not written
	w.pass(90 * time.Second)
	set(`{"status":"online","lease":"4m"}`).want(200).is("2026-11-21T08:06:30Z", "status_until")
	sent = w.route.take()
	if !slices.ContainsFunc(sent, func(q wakeUp) bool { return strings.Contains(q.body, `"agent":"ann"`) && q.delay == 4*time.Minute }) {
		t.Errorf("got wake-ups %v, want one when the renewed lease ends", sent)
	}

	s := string(w.says("shop", "alice", "hi"))
	w.pass(4 * time.Minute)
	w.call("bob", "GET", "/v1/agents/ann", nil).want(200).is("offline", "status")
	w.call("ann", "POST", path(s, "accept"), nil).want(409, "not-available")
	w.call("sue", "POST", path(s, "transfer"), `{"to_agent":"ann"}`).want(409, "not-available")
	set(`{"status":"online"}`).want(200).is(nil, "status_until")
	w.pass(24 * time.Hour)
	w.call("bob", "GET", "/v1/agents/ann", nil).want(200).is("online", "status")
	for _, id := range []string{"bot", "system"} {
		w.call("ada", "PUT", "/v1/agents/"+id, `{"name":"x"}`).want(400, "id-invalid")
	}
}
