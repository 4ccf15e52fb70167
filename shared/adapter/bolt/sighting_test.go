package bolt_test

import (
	"testing"
	"time"

	"kefu/shared/adapter/bolt"
	"kefu/shared/core/doctor"
)

// TestCleanForgetsSightings 30 days after the last, and not after the first.
func TestCleanForgetsSightings(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	clock := &handClock{now: start}
	s := open(t, bolt.Options{Now: clock.Now}).Store()
	note := func(at time.Time) {
		t.Helper()
		if err := s.NoteSighting(ctx, doctor.Sighting{Account: "shop", At: at, Reason: doctor.WrongKey}); err != nil {
			t.Fatal(err)
		}
	}
	clean := func(at time.Time, removed int, left int) {
		t.Helper()
		n, err := s.Clean(ctx, at, 10)
		if err != nil || n != removed {
			t.Fatalf("Clean: removed %d, error %v; want %d", n, err, removed)
		}
		if v, err := s.Sightings(ctx, "shop"); err != nil || len(v.Refused) != left {
			t.Fatalf("Sightings: got %+v, error %v; want %d", v, err, left)
		}
	}
	note(start)
	note(start.Add(day))
	note(start) // late
	clean(start.Add(31*day-1), 0, 1)
	clean(start.Add(31*day), 1, 0)
	clean(start.Add(99*day), 0, 0)
	note(start)
	clean(start.Add(30*day), 1, 0)
}
