package session

import (
	"slices"
	"time"

	"kefu/shared/core/account"
	"kefu/shared/core/agent"
	"kefu/shared/core/message"
)

// News is something that the business's own software wants to be told. It stands in
// the session from the save that made it so until it is in the queue, so that no
// crash loses it.
type News struct {
	Seq     int64      `json:"q"` // grows by one with each news of a conversation
	Event   string     `json:"e"` // one of account.WebhookEvents
	At      time.Time  `json:"a"`
	Session ID         `json:"s"`
	State   State      `json:"st,omitempty"` // of the session
	Agent   agent.ID   `json:"g,omitempty"`
	Message message.ID `json:"m,omitempty"`
	// Ended is how an outbound message ended, and Reason why.
	Ended  message.State `json:"en,omitempty"`
	Reason string        `json:"r,omitempty"`
}

// Tell is the body of a queue message that has news told to the business's software.
type Tell struct {
	Ref
	account.Owner
	News News `json:"news"`
}

// maxNews bounds what waits to be told while the queue takes nothing; beyond it the oldest goes.
const maxNews = 200

// report notes what is new in next for the business's software, and asks that all that
// is not yet in the queue be put there.
func (s *Session) report(was Session, e Event, effects []Effect, r Rules, now time.Time) []Effect {
	if _, ok := e.(Informed); !ok && r.Webhook.URL != "" {
		was = s.reportOpened(was, effects, r, now)
		s.reportMessages(was, e, effects, r, now)
		s.reportState(was, r, now)
	}
	if len(s.News) == 0 {
		return nil
	}
	return []Effect{Inform{News: slices.Clone(s.News)}}
}

// reportOpened tells of a session that another has taken the place of, and of that one;
// it returns what the new one began as.
func (s *Session) reportOpened(was Session, effects []Effect, r Rules, now time.Time) Session {
	if s.ID == was.ID {
		return was
	}
	for _, e := range effects {
		if a, ok := e.(Archive); ok && was.State.Active() {
			s.reportEnd(a.Session, r, now)
		}
	}
	s.note(r, News{Event: account.SessionOpened, At: now, Session: s.ID, State: s.State})
	was.State, was.Agent, was.QueuedAt = "", "", time.Time{}
	return was
}

func (s *Session) reportState(was Session, r Rules, now time.Time) {
	n := News{At: now, Session: s.ID, State: s.State, Agent: s.Agent}
	switch {
	case s.State == Queued && !(was.State == Queued && was.QueuedAt.Equal(s.QueuedAt)):
		n.Event = account.SessionQueued
	case s.State == Serving && !(was.State == Serving && was.Agent == s.Agent):
		n.Event = account.SessionAssigned
	case s.State == Released && was.State != Released:
		n.Event = account.SessionReleased
	case !s.State.Active() && was.State.Active():
		s.reportEnd(*s, r, now)
		return
	default:
		return
	}
	s.note(r, n)
}

func (s *Session) reportEnd(ended Session, r Rules, now time.Time) {
	n := News{Event: account.SessionClosed, At: now, Session: ended.ID, State: ended.State, Agent: ended.Agent}
	if ended.State == Expired {
		n.Event = account.SessionExpired
	}
	s.note(r, n)
}

func (s *Session) reportMessages(was Session, e Event, effects []Effect, r Rules, now time.Time) {
	known := map[message.ID]bool{}
	for _, end := range was.Endings {
		known[end.Message] = true
	}
	if l, ok := e.(Landed); ok && was.Flight != nil && was.Flight.Message == l.Message {
		for _, w := range was.Flight.Messages() {
			in, _, _ := w.Message.Split()
			s.note(r, News{Event: account.MessageOut, At: now, Session: in, State: s.State, Agent: s.Agent, Message: w.Message, Ended: message.Sent})
		}
	}
	in, arrived := e.(Arrived)
	for _, effect := range effects {
		n := News{At: now, State: s.State, Agent: s.Agent}
		switch x := effect.(type) {
		case Store:
			if !arrived || !in.FromCustomer || x.Repeat {
				continue
			}
			n.Event, n.Message = account.MessageIn, x.Message
		case Settle:
			if known[x.Settlement.Message] {
				continue
			}
			n.Event, n.Message, n.Ended, n.Reason = account.MessageOut, x.Settlement.Message, x.Settlement.State, x.Settlement.Reason
		case Say:
			if x.State == "" {
				continue // it is on its way
			}
			n.Event, n.Message, n.Ended, n.Reason = account.MessageOut, x.Message, x.State, x.Reason
		case Record:
			n.Event, n.Message, n.Ended, n.Reason = account.MessageOut, x.Settlement.Message, x.Settlement.State, x.Settlement.Reason
		default:
			continue
		}
		in, _, _ := n.Message.Split()
		n.Session = in
		s.note(r, n)
	}
}

func (s *Session) note(r Rules, n News) {
	if !r.Webhook.Tells(n.Event) {
		return
	}
	s.NewsSeq++
	n.Seq = s.NewsSeq
	s.News = append(slices.Clone(s.News), n)
	s.News = s.News[max(0, len(s.News)-maxNews):]
}

// informed forgets news that are in the queue.
func (s *Session) informed(e Informed) {
	s.News = slices.DeleteFunc(slices.Clone(s.News), func(n News) bool { return n.Seq <= e.UpTo })
	if len(s.News) == 0 {
		s.News = nil
	}
}
