package session

import (
	"reflect"
	"slices"
	"strconv"
	"time"

	"kefu/shared/core/message"
	"kefu/shared/core/quota"
)

// turn is a sender's visit: end what is over, then start the next call if there
// is one to make and nobody else is making one.
func (s *Session) turn(r Rules, now time.Time) []Effect {
	effects := s.sweepOutbox(now)
	if f := s.Flight; f != nil {
		if now.Before(f.Deadline) {
			return append(effects, WakeSender{At: f.Deadline})
		}
		effects = append(effects, s.giveUp(now)...)
	}
	return append(effects, s.launch(r, now)...)
}

// giveUp ends the flight of a sender who is gone, and with him the answer. What he
// never called is given back; what he may have called stays counted.
func (s *Session) giveUp(now time.Time) []Effect {
	f := s.Flight
	s.Window = s.Window.Refund(f.Took, f.Parts-f.PartsSent-1)
	s.Flight = nil
	return s.lose(f, now)
}

// landed ends a flight whose message is known to have been sent.
func (s *Session) landed(e Landed) {
	if f := s.Flight; f != nil && f.Message == e.Message {
		s.Flight = nil
	}
}

// Rests reports whether next may stay unsaved, because it differs from was only by
// a flight that has ended. If the row of its message says that it was sent, nothing
// is lost: the next event finds that row, and begins with [Landed].
func Rests(was, next Session) bool {
	if was.Flight == nil || next.Flight != nil {
		return false
	}
	was.Flight = nil
	return reflect.DeepEqual(was, next)
}

func (s *Session) orphaned(now time.Time) []Effect {
	if s.Flight == nil {
		return nil
	}
	effects := s.giveUp(now)
	if at, ok := s.nextCall(now); ok {
		effects = append(effects, WakeSender{At: at})
	}
	return effects
}

// sweepOutbox ends the holds whose time is over and repeats the endings that no
// row has recorded yet.
func (s *Session) sweepOutbox(now time.Time) []Effect {
	var effects []Effect
	for _, end := range s.Endings {
		effects = append(effects, Settle{Settlement: end})
	}
	keep := s.Outbox[:0:0]
	for _, w := range s.Outbox {
		if w.ExpiresAt.After(now) {
			keep = append(keep, w)
			continue
		}
		effects = append(effects, s.conclude(w, message.Expired, "hold-ended", now))
	}
	s.Outbox = keep
	return effects
}

// launch reserves the next message and asks for its call. It returns nothing
// but a wake-up when there is none to make now.
func (s *Session) launch(r Rules, now time.Time) []Effect {
	var effects []Effect
	for i := 0; i < len(s.Outbox); i++ {
		w := s.Outbox[i]
		if w.waitsAside(now) {
			continue
		}
		if w.Tries.NotBefore.After(now) {
			break
		}
		took := w.reservation()
		window, ok := s.Window.Take(took, w.Parts-w.PartsSent, now)
		if !ok && w.FailClosed {
			s.Outbox = slices.Delete(s.Outbox, i, i+1)
			i--
			effects = append(effects, s.conclude(w, message.Failed, string(WindowClosed), now))
			continue
		}
		if !ok {
			break
		}
		w, along := s.bundle(i, r, now)
		s.Window = window
		return append(effects, s.fly(w, along, took, now))
	}
	if at, ok := s.nextCall(now); ok {
		effects = append(effects, WakeSender{At: at})
	}
	return effects
}

// reservation names what a message takes from the window. A text of which parts
// were sent before it was held again takes the rest under another name.
func (w Waiting) reservation() string {
	if w.PartsSent == 0 {
		return string(w.Message)
	}
	return string(w.Message) + "+" + strconv.Itoa(w.PartsSent)
}

func (s *Session) fly(w Waiting, along []Waiting, took string, now time.Time) Effect {
	s.Flight = &Flight{Waiting: w, Took: took, StartedAt: now, Deadline: now.Add(CallLease), Epoch: s.Window.Epoch, Along: along}
	call := Call{Message: w.Message, Part: w.PartsSent, Renew: w.Tries.Renew, Deadline: s.Flight.Deadline}
	for _, a := range along {
		call.Along = append(call.Along, a.Message)
	}
	return call
}

// answered takes in what became of the flight's call, then goes on to the next
// unless the sender has to go. An answer to a flight that was given up comes too
// late: the message has ended as unknown.
func (s *Session) answered(e Answered, r Rules, now time.Time) []Effect {
	f := s.Flight
	if f == nil || f.Message != e.Message {
		return nil
	}
	s.Flight = nil
	if e.Outcome.Kind == Sent {
		f.PartsSent++
	}
	var effects []Effect
	if st, ok := s.judge(f, e.Outcome, now); ok {
		effects = s.record(f, st, e.Outcome, now)
	}
	if e.Yield {
		if at, ok := s.nextCall(now); ok {
			effects = append(effects, WakeSender{At: at})
		}
		return effects
	}
	return append(effects, s.launch(r, now)...)
}

// record states the outcome of the flight's messages. Its first one comes last: what
// its row says is true of all of them.
func (s *Session) record(f *Flight, st message.State, o Outcome, now time.Time) []Effect {
	end := message.Settlement{State: st, Code: o.Code, At: now}
	if st != message.Sent {
		end.Reason = o.reason()
	}
	if st == message.Sent || st == message.Unknown {
		end.Cause = s.cause(f)
	}
	var effects []Effect
	for _, w := range f.Along {
		end.Message = w.Message
		if st == message.Sent {
			end.With, end.PartsSent = f.Message, 1
		}
		effects = append(effects, Record{Settlement: end})
	}
	end.Message, end.With, end.PartsSent, end.Approved = f.Message, "", f.PartsSent, f.Approved
	return append(effects, Record{Settlement: end})
}

// judge says how the flight's message ended, or puts it back to be called again.
// What was reserved for calls that did not count is given back.
func (s *Session) judge(f *Flight, o Outcome, now time.Time) (st message.State, ended bool) {
	left := f.Parts - f.PartsSent
	switch o.Kind {
	case Sent:
		if left == 0 {
			return message.Sent, true
		}
		s.Window = s.Window.Refund(f.Took, left) // taken again when the next part goes
		s.putBack(f.Waiting)
		return "", false
	case Lost:
		s.Window = s.Window.Refund(f.Took, left-1)
		return message.Unknown, true
	}
	s.Window = s.Window.Refund(f.Took, left)
	w := f.Waiting
	switch o.Kind {
	case Review:
		w.Review = true
	case WindowClosed, QuotaUsedUp:
		s.correct(o.Kind, f)
		if w.Tries.Corrected || w.FailClosed {
			return message.Failed, true
		}
		w.Tries.Corrected = true
	default:
		after, ok := w.Tries.again(o.Kind, now)
		if !ok {
			return message.Failed, true
		}
		w.Tries.NotBefore = now.Add(after)
	}
	for _, a := range f.Along {
		a.Tries = w.Tries
		a.Review = w.Review
		s.putBack(a)
	}
	s.putBack(w)
	return "", false
}

// correct believes the platform about the window.
func (s *Session) correct(k OutcomeKind, f *Flight) {
	c := quota.UsedUp
	if k == WindowClosed {
		c = quota.Closed
	}
	s.Window = s.Window.Correct(c, f.Epoch, f.StartedAt)
}

// again counts a failed try and says after what time the next may follow; ok is
// false when there is none.
func (t *Tries) again(k OutcomeKind, now time.Time) (after time.Duration, ok bool) {
	switch k {
	case Busy:
		if t.Busy == 0 {
			t.BusySince = now
		}
		t.Busy++
		return busyWait(t.Busy), t.Busy < busyTries && now.Sub(t.BusySince) < busyFor
	case Throttled:
		t.Throttled++
		return throttledWait, t.Throttled <= throttledTries
	case DayQuota:
		return nextDay(now).Sub(now), true
	case Unreached:
		t.Unreached++
		return backoff(t.Unreached), true
	case MediaGone:
		first := !t.Renew
		t.Renew = true
		return 0, first
	}
	return 0, false
}

// nextCall is when the sender should come by next; ok is false when nothing
// that time alone can bring is waiting. Zero time means now.
func (s *Session) nextCall(now time.Time) (at time.Time, ok bool) {
	if s.Flight != nil {
		// Its sender goes on with the rest. Should he be gone, the sweep notices.
		return time.Time{}, false
	}
	return s.callable(now)
}

// callable is nextCall as if no call were under way.
func (s *Session) callable(now time.Time) (at time.Time, ok bool) {
	soonest := func(t time.Time) {
		if !ok || t.Before(at) {
			at, ok = t, true
		}
	}
	state := s.Window.At(now)
	for _, w := range s.Outbox {
		if w.Review {
			continue
		}
		if w.waitsAside(now) {
			soonest(w.SendAt)
			continue
		}
		if w.Tries.NotBefore.After(now) {
			soonest(w.Tries.NotBefore)
			break
		}
		if w.FailClosed || state.Remaining() >= w.Parts-w.PartsSent {
			return time.Time{}, true
		}
		break
	}
	return at, ok
}
