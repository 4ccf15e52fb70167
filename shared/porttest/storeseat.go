package porttest

import (
	"fmt"
	"testing"
	"time"

	"kefu/shared/core/agent"
	"kefu/shared/core/fault"
	"kefu/shared/core/session"
	"kefu/shared/core/tenant"
)

// take takes a seat, and fails unless it was taken anew or not, as wanted.
func take(t *testing.T, s storeCase, a agent.ID, id session.ID, capacity, at int, want bool) {
	t.Helper()
	if taken := got[bool](t)(s.TakeSeat(t.Context(), "t", a, id, capacity, sec(at))); taken != want {
		t.Errorf("TakeSeat for %s at %d: got taken %v; want %v", id, at, taken, want)
	}
}

// noSeat fails unless all seats are taken.
func noSeat(t *testing.T, s storeCase, a agent.ID, id session.ID, capacity, at int) {
	t.Helper()
	_, err := s.TakeSeat(t.Context(), "t", a, id, capacity, sec(at))
	wantCode(t, fmt.Sprintf("TakeSeat for %s", id), err, fault.Conflict, "capacity-full")
}

var seatClauses = []storeClause{
	{"seats are taken up to the capacity, and again when freed", func(t *testing.T, s storeCase) {
		ctx := t.Context()
		take(t, s, "li", "s1", 2, 1, true)
		take(t, s, "li", "s2", 2, 2, true)
		noSeat(t, s, "li", "s3", 2, 3)
		take(t, s, "li", "s1", 2, 4, false) // again: nothing more
		take(t, s, "li", "s2", 1, 4, false) // even if the capacity has shrunk
		wantSeats(t, s, "t", "li", "s1", "s2")
		must(t, s.FreeSeat(ctx, "t", "li", "s1", sec(5)))
		must(t, s.FreeSeat(ctx, "t", "li", "s1", sec(5))) // not taken: no error
		must(t, s.FreeSeat(ctx, "t", "nobody", "s1", sec(5)))
		take(t, s, "li", "s3", 2, 5, true)
		wantSeats(t, s, "t", "li", "s2", "s3")
	}},
	{"a seat that was taken or kept later is not freed", func(t *testing.T, s storeCase) {
		ctx := t.Context()
		keep := func(id session.ID, at int, want bool) {
			t.Helper()
			if kept := got[bool](t)(s.KeepSeat(ctx, "t", "li", id, sec(at))); kept != want {
				t.Errorf("KeepSeat for %s at %d: got %v; want %v", id, at, kept, want)
			}
		}
		keep("s1", 1, false)
		take(t, s, "li", "s1", 1, 10, true)
		must(t, s.FreeSeat(ctx, "t", "li", "s1", sec(9)))
		wantSeats(t, s, "t", "li", "s1")
		keep("s1", 20, true)
		keep("s1", 15, true) // a clock that is behind takes nothing back
		keep("s2", 20, false)
		must(t, s.FreeSeat(ctx, "t", "li", "s1", sec(19)))
		wantEqual(t, "desk", got[agent.Desk](t)(s.Desk(ctx, "t", "li")), agent.Desk{
			Seats: []agent.Seat{{Session: "s1", TakenAt: sec(20)}}, LastTaken: sec(10),
		})
		must(t, s.FreeSeat(ctx, "t", "li", "s1", sec(20))) // at that very time: freed
		wantEqual(t, "desk", got[agent.Desk](t)(s.Desk(ctx, "t", "li")), agent.Desk{LastTaken: sec(10), LastFreed: sec(20)})
		keep("s1", 30, false)
	}},
	{"Desk tells when a seat was last taken and freed", func(t *testing.T, s storeCase) {
		ctx := t.Context()
		want := func(what string, d agent.Desk) {
			t.Helper()
			wantEqual(t, what, got[agent.Desk](t)(s.Desk(ctx, "t", "li")), d)
		}
		seat := func(id string, at int) agent.Seat { return agent.Seat{Session: id, TakenAt: sec(at)} }
		want("nothing yet", agent.Desk{})
		must(t, s.FreeSeat(ctx, "t", "li", "s1", sec(1)))
		want("nothing was freed", agent.Desk{})
		take(t, s, "li", "s1", 2, 5, true)
		want("one taken", agent.Desk{Seats: []agent.Seat{seat("s1", 5)}, LastTaken: sec(5)})
		take(t, s, "li", "s2", 2, 6, true)
		noSeat(t, s, "li", "s3", 2, 7)
		take(t, s, "li", "s1", 2, 8, false)
		want("refused and repeated", agent.Desk{Seats: []agent.Seat{seat("s1", 5), seat("s2", 6)}, LastTaken: sec(6)})
		must(t, s.FreeSeat(ctx, "t", "li", "s2", sec(9)))
		must(t, s.FreeSeat(ctx, "t", "li", "s2", sec(10)))
		want("one freed, once", agent.Desk{Seats: []agent.Seat{seat("s1", 5)}, LastTaken: sec(6), LastFreed: sec(9)})
		take(t, s, "li", "s4", 2, 11, true)
		want("another taken", agent.Desk{Seats: []agent.Seat{seat("s1", 5), seat("s4", 11)}, LastTaken: sec(11), LastFreed: sec(9)})
	}},
	{"Desks are those of the agents, in their order", func(t *testing.T, s storeCase) {
		var names []agent.ID
		var want []agent.Desk
		for i := range 130 { // more than an engine may read at once
			name := agent.ID(fmt.Sprintf("a%03d", (i*77)%130))
			names = append(names, name)
			if i%3 > 0 {
				want = append(want, agent.Desk{})
				continue
			}
			take(t, s, name, "s1", 2, i, true)
			want = append(want, agent.Desk{Seats: []agent.Seat{{Session: "s1", TakenAt: sec(i)}}, LastTaken: sec(i)})
		}
		names, want = append(names, names[0]), append(want, want[0]) // one twice
		wantEqual(t, "desks", got[[]agent.Desk](t)(s.Desks(t.Context(), "t", names)), want)
		wantEqual(t, "of nobody", got[[]agent.Desk](t)(s.Desks(t.Context(), "t", nil)), nil)
		wantEqual(t, "of another tenant", got[[]agent.Desk](t)(s.Desks(t.Context(), "u", names[:2])), []agent.Desk{{}, {}})
	}},
	{"without capacity there is no seat", func(t *testing.T, s storeCase) {
		noSeat(t, s, "li", "s", 0, 1)
		wantEqual(t, "desk", got[agent.Desk](t)(s.Desk(t.Context(), "t", "li")), agent.Desk{})
	}},
	{"seats of agents and tenants are apart", func(t *testing.T, s storeCase) {
		take(t, s, "l", "is", 1, 1, true)
		take(t, s, "li", "s", 1, 1, true)
		got[bool](t)(s.TakeSeat(t.Context(), "u", "li", "s", 1, sec(1)))
		wantSeats(t, s, "t", "li", "s")
		wantSeats(t, s, "u", "l")
	}},
	{"of 50 that race, capacity get a seat", func(t *testing.T, s storeCase) {
		const racers, capacity = 50, 7
		errs := tried(racers, func(i int) error {
			for { // an engine under such a race may ask to come again; that takes no seat
				_, err := s.TakeSeat(t.Context(), "t", "li", session.ID(fmt.Sprintf("s%02d", i)), capacity, sec(1))
				if err == nil || fault.CodeOf(err) == "capacity-full" || fault.KindOf(err) != fault.Unavailable {
					return err
				}
			}
		})
		if n := count(errs, func(err error) bool { return err == nil }); n != capacity {
			t.Errorf("got %d that took a seat; want %d", n, capacity)
		}
		for _, err := range errs {
			if err != nil {
				wantCode(t, "a loser", err, fault.Conflict, "capacity-full")
			}
		}
		if d := got[agent.Desk](t)(s.Desk(t.Context(), "t", "li")); len(d.Seats) != capacity {
			t.Errorf("got %d seats; want %d", len(d.Seats), capacity)
		}
	}},
	{"of many that race for one session, one takes the seat", func(t *testing.T, s storeCase) {
		const racers = 20
		taken := tried(racers, func(i int) bool {
			for {
				taken, err := s.TakeSeat(t.Context(), "t", "li", "s", 3, sec(i))
				if fault.KindOf(err) == fault.Unavailable && err != nil {
					continue
				}
				if err != nil {
					t.Errorf("TakeSeat: got error %v; want none", err)
				}
				return taken
			}
		})
		if n := count(taken, func(taken bool) bool { return taken }); n != 1 {
			t.Errorf("got %d that took the seat; want 1", n)
		}
		if d := got[agent.Desk](t)(s.Desk(t.Context(), "t", "li")); len(d.Seats) != 1 {
			t.Errorf("got seats %v; want one", d.Seats)
		}
	}},
}

// wantSeats fails unless exactly these sessions have seats, in any order.
func wantSeats(t *testing.T, s storeCase, of tenant.ID, a agent.ID, want ...string) {
	t.Helper()
	wanted := map[string]bool{}
	for _, w := range want {
		wanted[w] = true
	}
	d := got[agent.Desk](t)(s.Desk(t.Context(), of, a))
	taken := map[string]bool{}
	for _, seat := range d.Seats {
		taken[seat.Session] = true
		if seat.TakenAt.Equal(time.Time{}) {
			t.Errorf("seat of %s has no time", seat.Session)
		}
	}
	if d := diff(wanted, taken); d != "" {
		t.Errorf("seats of %s: %s", a, d)
	}
}
