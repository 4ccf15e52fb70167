package session

import (
	"time"

	"kefu/shared/core/message"
)

// Reasons of a message that has not ended.
const (
	ReasonSendAt = "send-at"       // its time has not come
	ReasonWindow = "window-closed" // the window takes no more
	ReasonBehind = "behind-held"   // an earlier message is held
	ReasonRetry  = "retrying"      // the platform asked to try later, or was not reached
	ReasonReview = "review"        // a supervisor has to approve it
)

// Standing says where a message stands at now. A row that has ended says so
// itself; otherwise the conversation knows more than the row.
func (s Session) Standing(m message.Message, now time.Time) (message.State, string) {
	if m.State.Final() {
		return m.State, m.Reason
	}
	for _, end := range s.Endings {
		if end.Message == m.ID {
			return end.State, end.Reason
		}
	}
	if s.Flight.carries(m.ID) {
		return message.Sending, ""
	}
	left := s.Window.At(now).Remaining()
	blocked := ""
	for _, w := range s.Outbox {
		over, early := !w.ExpiresAt.After(now), w.waitsAside(now)
		reason := ""
		switch {
		case over || early:
		case blocked != "":
			reason = ReasonBehind
		case w.Tries.NotBefore.After(now):
			reason, blocked = ReasonRetry, ReasonRetry
		case left < w.Parts-w.PartsSent:
			reason, blocked = ReasonWindow, ReasonWindow
		default:
			left -= w.Parts - w.PartsSent
		}
		if w.Message != m.ID {
			continue
		}
		switch {
		case over:
			return message.Expired, "hold-ended"
		case w.Review:
			return message.Held, ReasonReview
		case early:
			return message.Held, ReasonSendAt
		case reason != "":
			return message.Held, reason
		}
		return message.Pending, ""
	}
	return message.Pending, ""
}
