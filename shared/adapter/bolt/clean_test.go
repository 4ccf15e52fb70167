package bolt_test

import (
	"fmt"
	"testing"
	"time"

	"kefu/shared/adapter/bolt"
	"kefu/shared/core/account"
	"kefu/shared/core/fault"
	"kefu/shared/core/message"
	"kefu/shared/core/replay"
)

const day = 24 * time.Hour

// Clean removes each kind of record when its time is over, not before, and never more than the limit.
func TestClean(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	clock := &handClock{now: start}
	s := open(t, bolt.Options{Now: clock.Now, RawFor: 60 * day}).Store()
	fill := func() error {
		for i := range 5 {
			k := fmt.Sprint(i)
			if err := s.MarkSeen(ctx, "a", message.Seen{Key: k, FirstAt: start}); err != nil {
				return err
			}
			if err := s.FinishCall(ctx, "t", replay.Call{Key: k, Done: true, ExpiresAt: start.Add(day)}); err != nil {
				return err
			}
			if err := s.KeepRaw(ctx, message.RawPush{Push: message.Push{Account: "a", Key: k, ReceivedAt: start}}); err != nil {
				return err
			}
		}
		return s.RecordDrop(ctx, "a", "0", start.Add(time.Hour))
	}
	if err := fill(); err != nil {
		t.Fatalf("fill: got error %v; want none", err)
	}
	clean := func(after time.Duration, limit, want int) {
		t.Helper()
		n, err := s.Clean(ctx, start.Add(after), limit)
		if err != nil || n != want {
			t.Fatalf("Clean after %s: removed %d, error %v; want %d", after, n, err, want)
		}
	}
	clean(day-1, 100, 0)
	clean(day, 3, 3)
	clean(day, 3, 2)
	clean(30*day, 100, 0) // a push is known for 30 days at least
	if v, err := s.Seen(ctx, "a", "0"); err != nil || v.Drops != 1 {
		t.Errorf("Seen after 30 days: got %+v, error %v; want it with its drop", v, err)
	}
	clean(32*day, 100, 5)
	if _, err := s.Seen(ctx, "a", "0"); fault.KindOf(err) != fault.NotFound {
		t.Errorf("Seen after 32 days: got error %v; want not found", err)
	}
	clean(60*day-1, 100, 0)
	if list, _, err := s.RawPushes(ctx, "a", "", 100); err != nil || len(list) != 5 {
		t.Errorf("RawPushes: got %d, error %v; want 5", len(list), err)
	}
	clean(60*day, 100, 5)
	if list, _, err := s.RawPushes(ctx, "a", "", 100); err != nil || len(list) != 0 {
		t.Errorf("RawPushes: got %d, error %v; want none", len(list), err)
	}
	clean(1000*day, 100, 0)
}

// A call that was begun anew lives by its new time.
func TestCleanFollowsNewTimes(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	s := open(t, bolt.Options{}).Store()
	for _, life := range []time.Duration{time.Hour, 3 * time.Hour, 2 * time.Hour} {
		if err := s.FinishCall(ctx, "t", replay.Call{Key: "k", Done: true, ExpiresAt: start.Add(life)}); err != nil {
			t.Fatalf("FinishCall: got error %v; want none", err)
		}
	}
	if n, err := s.Clean(ctx, start.Add(2*time.Hour-1), 10); n != 0 || err != nil {
		t.Errorf("Clean before the time: removed %d, error %v; want none", n, err)
	}
	if n, err := s.Clean(ctx, start.Add(9*time.Hour), 10); n != 1 || err != nil {
		t.Errorf("Clean: removed %d, error %v; want 1", n, err)
	}
}

// A push that is marked again after it was cleaned is new.
func TestCleanThenMarkAgain(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	s := open(t, bolt.Options{}).Store()
	for i := range 2 {
		id := message.ID(fmt.Sprintf("s-%d", i+1))
		if err := s.MarkSeen(ctx, account.Scope("a"), message.Seen{Key: "k", Message: id}); err != nil {
			t.Fatalf("MarkSeen: got error %v; want none", err)
		}
		if v, err := s.Seen(ctx, "a", "k"); err != nil || v.Message != id {
			t.Errorf("Seen: got %+v, error %v; want message %s", v, err, id)
		}
		if n, err := s.Clean(ctx, time.Now().Add(40*day), 10); n != 1 || err != nil {
			t.Errorf("Clean: removed %d, error %v; want 1", n, err)
		}
	}
}
