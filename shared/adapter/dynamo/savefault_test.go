package dynamo

import (
	"context"
	"strings"
	"testing"
	"time"

	"kefu/shared/core/account"
	"kefu/shared/core/fault"
	"kefu/shared/core/message"
	"kefu/shared/core/session"
)

// aSession is a plain one, in a state.
func aSession(c account.Customer, id session.ID, st session.State) session.Session {
	s := session.Session{ID: id, Tenant: "t", Account: "shop", Customer: c, State: st, OpenedAt: start}
	if id == "s2" {
		s.OpenedAt = after(time.Second)
	}
	if st == session.Queued {
		s.QueuedAt = start
	}
	return s
}

// ids are those of a list, with their states.
func ids(t *testing.T, s *Store, q session.Query) (names []string) {
	t.Helper()
	q.Tenant = "t"
	for {
		page, next, err := s.Sessions(t.Context(), q)
		must(t, err)
		for _, v := range page {
			names = append(names, string(v.ID)+" "+string(v.State))
		}
		if next == "" {
			return names
		}
		q.Cursor = next
	}
}

// write is one write of a conversation: what must stand before it, itself, and what it must leave.
type write struct {
	what   string
	op     string // the one that decides
	before func(t *testing.T, s *Store)
	do     func(ctx context.Context, s *Store) error
	after  func(t *testing.T, s *Store)
	again  string // code of the error of one who does it a second time; "" for none
}

func saved(st session.State) func(*testing.T, *Store) {
	return func(t *testing.T, s *Store) { must(t, s.SaveSession(t.Context(), aSession("o", "s1", st), 0)) }
}

// shown wants the session at a version, and all lists to say the same of all sessions.
func shown(version int64, want ...string) func(*testing.T, *Store) {
	return func(t *testing.T, s *Store) {
		t.Helper()
		v, err := s.Session(t.Context(), "shop", "o")
		must(t, err)
		if v.Version != version {
			t.Errorf("got version %d; want %d", v.Version, version)
		}
		wantSame(t, "all sessions", ids(t, s, session.Query{}), want)
		wantSame(t, "of the customer", ids(t, s, session.Query{Customer: "o"}), want)
		for _, st := range states {
			var in []string
			for _, v := range want {
				if strings.HasSuffix(v, " "+string(st)) {
					in = append(in, v)
				}
			}
			wantSame(t, string(st), ids(t, s, session.Query{State: st}), in)
		}
	}
}

func replaced(t *testing.T, s *Store) {
	t.Helper()
	saved(session.Bot)(t, s)
	must(t, s.SaveSession(t.Context(), aSession("o", "s2", session.Bot), 1))
}

var writes = []write{
	{
		"SaveSession, opening", "TransactWriteItems", func(*testing.T, *Store) {},
		func(ctx context.Context, s *Store) error {
			return s.SaveSession(ctx, aSession("o", "s1", session.Queued), 0)
		},
		shown(1, "s1 queued"), "stale-session",
	},
	{
		"SaveSession, with a message", "PutItem", saved(session.Bot),
		func(ctx context.Context, s *Store) error {
			return s.SaveSession(ctx, aSession("o", "s1", session.Bot), 1)
		},
		shown(2, "s1 bot"), "stale-session",
	},
	{
		"SaveSession, moving", "TransactWriteItems", saved(session.Bot),
		func(ctx context.Context, s *Store) error {
			return s.SaveSession(ctx, aSession("o", "s1", session.Queued), 1)
		},
		shown(2, "s1 queued"), "stale-session",
	},
	{
		"SaveSession, replacing", "TransactWriteItems", func(t *testing.T, s *Store) {
			saved(session.Bot)(t, s)
			v := aSession("o", "s1", session.Closed)
			v.Version = 1
			must(t, s.ArchiveSession(t.Context(), v))
		},
		func(ctx context.Context, s *Store) error {
			return s.SaveSession(ctx, aSession("o", "s2", session.Queued), 1)
		},
		shown(2, "s2 queued", "s1 closed"), "stale-session",
	},
	{
		"ArchiveSession of the current one", "UpdateItem", saved(session.Bot),
		func(ctx context.Context, s *Store) error {
			v := aSession("o", "s1", session.Closed)
			v.Version = 1
			return s.ArchiveSession(ctx, v)
		},
		shown(1, "s1 bot"), "",
	},
	{
		"ArchiveSession, too late", "PutItem", replaced,
		func(ctx context.Context, s *Store) error {
			v := aSession("o", "s1", session.Closed)
			v.Version = 1
			return s.ArchiveSession(ctx, v)
		},
		shown(2, "s2 bot", "s1 closed"), "",
	},
	{
		"PutMessage", "PutItem", func(*testing.T, *Store) {},
		func(ctx context.Context, s *Store) error {
			return s.PutMessage(ctx, message.Message{ID: "s1-1", Session: "s1", N: 1, By: "li"})
		},
		func(t *testing.T, s *Store) {
			m, err := s.Message(t.Context(), "s1-1")
			must(t, err)
			wantSame(t, "row", m, message.Message{ID: "s1-1", Session: "s1", N: 1, By: "li"})
		}, "message-exists",
	},
	{
		"SettleMessage", "UpdateItem", func(t *testing.T, s *Store) {
			must(t, s.PutMessage(t.Context(), message.Message{ID: "s1-1", Session: "s1", N: 1, State: message.Pending}))
		},
		func(ctx context.Context, s *Store) error {
			wrote, err := s.SettleMessage(ctx, message.Settlement{Message: "s1-1", State: message.Sent, At: start})
			if err == nil && !wrote {
				return fault.New(fault.Conflict, "settled", "")
			}
			return err
		},
		func(t *testing.T, s *Store) {
			m, err := s.Message(t.Context(), "s1-1")
			must(t, err)
			wantSame(t, "row", m, message.Message{ID: "s1-1", Session: "s1", N: 1, State: message.Sent, SentAt: start})
		}, "settled",
	},
}

// few are mishaps that a write survives: the first requests of each kind meet them.
func few(n int, m mishap) func(string, int) mishap {
	return func(_ string, i int) mishap {
		if i <= n {
			return m
		}
		return mishap{}
	}
}

// contention is how a write loses against somebody else's transaction.
func contention(n int) func(string, int) mishap {
	return func(op string, i int) mishap {
		if i > n {
			return mishap{}
		}
		if op == "TransactWriteItems" {
			return mishap{
				status: 400, code: "TransactionCanceledException",
				body: `,"CancellationReasons":[{"Code":"TransactionConflict"},{"Code":"None"}]`,
			}
		}
		return refusal(400, "TransactionConflictException")
	}
}

func TestAWriteSurvivesAFewMishaps(t *testing.T) {
	t.Parallel()
	for what, spoil := range map[string]func(string, int) mishap{
		"throttled":     few(3, refusal(400, "ProvisionedThroughputExceededException")),
		"an error":      few(2, refusal(500, "InternalServerError")),
		"cut off":       few(2, mishap{cut: true}),
		"answer lost":   few(2, mishap{lost: true}),
		"answer torn":   few(2, mishap{torn: true}),
		"in contention": contention(3),
	} {
		for _, w := range writes {
			t.Run(w.what+", "+what, func(t *testing.T) {
				t.Parallel()
				calm := newStore(t)
				w.before(t, calm)
				f := &flaky{spoil: spoil}
				must(t, w.do(t.Context(), newStore(t, onTable(calm), through(f))))
				if f.requests() < 2 {
					t.Errorf("got %d requests; want one that was spoilt and another", f.requests())
				}
				w.after(t, calm)
			})
		}
	}
}

// TestAWriteThatIsGivenUp is done again by another process, which must find either nothing of it or all.
func TestAWriteThatIsGivenUp(t *testing.T) {
	t.Parallel()
	for what, c := range map[string]struct {
		mishap  mishap
		applied bool
	}{
		"before the engine has it":     {mishap{cut: true}, false},
		"after the engine has done it": {mishap{lost: true}, true},
	} {
		for _, w := range writes {
			t.Run(w.what+", "+what, func(t *testing.T) {
				t.Parallel()
				calm := newStore(t)
				w.before(t, calm)
				f := &flaky{spoil: func(op string, _ int) mishap {
					if op == w.op {
						return c.mishap
					}
					return mishap{}
				}}
				wantKind(t, w.what, w.do(t.Context(), newStore(t, onTable(calm), through(f))), fault.Unavailable, "")
				err := w.do(t.Context(), calm)
				if c.applied && w.again != "" {
					wantKind(t, "again", err, fault.Conflict, w.again)
				} else {
					must(t, err)
				}
				w.after(t, calm)
			})
		}
	}
}

func TestAWriteEndsWithItsContext(t *testing.T) {
	t.Parallel()
	for _, w := range writes {
		t.Run(w.what, func(t *testing.T) {
			t.Parallel()
			calm := newStore(t)
			w.before(t, calm)
			ctx, cancel := context.WithCancel(t.Context())
			f := &flaky{spoil: func(string, int) mishap {
				cancel()
				return mishap{hang: true}
			}}
			wantKind(t, w.what, w.do(ctx, newStore(t, onTable(calm), through(f))), fault.Unavailable, "cancelled")
			if f.requests() != 1 {
				t.Errorf("got %d requests; want 1", f.requests())
			}
			must(t, w.do(t.Context(), calm))
			w.after(t, calm)
		})
	}
}

// TestOneOfManyRacersWins races for each version in turn, half of the racers by moving the session. All of them lose
// against a transaction at first, and every third then loses an answer.
func TestOneOfManyRacersWins(t *testing.T) {
	t.Parallel()
	const racers = 50
	calm := newStore(t)
	for was := range int64(3) {
		errs := make(chan error, racers)
		for i := range racers {
			lose := contention(1)
			f := &flaky{spoil: func(op string, n int) mishap {
				if n == 2 && i%3 == 0 {
					return mishap{lost: true}
				}
				return lose(op, n)
			}}
			s := newStore(t, onTable(calm), through(f)) // each a process of its own
			go func() {
				v := aSession("o", "s1", states[i%2])
				v.Seq = int64(1000 + i)
				errs <- s.SaveSession(t.Context(), v, was)
			}()
		}
		won := 0
		for range racers {
			switch err := <-errs; {
			case err == nil:
				won++
			case fault.CodeOf(err) != "stale-session":
				t.Errorf("a loser: got error %v; want code stale-session", err)
			}
		}
		v, err := calm.Session(t.Context(), "shop", "o")
		must(t, err)
		if won != 1 || v.Version != was+1 || v.Seq < 1000 {
			t.Fatalf("got %d winners, version %d, seq %d; want 1 winner, version %d of a racer", won, v.Version, v.Seq, was+1)
		}
		wantSame(t, "all sessions", ids(t, calm, session.Query{}), []string{"s1 " + string(v.State)})
	}
}
