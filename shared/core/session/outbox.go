package session

import (
	"fmt"
	"slices"
	"time"

	"kefu/shared/core/fault"
	"kefu/shared/core/message"
)

// enqueue accepts an outbound message. Its row is written after the save; until
// then a sender who finds no row leaves the message for the next turn.
func (s *Session) enqueue(e Enqueue, r Rules, now time.Time) ([]Effect, error) {
	if e.Key != "" {
		if was, ok := recall(s.Calls, e.Key); ok && now.Sub(was.At) < callLife {
			return append([]Effect{Store{Message: was.Message, Repeat: true}}, s.wakes(r, now)...), nil
		}
	}
	effects := s.lapse(r, now)
	if s.State == Closed || s.ID == "" {
		return nil, errEnded
	}
	if len(s.Outbox) >= MaxWaiting {
		return nil, fault.Later("too-many-waiting", fmt.Sprintf("%d messages wait for this customer already", MaxWaiting), time.Minute)
	}
	if most := r.largest(); e.Parts > most {
		return nil, fault.New(fault.Invalid, "message-invalid",
			fmt.Sprintf("the text needs %d messages and no window of this account holds more than %d", e.Parts, most))
	}
	w := Waiting{
		Parts: max(1, e.Parts), FailClosed: e.FailClosed, SendAt: e.SendAt, ExpiresAt: e.ExpiresAt, By: e.By, Bytes: e.Bytes,
	}
	start := now
	if w.SendAt.After(now) {
		start = w.SendAt
	} else {
		w.SendAt = time.Time{}
	}
	if w.ExpiresAt.IsZero() {
		w.ExpiresAt = start.Add(r.HoldFor)
	}
	if !w.ExpiresAt.After(start) {
		return nil, fault.New(fault.Invalid, "message-invalid", "expires_at must be after now and after send_at")
	}
	if w.FailClosed && w.SendAt.IsZero() && !s.fits(w, now) {
		return nil, fault.New(fault.Conflict, "window-closed", "the window takes no further message; with when_closed \"hold\" it would wait for the customer")
	}
	w.Message = s.number()
	if e.Key != "" {
		s.Calls = remember(s.Calls, e.Key, w.Message, now, callLimit)
	}
	w.N = s.Seq
	s.Outbox = append(s.Outbox, w)
	if s.State == Serving && e.By == string(s.Agent) {
		s.ActiveAt = now
	}
	return append(append(effects, Store{Message: w.Message}), s.wakes(r, now)...), nil
}

// fits reports whether the window takes w after everything that goes before it.
func (s *Session) fits(w Waiting, now time.Time) bool {
	return s.left(now) >= w.Parts
}

// waitsAside reports whether the message waits for its time or for a supervisor, and
// blocks nobody meanwhile.
func (w Waiting) waitsAside(now time.Time) bool { return w.SendAt.After(now) || w.Review }

// cancel takes a message out of the outbox before a sender reaches it.
func (s *Session) cancel(e Cancel, now time.Time) ([]Effect, error) {
	i := slices.IndexFunc(s.Outbox, func(w Waiting) bool { return w.Message == e.Message })
	if i < 0 {
		return nil, fault.New(fault.Conflict, "already-sent", "the message is on its way or has ended")
	}
	if s.Outbox[i].PartsSent > 0 {
		return nil, fault.New(fault.Conflict, "already-sent", "a part of the message has been sent")
	}
	w := s.Outbox[i]
	s.Outbox = slices.Delete(s.Outbox, i, i+1)
	effects := []Effect{s.conclude(w, message.Cancelled, "cancelled", now)}
	// What stood behind it may go now.
	if at, ok := s.nextCall(now); ok {
		effects = append(effects, WakeSender{At: at})
	}
	return effects, nil
}

// drop forgets a message whose row was never written.
func (s *Session) drop(e Drop, r Rules, now time.Time) []Effect {
	if f := s.Flight; f.carries(e.Message) {
		s.Window = s.Window.Refund(f.Took, f.Parts-f.PartsSent)
		s.Flight = nil
		for _, w := range f.Messages() {
			s.putBack(w)
		}
	}
	s.Outbox = slices.DeleteFunc(s.Outbox, func(w Waiting) bool { return w.Message == e.Message })
	return s.turn(r, now)
}

// conclude notes how a message ended without a call and asks for its row.
func (s *Session) conclude(w Waiting, st message.State, reason string, now time.Time) Effect {
	return s.ended(w, message.Settlement{State: st, Reason: reason, At: now})
}

// lose notes that the answer to the flight's call will never be heard: somebody may have made it.
func (s *Session) lose(f *Flight, now time.Time) []Effect {
	var effects []Effect
	cause := s.cause(f)
	for _, w := range f.Messages() {
		effects = append(effects, s.ended(w, message.Settlement{State: message.Unknown, Reason: string(Lost), At: now, Cause: cause}))
	}
	return effects
}

func (s *Session) ended(w Waiting, end message.Settlement) Effect {
	end.Message, end.PartsSent, end.Approved = w.Message, w.PartsSent, w.Approved
	s.Endings = append(s.Endings, end)
	settle := Settle{Settlement: end}
	if w.Content != nil {
		settle.Said = &Say{Message: w.Message, Content: *w.Content, By: w.By, ExpiresAt: w.ExpiresAt}
	}
	return settle
}

// settled forgets endings whose rows have been written.
func (s *Session) settled(e Settled) {
	s.Endings = slices.DeleteFunc(s.Endings, func(end message.Settlement) bool {
		return slices.Contains(e.Messages, end.Message)
	})
}

// putBack returns a message to its place in the outbox: in the order of
// acceptance, but a text that has been sent in part goes on before all others.
func (s *Session) putBack(w Waiting) {
	i := slices.IndexFunc(s.Outbox, func(o Waiting) bool {
		return o.PartsSent == 0 && (w.PartsSent > 0 || o.N > w.N)
	})
	if i < 0 {
		i = len(s.Outbox)
	}
	s.Outbox = slices.Insert(s.Outbox, i, w)
}
