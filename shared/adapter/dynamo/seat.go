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

// The seats of an agent are a map in one item, from session to the time it was taken, beside when the last of them was
// taken and freed. The map's size is counted by the condition of the write that adds to it, so no number of racers gets
// past the capacity.

var errNoSeat = fault.New(fault.Conflict, "capacity-full", "The agent has no seat left.")

// TakeSeat gives one of the agent's seats to a session; taken is false if the session has one already.
func (s *Store) TakeSeat(ctx context.Context, of tenant.ID, a agent.ID, id session.ID, capacity int, at time.Time) (taken bool, err error) {
	k := seatsKey(of, a)
	take := change{
		update: "SET #ss.#s = :at, #lt = :at",
		condition: condition{
			expr: "attribute_not_exists(#ss.#s) AND size(#ss) < :capacity", names: seatNames(id, "#lt", attrLastTaken),
			values: item{":at": moment(at), ":capacity": number(int64(capacity))},
		},
	}
	for {
		_, stood, was, err := s.update(ctx, k, take)
		if err != nil || !was {
			return err == nil, err
		}
		since, has := seatIn(stood, id)
		switch {
		case has:
			return since.Equal(at), nil // if so by this very call, whose answer was lost
		case len(stood) > 0 || capacity <= 0:
			return false, errNoSeat
		default:
			// The agent's first seat ever. The item stays for good, so this happens once.
			empty := k.item()
			empty[attrSeats] = &types.AttributeValueMemberM{Value: item{}}
			if _, _, err := s.put(ctx, empty, absent); err != nil {
				return false, err
			}
		}
	}
}

// KeepSeat notes that a session which has a seat needs it as of a time; kept is false if it has none.
func (s *Store) KeepSeat(ctx context.Context, of tenant.ID, a agent.ID, id session.ID, at time.Time) (kept bool, err error) {
	_, stood, was, err := s.update(ctx, seatsKey(of, a), change{
		update: "SET #ss.#s = :at",
		condition: condition{
			expr: "attribute_exists(#ss.#s) AND #ss.#s < :at", names: seatNames(id), values: item{":at": moment(at)},
		},
	})
	_, has := seatIn(stood, id) // as of a later time
	return err == nil && (!was || has), err
}

// seatNames are the names of a seat's path in expressions, in which no session's id may stand, and more, in pairs.
func seatNames(id session.ID, more ...string) map[string]string {
	names := map[string]string{"#ss": attrSeats, "#s": string(id)}
	for i := 0; i+1 < len(more); i += 2 {
		names[more[i]] = more[i+1]
	}
	return names
}

// seatIn finds a session's seat in the item of an agent's seats.
func seatIn(in item, id session.ID) (since time.Time, ok bool) {
	taken, _ := in[attrSeats].(*types.AttributeValueMemberM)
	if taken == nil {
		return time.Time{}, false
	}
	at, ok := taken.Value[string(id)]
	return readMoment(at), ok
}

// FreeSeat gives a seat back, unless it was taken after that time.
func (s *Store) FreeSeat(ctx context.Context, of tenant.ID, a agent.ID, id session.ID, at time.Time) error {
	_, _, _, err := s.update(ctx, seatsKey(of, a), change{
		update: "REMOVE #ss.#s SET #lf = :at",
		condition: condition{
			expr: "attribute_exists(#ss.#s) AND #ss.#s <= :at", names: seatNames(id, "#lf", attrLastFreed), values: item{":at": moment(at)},
		},
	})
	return err
}

// Desk returns the seats of an agent that are taken, longest taken first.
func (s *Store) Desk(ctx context.Context, of tenant.ID, a agent.ID) (agent.Desk, error) {
	it, err := s.get(ctx, seatsKey(of, a), true)
	if err != nil {
		return agent.Desk{}, err
	}
	return readDesk(it), nil
}

// Desks returns those of several agents, in their order.
func (s *Store) Desks(ctx context.Context, of tenant.ID, agents []agent.ID) ([]agent.Desk, error) {
	keys := make([]key, len(agents))
	for i, a := range agents {
		keys[i] = seatsKey(of, a)
	}
	items, err := s.batch(ctx, keys, true)
	if err != nil {
		return nil, err
	}
	all := make([]agent.Desk, len(agents))
	for i, a := range agents {
		all[i] = readDesk(items[seatsKey(of, a)])
	}
	return all, nil
}

// readDesk makes a desk of the item of an agent's seats; an empty one of none.
func readDesk(in item) agent.Desk {
	d := agent.Desk{LastTaken: readMoment(in[attrLastTaken]), LastFreed: readMoment(in[attrLastFreed])}
	if taken, ok := in[attrSeats].(*types.AttributeValueMemberM); ok {
		for id, at := range taken.Value {
			d.Seats = append(d.Seats, agent.Seat{Session: id, TakenAt: readMoment(at)})
		}
	}
	slices.SortFunc(d.Seats, func(x, y agent.Seat) int { return x.TakenAt.Compare(y.TakenAt) })
	return d
}
