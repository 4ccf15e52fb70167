package session

import (
	"strconv"
	"strings"
	"time"

	"kefu/shared/core/account"
	"kefu/shared/core/bot"
)

// byTimeout is who ended a session that nobody took in time.
const byTimeout = "queue-timeout"

// enter puts the session at its place in the queue.
func (s *Session) enter(r Rules, priority int, now time.Time) {
	s.State, s.QueuedAt, s.Agent, s.Told, s.Turn, s.QueueEnds = Queued, now, "", false, nil, time.Time{}
	s.Priority = max(r.Priority, priority)
	s.Bot = bot.State{}
	if r.Queue.Timeout > 0 && r.Hours.IsOpen(now) {
		s.QueueEnds = now.Add(time.Duration(r.Queue.Timeout))
	}
}

// join is enter for a customer who has just written: outside the service hours he is told so.
func (s *Session) join(r Rules, priority int, now time.Time) []Effect {
	s.enter(r, priority, now)
	if r.Hours.IsOpen(now) {
		return nil
	}
	return s.saySystem(r.Hours.Text, r, now)
}

// told tells the customer his place in the queue, once for each time that he queues.
func (s *Session) told(e Told, r Rules, now time.Time) []Effect {
	effects := s.lapse(r, now)
	if s.Untold(r) {
		s.Told = true
		text := strings.ReplaceAll(r.Queue.Text, "{position}", strconv.Itoa(e.Position))
		effects = append(effects, s.saySystem(text, r, now)...)
	}
	for _, e := range s.wakes(r, now) {
		if _, ok := e.(WakeRouter); !ok { // it is he who tells
			effects = append(effects, e)
		}
	}
	return effects
}

// Untold reports whether the customer waits and has yet to be told his place. Outside
// the service hours he was told that instead.
func (s Session) Untold(r Rules) bool {
	return s.State == Queued && !s.Told && r.Queue.Text != "" && r.Hours.IsOpen(s.QueuedAt)
}

// timeOut ends the waiting of a customer whom nobody took in time.
func (s *Session) timeOut(r Rules, now time.Time) []Effect {
	s.QueueEnds = time.Time{}
	effects := s.saySystem(r.Queue.TimeoutText, r, now)
	switch r.Queue.Then {
	case account.ThenStay:
	case account.ThenBot:
		s.State = Bot
	default:
		s.State, s.EndedAt, s.EndedBy = Closed, now, byTimeout
	}
	return effects
}
