package session

import (
	"time"

	"kefu/shared/core/account"
	"kefu/shared/core/bot"
	"kefu/shared/core/message"
	"kefu/shared/core/quota"
)

// react is what the rules make of what the customer did, once it has been taken in as
// the message id.
func (s *Session) react(e Arrived, r Rules, id message.ID, now time.Time) []Effect {
	switch {
	case e.Transferred || e.Name == toolTook:
		return s.lend(now)
	case e.Name == toolClosed:
		s.regain()
		return nil
	case e.FromCustomer:
		return s.wrote(e, r, id, now)
	case s.State != Bot:
		return nil
	case e.Action == quota.Click:
		return s.botTurn(bot.Input{Text: e.MenuKey}, r, now)
	case e.Action != "":
		return s.botTurn(bot.Input{Entered: true}, r, now)
	}
	return nil
}

// wrote is what the customer's message means: who answers it.
func (s *Session) wrote(e Arrived, r Rules, id message.ID, now time.Time) []Effect {
	urgent, asks := bot.Asks(r.Handoff, e.Text)
	switch s.State {
	case External:
		s.ExternalUntil = now.Add(account.ExternalFor)
		return nil
	case Queued:
		s.Priority = max(s.Priority, urgent)
		return nil
	case Released:
		return s.join(r, urgent, now)
	case Bot:
	default:
		return nil
	}
	switch {
	case !r.Handoff.Enabled: // M9, switched off: normal assignment
		return s.join(r, urgent, now)
	case asks:
		return s.handOff(r, urgent, now)
	case r.Bot.Enabled && r.Bot.Responder.URL != "":
		_, n, _ := id.Split()
		if s.Turn == nil {
			s.Turn = &Turn{From: n}
		}
		s.Turn.To = n
		return nil // wakes has the responder asked
	}
	return s.botTurn(bot.Input{Text: e.Text, Tapped: e.Tapped}, r, now)
}

// botTurn has the bot's own rules answer.
func (s *Session) botTurn(in bot.Input, r Rules, now time.Time) []Effect {
	d := bot.Decide(r.Bot, r.Channel, s.Bot, in)
	s.Bot = d.State
	effects := s.sayAll(d.Say, r, now)
	if d.Handoff && r.Handoff.Enabled {
		effects = append(effects, s.handOff(r, 0, now)...)
	}
	return effects
}

// handOff calls a human (转人工): the session joins the queue and the customer is told.
// Outside the service hours it may stay with the bot.
func (s *Session) handOff(r Rules, priority int, now time.Time) []Effect {
	if !r.Hours.IsOpen(now) && r.Hours.Then == account.ThenBot {
		return s.saySystem(r.Hours.Text, r, now)
	}
	effects := s.join(r, priority, now)
	if r.Hours.IsOpen(now) {
		effects = append(effects, s.saySystem(r.Handoff.Notice, r, now)...)
	}
	return effects
}

// replied takes in the responder's answer, unless the session is no longer the bot's.
// What the customer has written since is another turn.
func (s *Session) replied(e Replied, r Rules, now time.Time) []Effect {
	effects := s.lapse(r, now)
	if s.State != Bot || s.Turn == nil || e.To < s.Turn.From {
		return append(effects, s.wakes(r, now)...)
	}
	if s.Turn.From = e.To + 1; s.Turn.From > s.Turn.To {
		s.Turn = nil
	}
	switch {
	case e.Failed:
		effects = append(effects, s.botTurn(bot.Input{Text: e.Text}, r, now)...)
	default:
		s.Bot.Unanswered = 0
		effects = append(effects, s.sayAll(e.Content, r, now)...)
		if e.Handoff && s.State == Bot {
			effects = append(effects, s.handOff(r, 0, now)...)
		}
	}
	return append(effects, s.wakes(r, now)...)
}
