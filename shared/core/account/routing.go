package account

import (
	"encoding/json"
	"fmt"

	"kefu/shared/core/fault"
)

// Routing says how sessions find their agents. Assign is in force; the other
// members are kept as they were set, for the desk that reads them.
type Routing struct {
	Assign  Assign          `json:"assign"`
	Bot     json.RawMessage `json:"bot,omitempty"`
	Handoff json.RawMessage `json:"handoff,omitempty"`
	Hours   json.RawMessage `json:"hours,omitempty"`
	Spend   json.RawMessage `json:"spend,omitempty"`
}

// AssignMode says whether sessions wait to be taken by hand.
type AssignMode string

// Manual leaves a session in the queue until an agent accepts it; Auto gives it
// to a free agent at once.
const (
	Manual AssignMode = "manual"
	Auto   AssignMode = "auto"
)

// Assign is the rule of assignment.
type Assign struct {
	Mode       AssignMode `json:"mode,omitempty"`        // default manual
	AutoAbove  int        `json:"auto_above"`            // assign only while more than this many wait
	Strategy   string     `json:"strategy,omitempty"`    // idle_rate, round_robin, longest_idle
	PreferLast *bool      `json:"prefer_last,omitempty"` // the agent of last time first
}

// Check says what is wrong with the rules.
func (r Routing) Check() error {
	wrong := func(format string, args ...any) error {
		return fault.New(fault.Invalid, "routing-invalid", fmt.Sprintf(format, args...))
	}
	switch r.Assign.Mode {
	case "", Manual, Auto:
	default:
		return wrong("assign.mode is %q; want manual or auto", r.Assign.Mode)
	}
	switch r.Assign.Strategy {
	case "", "idle_rate", "round_robin", "longest_idle":
	default:
		return wrong("assign.strategy is %q; want idle_rate, round_robin or longest_idle", r.Assign.Strategy)
	}
	if r.Assign.AutoAbove < 0 || r.Assign.AutoAbove > 100000 {
		return wrong("assign.auto_above must be between 0 and 100000")
	}
	return nil
}

// Automatic reports whether a session may be given to an agent while waiting
// sessions wait in the account's queue.
func (r Routing) Automatic(waiting int) bool {
	return r.Assign.Mode == Auto && waiting > r.Assign.AutoAbove
}
