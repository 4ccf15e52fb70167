package session

import (
	"slices"
	"time"

	"kefu/shared/core/agent"
	"kefu/shared/core/fault"
)

var (
	errTaken = fault.New(fault.Conflict, "already-taken", "another agent has the session")
	errEnded = fault.New(fault.Conflict, "session-closed", "the session has ended; it opens anew when the customer writes")
)

// accept gives the session to an agent who reached for it.
func (s *Session) accept(e Accept, r Rules, now time.Time) ([]Effect, error) {
	effects := s.lapse(r, now)
	switch s.State {
	case Queued, Bot, Released:
		return s.seat(e.Agent, effects, now), nil
	case Serving:
		return nil, errTaken
	case External:
		return nil, errExternal
	default:
		return nil, errEnded
	}
}

// assign gives a waiting session to an agent whom the router chose.
func (s *Session) assign(e Assign, r Rules, now time.Time) ([]Effect, error) {
	effects := s.lapse(r, now)
	switch s.State {
	case Queued:
		return s.seat(e.Agent, effects, now), nil
	case Serving, Bot, Released, External:
		return nil, errTaken
	default:
		return nil, errEnded
	}
}

// transfer passes the session on. The seat of the new agent is taken before,
// that of the old one freed after.
func (s *Session) transfer(e Transfer, r Rules, now time.Time) ([]Effect, error) {
	effects := s.lapse(r, now)
	if !s.State.Active() {
		return nil, errEnded
	}
	if s.State == External {
		return nil, errExternal
	}
	if s.State == Serving && s.Agent == e.Agent {
		return nil, fault.New(fault.Conflict, "already-taken", "that agent has the session already")
	}
	if s.State == Serving {
		effects = append(effects, s.freeSeat())
	}
	if e.Agent == "" {
		s.enter(r, s.Priority, now)
		return append(effects, s.wakes(r, now)...), nil
	}
	return s.seat(e.Agent, effects, now), nil
}

// seat gives the session to an agent whose seat has been taken. If it was his and has
// just been released, that is the seat he goes on with: it is not freed.
func (s *Session) seat(a agent.ID, effects []Effect, now time.Time) []Effect {
	s.State, s.Agent, s.LastAgent, s.ActiveAt, s.Turn, s.QueueEnds = Serving, a, a, now, nil, time.Time{}
	return slices.DeleteFunc(effects, func(e Effect) bool {
		f, ok := e.(FreeSeat)
		return ok && f.Agent == a && f.Session == s.ID
	})
}

func (s *Session) freeSeat() Effect {
	return FreeSeat{Tenant: s.Tenant, Agent: s.Agent, Session: s.ID}
}

// end closes the session. What waits in the outbox stays: it belongs to the
// customer and goes out when he writes again.
func (s *Session) end(e Close, r Rules, now time.Time) ([]Effect, error) {
	effects := s.lapse(r, now)
	if !s.State.Active() {
		return nil, errEnded
	}
	if s.State == Serving {
		effects = append(effects, s.freeSeat())
	}
	s.State, s.EndedAt, s.EndedBy, s.Turn = Closed, now, e.By, nil
	return effects, nil
}

// release takes the session from its agent without giving it to another.
func (s *Session) release(r Rules, now time.Time) ([]Effect, error) {
	effects := s.lapse(r, now)
	if s.State != Serving {
		return nil, fault.New(fault.Conflict, "not-serving", "no agent has the session")
	}
	s.State = Released
	return append(effects, s.freeSeat()), nil
}

// PermitsWriting says whether the identity may write into the session: it must be
// the agent's own, or the identity a supervisor. A closed session takes nothing.
func (s Session) PermitsWriting(i agent.Identity) error {
	switch s.State {
	case Closed:
		return errEnded
	case External:
		return errExternal
	}
	return s.PermitsActing(i)
}

// PermitsActing says whether the identity may transfer or close the session.
func (s Session) PermitsActing(i agent.Identity) error {
	if i.Supervises() || (i.Agent != "" && s.Agent == i.Agent) {
		return nil
	}
	return fault.New(fault.Denied, "not-yours", "the session is not yours; accept it first, or ask a supervisor")
}
