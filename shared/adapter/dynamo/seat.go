package dynamo

import (
	"context"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"kefu/shared/core/agent"
	"kefu/shared/core/fault"
	"kefu/shared/core/session"
	"kefu/shared/core/tenant"
)

// The seats of an agent are a map in one item, from session to the time it was taken. Its size is counted by the
// condition of the write that adds to it, so no number of racers gets past the capacity, and taking a seat again, for
// whatever reason it is repeated, takes nothing more.

var errNoSeat = fault.New(fault.Conflict, "capacity-full", "The agent has no seat left.")

// TakeSeat gives one of the agent's seats to a session.
func (s *Store) TakeSeat(ctx context.Context, of tenant.ID, a agent.ID, id session.ID, capacity int, at time.Time) error {
	k := seatsKey(of, a)
	take := change{
		update: "SET #ss.#s = if_not_exists(#ss.#s, :at)",
		condition: condition{
			expr:   "attribute_exists(#ss.#s) OR size(#ss) < :capacity",
			names:  seatNames(id),
			values: item{":at": moment(at), ":capacity": number(int64(capacity))},
		},
	}
	for {
		_, stood, was, err := s.update(ctx, k, take)
		switch {
		case err != nil:
			return err
		case !was:
			return nil
		case len(stood) > 0 || capacity <= 0:
			return errNoSeat
		}
		// The agent's first seat ever. The item stays for good, so this happens once.
		empty := k.item()
		empty[attrSeats] = &types.AttributeValueMemberM{Value: item{}}
		if _, _, err := s.put(ctx, empty, absent); err != nil {
			return err
		}
	}
}

// seatNames are the names of a seat's path in expressions, in which no session's id may stand.
func seatNames(id session.ID) map[string]string {
	return map[string]string{"#ss": attrSeats, "#s": string(id)}
}

// FreeSeat gives a seat back.
func (s *Store) FreeSeat(ctx context.Context, of tenant.ID, a agent.ID, id session.ID) error {
	_, _, _, err := s.update(ctx, seatsKey(of, a), change{
		update:    "REMOVE #ss.#s",
		condition: condition{expr: "attribute_exists(#ss.#s)", names: seatNames(id)},
	})
	return err
}

// Seats lists the taken seats of an agent, longest taken first.
func (s *Store) Seats(ctx context.Context, of tenant.ID, a agent.ID) (seats []agent.Seat, err error) {
	it, err := s.get(ctx, seatsKey(of, a), true)
	if err != nil {
		return nil, err
	}
	if taken, ok := it[attrSeats].(*types.AttributeValueMemberM); ok {
		for id, at := range taken.Value {
			seats = append(seats, agent.Seat{Session: id, TakenAt: readMoment(at)})
		}
	}
	slices.SortFunc(seats, func(x, y agent.Seat) int { return x.TakenAt.Compare(y.TakenAt) })
	return seats, nil
}
