package bot

import (
	"kefu/shared/core/account"
	"kefu/shared/core/word"
)

// Asks reports whether the text calls a human: by a keyword of the hand-off, or by an
// urgent word, which gives the session a priority in the queue too (of several the
// highest; 0 without one). It doesn't look at the switch: with hand-off off whoever
// writes joins the queue anyway, and an urgent word still moves him forward.
func Asks(h account.Handoff, text string) (priority int, ok bool) {
	ok = word.Match(h.Keywords, h.Match, text)
	for _, u := range h.Urgent {
		if u.Priority > priority && word.Match(u.Words, h.Match, text) {
			priority, ok = u.Priority, true
		}
	}
	return priority, ok
}
