package porttest

import (
	"fmt"
	"testing"

	"kefu/shared/core/account"
	"kefu/shared/core/fault"
	"kefu/shared/core/session"
)

var sessionClauses = []storeClause{
	{"SaveSession stores everything under version was+1", func(t *testing.T, s storeCase) {
		ctx := t.Context()
		want := aSession("shop", "o1", "s1", sec(1))
		want.DueAt, want.Version = sec(30), 99 // the version that counts is the store's
		must(t, s.SaveSession(ctx, want, 0))
		want.Version = 1
		wantEqual(t, "Session", got[session.Session](t)(s.Session(ctx, "shop", "o1")), want)
		wantEqual(t, "SessionByID", got[session.Session](t)(s.SessionByID(ctx, "s1")), want)
		want.Seq, want.Outbox = 6, nil
		must(t, s.SaveSession(ctx, want, 1))
		want.Version = 2
		wantEqual(t, "Session", got[session.Session](t)(s.Session(ctx, "shop", "o1")), want)
	}},
	{"SaveSession on another version is Conflict and changes nothing", func(t *testing.T, s storeCase) {
		ctx := t.Context()
		v := aSession("shop", "o1", "s1", sec(1))
		wantKind(t, "version 1 of none", s.SaveSession(ctx, v, 1), fault.Conflict)
		must(t, s.SaveSession(ctx, v, 0))
		must(t, s.SaveSession(ctx, v, 1))
		v.Version = 2
		other := aSession("shop", "o1", "s2", sec(5))
		other.DueAt = sec(1)
		for _, was := range []int64{0, 1, 3} {
			wantKind(t, fmt.Sprintf("version %d of 2", was), s.SaveSession(ctx, other, was), fault.Conflict)
		}
		wantEqual(t, "Session", got[session.Session](t)(s.Session(ctx, "shop", "o1")), v)
		_, err := s.SessionByID(ctx, "s2")
		wantKind(t, "SessionByID of what was refused", err, fault.NotFound)
		wantList(t, s, "Sessions", sessionsOf(s, session.Query{Tenant: "t"}), sessionID, "s1")
		wantDue(t, s, 100)
	}},
	{"one of 50 that race on one version wins", func(t *testing.T, s storeCase) {
		const racers = 50
		for was := range int64(3) {
			errs := tried(racers, func(i int) error {
				v := aSession("shop", "o1", "s1", sec(1))
				v.Seq = int64(1000 + i)
				return s.SaveSession(t.Context(), v, was)
			})
			for _, err := range errs {
				if err != nil {
					wantKind(t, "a loser", err, fault.Conflict)
				}
			}
			if n := count(errs, func(err error) bool { return err == nil }); n != 1 {
				t.Fatalf("got %d winners; want 1", n)
			}
			v := got[session.Session](t)(s.Session(t.Context(), "shop", "o1"))
			if v.Version != was+1 || v.Seq < 1000 {
				t.Fatalf("got version %d, seq %d; want version %d of a racer", v.Version, v.Seq, was+1)
			}
		}
	}},
	{"customers and accounts are apart, whatever their names", func(t *testing.T, s storeCase) {
		ctx := t.Context()
		n := 0
		for _, a := range []account.ID{"a", "a1", "ao", "b"} {
			for _, c := range strange {
				n++
				must(t, s.SaveSession(ctx, inState(a, c, session.ID(fmt.Sprintf("s%d", n)), sec(n), session.Bot, ""), 0))
			}
		}
		n = 0
		for _, a := range []account.ID{"a", "a1", "ao", "b"} {
			for _, c := range strange {
				n++
				v := got[session.Session](t)(s.Session(ctx, a, c))
				if want := session.ID(fmt.Sprintf("s%d", n)); v.ID != want || v.Customer != c || v.Account != a {
					t.Fatalf("session of %q/%q: got %s of %q/%q; want %s", a, c, v.ID, v.Account, v.Customer, want)
				}
				wantList(t, s, fmt.Sprintf("Sessions of %q", c),
					sessionsOf(s, session.Query{Tenant: "t", Account: a, Customer: c}), sessionID, string(v.ID))
			}
		}
	}},
}

var archiveClauses = []storeClause{
	{"archive, then replace: each session shows once", func(t *testing.T, s storeCase) {
		ctx := t.Context()
		first := inState("shop", "o1", "s1", sec(1), session.Serving, "li")
		must(t, s.SaveSession(ctx, first, 0))
		first.Version, first.State, first.EndedAt = 1, session.Expired, sec(50)
		must(t, s.ArchiveSession(ctx, first))
		must(t, s.ArchiveSession(ctx, first))
		query := session.Query{Tenant: "t"}
		// Until it is replaced, the current one shows.
		wantEqual(t, "before", got[session.Session](t)(s.SessionByID(ctx, "s1")).State, session.Serving)
		wantList(t, s, "Sessions before", sessionsOf(s, query), idAndState, "s1 serving")
		wantList(t, s, "expired before", sessionsOf(s, session.Query{Tenant: "t", State: session.Expired}), sessionID)

		second := inState("shop", "o1", "s2", sec(60), session.Bot, "")
		must(t, s.SaveSession(ctx, second, 1))
		must(t, s.ArchiveSession(ctx, first)) // a redelivery comes late
		wantEqual(t, "after", got[session.Session](t)(s.SessionByID(ctx, "s1")), first)
		wantEqual(t, "current", got[session.Session](t)(s.Session(ctx, "shop", "o1")).ID, "s2")
		wantList(t, s, "Sessions after", sessionsOf(s, query), idAndState, "s2 bot", "s1 expired")
		wantList(t, s, "serving after", sessionsOf(s, session.Query{Tenant: "t", State: session.Serving}), sessionID)
		wantList(t, s, "expired after", sessionsOf(s, session.Query{Tenant: "t", State: session.Expired}), sessionID, "s1")
		wantList(t, s, "of the agent", sessionsOf(s, session.Query{Tenant: "t", Agent: "li"}), sessionID, "s1")
		wantList(t, s, "of the customer", sessionsOf(s, session.Query{Tenant: "t", Customer: "o1"}), sessionID, "s2", "s1")
	}},
	{"a stale archive does not replace a newer one", func(t *testing.T, s storeCase) {
		ctx := t.Context()
		v := inState("shop", "o1", "s1", sec(1), session.Bot, "")
		must(t, s.SaveSession(ctx, v, 0))
		must(t, s.SaveSession(ctx, v, 1))
		v.Version, v.State = 2, session.Closed
		must(t, s.ArchiveSession(ctx, v))
		must(t, s.SaveSession(ctx, inState("shop", "o1", "s2", sec(2), session.Bot, ""), 2))
		stale := v
		stale.Version, stale.State = 1, session.Bot
		must(t, s.ArchiveSession(ctx, stale))
		wantEqual(t, "SessionByID", got[session.Session](t)(s.SessionByID(ctx, "s1")), v)
		wantList(t, s, "Sessions", sessionsOf(s, session.Query{Tenant: "t"}), idAndState, "s2 bot", "s1 closed")
	}},
	{"a replaced session that nobody archived is gone", func(t *testing.T, s storeCase) {
		ctx := t.Context()
		must(t, s.SaveSession(ctx, inState("shop", "o1", "s1", sec(1), session.Queued, ""), 0))
		must(t, s.SaveSession(ctx, inState("shop", "o1", "s2", sec(2), session.Queued, ""), 1))
		_, err := s.SessionByID(ctx, "s1")
		wantKind(t, "SessionByID", err, fault.NotFound)
		wantList(t, s, "Sessions", sessionsOf(s, session.Query{Tenant: "t"}), sessionID, "s2")
		wantList(t, s, "queue", sessionsOf(s, session.Query{Tenant: "t", State: session.Queued}), sessionID, "s2")
	}},
	{"many sessions of one customer follow each other", func(t *testing.T, s storeCase) {
		ctx := t.Context()
		var want []string
		var last session.Session
		for i := range 12 {
			v := inState("shop", "o1", session.ID(fmt.Sprintf("s%02d", i)), sec(i), session.Closed, "")
			if i > 0 {
				must(t, s.ArchiveSession(ctx, last))
			}
			must(t, s.SaveSession(ctx, v, int64(i)))
			last = got[session.Session](t)(s.Session(ctx, "shop", "o1"))
			want = append([]string{string(v.ID)}, want...)
		}
		wantList(t, s, "Sessions", sessionsOf(s, session.Query{Tenant: "t", Customer: "o1"}), sessionID, want...)
		for _, id := range want {
			wantEqual(t, "SessionByID", got[session.Session](t)(s.SessionByID(ctx, session.ID(id))).ID, session.ID(id))
		}
	}},
}
