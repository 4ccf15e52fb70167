package shell

import (
	"context"
	"errors"
	"fmt"

	"kefu/shared/core/fault"
	"kefu/shared/core/message"
	"kefu/shared/core/session"
)

// land looks whether the flight has ended and its sender left that to the next
// save, or died before his own: its message's row tells. A sender who comes with the answer knows better,
// and a customer's message doesn't care, unless something waits behind the flight.
func (sh *Shell) land(ctx context.Context, was session.Session, events []session.Event) ([]session.Event, bool, error) {
	f := was.Flight
	if f == nil || len(events) == 0 || (arrives(events) && len(was.Outbox) == 0) {
		return events, false, nil
	}
	if a, ok := events[0].(session.Answered); ok && a.Message == f.Message {
		return events, false, nil
	}
	m, err := sh.Store.Message(ctx, f.Message)
	if err != nil && !errors.Is(err, fault.NotFound) {
		return nil, false, fmt.Errorf("row of the flight: %w", err)
	}
	if m.State == message.Sent {
		return append([]session.Event{session.Landed{Message: f.Message}}, events...), true, nil
	}
	var told *session.Outcome
	if m.State.Final() {
		o := session.OutcomeOf(m)
		told = &o
	} else if cut, err := sh.cutOff(ctx, f); err != nil {
		return nil, false, err
	} else if cut {
		told = &session.Outcome{Kind: session.Sent}
	}
	if told != nil {
		events = append([]session.Event{session.Answered{Message: f.Message, Outcome: *told, Yield: true}}, events...)
	}
	return events, false, nil
}

// cutOff reports whether the flight's sender died while he recorded that its texts went
// out as one: what is recorded of one of them is true of all.
func (sh *Shell) cutOff(ctx context.Context, f *session.Flight) (bool, error) {
	for _, w := range f.Along {
		m, err := sh.Store.Message(ctx, w.Message)
		if err != nil && !errors.Is(err, fault.NotFound) {
			return false, fmt.Errorf("row of the flight: %w", err)
		}
		if m.State == message.Sent {
			return true, nil
		}
	}
	return false, nil
}

// sent reports whether the flight's message has just been recorded as sent.
func sent(was session.Session, effects []session.Effect) bool {
	for _, e := range effects {
		if r, ok := e.(session.Record); ok && was.Flight != nil && r.Settlement.Message == was.Flight.Message {
			return r.Settlement.State == message.Sent
		}
	}
	return false
}

// confirm makes sure that nobody has saved while a flight was being recorded whose
// end is not saved. Who enqueues from now on finds the record, and whoever has
// enqueued before is found here: one of the two sends the message.
func (sh *Shell) confirm(ctx context.Context, ref session.Ref, was session.Session, landed bool) error {
	if landed {
		return nil // recorded long ago
	}
	is, err := sh.Store.Session(ctx, ref.Account, ref.Customer)
	if err != nil && !errors.Is(err, fault.NotFound) {
		return err
	}
	if is.Version != was.Version {
		return errRaced
	}
	return nil
}
