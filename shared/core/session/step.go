package session

import (
	"fmt"
	"time"

	"kefu/shared/core/fault"
)

// Step is the whole of a conversation's rules: what the session becomes by an
// event at the time now, and what is then to be done. It is total over events
// and states; an event that the state doesn't allow is a fault of kind Conflict
// and leaves the session as it was.
func Step(s Session, e Event, r Rules, now time.Time) (Session, []Effect, error) {
	was, next := s, s.Clone()
	var effects, evicted []Effect
	var err error
	if next.anothers(r) {
		if _, ok := e.(Arrived); !ok {
			return s, nil, ErrAnothers
		}
		if r.Remembered {
			return s, nil, ErrRemembered
		}
		evicted = next.evict(r, now)
		s = next.Clone() // what went before is none of the account's business
	}
	switch e := e.(type) {
	case Arrived:
		effects, err = next.arrive(e, r, now)
	case Accept:
		effects, err = next.accept(e, r, now)
	case Assign:
		effects, err = next.assign(e, r, now)
	case Transfer:
		effects, err = next.transfer(e, r, now)
	case Close:
		effects, err = next.end(e, r, now)
	case Release:
		effects, err = next.release(r, now)
	case Enqueue:
		effects, err = next.enqueue(e, r, now)
	case Cancel:
		effects, err = next.cancel(e, now)
	case Next:
		effects = next.turn(r, now)
	case Answered:
		effects = next.answered(e, r, now)
	case Landed:
		next.landed(e)
	case Orphaned:
		effects = next.orphaned(now)
	case Settled:
		next.settled(e)
	case Drop:
		effects = next.drop(e, r, now)
	case Told:
		effects = next.told(e, r, now)
	case Replied:
		effects = next.replied(e, r, now)
	case Approve:
		if err = next.approve(e); err == nil {
			effects = next.wakes(r, now)
		}
	case Informed:
		next.informed(e)
	case Tick:
		effects = next.tick(r, now)
	default:
		err = fault.New(fault.Internal, "unknown-event", fmt.Sprintf("no rule for event %T", e))
	}
	if err != nil {
		return was, nil, err
	}
	effects = append(effects, next.report(s, e, effects, r, now)...)
	_, ticked := e.(Tick)
	next.DueAt = next.visit(ticked, r, now)
	return next, append(evicted, effects...), nil
}
