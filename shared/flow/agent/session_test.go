package agent_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"kefu/shared/core/account"
	"kefu/shared/core/message"
	"kefu/shared/core/quota"
	"kefu/shared/core/session"
	"kefu/shared/core/tenant"
)

func TestSession(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first := string(w.says("shop", "alice", "hello"))
	w.pass(time.Second)
	second := string(w.says("shop", "carol", "hello"))
	r := w.call("ann", "GET", "/v1/sessions/"+first, nil).want(200)
	r.is(first, "id").is("shop", "account").is("miniprogram", "channel").is("alice", "customer").is("queued", "state")
	r.is(1, "queue_position").is("2026-11-21T08:00:00Z", "opened_at").is("2026-11-21T08:00:00Z", "last_customer_at").is(0, "waiting")
	r.is(5, "window", "limit").is(0, "window", "used").is(5, "window", "remaining").is("2026-11-23T08:00:00Z", "window", "expires_at")
	if _, there := r.json["agent"]; there {
		t.Errorf("an agent is shown though nobody serves: %s", r.raw)
	}
	w.call("ann", "GET", "/v1/sessions/"+second, nil).want(200).is(2, "queue_position")
	w.call("ann", "POST", "/v1/sessions/"+first+"/accept", nil).want(200).is("serving", "state").is("ann", "agent")
	r = w.call("ann", "GET", "/v1/sessions/"+first, nil).want(200)
	if _, there := r.json["queue_position"]; there {
		t.Errorf("a served session has a place in the queue: %s", r.raw)
	}
	w.call("ann", "GET", "/v1/sessions/"+second, nil).want(200).is(1, "queue_position")
	for _, id := range []string{"none", "a%20b", strings.Repeat("x", 129), "..%2Fx"} {
		w.call("ann", "GET", "/v1/sessions/"+id, nil).want(404, "not-found")
	}

	// Time is compared on reading: nobody has to come by for it to read expired.
	w.pass(48 * time.Hour)
	r = w.call("ann", "GET", "/v1/sessions/"+first, nil).want(200).is("expired", "state").is(0, "window", "remaining")
	r.is("2026-11-23T08:00:00Z", "ended_at")
}

func TestSessionOfAnEvent(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	enter := message.Content{Type: message.TypeEvent, Event: &message.Event{Name: "enter", From: "page"}}
	s := string(w.arrives("shop", "alice", enter, quota.Enter, false))
	r := w.call("ann", "GET", "/v1/sessions/"+s, nil).want(200).is("bot", "state").is(2, "window", "limit")
	if _, there := r.json["last_customer_at"]; there {
		t.Errorf("an event counts as a message: %s", r.raw)
	}
	w.call("ann", "GET", "/v1/sessions/"+s+"/messages", nil).want(200).
		is("event", "items", 0, "type").is("enter", "items", 0, "event", "name").is("in", "items", 0, "direction").is("received", "items", 0, "state")
}

func TestListSessions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var ids []string
	for i := range 6 {
		ids = append(ids, string(w.says("shop", account.Customer(fmt.Sprintf("c%d", i)), "hi")))
		w.pass(time.Second)
	}
	oa := string(w.says("oa", "alice", "hi"))
	w.call("ann", "POST", "/v1/sessions/"+ids[1]+"/accept", nil).want(200)
	w.call("bob", "POST", "/v1/sessions/"+ids[2]+"/accept", nil).want(200)
	w.call("bob", "POST", "/v1/sessions/"+ids[2]+"/close", nil).want(200)
	newest := slices.Clone(ids)
	slices.Reverse(newest)
	waiting := []string{ids[0], ids[3], ids[4], ids[5]}
	tests := []struct {
		who, query string
		want       []string
	}{
		{"ann", "", newest},
		{"ada", "", append([]string{oa}, newest...)},
		{"olga", "", []string{oa}},
		{"ada", "&account=oa", []string{oa}},
		{"ann", "&state=queued", waiting},
		{"ada", "&state=queued", append(slices.Clone(waiting), oa)},
		{"ann", "&state=serving", []string{ids[1]}},
		{"ann", "&state=closed", []string{ids[2]}},
		{"ann", "&state=released", nil},
		{"ann", "&agent=me", []string{ids[1]}},
		{"sue", "&agent=ann", []string{ids[1]}},
		{"ann", "&agent=bob&state=closed", []string{ids[2]}},
		{"ann", "&customer=c3", []string{ids[3]}},
		{"ann", "&customer=c3&state=serving", nil},
		{"ann", "&customer=nobody", nil},
		{"rival/rex", "", nil},
	}
	for _, tt := range tests {
		for _, limit := range []int{1, 2, 200} {
			path := fmt.Sprintf("/v1/sessions?limit=%d%s", limit, tt.query)
			if got := w.walk(tt.who, path, "id"); !slices.Equal(got, tt.want) {
				t.Errorf("%s: %s: %v, want %v", tt.who, path, got, tt.want)
			}
		}
	}
	if got, want := w.walk("ada", "/v1/sessions?limit=3&state=queued", "queue_position"), []string{"1", "2", "3", "4", "1"}; !slices.Equal(got, want) {
		t.Errorf("places in the queue %v, want %v", got, want)
	}
	if got, want := w.walk("ada", "/v1/sessions?limit=200&customer=c4", "queue_position"), []string{"3"}; !slices.Equal(got, want) {
		t.Errorf("place of one customer %v, want %v", got, want)
	}
	// Two days on they read expired, before any sweep: then nobody waits.
	w.pass(48 * time.Hour)
	if got := w.walk("ada", "/v1/sessions?limit=2&state=queued", "id"); len(got) != 0 {
		t.Errorf("queued after two days: %v, want nobody", got)
	}
	w.call("ann", "GET", "/v1/sessions", nil).want(200).is("expired", "items", 0, "state")
}

func TestListSessionsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for query, field := range map[string]string{
		"state=asleep": "state", "limit=0": "limit", "limit=201": "limit", "limit=many": "limit",
		"agent=a%20b": "agent", "agent=": "", "customer=a%00b": "customer", "customer=" + strings.Repeat("x", 129): "customer",
	} {
		r := w.call("ann", "GET", "/v1/sessions?"+query, nil)
		if field == "" {
			r.want(200)
			continue
		}
		r.want(400, "bad-parameter").is(field, "field")
	}
	w.call("operator", "GET", "/v1/sessions?agent=me", nil).want(400, "bad-parameter").is("agent", "field")
	w.call("ann", "GET", "/v1/sessions?cursor=abc", nil).want(400, "bad-cursor")
	w.call("ann", "GET", "/v1/sessions?account=oa", nil).want(404, "not-found")
	w.call("ada", "GET", "/v1/sessions?account=none", nil).want(404, "not-found")
}

func TestArchivedSession(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	old := string(w.says("shop", "alice", "first"))
	w.call("ann", "POST", "/v1/sessions/"+old+"/accept", nil).want(200)
	w.call("ann", "POST", "/v1/sessions/"+old+"/messages", `{"type":"text","text":{"content":"later"},"send_at":"2026-11-21T20:00:00Z"}`).want(202)
	w.call("ann", "POST", "/v1/sessions/"+old+"/close", nil).want(200).is("closed", "state").is("ann", "ended_by").is(1, "waiting").is(5, "window", "remaining")
	w.pass(time.Minute)
	fresh := string(w.says("shop", "alice", "again"))
	if fresh == old {
		t.Fatal("the customer's new message stands in the closed session")
	}
	// Window and outbox have gone on with the customer.
	w.call("ann", "GET", "/v1/sessions/"+old, nil).want(200).is("closed", "state").is(0, "waiting").is(0, "window", "limit")
	w.call("ann", "GET", "/v1/sessions/"+fresh, nil).want(200).is("queued", "state").is(1, "waiting").is(5, "window", "limit")
	if got := w.walk("ann", "/v1/sessions?limit=1&customer=alice", "id"); !slices.Equal(got, []string{fresh, old}) {
		t.Errorf("sessions of alice %v, want %v", got, []string{fresh, old})
	}
	// The held message still reads as what it is, in the session where it was written.
	w.call("ann", "GET", "/v1/sessions/"+old+"/messages", nil).want(200).is("held", "items", 1, "state").is("send-at", "items", 1, "reason")
	w.call("ann", "POST", "/v1/sessions/"+old+"/accept", nil).want(409, "session-closed")
	w.call("sue", "POST", "/v1/sessions/"+old+"/close", nil).want(409, "session-closed")
	w.call("sue", "POST", "/v1/sessions/"+old+"/transfer", `{"to":"queue"}`).want(409, "session-closed")
	w.call("sue", "POST", "/v1/sessions/"+old+"/typing", nil).want(409, "session-closed")
	w.call("ann", "POST", "/v1/sessions/"+old+"/messages", `{"type":"text","text":{"content":"x"}}`).want(409, "session-closed").is(fresh, "current_session")
}

// TestPlacesBeyondTheCount: behind a thousand the answer has no number that could be taken for a place, alone and in a
// list, also in one that begins before it.
func TestPlacesBeyondTheCount(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const most = session.CountedPlaces
	var saved sync.WaitGroup
	for i := range most + 3 {
		saved.Go(func() {
			id := fmt.Sprintf("s%d", i)
			if err := w.store.SaveSession(t.Context(), session.Session{
				ID: session.ID(id), Tenant: tenant.Default, Account: "shop", Channel: account.MiniProgram, Customer: account.Customer(id),
				State: session.Queued, OpenedAt: epoch, LastCustomerAt: epoch, QueuedAt: epoch.Add(time.Duration(i-most) * time.Second),
			}, 0); err != nil {
				t.Error(err)
			}
		})
	}
	saved.Wait()
	last := w.call("ann", "GET", fmt.Sprint("/v1/sessions/s", most-1), nil).want(200).is(most, "queue_position")
	if _, there := last.json["queue_position_over"]; there {
		t.Errorf("a place that is counted has a bound beside it: %s", last.raw)
	}
	for _, path := range []string{fmt.Sprint("/v1/sessions/s", most), fmt.Sprint("/v1/sessions/s", most+2)} {
		r := w.call("ann", "GET", path, nil).want(200).is(most, "queue_position_over")
		if _, there := r.json["queue_position"]; there {
			t.Errorf("a place that nobody counted has a number: %s", r.raw)
		}
	}
	const list = "/v1/sessions?state=queued&limit=200"
	places, over := w.walk("ann", list, "queue_position"), w.walk("ann", list, "queue_position_over")
	for i := range most + 3 {
		want, bound := fmt.Sprint(i+1), "<nil>"
		if i >= most {
			want, bound = "<nil>", fmt.Sprint(most)
		}
		if places[i] != want || over[i] != bound {
			t.Fatalf("no. %d of the list: place %s over %s, want %s and %s", i+1, places[i], over[i], want, bound)
		}
	}
}
