package session

import (
	"time"

	"kefu/shared/core/bot"
	"kefu/shared/core/fault"
	"kefu/shared/core/quota"
)

// arrive takes in what the customer did: it opens or revives the session, opens
// the window, and numbers the message.
func (s *Session) arrive(e Arrived, r Rules, now time.Time) ([]Effect, error) {
	if was, ok := recall(s.Recent, e.Key); ok {
		return append([]Effect{Store{Message: was.Message, Repeat: true}}, s.wakes(r, now)...), nil
	}
	effects, err := s.open(e, r, now)
	if err != nil {
		return nil, err
	}
	at, heard := e.At, e.HeardAt
	if heard.IsZero() || heard.After(now) {
		heard = now
	}
	if at.After(heard) {
		at = heard
	}
	id := s.number()
	if g, ok := r.Grants[e.Action]; ok {
		epoch := s.Window.Epoch
		s.Window = s.Window.Grant(e.Action, g, quota.Notice{Push: digest(e.Key), At: at, Heard: heard, Message: string(id)}, now)
		if s.Window.Epoch != epoch {
			s.Spent = 0
		}
	}
	if e.FromCustomer && at.After(s.LastCustomerAt) {
		s.LastCustomerAt = at
	}
	s.Recent = remember(s.Recent, e.Key, id, now, recentLimit)
	effects = append(effects, Store{Message: id})
	effects = append(effects, s.react(e, r, id, now)...)
	return append(effects, s.wakes(r, now)...), nil
}

// open makes sure that there is a session for the event to stand in. A message,
// or an event that grants something, opens one; any other event only joins what
// is there.
func (s *Session) open(e Arrived, r Rules, now time.Time) ([]Effect, error) {
	effects := s.lapse(r, now)
	if s.ID != "" && (s.State.Active() || (!e.FromCustomer && e.Action == "")) {
		return effects, nil
	}
	if !e.FromCustomer && e.Action == "" {
		return nil, fault.New(fault.NotFound, "no-session", "the customer has no session that this event could stand in")
	}
	if r.Remembered {
		return nil, ErrRemembered
	}
	if s.ID != "" {
		effects = append(effects, Archive{Session: s.history()})
	}
	s.ID, s.Tenant, s.Incarnation, s.Account, s.Channel, s.Customer = e.ID, r.Tenant, r.Incarnation, e.Account, r.Channel, e.Customer
	s.State, s.Agent, s.OpenedAt = Bot, "", now
	s.QueuedAt, s.LastCustomerAt, s.EndedAt, s.EndedBy = time.Time{}, time.Time{}, time.Time{}, ""
	s.ActiveAt, s.ExternalUntil, s.QueueEnds, s.Priority, s.Told, s.Turn, s.Bot = time.Time{}, time.Time{}, time.Time{}, 0, false, nil, bot.State{}
	return effects, nil
}

// history is the session without what the customer takes along.
func (s Session) history() Session {
	s.Window, s.Recent, s.Calls, s.Outbox, s.Flight, s.Endings, s.News = quota.Window{}, nil, nil, nil, nil, nil, nil
	s.DueAt, s.Turn = time.Time{}, nil
	return s
}

// wakes are the hints that follow from the state alone, so that a repeated
// event gives them again.
func (s *Session) wakes(r Rules, now time.Time) []Effect {
	var effects []Effect
	if (s.State == Queued && r.Auto) || s.Untold(r) {
		effects = append(effects, WakeRouter{})
	}
	if s.State == Bot && s.Turn != nil {
		effects = append(effects, WakeBot{})
	}
	// Also while a call is under way: its sender may have looked for more to do, and
	// left, in this very moment.
	if at, ok := s.callable(now); ok {
		effects = append(effects, WakeSender{At: at})
	}
	return effects
}
