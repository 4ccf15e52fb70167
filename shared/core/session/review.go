package session

import (
	"slices"

	"kefu/shared/core/fault"
	"kefu/shared/core/message"
)

// approve lets a message go that was held for a supervisor. It is not checked again.
func (s *Session) approve(e Approve) error {
	i := slices.IndexFunc(s.Outbox, func(w Waiting) bool { return w.Message == e.Message && w.Review })
	if i < 0 {
		return fault.New(fault.Conflict, "not-in-review", "the message does not wait for a supervisor")
	}
	s.Outbox = slices.Clone(s.Outbox)
	s.Outbox[i].Review, s.Outbox[i].Approved = false, e.By
	return nil
}

// cause is the customer's action that a call of now answers: the newest that counts.
func (s Session) cause(f *Flight) *message.Cause {
	g, ok := s.Window.Ground(f.StartedAt)
	if !ok {
		return nil
	}
	return &message.Cause{Action: g.Action, At: g.At, Message: message.ID(g.Message)}
}
