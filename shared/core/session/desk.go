package session

import (
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
	effects := s.expire(r, now)
	switch s.State {
	case Queued, Bot, Released:
		s.State, s.Agent = Serving, e.Agent
		return effects, nil
	case Serving:
		return nil, errTaken
	default:
		return nil, errEnded
	}
}

// assign gives a waiting session to an agent whom the router chose.
func (s *Session) assign(e Assign, r Rules, now time.Time) ([]Effect, error) {
	effects := s.expire(r, now)
	switch s.State {
	case Queued:
		s.State, s.Agent = Serving, e.Agent
		return effects, nil
	case Serving, Bot, Released:
		return nil, errTaken
	default:
		return nil, errEnded
	}
}

// transfer passes the session on. The seat of the new agent is taken before,
// that of the old one freed after.
func (s *Session) transfer(e Transfer, r Rules, now time.Time) ([]Effect, error) {
	effects := s.expire(r, now)
	if !s.State.Active() {
		return nil, errEnded
	}
	if s.State == Serving && s.Agent == e.Agent {
		return nil, fault.New(fault.Conflict, "already-taken", "that agent has the session already")
	}
	if s.State == Serving {
		effects = append(effects, FreeSeat{Tenant: s.Tenant, Agent: s.Agent, Session: s.ID})
	}
	if e.Agent == "" {
		s.State, s.QueuedAt, s.Agent = Queued, now, ""
		return append(effects, s.wakes(r, now)...), nil
	}
	s.State, s.Agent = Serving, e.Agent
	return effects, nil
}

// end closes the session. What waits in the outbox stays: it belongs to the
// customer and goes out when he writes again.
func (s *Session) end(e Close, r Rules, now time.Time) ([]Effect, error) {
	effects := s.expire(r, now)
	if !s.State.Active() {
		return nil, errEnded
	}
	if s.State == Serving {
		effects = append(effects, FreeSeat{Tenant: s.Tenant, Agent: s.Agent, Session: s.ID})
	}
	s.State, s.EndedAt, s.EndedBy = Closed, now, e.By
	return effects, nil
}

// release takes the session from its agent without giving it to another.
func (s *Session) release(r Rules, now time.Time) ([]Effect, error) {
	effects := s.expire(r, now)
	if s.State != Serving {
		return nil, fault.New(fault.Conflict, "not-serving", "no agent has the session")
	}
	s.State = Released
	return append(effects, FreeSeat{Tenant: s.Tenant, Agent: s.Agent, Session: s.ID}), nil
}

// PermitsWriting says whether the identity may write into the session: it must be
// the agent's own, or the identity a supervisor. A closed session takes nothing.
func (s Session) PermitsWriting(i agent.Identity) error {
	if err := s.PermitsActing(i); err != nil {
		return err
	}
	if s.State == Closed {
		return errEnded
	}
	return nil
}

// PermitsActing says whether the identity may transfer or close the session.
func (s Session) PermitsActing(i agent.Identity) error {
	if i.Supervises() || (i.Agent != "" && s.Agent == i.Agent) {
		return nil
	}
	return fault.New(fault.Denied, "not-yours", "the session is not yours; accept it first, or ask a supervisor")
}
