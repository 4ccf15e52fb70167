package session

import (
	"time"

	"kefu/shared/core/message"
)

// OutcomeKind is what became of a call.
type OutcomeKind string

// The outcomes, with what Step makes of each.
const (
	// Sent: the platform took it.
	Sent OutcomeKind = "sent"
	// Refused: the platform will never take it. The message fails and the window gets it back.
	Refused OutcomeKind = "refused"
	// WindowClosed: out of reply time (45015). The ledger is corrected, the message held once more.
	WindowClosed OutcomeKind = "window-closed"
	// QuotaUsedUp: out of response count (45047). Likewise.
	QuotaUsedUp OutcomeKind = "quota-used-up"
	// Busy: the platform's system is busy (-1): three tries within 30 s.
	Busy OutcomeKind = "platform-busy"
	// Throttled: the minute's quota of calls is used up (45011): a minute later, five times.
	Throttled OutcomeKind = "throttled"
	// DayQuota: the day's quota of calls is used up (45009): the next day, China time.
	DayQuota OutcomeKind = "day-quota"
	// Unreached: no connection, or the request was not fully written: tried until the hold ends.
	Unreached OutcomeKind = "unreached"
	// MediaGone: the platform no longer has the file (40007): uploaded again, once.
	MediaGone OutcomeKind = "media-gone"
	// Review: the platform's text check could not let it pass. It waits for a supervisor.
	Review OutcomeKind = "review"
	// Lost: the request went out and no answer could be read. The message is unknown.
	Lost OutcomeKind = "answer-lost"
)

// Outcome is what became of a call.
type Outcome struct {
	Kind   OutcomeKind
	Code   int    // the platform's error code, 0 if none
	Reason string // a stable word for Refused: why
}

// OutcomeOf is what a row that has ended says of its call.
func OutcomeOf(m message.Message) Outcome {
	switch m.State {
	case message.Sent:
		return Outcome{Kind: Sent}
	case message.Unknown:
		return Outcome{Kind: Lost, Reason: m.Reason}
	default:
		return Outcome{Kind: Refused, Code: m.Code, Reason: m.Reason}
	}
}

// reason is the word that a settlement carries.
func (o Outcome) reason() string {
	if o.Reason != "" {
		return o.Reason
	}
	return string(o.Kind)
}

const (
	busyTries      = 3
	busyFor        = 30 * time.Second
	throttledTries = 5
	throttledWait  = time.Minute
	longestBackoff = time.Minute
)

// busyWait spreads three tries over less than busyFor.
func busyWait(tries int) time.Duration {
	if tries <= 1 {
		return 2 * time.Second
	}
	return 8 * time.Second
}

// backoff doubles from one second up to a minute.
func backoff(tries int) time.Duration {
	if tries > 6 {
		return longestBackoff
	}
	return min(time.Second<<max(0, tries-1), longestBackoff)
}

// chinaDay is the zone in which the platform's daily quotas begin anew.
var chinaDay = time.FixedZone("UTC+8", 8*60*60)

// nextDay is a minute into the platform's next day.
func nextDay(now time.Time) time.Time {
	y, m, d := now.In(chinaDay).Date()
	return time.Date(y, m, d+1, 0, 1, 0, 0, chinaDay).UTC()
}
