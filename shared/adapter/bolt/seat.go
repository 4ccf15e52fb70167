package bolt

import (
	"context"
	"slices"
	"time"

	"kefu/shared/core/agent"
	"kefu/shared/core/fault"
	"kefu/shared/core/session"
	"kefu/shared/core/tenant"
)

func seatsOf(of tenant.ID, a agent.ID) key { return newKey().text(string(of)).text(string(a)) }

// TakeSeat gives one of the agent's seats to a session; taken is false if the session has one already.
func (s *Store) TakeSeat(ctx context.Context, of tenant.ID, a agent.ID, id session.ID, capacity int, at time.Time) (taken bool, err error) {
	prefix := seatsOf(of, a)
	mine := prefix.plus([]byte(id))
	err = s.db.update(ctx, func(t *tx) error {
		if taken = t.get(inSeat, mine) == nil; !taken {
			return nil
		}
		n := 0
		for range t.scan(inSeat, prefix, nil) {
			if n++; n >= capacity {
				break
			}
		}
		if n >= capacity {
			return fault.New(fault.Conflict, "capacity-full", "The agent has no seat left.")
		}
		t.put(inSeat, mine, newKey().time(at))
		_, freed := readSeatTimes(t, prefix)
		t.put(seatTimes, prefix, newKey().time(at).time(freed))
		return nil
	})
	return taken && err == nil, err
}

// KeepSeat notes that a session which has a seat needs it as of a time; kept is false if it has none.
func (s *Store) KeepSeat(ctx context.Context, of tenant.ID, a agent.ID, id session.ID, at time.Time) (kept bool, err error) {
	mine := seatsOf(of, a).plus([]byte(id))
	err = s.db.update(ctx, func(t *tx) error {
		raw := t.get(inSeat, mine)
		kept = raw != nil
		if since, _ := readTime(raw); kept && at.After(since) {
			t.put(inSeat, mine, newKey().time(at))
		}
		return nil
	})
	return kept && err == nil, err
}

// FreeSeat gives a seat back, unless it was taken after that time.
func (s *Store) FreeSeat(ctx context.Context, of tenant.ID, a agent.ID, id session.ID, at time.Time) error {
	prefix := seatsOf(of, a)
	mine := prefix.plus([]byte(id))
	return s.db.relieve(ctx, func(t *tx) error {
		raw := t.get(inSeat, mine)
		if since, _ := readTime(raw); raw == nil || since.After(at) {
			return nil
		}
		t.delete(inSeat, mine)
		taken, _ := readSeatTimes(t, prefix)
		t.put(seatTimes, prefix, newKey().time(taken).time(at))
		return nil
	})
}

// readSeatTimes tells when an agent's last seat was taken, and freed; zero for never.
func readSeatTimes(t *tx, of key) (taken, freed time.Time) {
	raw := t.get(seatTimes, of)
	if len(raw) < 2*timeLen {
		return time.Time{}, time.Time{}
	}
	taken, _ = readTime(raw)
	freed, _ = readTime(raw[timeLen:])
	return taken, freed
}

// Desk returns the seats of an agent that are taken, longest taken first.
func (s *Store) Desk(ctx context.Context, of tenant.ID, a agent.ID) (agent.Desk, error) {
	all, err := s.Desks(ctx, of, []agent.ID{a})
	if err != nil {
		return agent.Desk{}, err
	}
	return all[0], nil
}

// Desks returns those of several agents, in their order.
func (s *Store) Desks(ctx context.Context, of tenant.ID, agents []agent.ID) ([]agent.Desk, error) {
	all := make([]agent.Desk, len(agents))
	err := s.db.view(ctx, func(t *tx) error {
		for i, a := range agents {
			all[i] = readDesk(t, seatsOf(of, a))
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return all, nil
}

func readDesk(t *tx, of key) (d agent.Desk) {
	d.LastTaken, d.LastFreed = readSeatTimes(t, of)
	for k, v := range t.scan(inSeat, of, nil) {
		at, _ := readTime(v)
		d.Seats = append(d.Seats, agent.Seat{Session: string(k[len(of):]), TakenAt: at})
	}
	slices.SortStableFunc(d.Seats, func(x, y agent.Seat) int { return x.TakenAt.Compare(y.TakenAt) })
	return d
}
