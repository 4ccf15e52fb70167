package porttest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"kefu/shared/core/account"
	"kefu/shared/core/agent"
	"kefu/shared/core/session"
)

func sessionsOf(s storeCase, q session.Query) lister[session.Session] {
	return func(ctx context.Context, cursor string, limit int) ([]session.Session, string, error) {
		q.Cursor, q.Limit = cursor, limit
		return s.Sessions(ctx, q)
	}
}

func sessionID(s session.Session) string  { return string(s.ID) }
func idAndState(s session.Session) string { return string(s.ID) + " " + string(s.State) }

// town fills a store with sessions of every state over three accounts and two tenants; s00 is the oldest.
func town(t *testing.T, s storeCase) (list []session.Session) {
	t.Helper()
	states := []session.State{session.Bot, session.Queued, session.Serving, session.External, session.Closed, session.Expired}
	accounts := []account.ID{"a", "b", "ab"}
	agents := []agent.ID{"", "", "li", "wu", "li"}
	for i := range 36 {
		st := states[i%len(states)]
		v := inState(accounts[i/2%3], account.Customer(fmt.Sprintf("o%d", i%30)), session.ID(fmt.Sprintf("s%02d", i)), sec(i), st, agents[i%5])
		if i >= 30 {
			v.Tenant = "u"
			v.Account += "-u"
		}
		if st == session.Queued { // the queue's order is not that of opening
			v.QueuedAt = sec(1000 - i)
		}
		must(t, s.SaveSession(t.Context(), v, 0))
		list = append(list, v)
	}
	return list
}

// expect is the model: what of list a query shows, in order.
func expect(list []session.Session, q session.Query) (want []string) {
	for i := len(list) - 1; i >= 0; i-- { // newest first; the town's queue is then longest waiting first, too
		v := list[i]
		visible := q.Visible == nil
		for _, a := range q.Visible {
			visible = visible || a == v.Account
		}
		if visible && v.Tenant == q.Tenant && (q.Account == "" || q.Account == v.Account) && (q.State == "" || q.State == v.State) &&
			(q.Agent == "" || q.Agent == v.Agent) && (q.Customer == "" || q.Customer == v.Customer) {
			want = append(want, sessionID(v))
		}
	}
	return want
}

var sessionListClauses = []storeClause{
	{"Sessions keeps to its order and filters, alone and together", func(t *testing.T, s storeCase) {
		list := town(t, s)
		for _, visible := range [][]account.ID{nil, {}, {"a"}, {"b", "a"}, {"nowhere", "ab", "a-u"}} {
			for _, acc := range []account.ID{"", "a", "ab", "a-u"} {
				for _, st := range []session.State{"", session.Queued, session.Serving, session.Closed} {
					for _, by := range []agent.ID{"", "li", "nobody"} {
						for _, c := range []account.Customer{"", "o7", "o8"} {
							q := session.Query{Tenant: "t", Visible: visible, Account: acc, State: st, Agent: by, Customer: c}
							s.soon(t, func() string {
								items, err := all(t.Context(), sessionsOf(s, q), 3)
								if err != nil {
									return fmt.Sprintf("%+v: %v", q, err)
								}
								var ids []string
								for _, v := range items {
									ids = append(ids, sessionID(v))
								}
								if d := diff(expect(list, q), ids); d != "" {
									return fmt.Sprintf("%+v: %s", q, d)
								}
								return ""
							})
						}
					}
				}
			}
		}
	}},
	{"Sessions of one tenant shows nothing of another", func(t *testing.T, s storeCase) {
		list := town(t, s)
		for _, q := range []session.Query{
			{Tenant: "u"},
			{Tenant: "u", Account: "a"},
			{Tenant: "u", Visible: []account.ID{"a", "a-u"}},
			{Tenant: "u", Agent: "li"},
			{Tenant: "u", State: session.Queued},
			{Tenant: "u", Customer: "o1"},
			{Tenant: "v"},
		} {
			wantList(t, s, fmt.Sprintf("%+v", q), sessionsOf(s, q), sessionID, expect(list, q)...)
		}
	}},
	{"sessions move between lists as they change", func(t *testing.T, s storeCase) {
		ctx := t.Context()
		v := inState("a", "o1", "s1", sec(1), session.Bot, "")
		was := int64(0)
		show := func(what string, q session.Query, want ...string) {
			q.Tenant = "t"
			wantList(t, s, what, sessionsOf(s, q), sessionID, want...)
		}
		save := func() {
			must(t, s.SaveSession(ctx, v, was))
			was++
		}
		save()
		show("bot", session.Query{State: session.Bot}, "s1")
		v.State, v.QueuedAt = session.Queued, sec(5)
		save()
		show("bot", session.Query{State: session.Bot})
		show("queue", session.Query{State: session.Queued}, "s1")
		v.QueuedAt = sec(500)
		save()
		show("queue, joined anew", session.Query{State: session.Queued, Account: "a"}, "s1")
		v.State, v.Agent = session.Serving, "li"
		save()
		show("queue", session.Query{State: session.Queued})
		show("of li", session.Query{Agent: "li"}, "s1")
		v.Agent = "wu"
		save()
		show("of li", session.Query{Agent: "li"})
		show("of wu", session.Query{Agent: "wu", State: session.Serving}, "s1")
		v.State = session.Closed
		save()
		show("serving", session.Query{Account: "a", State: session.Serving})
		show("closed", session.Query{Account: "a", State: session.Closed}, "s1")
		show("all", session.Query{}, "s1")
	}},
	{"sessions of one instant each show once", func(t *testing.T, s storeCase) {
		for i := range 9 {
			v := inState("a", account.Customer(fmt.Sprintf("o%d", i)), session.ID(fmt.Sprintf("s%d", i)), sec(1), session.Queued, "")
			must(t, s.SaveSession(t.Context(), v, 0))
		}
		for _, st := range []session.State{"", session.Queued} {
			s.soon(t, func() string {
				items, err := all(t.Context(), sessionsOf(s, session.Query{Tenant: "t", State: st}), 2)
				seen := map[session.ID]bool{}
				for _, v := range items {
					seen[v.ID] = true
				}
				if err != nil || len(items) != 9 || len(seen) != 9 {
					return fmt.Sprintf("state %q: got %d items, %d different, error %v; want 9", st, len(items), len(seen), err)
				}
				return ""
			})
		}
	}},
	{"a new session between pages repeats and hides nothing", func(t *testing.T, s storeCase) {
		ctx := t.Context()
		open := func(i int) {
			v := inState("a", account.Customer(fmt.Sprintf("o%d", i)), session.ID(fmt.Sprintf("s%d", i)), sec(i), session.Bot, "")
			must(t, s.SaveSession(ctx, v, 0))
		}
		for i := range 5 {
			open(i)
		}
		var next string
		s.soon(t, func() string {
			items, cursor, err := s.Sessions(ctx, session.Query{Tenant: "t", Limit: 2})
			if err != nil || len(items) != 2 || cursor == "" {
				return fmt.Sprintf("first page: got %d items, cursor %q, error %v; want 2 and more", len(items), cursor, err)
			}
			next = cursor
			return ""
		})
		open(9)
		rest := func(ctx context.Context, cursor string, limit int) ([]session.Session, string, error) {
			if cursor == "" {
				cursor = next
			}
			return s.Sessions(ctx, session.Query{Tenant: "t", Cursor: cursor, Limit: limit})
		}
		wantList(t, s, "the rest", rest, sessionID, "s2", "s1", "s0")
	}},
}

var queuePlaceClauses = []storeClause{
	{"QueuePosition counts those of the account that wait longer", func(t *testing.T, s storeCase) {
		ctx := t.Context()
		var list []session.Session
		for i := range 6 {
			v := inState("a", account.Customer(fmt.Sprintf("o%d", i)), session.ID(fmt.Sprintf("s%d", i)), sec(i), session.Queued, "")
			v.QueuedAt = sec(100 - i)
			must(t, s.SaveSession(ctx, v, 0))
			list = append(list, v)
		}
		other := inState("b", "o", "other", sec(0), session.Queued, "")
		other.QueuedAt = epoch.Add(-time.Hour)
		must(t, s.SaveSession(ctx, other, 0))
		wantPlace(t, s, other, 1)
		for i, v := range list {
			wantPlace(t, s, v, 6-i)
		}
		list[5].State, list[5].Agent = session.Serving, "li" // the first leaves
		must(t, s.SaveSession(ctx, list[5], 1))
		wantPlace(t, s, list[5], 0)
		wantPlace(t, s, list[4], 1)
		wantPlace(t, s, list[0], 5)
	}},
	{"a higher priority stands before a lower one, then who waits longer", func(t *testing.T, s storeCase) {
		ctx := t.Context()
		queued := map[string]session.Session{}
		for i, q := range []struct {
			id       string
			at       int
			priority int
		}{
			{"plain-late", 30, 0},
			{"plain-early", 10, 0},
			{"nine", 50, 9},
			{"one", 60, 1},
			{"five-late", 45, 5},
			{"five-early", 40, 5},
			{"tie-b", 70, 3},
			{"tie-a", 70, 3},
		} {
			v := inState("a", account.Customer(fmt.Sprint("o", i)), session.ID(q.id), sec(100-i), session.Queued, "")
			v.QueuedAt, v.Priority = sec(q.at), q.priority
			must(t, s.SaveSession(ctx, v, 0))
			queued[q.id] = v
		}
		wantQueue(t, s, queued, "nine", "five-early", "five-late", "tie-a", "tie-b", "one", "plain-early", "plain-late")
		// One moves when its priority changes, and stands nowhere twice.
		up := queued["plain-late"]
		up.Priority = 6
		must(t, s.SaveSession(ctx, up, 1))
		queued["plain-late"] = up
		wantQueue(t, s, queued, "nine", "plain-late", "five-early", "five-late", "tie-a", "tie-b", "one", "plain-early")
		up.Priority = 0
		must(t, s.SaveSession(ctx, up, 2))
		queued["plain-late"] = up
		wantQueue(t, s, queued, "nine", "five-early", "five-late", "tie-a", "tie-b", "one", "plain-early", "plain-late")
		// One that goes gives its place up.
		gone := queued["nine"]
		gone.State, gone.Agent = session.Serving, "li"
		must(t, s.SaveSession(ctx, gone, 1))
		delete(queued, "nine")
		wantQueue(t, s, queued, "five-early", "five-late", "tie-a", "tie-b", "one", "plain-early", "plain-late")
	}},
	{"QueuePosition is exact up to 1,000 and beyond it behind that", func(t *testing.T, s storeCase) {
		crowd := make([]session.Session, session.CountedPlaces+2)
		for i := range crowd {
			crowd[i] = inState("a", account.Customer(fmt.Sprintf("o%d", i)), session.ID(fmt.Sprintf("s%d", i)), sec(i), session.Queued, "")
			crowd[i].QueuedAt = sec(i)
		}
		if s.crowd != nil {
			s.crowd(t, s.Store, crowd)
		} else {
			for _, err := range tried(len(crowd), func(i int) error { return s.SaveSession(t.Context(), crowd[i], 0) }) {
				must(t, err)
			}
		}
		for _, i := range []int{0, 1, session.CountedPlaces - 2, session.CountedPlaces - 1} {
			wantPlace(t, s, crowd[i], i+1)
		}
		for _, v := range crowd[session.CountedPlaces:] {
			s.soon(t, func() string {
				if n, err := s.QueuePosition(t.Context(), v); err != nil || n <= session.CountedPlaces {
					return fmt.Sprintf("position of %s: got %d, error %v; want one beyond %d", v.ID, n, err, session.CountedPlaces)
				}
				return ""
			})
		}
	}},
	{"QueuePosition of a session that isn't queued is 0", func(t *testing.T, s storeCase) {
		for _, st := range []session.State{session.Bot, session.Serving, session.Closed, session.Expired, session.Released} {
			wantPlace(t, s, inState("a", "o", "s", sec(1), st, ""), 0)
		}
	}},
}

// wantQueue fails unless the queue of account a has exactly these, in order, each with its position.
func wantQueue(t *testing.T, s storeCase, queued map[string]session.Session, want ...string) {
	t.Helper()
	for _, q := range []session.Query{{Account: "a"}, {}, {Visible: []account.ID{"a", "b"}}} {
		q.Tenant, q.State = "t", session.Queued
		wantList(t, s, fmt.Sprintf("%+v", q), sessionsOf(s, q), sessionID, want...)
	}
	for i, id := range want {
		wantPlace(t, s, queued[id], i+1)
	}
}

func wantPlace(t *testing.T, s storeCase, v session.Session, want int) {
	t.Helper()
	s.soon(t, func() string {
		n, err := s.QueuePosition(t.Context(), v)
		if err != nil || n != want {
			return fmt.Sprintf("position of %s: got %d, error %v; want %d", v.ID, n, err, want)
		}
		return ""
	})
}

func dueRefs(s storeCase, before time.Time) lister[session.Ref] {
	return func(ctx context.Context, cursor string, limit int) ([]session.Ref, string, error) {
		return s.Due(ctx, before, cursor, limit)
	}
}

// wantDue fails unless these customers of account a are due before the second.
func wantDue(t *testing.T, s storeCase, before int, want ...string) {
	t.Helper()
	wantList(t, s, fmt.Sprintf("Due before %d", before), dueRefs(s, sec(before)),
		func(r session.Ref) string { return string(r.Customer) }, want...)
}

var dueClauses = []storeClause{
	{"Due lists by time, without the limit itself", func(t *testing.T, s storeCase) {
		for i, due := range []int{30, 10, 50, 20, 40} {
			v := inState("a", account.Customer(fmt.Sprintf("at%d", due)), session.ID(fmt.Sprintf("s%d", i)), sec(1), session.Bot, "")
			v.DueAt = sec(due)
			must(t, s.SaveSession(t.Context(), v, 0))
		}
		must(t, s.SaveSession(t.Context(), inState("a", "never", "s9", sec(1), session.Bot, ""), 0))
		wantDue(t, s, 10)
		wantDue(t, s, 11, "at10")
		wantDue(t, s, 40, "at10", "at20", "at30")
		wantDue(t, s, 1000, "at10", "at20", "at30", "at40", "at50")
	}},
	{"a conversation moves and vanishes with its DueAt", func(t *testing.T, s storeCase) {
		ctx := t.Context()
		v := inState("a", "o1", "s1", sec(1), session.Bot, "")
		for was, due := range []int{100, 10, 10, 200, 0, 300} {
			v.DueAt = time.Time{}
			if due > 0 {
				v.DueAt = sec(due)
			}
			must(t, s.SaveSession(ctx, v, int64(was)))
			if due == 0 {
				wantDue(t, s, 100_000)
				continue
			}
			wantDue(t, s, due)
			wantDue(t, s, due+1, "o1")
		}
		next := inState("a", "o1", "s2", sec(2), session.Bot, "") // another session of the same conversation
		next.DueAt = sec(5)
		must(t, s.SaveSession(ctx, next, 6))
		wantDue(t, s, 100_000, "o1")
		wantDue(t, s, 6, "o1")
	}},
	{"Due names customers of every kind", func(t *testing.T, s storeCase) {
		want := map[session.Ref]bool{}
		for i, c := range strange {
			v := inState("a", c, session.ID(fmt.Sprintf("s%d", i)), sec(1), session.Bot, "")
			v.DueAt = sec(2)
			want[v.Ref()] = true
			must(t, s.SaveSession(t.Context(), v, 0))
		}
		s.soon(t, func() string {
			refs, err := all(t.Context(), dueRefs(s, sec(3)), 3)
			if err != nil {
				return err.Error()
			}
			found := map[session.Ref]bool{}
			for _, r := range refs {
				found[r] = true
			}
			return diff(want, found)
		})
	}},
}
