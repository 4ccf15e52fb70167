package quota

import (
	"maps"
	"slices"
	"time"
)

// Action is what a customer did to open or refill a window.
type Action string

// The actions that grant messages.
const (
	Enter   Action = "enter"   // entered the session by the button
	Message Action = "message" // wrote
	Click   Action = "click"   // tapped a menu (click, scan-push) or a msgmenu item
	Follow  Action = "follow"  // followed the account
	Scan    Action = "scan"    // scanned a QR code as a follower
)

// Valid reports whether a is one of the known actions.
func (a Action) Valid() bool {
	switch a {
	case Enter, Message, Click, Follow, Scan:
		return true
	}
	return false
}

// Grant is what one action adds: a number of messages for a time.
type Grant struct {
	Limit int
	For   time.Duration
}

// Table says what each action grants. An action that is absent grants nothing.
type Table map[Action]Grant

// Names of presets: channel and the date from which the platform applied the rule.
const (
	MiniProgram2024 = "miniprogram-2024-12"
	MiniProgram2019 = "miniprogram-2019"
	MiniProgram2017 = "miniprogram-2017-02"
	Official2023    = "official-2023-06"
	Official2021    = "official-2021-06"
)

const (
	twoDays = 48 * time.Hour
	minute  = time.Minute
)

// The history of the platform's grants; sections 4.1 and 4.2 of its rules as
// its pages stated them at each date.
var presets = map[string]Table{
	MiniProgram2024: {Message: {5, twoDays}, Enter: {2, minute}},
	MiniProgram2019: {Message: {5, twoDays}},
	MiniProgram2017: {Message: {3, twoDays}, Enter: {1, minute}},
	Official2023:    {Message: {5, twoDays}, Click: {3, minute}, Follow: {3, minute}, Scan: {3, minute}},
	Official2021:    {Message: {20, twoDays}, Click: {3, minute}, Follow: {3, minute}, Scan: {3, minute}},
}

// Preset returns a copy of the named table, nil when there is none of that name.
func Preset(name string) Table { return maps.Clone(presets[name]) }

// Presets lists the names of the presets in order.
func Presets() []string { return slices.Sorted(maps.Keys(presets)) }
