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
	lines := append([]string{line + ", due " + st.since(s.DueAt)}, st.describeDesk()...)
	if f := s.Flight; f != nil {
		along := ""
		for _, a := range f.Along {
			along += " and " + short(a.Message)
		}
		lines = append(lines, fmt.Sprintf("  flying %s%s part %d of %d, lease until %s", short(f.Message), along, f.PartsSent+1, f.Parts, st.since(f.Deadline)))
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

// describeDesk is what the rules of the desk keep in mind, where it isn't nothing.
func (st *stage) describeDesk() []string {
	var words []string
	add := func(is bool, format string, args ...any) {
		if is {
			words = append(words, fmt.Sprintf(format, args...))
		}
	}
	s := st.s
	add(s.Priority > 0, "priority %d", s.Priority)
	add(!s.QueueEnds.IsZero(), "waits until %s", st.since(s.QueueEnds))
	add(!s.ExternalUntil.IsZero(), "the platform's tool has it until %s", st.since(s.ExternalUntil))
	add(s.LastAgent != "" && s.Agent != s.LastAgent, "last served by %s", s.LastAgent)
	if s.Turn != nil {
		add(true, "the responder has to answer #%d to #%d", s.Turn.From, s.Turn.To)
	}
	for _, n := range s.News {
		add(true, "news %d %s", n.Seq, n.Event)
	}
	if len(words) == 0 {
		return nil
	}
	return []string{"  " + strings.Join(words, ", ")}
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
	case WakeBot:
		return "wake the bot's responder"
	case Say:
		text := fmt.Sprintf("%s says %s %q", e.By, short(e.Message), e.Content.Words())
		if e.State != "" {
			text += fmt.Sprintf(": %s (%s)", e.State, e.Reason)
		}
		return text
	case Inform:
		var words []string
		for _, n := range e.News {
			w := fmt.Sprintf("%d %s", n.Seq, n.Event)
			if n.Message != "" {
				w += " " + short(n.Message)
			}
			if n.Ended != "" {
				w += " " + string(n.Ended)
			}
			words = append(words, w)
		}
		return "tell the business: " + strings.Join(words, ", ")
	case WakeSender:
		if e.At.IsZero() {
			return "wake the sender now"
		}
		return "wake the sender at " + st.since(e.At)
	case FreeSeat:
		return "free a seat of " + string(e.Agent)
	case Call:
		text := "call " + short(e.Message)
		for _, a := range e.Along {
			text += " and " + short(a)
		}
		text += fmt.Sprintf(" part %d", e.Part+1)
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
