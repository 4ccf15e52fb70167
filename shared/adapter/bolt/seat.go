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

// TakeSeat gives one of the agent's seats to a session.
func (s *Store) TakeSeat(ctx context.Context, of tenant.ID, a agent.ID, id session.ID, capacity int, at time.Time) error {
	prefix := seatsOf(of, a)
	mine := prefix.plus([]byte(id))
	return s.db.update(ctx, func(t *tx) error {
		if t.get(inSeat, mine) != nil {
			return nil
		}
		taken := 0
		for range t.scan(inSeat, prefix, nil) {
			if taken++; taken >= capacity {
				break
			}
		}
		if taken >= capacity {
			return fault.New(fault.Conflict, "capacity-full", "The agent has no seat left.")
		}
		t.put(inSeat, mine, newKey().time(at))
		return nil
	})
}

// FreeSeat gives a seat back.
func (s *Store) FreeSeat(ctx context.Context, of tenant.ID, a agent.ID, id session.ID) error {
	mine := seatsOf(of, a).plus([]byte(id))
	return s.db.relieve(ctx, func(t *tx) error {
		if t.get(inSeat, mine) != nil {
			t.delete(inSeat, mine)
		}
		return nil
	})
}

// Seats lists the taken seats of an agent, longest taken first.
func (s *Store) Seats(ctx context.Context, of tenant.ID, a agent.ID) (seats []agent.Seat, err error) {
	prefix := seatsOf(of, a)
	err = s.db.view(ctx, func(t *tx) error {
		for k, v := range t.scan(inSeat, prefix, nil) {
			at, _ := readTime(v)
			seats = append(seats, agent.Seat{Session: string(k[len(prefix):]), TakenAt: at})
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(seats, func(x, y agent.Seat) int { return x.TakenAt.Compare(y.TakenAt) })
	return seats, nil
}
