package session

import (
	"time"

	"kefu/shared/core/message"
)

// sayFor ends what a rule said and could not be sent: by then it fits no longer.
const sayFor = 10 * time.Minute

// Reasons of a rule's message that was not sent.
const (
	ReasonKept   = "kept-for-human" // the window's last messages are for a human
	ReasonBudget = "bot-budget"     // the rules have said enough since the customer acted
	ReasonFull   = "too-many-waiting"
	// ReasonExternal: the platform's own tool has taken the customer.
	ReasonExternal = "external"
)

// sayAll says the bot's messages, in order.
func (s *Session) sayAll(contents []message.Content, r Rules, now time.Time) []Effect {
	var effects []Effect
	for _, c := range contents {
		effects = append(effects, s.say(c, message.ByBot, r, now))
	}
	return effects
}

// saySystem says a text of the account's rules; an empty one is not said.
func (s *Session) saySystem(text string, r Rules, now time.Time) []Effect {
	if text == "" {
		return nil
	}
	c := message.Content{Type: message.TypeText, Text: &message.Text{Content: text}}
	return []Effect{s.say(c, message.BySystem, r, now)}
}

// say has a rule write a message, unless the spending policy (P2) keeps it back: then
// its row tells what would have been said, and why it wasn't.
func (s *Session) say(c message.Content, by string, r Rules, now time.Time) Effect {
	w := Waiting{
		Message: s.number(), Parts: c.Parts(), FailClosed: true, ExpiresAt: now.Add(sayFor),
		By: by, Bytes: c.TextBytes(), Content: &c,
	}
	w.N = s.Seq
	if reason := s.withholds(w, r, now); reason != "" {
		return Say{Message: w.Message, Content: c, By: by, State: message.Cancelled, Reason: reason}
	}
	s.Outbox = append(s.Outbox, w)
	s.Spent += w.Parts
	return Say{Message: w.Message, Content: c, By: by, ExpiresAt: w.ExpiresAt}
}

// withholds says why a rule's message must not go out, if so.
func (s *Session) withholds(w Waiting, r Rules, now time.Time) string {
	switch {
	case len(s.Outbox) >= MaxWaiting:
		return ReasonFull
	case r.Spend.BotBudget > 0 && s.Spent+w.Parts > r.Spend.BotBudget:
		return ReasonBudget
	case s.left(now)-w.Parts < r.Spend.Kept():
		return ReasonKept
	}
	return ""
}

// left is how many messages the window takes after all that waits to go.
func (s *Session) left(now time.Time) int {
	left := s.Window.At(now).Remaining()
	for _, o := range s.Outbox {
		if !o.waitsAside(now) && o.ExpiresAt.After(now) {
			left -= o.Parts - o.PartsSent
		}
	}
	return left
}
