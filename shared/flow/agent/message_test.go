package agent_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"kefu/shared/core/message"
	"kefu/shared/core/session"
)

func TestListMessages(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.served("shop")
	want := []string{s + "-1"}
	for i := range 7 {
		want = append(want, w.call("ann", "POST", path(s, "messages"), text(fmt.Sprint(i))).want(202).text("id"))
	}
	for _, limit := range []int{1, 3, 8, 200} {
		if got := w.walk("bob", path(s, fmt.Sprintf("messages?limit=%d", limit)), "id"); !slices.Equal(got, want) {
			t.Errorf("pages of %d: %v, want %v", limit, got, want)
		}
	}
	r := w.call("ann", "GET", path(s, "messages"), nil).want(200)
	r.is("in", "items", 0, "direction").is("received", "items", 0, "state").is("hi", "items", 0, "text", "content").is("out", "items", 1, "direction")
	for _, limit := range []int{1, 3, 8, 200} {
		got := w.walk("bob", path(s, fmt.Sprintf("messages?order=newest&limit=%d", limit)), "id")
		if slices.Reverse(got); !slices.Equal(got, want) {
			t.Errorf("newest in pages of %d, turned round: %v, want %v", limit, got, want)
		}
		if got := w.walk("bob", path(s, fmt.Sprintf("messages?order=oldest&limit=%d", limit)), "id"); !slices.Equal(got, want) {
			t.Errorf("oldest in pages of %d: %v, want %v", limit, got, want)
		}
	}
	for one, other := range map[string]string{"newest": "oldest", "oldest": "newest"} {
		cursor := w.call("ann", "GET", path(s, "messages?limit=2&order="+one), nil).want(200).text("next")
		w.call("ann", "GET", path(s, "messages?order="+other+"&cursor="+cursor), nil).want(400, "bad-cursor")
	}
	for _, order := range []string{"", "latest", "NEWEST", "asc"} {
		w.call("ann", "GET", path(s, "messages?order="+order), nil).want(400, "bad-parameter").is("order", "field")
	}
	w.call("ann", "GET", path(s, "messages?limit=0"), nil).want(400, "bad-parameter")
	w.call("ann", "GET", path(s, "messages?cursor=junk"), nil).want(400, "bad-cursor")
	w.call("ann", "GET", path("none", "messages"), nil).want(404, "not-found")
	other := string(w.says("shop", "carol", "hi"))
	for _, id := range []string{"none", s + "-99", other + "-1", "-1", s + "-0", s + "-x"} {
		w.call("ann", "GET", path(s, "messages/"+id), nil).want(404, "not-found")
	}
}

func TestDuplicates(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := string(w.says("shop", "alice", "hi"))
	r := w.call("ann", "GET", path(s, "messages/"+s+"-1"), nil).want(200)
	if _, there := r.json["duplicates"]; there {
		t.Errorf("duplicates of a push that came once: %s", r.raw)
	}
	push := "push-" + s + "-1"
	w.must(w.store.MarkSeen(t.Context(), "shop", message.Seen{Key: push, Message: message.ID(s + "-1"), FirstAt: w.clock()}))
	for range 3 {
		w.pass(time.Second)
		w.must(w.store.RecordDrop(t.Context(), "shop", push, w.clock()))
	}
	w.call("ann", "GET", path(s, "messages/"+s+"-1"), nil).want(200).is(3, "duplicates", "count").is("2026-11-21T08:00:03Z", "duplicates", "last_at")
}

// send plays the sender's visit: it starts the next call and, if told how it went, ends it.
func (w *world) send(to session.Ref, outcome *session.Outcome) message.ID {
	w.t.Helper()
	a, err := w.store.Account(w.t.Context(), to.Account)
	w.must(err)
	res, err := w.api.Shell.Do(w.t.Context(), to, session.RulesOf(a), nil, session.Next{})
	w.must(err)
	if res.Call == nil {
		w.t.Fatal("there is no call to make")
	}
	if outcome != nil {
		_, err = w.api.Shell.Do(w.t.Context(), to, session.RulesOf(a), nil, session.Answered{Message: res.Call.Message, Outcome: *outcome})
		w.must(err)
	}
	return res.Call.Message
}

func TestCancel(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.served("shop")
	alice := session.Ref{Account: "shop", Customer: "alice"}
	one := w.call("ann", "POST", path(s, "messages"), text("one")).want(202).text("id")
	two := w.call("ann", "POST", path(s, "messages"), text("two")).want(202).text("id")
	three := w.call("sue", "POST", path(s, "messages"), text("three")).want(202).text("id")
	w.call("bob", "DELETE", path(s, "messages/"+one), nil).want(403, "not-yours")
	w.call("ann", "DELETE", path(s, "messages/"+two), nil).want(204)
	w.call("ann", "GET", path(s, "messages/"+two), nil).want(200).is("cancelled", "state").is("cancelled", "reason")
	if m, err := w.store.Message(t.Context(), message.ID(two)); err != nil || m.State != message.Cancelled {
		t.Errorf("the row is %+v, %v; want it cancelled", m, err)
	}
	w.call("ann", "DELETE", path(s, "messages/"+two), nil).want(204) // as wanted
	w.call("ann", "GET", "/v1/sessions/"+s, nil).want(200).is(2, "waiting")

	if id := w.send(alice, nil); id != message.ID(one) {
		t.Fatalf("the sender sends %s, want %s", id, one)
	}
	w.call("ann", "GET", path(s, "messages/"+one), nil).want(200).is("sending", "state")
	w.call("ann", "DELETE", path(s, "messages/"+one), nil).want(409, "already-sent")
	a, err := w.store.Account(t.Context(), "shop")
	w.must(err)
	_, err = w.api.Shell.Do(t.Context(), alice, session.RulesOf(a), nil, session.Answered{Message: message.ID(one), Outcome: session.Outcome{Kind: session.Sent}})
	w.must(err)
	w.call("ann", "GET", path(s, "messages/"+one), nil).want(200).is("sent", "state").is("2026-11-21T08:00:00Z", "sent_at")
	w.call("ann", "DELETE", path(s, "messages/"+one), nil).want(409, "already-sent")
	w.call("ann", "DELETE", path(s, "messages/"+s+"-1"), nil).want(409, "already-sent") // the customer's own
	w.call("ann", "DELETE", path(s, "messages/"+s+"-99"), nil).want(404, "not-found")
	w.call("ann", "GET", "/v1/sessions/"+s, nil).want(200).is(2, "window", "used").is(3, "window", "remaining") // one is sent, the next on its way

	// One may take back what one has written, also when the session is another's by now.
	held := w.call("ann", "POST", path(s, "messages"), text("held", `"send_at":"2026-11-21T20:00:00Z"`)).want(202).text("id")
	w.call("sue", "POST", path(s, "transfer"), `{"to_agent":"bob"}`).want(200)
	w.call("ann", "DELETE", path(s, "messages/"+three), nil).want(403, "not-yours")
	w.call("ann", "DELETE", path(s, "messages/"+held), nil).want(204)
	w.call("bob", "DELETE", path(s, "messages/"+three), nil).want(409, "already-sent") // the sender has it
}

// TestCancelFreesTheNext: what stood behind a held message that is taken back may go.
func TestCancelFreesTheNext(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.served("shop")
	for range 4 {
		w.call("ann", "POST", path(s, "messages"), text("x")).want(202)
	}
	long := w.call("ann", "POST", path(s, "messages"), text(fmt.Sprintf("%2049s", "x"))).want(202).is("held", "state").text("id")
	next := w.call("ann", "POST", path(s, "messages"), text("y")).want(202).is("held", "state").is("behind-held", "reason").text("id")
	w.call("ann", "DELETE", path(s, "messages/"+long), nil).want(204)
	w.call("ann", "GET", path(s, "messages/"+next), nil).want(200).is("pending", "state")
}

func TestEndings(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.served("shop")
	alice := session.Ref{Account: "shop", Customer: "alice"}
	tests := []struct {
		outcome       session.Outcome
		state, reason string
		code          int
	}{
		{session.Outcome{Kind: session.Refused, Code: 45002, Reason: "content-too-long"}, "failed", "content-too-long", 45002},
		{session.Outcome{Kind: session.Lost}, "unknown", "answer-lost", 0},
	}
	for _, tt := range tests {
		id := w.call("ann", "POST", path(s, "messages"), text("x")).want(202).text("id")
		w.send(alice, &tt.outcome)
		r := w.call("ann", "GET", path(s, "messages/"+id), nil).want(200).is(tt.state, "state").is(tt.reason, "reason")
		if tt.code != 0 {
			r.is(tt.code, "code")
		}
		w.call("ann", "DELETE", path(s, "messages/"+id), nil).want(409, "already-sent")
	}
}
