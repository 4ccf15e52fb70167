package session

import (
	"time"

	"kefu/shared/core/account"
	"kefu/shared/core/fault"
	"kefu/shared/core/message"
)

// The platform's events about its own tool, in Kefu's words.
const (
	toolTook   = "session_created"
	toolClosed = "session_closed"
)

var errExternal = fault.New(fault.Conflict, "external",
	"the platform's own customer-service tool has the session; it comes back when it is closed there, or half an hour after the customer's last message")

// lend notes that the platform's own tool has the customer: nobody answers here, and
// what the rules were about to say is not said.
func (s *Session) lend(now time.Time) []Effect {
	if !s.State.Active() {
		return nil
	}
	var effects []Effect
	keep := s.Outbox[:0:0]
	for _, w := range s.Outbox {
		if w.Content == nil {
			keep = append(keep, w)
			continue
		}
		effects = append(effects, s.conclude(w, message.Cancelled, ReasonExternal, now))
	}
	s.Outbox = keep
	if s.State == Serving {
		effects = append(effects, s.freeSeat())
	}
	s.State, s.Turn = External, nil
	s.ExternalUntil = now.Add(account.ExternalFor)
	return effects
}

// regain takes the session back from the platform's tool; it begins again with the bot.
func (s *Session) regain() {
	if s.State == External {
		s.State, s.Agent, s.ExternalUntil = Bot, "", time.Time{}
	}
}
