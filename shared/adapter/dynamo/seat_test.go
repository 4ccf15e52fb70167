package dynamo

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"kefu/shared/core/fault"
	"kefu/shared/core/session"
)

// TestSeatsUnderFire races a hundred sessions for seven seats while requests are refused, cut off and repeated.
func TestSeatsUnderFire(t *testing.T) {
	t.Parallel()
	const racers, capacity = 100, 7
	mishaps := append([]mishap{{}, {lost: true}, {}, {cut: true}, {}, {lost: true}, {}}, passing...)
	f := &flaky{spoil: func(_ string, n int) mishap { return mishaps[n%len(mishaps)] }}
	s := newStore(t, through(f))
	var won sync.Map
	var race sync.WaitGroup
	for i := range racers {
		race.Go(func() {
			id := session.ID(fmt.Sprintf("s%03d", i))
			for {
				_, err := s.TakeSeat(t.Context(), "t", "li", id, capacity, start)
				switch {
				case err == nil:
					won.Store(string(id), true)
				case fault.KindOf(err) == fault.Unavailable:
					continue // the caller is told to come again
				case fault.CodeOf(err) != "capacity-full":
					t.Errorf("%s: got error %v; want a seat, or none left", id, err)
				}
				return
			}
		})
	}
	race.Wait()
	desk, err := newStore(t, onTable(s)).Desk(t.Context(), "t", "li")
	must(t, err)
	seats := desk.Seats
	if len(seats) != capacity {
		t.Errorf("got %d seats taken; want %d", len(seats), capacity)
	}
	for _, seat := range seats {
		if _, ok := won.LoadAndDelete(seat.Session); !ok {
			t.Errorf("%s has a seat and was told that there is none", seat.Session)
		}
	}
	won.Range(func(id, _ any) bool {
		t.Errorf("%s was given a seat and has none", id)
		return true
	})
}

func takeSeat(t *testing.T, s *Store, id session.ID, capacity int, at time.Time) error {
	t.Helper()
	_, err := s.TakeSeat(t.Context(), "t", "li", id, capacity, at)
	return err
}

func TestCapacityMayShrink(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	for i := range 3 {
		must(t, takeSeat(t, s, session.ID(fmt.Sprint(i)), 3, start))
	}
	for _, capacity := range []int{0, 1, 2, 3} {
		wantKind(t, "TakeSeat", takeSeat(t, s, "new", capacity, start), fault.Conflict, "capacity-full")
	}
	must(t, takeSeat(t, s, "1", 0, start)) // has one
	must(t, s.FreeSeat(t.Context(), "t", "li", "0", start))
	wantKind(t, "TakeSeat", takeSeat(t, s, "new", 2, start), fault.Conflict, "capacity-full")
	must(t, takeSeat(t, s, "new", 3, start))
}

// TestNoSeatNoItem: what was never taken leaves nothing behind.
func TestNoSeatNoItem(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	wantKind(t, "TakeSeat", takeSeat(t, s, "s", 0, start), fault.Conflict, "capacity-full")
	must(t, s.FreeSeat(t.Context(), "t", "li", "s", start))
	if n := len(scan(t, s)); n != 0 {
		t.Errorf("got %d items; want none", n)
	}
}
