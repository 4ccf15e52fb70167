package hook

import "time"

const (
	// GiveUp is how long news are tried. Then they are dead.
	GiveUp = 24 * time.Hour
	// LongestPause is between two tries at most, whatever the receiver asks for: a queue can hide a message for
	// twelve hours, and a receiver that is back should not wait for long.
	LongestPause = time.Hour
)

// pauses are those after the first, second … try that failed; from then on it is LongestPause. A passing fault costs
// five seconds, an outage of a day thirty tries.
var pauses = [...]time.Duration{5 * time.Second, 30 * time.Second, 2 * time.Minute, 10 * time.Minute, 30 * time.Minute}

// Rest is the pause after so many tries that failed, where nobody asked for another.
func Rest(tries int) time.Duration {
	if i := max(tries, 1) - 1; i < len(pauses) {
		return pauses[i]
	}
	return LongestPause
}

// Next says how long to wait after a try that failed, the one that makes it so many; false when the time is over. The
// last try is at the end of the time. Asked is what the receiver asked to wait, zero if it didn't.
//
// News that waited behind others have their tries too: those begin with the first, and it is made even if the time is
// over by then.
func (t Told) Next(tries int, asked time.Duration, now time.Time) (time.Duration, bool) {
	left := t.since().Add(GiveUp).Sub(now)
	if left <= 0 {
		return 0, false
	}
	return max(min(max(Rest(tries), asked), LongestPause, left), time.Second), true
}
