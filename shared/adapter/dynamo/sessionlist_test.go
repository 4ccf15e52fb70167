package dynamo

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"kefu/shared/core/account"
	"kefu/shared/core/fault"
	"kefu/shared/core/session"
)

// TestEntriesThatAreBehindDontShow gives sessions' items keys that they must not have any more, as an index has them for
// a moment after a change.
func TestEntriesThatAreBehindDontShow(t *testing.T) {
	t.Parallel()
	s, ctx := newStore(t), t.Context()
	v := aSession("o", "s1", session.Bot)
	must(t, s.SaveSession(ctx, v, 0))
	other := func(change func(*session.Session)) item {
		o := v
		change(&o)
		return listKeys(o)
	}
	for what, keys := range map[string]item{
		"another state":    other(func(o *session.Session) { o.State = session.Closed }),
		"queued":           other(func(o *session.Session) { o.State = session.Queued }),
		"an agent's":       other(func(o *session.Session) { o.Agent = "li" }),
		"another tenant":   other(func(o *session.Session) { o.Tenant = "u" }),
		"another customer": other(func(o *session.Session) { o.Customer = "p" }),
		"another account":  other(func(o *session.Session) { o.Account = "elsewhere" }),
		"another opening":  other(func(o *session.Session) { o.OpenedAt = after(1) }),
		"no session":       other(func(o *session.Session) { o.ID = "s9" }),
	} {
		e := editIf("attribute_exists(#"+attrPK+")", nil)
		e.replace(keys, listAttrs...)
		if _, _, refused, err := s.update(ctx, sessionKey("s1"), e.change()); err != nil || refused {
			t.Fatalf("%s: got refused %v, error %v; want neither", what, refused, err)
		}
		for _, q := range []session.Query{
			{State: session.Closed},
			{State: session.Queued},
			{Agent: "li"},
			{Account: "elsewhere"},
			{Customer: "p"},
			{Visible: []account.ID{"elsewhere"}},
		} {
			wantSame(t, what+fmt.Sprintf(": %+v", q), ids(t, s, q), nil)
		}
		if readText(keys[attrOrder]) != placeOf(v) {
			wantSame(t, what+": at another place", ids(t, s, session.Query{}), nil)
		}
		q := session.Query{Tenant: "u", Visible: []account.ID{"shop", "elsewhere"}}
		if items, _, err := s.Sessions(ctx, q); err != nil || len(items) > 0 {
			t.Errorf("%s: got %d sessions of another tenant, error %v; want none", what, len(items), err)
		}
	}
	// The next change puts it right.
	v.State = session.Closed
	must(t, s.SaveSession(ctx, v, 1))
	wantSame(t, "all", ids(t, s, session.Query{}), []string{"s1 closed"})
	expire(t, s, sessionKey("s1"))
	wantSame(t, "all, without its item", ids(t, s, session.Query{}), nil)
	v.State = session.Bot
	must(t, s.SaveSession(ctx, v, 2))
	wantSame(t, "all", ids(t, s, session.Query{}), []string{"s1 bot"})
}

// TestAMovingSessionShowsOnce lists while sessions move between the states. One may be missed, since the lists are not
// read at one instant; none may stand there twice.
func TestAMovingSessionShowsOnce(t *testing.T) {
	t.Parallel()
	const customers, moves = 24, 120
	s := newStore(t)
	all := make([]session.Session, customers)
	for i := range all {
		all[i] = aSession(account.Customer(fmt.Sprint(i)), session.ID(fmt.Sprintf("s%02d", i)), states[i%len(states)])
		all[i].Account = account.ID(fmt.Sprint("a", i%3))
		must(t, s.SaveSession(t.Context(), all[i], 0))
		all[i].Version = 1
	}
	ctx, cancel := context.WithCancel(t.Context())
	var movers sync.WaitGroup
	movers.Go(func() {
		defer cancel()
		dice := rand.New(rand.NewPCG(1, 2))
		for range moves {
			v := &all[dice.IntN(customers)]
			v.State, v.QueuedAt = states[dice.IntN(len(states))], start
			if err := s.SaveSession(t.Context(), *v, v.Version); err != nil {
				t.Errorf("SaveSession: got error %v; want none", err)
				return
			}
			v.Version++
		}
	})
	walk := func() (seen map[session.ID]bool) {
		seen = map[session.ID]bool{}
		for q := (session.Query{Tenant: "t", Limit: 5}); ; {
			page, next, err := s.Sessions(t.Context(), q)
			must(t, err)
			for _, v := range page {
				if seen[v.ID] {
					t.Errorf("%s shows twice", v.ID)
				}
				seen[v.ID] = true
			}
			if q.Cursor = next; next == "" {
				return seen
			}
		}
	}
	for ctx.Err() == nil {
		walk()
	}
	movers.Wait()
	if n := len(walk()); n != customers {
		t.Errorf("when all is quiet: got %d sessions; want %d", n, customers)
	}
}

func TestACursorHoldsForItsListOnly(t *testing.T) {
	t.Parallel()
	s, ctx := newStore(t), t.Context()
	for i := range 3 {
		must(t, s.SaveSession(ctx, aSession(account.Customer(fmt.Sprint(i)), session.ID(fmt.Sprint("s", i)), session.Queued), 0))
	}
	_, next, err := s.Sessions(ctx, session.Query{Tenant: "t", Limit: 1})
	must(t, err)
	for what, q := range map[string]session.Query{
		"another tenant":  {Tenant: "u", Cursor: next},
		"the queue":       {Tenant: "t", State: session.Queued, Cursor: next},
		"one letter more": {Tenant: "t", Cursor: next + "A"},
		"one letter less": {Tenant: "t", Cursor: next[:len(next)-1]},
		"one letter else": {Tenant: "t", Cursor: "A" + next[1:]},
	} {
		_, _, err := s.Sessions(ctx, q)
		wantKind(t, what, err, fault.Invalid, "bad-cursor")
	}
}

// TestALongNameIsNoFault asks for what no key can name.
func TestALongNameIsNoFault(t *testing.T) {
	t.Parallel()
	s, ctx := newStore(t), t.Context()
	long := string(make([]byte, 3000))
	wantSame(t, "of the customer", ids(t, s, session.Query{Customer: account.Customer(long)}), nil)
	_, err := s.SessionByID(ctx, session.ID(long))
	wantKind(t, "SessionByID", err, fault.NotFound, "")
	_, err = s.Session(ctx, "shop", account.Customer(long))
	wantKind(t, "Session", err, fault.NotFound, "")
	for _, c := range []account.Customer{account.Customer(long), "\xff"} {
		wantKind(t, "SaveSession", s.SaveSession(ctx, aSession(c, "s1", session.Bot), 0), fault.Invalid, "bad-customer")
	}
	if rows, _, err := s.Messages(ctx, session.ID(long), "", 1); err != nil || len(rows) > 0 {
		t.Errorf("Messages: got %d rows, error %v; want none", len(rows), err)
	}
}
