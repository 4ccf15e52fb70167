package session

import (
	"slices"
	"time"

	"kefu/shared/core/message"
)

// bundle takes the waiting message i out of the outbox. If the window has fewer
// messages left than wait, and the account wants it so, it takes as many of the texts behind it along as are needed
// and fit into one message: they go out as one, in order.
func (s *Session) bundle(i int, r Rules, now time.Time) (head Waiting, along []Waiting) {
	head = s.Outbox[i]
	need, room := s.waiting(i, now)-s.Window.At(now).Remaining(), message.MaxTextBytes-head.Bytes
	keep := slices.Clone(s.Outbox[:i])
	rest := s.Outbox[i+1:]
	for len(rest) > 0 && need > 0 && r.Spend.Merge && head.mergeable() {
		w := rest[0]
		if w.waitsAside(now) {
			keep, rest = append(keep, w), rest[1:]
			continue
		}
		room -= len(r.Spend.Between()) + w.Bytes
		if !w.mergeable() || w.FailClosed != head.FailClosed || w.Tries.NotBefore.After(now) || room < 0 || (r.Spend.OneSender && w.By != head.By) {
			break
		}
		along, rest, need = append(along, w), rest[1:], need-1
	}
	s.Outbox = slices.Concat(keep, rest)
	return head, along
}

// mergeable reports whether the message is a text that may be one with others.
func (w Waiting) mergeable() bool {
	return w.Bytes > 0 && w.Parts == 1 && !w.Tries.Corrected && w.Approved == ""
}

// waiting is how many messages of the window the outbox wants now, from its i-th on.
func (s *Session) waiting(i int, now time.Time) int {
	n := 0
	for _, w := range s.Outbox[i:] {
		if w.waitsAside(now) {
			continue
		}
		if w.Tries.NotBefore.After(now) {
			break
		}
		n += w.Parts - w.PartsSent
	}
	return n
}

// Messages are those that the flight's call carries, in order.
func (f Flight) Messages() []Waiting { return append([]Waiting{f.Waiting}, f.Along...) }

// carries reports whether the flight's call carries the message.
func (f *Flight) carries(id message.ID) bool {
	return f != nil && slices.ContainsFunc(f.Messages(), func(w Waiting) bool { return w.Message == id })
}
