package porttest

import (
	"context"
	"testing"

	"kefu/shared/core/account"
	"kefu/shared/core/fault"
	"kefu/shared/core/message"
	"kefu/shared/core/replay"
	"kefu/shared/core/tenant"
)

func wantSeen(t *testing.T, s storeCase, a account.Scope, want message.Seen) {
	t.Helper()
	s.soon(t, func() string {
		v, err := s.Seen(t.Context(), a, want.Key)
		if err != nil {
			return err.Error()
		}
		return diff(want, v)
	})
}

var seenClauses = []storeClause{
	{"of a push that is noted nothing changes", func(t *testing.T, s storeCase) {
		ctx := t.Context()
		first := message.Seen{Key: "k", Message: "s-1", FirstAt: sec(1)}
		must(t, s.MarkSeen(ctx, "a", first))
		must(t, s.MarkSeen(ctx, "a", message.Seen{Key: "k", Message: "s-2", FirstAt: sec(9)}))
		wantSeen(t, s, "a", first)
	}},
	{"RecordDrop counts", func(t *testing.T, s storeCase) {
		ctx := t.Context()
		must(t, s.MarkSeen(ctx, "a", message.Seen{Key: "k", Message: "s-1", FirstAt: sec(1)}))
		must(t, s.RecordDrop(ctx, "a", "k", sec(2)))
		must(t, s.RecordDrop(ctx, "a", "k", sec(3)))
		wantSeen(t, s, "a", message.Seen{Key: "k", Message: "s-1", FirstAt: sec(1), Drops: 2, LastDropAt: sec(3)})
	}},
	{"RecordDrop loses none of 30 at once", func(t *testing.T, s storeCase) {
		must(t, s.MarkSeen(t.Context(), "a", message.Seen{Key: "k", FirstAt: sec(1)}))
		for _, err := range tried(30, func(int) error { return s.RecordDrop(t.Context(), "a", "k", sec(2)) }) {
			must(t, err)
		}
		wantSeen(t, s, "a", message.Seen{Key: "k", FirstAt: sec(1), Drops: 30, LastDropAt: sec(2)})
	}},
	{"pushes of accounts are apart", func(t *testing.T, s storeCase) {
		must(t, s.MarkSeen(t.Context(), "a", message.Seen{Key: "bk", FirstAt: sec(1)}))
		_, err := s.Seen(t.Context(), "ab", "k")
		wantKind(t, "Seen", err, fault.NotFound)
		_, err = s.Seen(t.Context(), "b", "bk")
		wantKind(t, "Seen", err, fault.NotFound)
	}},
}

func rawPush(a account.ID, key string, second int) message.RawPush {
	return message.RawPush{
		Push:   message.Push{Account: a, Customer: "o1", Key: key, Body: []byte("<xml>\x00\xff"), ReceivedAt: sec(second)},
		Reason: "unreadable",
	}
}

var rawClauses = []storeClause{
	{"KeepRaw is idempotent by its key", func(t *testing.T, s storeCase) {
		ctx := t.Context()
		must(t, s.KeepRaw(ctx, rawPush("a", "k", 1)))
		must(t, s.KeepRaw(ctx, rawPush("a", "k", 1)))
		must(t, s.KeepRaw(ctx, rawPush("a", "k", 5))) // the same push, delivered later
		again := rawPush("a", "k", 6)
		again.Push.Owner = account.Owner{Tenant: "t", Incarnation: "i"}
		must(t, s.KeepRaw(ctx, again)) // of an account that was made again
		for of, want := range map[account.Scope]message.RawPush{"a": rawPush("a", "k", 1), again.Push.Scope(): again} {
			s.soon(t, func() string {
				items, _, err := s.RawPushes(ctx, of, "", 10)
				if err != nil {
					return err.Error()
				}
				return diff([]message.RawPush{want}, items)
			})
		}
	}},
	{"RawPushes lists an account's, oldest first", func(t *testing.T, s storeCase) {
		for i, second := range []int{5, 3, 9, 1, 7} {
			must(t, s.KeepRaw(t.Context(), rawPush("a", string(rune('z'-i)), second)))
		}
		must(t, s.KeepRaw(t.Context(), rawPush("ab", "k", 2)))
		l := func(ctx context.Context, cursor string, limit int) ([]message.RawPush, string, error) {
			return s.RawPushes(ctx, "a", cursor, limit)
		}
		wantList(t, s, "RawPushes", l, func(r message.RawPush) string { return r.Push.Key }, "w", "y", "z", "v", "x")
	}},
}

// running is the record of a call that began at the second, with a lease of 60 s and a life of 1000 s.
func running(key string, second int) replay.Call {
	return replay.Call{Key: key, Fingerprint: "fp", LeaseUntil: sec(second + 60), ExpiresAt: sec(second + 1000)}
}

func wantBegun(t *testing.T, s storeCase, of tenant.ID, c replay.Call, second int) {
	t.Helper()
	if _, begun, err := s.BeginCall(t.Context(), of, c, sec(second)); err != nil || !begun {
		t.Fatalf("BeginCall at %d: got begun %v, error %v; want true", second, begun, err)
	}
}

func wantBlocked(t *testing.T, s storeCase, c replay.Call, second int, by replay.Call) {
	t.Helper()
	found, begun, err := s.BeginCall(t.Context(), "t", c, sec(second))
	if err != nil || begun {
		t.Fatalf("BeginCall at %d: got begun %v, error %v; want false", second, begun, err)
	}
	wantEqual(t, "record in the way", found, by)
}

var callClauses = []storeClause{
	{"a call that runs blocks until its lease ends", func(t *testing.T, s storeCase) {
		wantBegun(t, s, "t", running("k", 0), 0)
		wantBlocked(t, s, running("k", 1), 1, running("k", 0))
		wantBlocked(t, s, running("k", 59), 59, running("k", 0))
		wantBegun(t, s, "t", running("k", 60), 60)
		wantBlocked(t, s, running("k", 61), 61, running("k", 60))
	}},
	{"a call that is done blocks until it expires", func(t *testing.T, s storeCase) {
		wantBegun(t, s, "t", running("k", 0), 0)
		done := running("k", 0)
		done.Done, done.Status, done.Body = true, 202, []byte("\x00 answer <>")
		must(t, s.FinishCall(t.Context(), "t", done))
		wantBlocked(t, s, running("k", 500), 500, done)
		wantBlocked(t, s, running("k", 999), 999, done)
		wantBegun(t, s, "t", running("k", 1000), 1000)
	}},
	{"an abandoned call can be made anew", func(t *testing.T, s storeCase) {
		wantBegun(t, s, "t", running("k", 0), 0)
		must(t, s.AbandonCall(t.Context(), "t", "k"))
		must(t, s.AbandonCall(t.Context(), "t", "k"))
		wantBegun(t, s, "t", running("k", 1), 1)
	}},
	{"calls of tenants are apart", func(t *testing.T, s storeCase) {
		wantBegun(t, s, "t", running("k", 0), 0)
		wantBegun(t, s, "u", running("k", 0), 0)
		wantBegun(t, s, "", running("tk", 0), 0)
	}},
	{"one of 50 that begin one call begins it", func(t *testing.T, s storeCase) {
		begun := tried(50, func(int) bool {
			_, ok, err := s.BeginCall(t.Context(), "t", running("k", 0), sec(1))
			return ok && err == nil
		})
		if n := count(begun, func(b bool) bool { return b }); n != 1 {
			t.Errorf("got %d that began; want 1", n)
		}
	}},
}
