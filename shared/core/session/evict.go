package session

import (
	"errors"
	"time"

	"kefu/shared/core/account"
	"kefu/shared/core/fault"
	"kefu/shared/core/message"
	"kefu/shared/core/quota"
)

var (
	// ErrAnothers is the fault of every event but an arrival under the rules of an account that is not the one which
	// the conversation is with: another of the same id.
	ErrAnothers = fault.Wrap(fault.NotFound, "", errors.New("the conversation is with another account of that id"))
	// ErrRemembered is the fault of an arrival that would open a session under rules that are Remembered. It has to
	// come again with the account as it is: a session is opened with the account that has the id now.
	ErrRemembered = fault.Wrap(fault.Unavailable, "", errors.New("a session can't be opened with an account out of a memory"))
)

// anothers reports whether the conversation was with another account that had the id. Of an account that has gone the
// conversations end by the default rules, whoever's they were.
func (s Session) anothers(r Rules) bool {
	return s.ID != "" && r.Tenant != "" && !s.Owner().Is(account.Owner{Tenant: r.Tenant, Incarnation: r.Incarnation})
}

// evict ends what an account left behind that had the id before. Nothing of it may be sent by this one. Of another
// tenant's nothing may be seen either; of the same tenant's the window is kept, since the platform counts on.
func (s *Session) evict(r Rules, now time.Time) []Effect {
	var effects []Effect
	if f := s.Flight; f != nil {
		effects = append(effects, s.lose(f, now)...)
	}
	for _, w := range s.Outbox {
		effects = append(effects, s.conclude(w, message.Cancelled, "account-deleted", now))
	}
	s.Flight, s.Outbox, s.Recent, s.Calls, s.News, s.Turn = nil, nil, nil, nil, nil, nil
	if s.Tenant != r.Tenant {
		s.Window, s.LastAgent = quota.Window{}, ""
	}
	if s.State.Active() {
		if s.State == Serving {
			effects = append(effects, s.freeSeat())
		}
		s.State, s.EndedAt = Closed, now
	}
	return effects
}
