package agent_test

import (
	"strings"
	"testing"
	"time"

	coreagent "kefu/shared/core/agent"
	"kefu/shared/core/message"
	"kefu/shared/core/quota"
	"kefu/shared/core/session"
)

const hello = `{"type":"text","text":{"content":"hello"}}`

// TestTakeOver: an agent who writes into a session that nobody serves makes it his (M9).
func TestTakeOver(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.call("ada", "PUT", "/v1/accounts/shop/routing", `{"handoff":{"enabled":true,"keywords":["人工"]}}`).want(200)
	bot := string(w.says("shop", "alice", "在吗"))
	w.call("sue", "GET", "/v1/sessions/"+bot, nil).want(200).is("bot", "state")
	w.call("ann", "GET", "/v1/sessions?account=shop&state=bot", nil).want(200).is(bot, "items", 0, "id")

	w.call("operator", "POST", path(bot, "messages"), hello).want(202) // a key without an agent leaves it where it is
	w.call("sue", "GET", "/v1/sessions/"+bot, nil).want(200).is("bot", "state")
	w.call("ann", "POST", path(bot, "messages"), hello).want(202).is("ann", "by")
	w.call("ann", "GET", "/v1/sessions/"+bot, nil).want(200).is("serving", "state").is("ann", "agent").is("ann", "last_agent")
	w.call("ann", "GET", "/v1/agents/me", nil).want(200).is(1, "load")
	w.call("bob", "POST", path(bot, "messages"), hello).want(403, "not-yours")
	w.call("ann", "POST", path(bot, "messages"), hello).want(202)
	w.call("ann", "GET", "/v1/agents/me", nil).want(200).is(1, "load")

	queued := string(w.says("shop", "carol", "人工"))
	w.call("sue", "POST", path(queued, "messages"), hello).want(202)
	w.call("sue", "GET", "/v1/sessions/"+queued, nil).want(200).is("serving", "state").is("sue", "agent")
}

func TestTakeOverNeedsPresenceAndRoom(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.agent("default", "full", coreagent.RoleAgent, 1, "shop")
	w.agent("default", "chief", coreagent.RoleSupervisor, 1, "shop")
	s := []string{string(w.says("shop", "c1", "hi")), string(w.says("shop", "c2", "hi")), string(w.says("shop", "c3", "hi"))}

	w.call("bob", "PUT", "/v1/agents/me/status", `{"status":"paused"}`).want(200)
	w.call("bob", "POST", path(s[0], "messages"), hello).want(409, "not-available")
	w.call("full", "POST", path(s[0], "messages"), hello).want(202)
	w.call("full", "POST", path(s[1], "messages"), hello).want(409, "capacity-full")
	w.call("sue", "GET", "/v1/sessions/"+s[1], nil).want(200).is("queued", "state").is(0, "waiting")

	// A supervisor may write everywhere; what she has no seat or no time for stays where it is.
	w.call("chief", "POST", path(s[1], "messages"), hello).want(202)
	w.call("chief", "POST", path(s[2], "messages"), hello).want(202)
	w.call("chief", "GET", "/v1/sessions/"+s[1], nil).want(200).is("serving", "state")
	w.call("chief", "GET", "/v1/sessions/"+s[2], nil).want(200).is("queued", "state").is(1, "waiting")
	w.call("sue", "PUT", "/v1/agents/me/status", `{"status":"away"}`).want(200)
	w.call("sue", "POST", path(s[2], "messages"), hello).want(202)
	w.call("sue", "GET", "/v1/sessions/"+s[2], nil).want(200).is("queued", "state")
}

// TestTakeOverRace lets all write into one session at once: one gets it, no seat is lost.
func TestTakeOverRace(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := string(w.says("shop", "alice", "hi"))
	who := []string{"ann", "bob"}
	got := w.together(8, func(i int) reply { return w.call(who[i%2], "POST", path(s, "messages"), hello) })
	winner := w.call("ada", "GET", "/v1/sessions/"+s, nil).want(200).is("serving", "state").text("agent")
	for i, r := range got {
		if who[i%2] == winner {
			r.want(202)
		} else {
			r.want(403, "not-yours")
		}
	}
	for _, id := range who {
		load := 0
		if id == winner {
			load = 1
		}
		w.call(id, "GET", "/v1/agents/me", nil).want(200).is(load, "load")
	}
}

// TestReleasedBySilence: after half an hour a session must be taken again (M7). Time is
// compared on reading, whether anybody swept or not.
func TestReleasedBySilence(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := string(w.says("shop", "alice", "hi"))
	w.call("ann", "POST", path(s, "accept"), nil).want(200)
	w.pass(30*time.Minute - time.Second)
	w.call("ann", "GET", "/v1/sessions/"+s, nil).want(200).is("serving", "state")
	w.pass(time.Second)
	w.call("ann", "GET", "/v1/sessions/"+s, nil).want(200).is("released", "state")
	// Her writing takes it again, with the seat that nobody has freed yet.
	w.call("ann", "POST", path(s, "messages"), hello).want(202)
	w.call("ann", "GET", "/v1/sessions/"+s, nil).want(200).is("serving", "state")
	w.call("ann", "GET", "/v1/agents/me", nil).want(200).is(1, "load")
	w.pass(time.Hour)
	w.call("bob", "POST", path(s, "accept"), nil).want(200).is("bob", "agent")
	w.call("ann", "GET", "/v1/agents/me", nil).want(200).is(0, "load")
	w.call("ann", "POST", path(s, "messages"), hello).want(403, "not-yours")
}

func TestExternal(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := string(w.says("shop", "alice", "hi"))
	a, err := w.store.Account(t.Context(), "shop")
	w.must(err)
	_, err = w.api.Shell.Do(t.Context(), session.Ref{Account: "shop", Customer: "alice"}, session.RulesOf(a), nil, session.Arrived{
		ID: "x", Account: "shop", Customer: "alice", Key: "k2", At: w.clock(), Action: quota.Message, FromCustomer: true, Transferred: true,
	})
	w.must(err)
	w.call("ann", "GET", "/v1/sessions/"+s, nil).want(200).is("external", "state").is("2026-11-21T08:30:00Z", "external_until")
	w.call("ann", "GET", "/v1/sessions?state=external", nil).want(200).is(s, "items", 0, "id")
	w.call("ann", "POST", path(s, "accept"), nil).want(409, "external")
	w.call("sue", "POST", path(s, "transfer"), `{"to_agent":"ann"}`).want(409, "external")
	w.call("sue", "POST", path(s, "messages"), hello).want(409, "external")
	w.call("ann", "POST", path(s, "messages"), hello).want(409, "external")
	w.call("ann", "GET", "/v1/agents/me", nil).want(200).is(0, "load")
	w.pass(30 * time.Minute)
	w.call("ann", "GET", "/v1/sessions/"+s, nil).want(200).is("bot", "state")
	w.call("ann", "POST", path(s, "messages"), hello).want(202)
}

// TestApprove: a text that the platform's check held waits for a supervisor (M12).
func TestApprove(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := string(w.says("shop", "alice", "hi"))
	id := w.call("ann", "POST", path(s, "messages"), hello).want(202).text("id")
	a, err := w.store.Account(t.Context(), "shop")
	w.must(err)
	ref := session.Ref{Account: "shop", Customer: "alice"}
	for _, e := range []session.Event{session.Next{}, session.Answered{Message: message.ID(id), Outcome: session.Outcome{Kind: session.Review}}} {
		_, err := w.api.Shell.Do(t.Context(), ref, session.RulesOf(a), nil, e)
		w.must(err)
	}
	at := path(s, "messages/") + id
	w.call("ann", "GET", at, nil).want(200).is("held", "state").is("review", "reason")
	w.call("ann", "POST", at+"/approve", nil).want(403, "role")
	w.call("sue", "POST", at+"/approve", `{"x":1}`).want(400, "unknown-field")
	w.call("sue", "POST", at+"/approve", nil).want(200).is("pending", "state")
	w.call("sue", "POST", at+"/approve", nil).want(409, "not-in-review")
	if got := w.outbound.take(); len(got) == 0 {
		t.Error("the sender was not woken for what was approved")
	}
	other := w.call("ann", "POST", path(s, "messages"), hello).want(202).text("id")
	w.call("sue", "POST", path(s, "messages/")+other+"/approve", nil).want(409, "not-in-review")
	w.call("sue", "POST", path(s, "messages/")+strings.Replace(id, "-", "-9", 1)+"/approve", nil).want(404, "not-found")
}
