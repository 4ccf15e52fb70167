package session

import "time"

// tick is the sweep's visit: it ends what is over and wakes what was left lying.
func (s *Session) tick(r Rules, now time.Time) []Effect {
	effects := s.lapse(r, now)
	effects = append(effects, s.sweepOutbox(now)...)
	if !s.busy(now) {
		s.Window = s.Window.Prune(now) // no write for that alone
	}
	if s.Flight != nil && !now.Before(s.Flight.Deadline) {
		effects = append(effects, WakeSender{})
	}
	for _, e := range s.wakes(r, now) {
		if w, ok := e.(WakeSender); ok && w.At.After(now.Add(2*lostWake)) {
			continue // a later visit wakes him in time
		}
		effects = append(effects, e)
	}
	return effects
}

// end of life: when the customer has been silent for too long.
func (s Session) expiresAt(r Rules) time.Time {
	last := s.LastCustomerAt
	if last.IsZero() {
		last = s.OpenedAt
	}
	return last.Add(r.SessionFor)
}

// lapse is what time alone has done to the session. Every event begins with it, so
// that no decision depends on how late the sweep is.
func (s *Session) lapse(r Rules, now time.Time) []Effect {
	effects := s.expire(r, now)
	switch {
	case s.State == External && !now.Before(s.ExternalUntil):
		s.regain()
	case s.State == Queued && !s.QueueEnds.IsZero() && !now.Before(s.QueueEnds):
		effects = append(effects, s.timeOut(r, now)...)
	case s.State == Serving && r.Silence > 0 && !now.Before(s.silentAt(r)):
		s.State = Released
		effects = append(effects, s.freeSeat())
	}
	return effects
}

// silentAt is when an agent's session will have been silent for too long.
func (s Session) silentAt(r Rules) time.Time {
	last := s.ActiveAt
	if s.LastCustomerAt.After(last) {
		last = s.LastCustomerAt
	}
	return last.Add(r.Silence)
}

// expire ends the session if its time is over.
func (s *Session) expire(r Rules, now time.Time) []Effect {
	if !s.State.Active() || now.Before(s.expiresAt(r)) {
		return nil
	}
	var effects []Effect
	if s.State == Serving {
		effects = []Effect{s.freeSeat()}
	}
	s.State, s.EndedAt, s.Turn = Expired, s.expiresAt(r), nil
	return effects
}

// At returns the session as it reads at now: one whose time is over reads
// expired before the sweep has come by.
func (s Session) At(r Rules, now time.Time) Session {
	s = s.Clone()
	s.lapse(r, now)
	return s
}

// lostWake is after what time the sweep looks for work whose wake-up never came.
const lostWake = time.Minute

// quietFor is how long nothing must have happened before a conversation is taken
// for idle. An early visit of the sweep costs two looks at the store; moving the mark
// there and back costs five writes, as much as a dozen visits, one a minute.
const quietFor = 10 * time.Minute

// visit is when the sweep shall come by: never later than it must, but often
// earlier. The mark moves forward at once; it moves back only when the sweep has
// come by and found the conversation idle, so that it costs nothing per message.
func (s Session) visit(ticked bool, r Rules, now time.Time) time.Time {
	due := s.due(r, now)
	early := !s.DueAt.IsZero() && !due.IsZero() && !due.Before(s.DueAt)
	if early && (!ticked || s.busy(now) || due.Before(now.Add(quietFor))) {
		return s.DueAt
	}
	return due
}

// busy reports whether something happened lately.
func (s Session) busy(now time.Time) bool {
	last := s.LastCustomerAt
	for _, t := range s.Window.Took {
		if t.At.After(last) {
			last = t.At
		}
	}
	return now.Before(last.Add(quietFor))
}

// due is when the sweep must come by.
func (s Session) due(r Rules, now time.Time) time.Time {
	var due time.Time
	sooner := func(t time.Time) {
		if due.IsZero() || t.Before(due) {
			due = t
		}
	}
	if s.State.Active() {
		sooner(s.expiresAt(r))
	}
	switch {
	case s.State == Serving && r.Silence > 0:
		sooner(s.silentAt(r))
	case s.State == Queued && !s.QueueEnds.IsZero():
		sooner(s.QueueEnds)
	case s.State == External:
		sooner(s.ExternalUntil)
	}
	if len(s.Endings) > 0 || len(s.News) > 0 || s.Turn != nil || (s.State == Queued && r.Auto) || s.Untold(r) {
		sooner(now.Add(lostWake))
	}
	if s.Flight != nil {
		sooner(s.Flight.Deadline)
	}
	for _, w := range s.Outbox {
		sooner(w.ExpiresAt)
	}
	if at, ok := s.nextCall(now); ok {
		if at.IsZero() {
			at = now.Add(lostWake)
		}
		sooner(at)
	}
	return due
}
