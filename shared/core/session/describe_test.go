package session

import (
	"fmt"
	"strings"
	"time"

	"kefu/shared/core/message"
)

// since is a time in the words of a script: how long after its beginning.
func (st *stage) since(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return t.Sub(st.start).String()
}

// describe is the session in a few lines.
func (st *stage) describe() []string {
	s := st.s
	w := s.Window.At(st.now)
	line := fmt.Sprintf("at %s: %s %s", st.since(st.now), s.ID, s.State)
	if s.Agent != "" {
		line += " by " + string(s.Agent)
	}
	line += fmt.Sprintf(", window %d/%d", w.Used, w.Limit)
	if w.Limit > 0 {
		line += " until " + st.since(w.Until)
	}
	lines := []string{line + ", due " + st.since(s.DueAt)}
	if f := s.Flight; f != nil {
		lines = append(lines, fmt.Sprintf("  flying %s part %d of %d, lease until %s", short(f.Message), f.PartsSent+1, f.Parts, st.since(f.Deadline)))
	}
	for _, o := range s.Outbox {
		state, reason := s.Standing(message.Message{ID: o.Message, State: message.Pending}, st.now)
		l := fmt.Sprintf("  %s %s", short(o.Message), state)
		if reason != "" {
			l += " (" + reason + ")"
		}
		if o.Parts > 1 {
			l += fmt.Sprintf(", %d of %d parts sent", o.PartsSent, o.Parts)
		}
		lines = append(lines, l+", ends "+st.since(o.ExpiresAt))
	}
	for _, end := range s.Endings {
		lines = append(lines, "  unrecorded: "+ending(end))
	}
	return lines
}

func short(id message.ID) string {
	s, n, _ := id.Split()
	return fmt.Sprintf("#%d of %s", n, s)
}

func ending(end message.Settlement) string {
	text := short(end.Message) + " " + string(end.State)
	if end.Reason != "" {
		text += " (" + end.Reason + ")"
	}
	if end.Code != 0 {
		text += fmt.Sprintf(" code %d", end.Code)
	}
	return text
}

func (st *stage) effect(e Effect) string {
	switch e := e.(type) {
	case Archive:
		return fmt.Sprintf("keep %s, %s, as history", e.Session.ID, e.Session.State)
	case Store:
		if e.Repeat {
			return "row " + short(e.Message) + " again"
		}
		return "row " + short(e.Message)
	case WakeRouter:
		return "wake the router"
	case WakeSender:
		if e.At.IsZero() {
			return "wake the sender now"
		}
		return "wake the sender at " + st.since(e.At)
	case FreeSeat:
		return "free a seat of " + string(e.Agent)
	case Call:
		text := fmt.Sprintf("call %s part %d", short(e.Message), e.Part+1)
		if e.Renew {
			text += " with its media uploaded again"
		}
		return text
	case Settle:
		return "settle " + ending(e.Settlement)
	case Record:
		return "record " + ending(e.Settlement)
	}
	return strings.TrimPrefix(fmt.Sprintf("%T", e), "session.")
}
