package account

import "time"

// Assign is the rule by which waiting sessions find agents (M7, M11, K7).
type Assign struct {
	Mode       AssignMode `json:"mode,omitempty"`        // default manual
	AutoAbove  int        `json:"auto_above"`            // assign only while more than this many wait
	Strategy   Strategy   `json:"strategy,omitempty"`    // default idle_rate
	PreferLast *bool      `json:"prefer_last,omitempty"` // the agent of last time first; default true
	// ReleaseAfter is how long nobody may have written until a session must be taken
	// again. Default 30 min, as on the platform.
	ReleaseAfter Duration `json:"release_after,omitempty"`
	// Priority is that of the account's sessions in a queue, 0 to 9, the highest first.
	Priority int `json:"priority,omitempty"`
}

// AssignMode says whether sessions wait to be taken by hand.
type AssignMode string

// Manual leaves a session in the queue until an agent accepts it; Auto gives it
// to a free agent at once.
const (
	Manual AssignMode = "manual"
	Auto   AssignMode = "auto"
)

// Strategy says who comes first among the agents with a free seat.
type Strategy string

// The strategies.
const (
	IdleRate    Strategy = "idle_rate"    // the largest share of free seats (空闲率)
	RoundRobin  Strategy = "round_robin"  // whoever was given a session longest ago (轮流)
	LongestIdle Strategy = "longest_idle" // whoever has been without a session for longest, else the fewest sessions
)

// DefaultReleaseAfter is the platform's own rule.
const DefaultReleaseAfter = 30 * time.Minute

// Automatic reports whether a session may be given to an agent while waiting
// sessions wait in the account's queue.
func (r Routing) Automatic(waiting int) bool {
	return r.Assign.Mode == Auto && waiting > r.Assign.AutoAbove
}

// Silence is ReleaseAfter or its default.
func (a Assign) Silence() time.Duration { return or(a.ReleaseAfter, DefaultReleaseAfter) }

// Prefers reports whether the agent of last time comes first.
func (a Assign) Prefers() bool { return a.PreferLast == nil || *a.PreferLast }

func (a Assign) check() error {
	switch a.Mode {
	case "", Manual, Auto:
	default:
		return wrongRouting("assign.mode is %q; want manual or auto", a.Mode)
	}
	switch a.Strategy {
	case "", IdleRate, RoundRobin, LongestIdle:
	default:
		return wrongRouting("assign.strategy is %q; want idle_rate, round_robin or longest_idle", a.Strategy)
	}
	if a.AutoAbove < 0 || a.AutoAbove > 100000 {
		return wrongRouting("assign.auto_above must be between 0 and 100000")
	}
	if d := time.Duration(a.ReleaseAfter); d != 0 && (d < time.Minute || d > 48*time.Hour) {
		return wrongRouting("assign.release_after must be between 1m and 48h")
	}
	return checkPriority("assign.priority", a.Priority)
}
