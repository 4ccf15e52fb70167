package agent

import "time"

// Status is an agent's presence.
type Status string

// Only an agent who is online is given sessions and accepts them.
const (
	Online  Status = "online"
	Away    Status = "away"
	Paused  Status = "paused"
	Offline Status = "offline"
)

// ValidStatus reports whether s is one of the four.
func ValidStatus(s Status) bool {
	return s == Online || s == Away || s == Paused || s == Offline
}

// A lease is how long a presence holds unless it is set again: a client that dies
// leaves its agent offline, and not online for ever.
const (
	MinLease = 30 * time.Second
	MaxLease = 15 * time.Minute
)

// Lapsed reports whether the agent's presence has ended by itself.
func (a Agent) Lapsed(now time.Time) bool {
	return a.Status != Offline && !a.Until.IsZero() && !now.Before(a.Until)
}

// At is the agent as he reads at a time: offline once his presence has ended. Every
// reader asks so; that the stored status follows later is housekeeping.
func (a Agent) At(now time.Time) Agent {
	if a.Lapsed(now) {
		a.Status, a.StatusAt, a.Until = Offline, a.Until, time.Time{}
	}
	return a
}

// Present returns the agent with a status that is set at a time and holds until
// another; zero means for good. StatusAt stays if he has that status already.
func (a Agent) Present(s Status, at, until time.Time) Agent {
	if a.Status != s || a.Lapsed(at) {
		a.Status, a.StatusAt = s, at
	}
	a.Until = until
	return a
}

// Renew says whether setting a status now has to be written, and until when it then
// holds: for the lease, or for good if that is zero. Nothing is written while more
// than half of the lease is left, so that a client may say often that it is there.
func Renew(a Agent, s Status, lease time.Duration, now time.Time) (write bool, until time.Time) {
	if lease > 0 && s != Offline {
		until = now.Add(lease)
	}
	a = a.At(now)
	if a.Status != s || a.Until.IsZero() != until.IsZero() {
		return true, until
	}
	// More than a whole lease is left when the client asks for a shorter one.
	if left := a.Until.Sub(now); !until.IsZero() && (left <= lease/2 || left > lease) {
		return true, until
	}
	return false, a.Until
}
