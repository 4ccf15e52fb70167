package account

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"kefu/shared/core/fault"
	"kefu/shared/core/quota"
)

// Duration is a time span that reads and writes as a Go duration text ("48h", "90s").
type Duration time.Duration

// MarshalJSON writes the span as text.
func (d Duration) MarshalJSON() ([]byte, error) { return json.Marshal(time.Duration(d).String()) }

// UnmarshalJSON reads the span from text.
func (d *Duration) UnmarshalJSON(b []byte) error {
	var s string
	if err := json.Unmarshal(b, &s); err != nil {
		return fmt.Errorf("a duration is a text such as \"48h\" or \"90s\"")
	}
	v, err := time.ParseDuration(s)
	if err != nil {
		return fmt.Errorf("%q is no duration; write it as \"48h\" or \"90s\"", s)
	}
	*d = Duration(v)
	return nil
}

// Settings are the rules of one account that a business may change. The zero
// value of each means its default, so that new settings work when absent.
type Settings struct {
	// SessionFor is how long a session lives after the customer's last message.
	// Default 48 h, the platform's own reply limit.
	SessionFor Duration `json:"session_for,omitempty"`
	// HoldFor ends a held message that names no end of its own. Default 48 h.
	HoldFor Duration `json:"hold_for,omitempty"`
	// Windows names a preset of the platform's grants ("miniprogram-2024-12") or,
	// with Grants, a table of the account's own. Default: the channel's newest preset.
	Windows string `json:"windows,omitempty"`
	// Grants replaces the preset.
	Grants []GrantRule `json:"grants,omitempty"`
	// TypingPath is the path of the typing signal, which differs between editions
	// of the platform's pages: one of two. Default /cgi-bin/message/custom/typing.
	TypingPath string `json:"typing_path,omitempty"`
	// KeepMediaFor is how long pictures, voices and videos are kept. Default 720 h.
	KeepMediaFor Duration `json:"keep_media_for,omitempty"`
	// Routing is set by its own call, not with the account.
	Routing Routing `json:"-"`
}

// GrantRule is one line of a table of grants.
type GrantRule struct {
	Action quota.Action `json:"action"` // enter, message, click, follow, scan
	Limit  int          `json:"limit"`  // messages, 1 to 100
	For    Duration     `json:"for"`    // how long, at most 48 h
}

// Defaults of [Settings].
const (
	DefaultSessionFor   = 48 * time.Hour
	DefaultHoldFor      = 48 * time.Hour
	DefaultKeepMediaFor = 30 * 24 * time.Hour
	DefaultTypingPath   = "/cgi-bin/message/custom/typing"
)

// typingPaths are all paths that the typing signal may be sent to. No other path of the platform may stand in
// settings, since what is sent there carries the account's access token.
func typingPaths() []string {
	return []string{DefaultTypingPath, "/cgi-bin/message/custom/business/typing"}
}

// Check says which setting is out of range.
func (s Settings) Check() error {
	wrong := func(format string, args ...any) error {
		return fault.New(fault.Invalid, "settings-invalid", fmt.Sprintf(format, args...))
	}
	for name, d := range map[string]Duration{"session_for": s.SessionFor, "hold_for": s.HoldFor, "keep_media_for": s.KeepMediaFor} {
		if d < 0 || time.Duration(d) > 366*24*time.Hour {
			return wrong("settings.%s must be between 0 and 8784h", name)
		}
	}
	if s.Windows != "" && quota.Preset(s.Windows) == nil {
		return wrong("settings.windows %q is no preset; known: %v", s.Windows, quota.Presets())
	}
	if len(s.Grants) > 16 {
		return wrong("settings.grants has more than 16 lines")
	}
	for i, g := range s.Grants {
		if !g.Action.Valid() {
			return wrong("settings.grants[%d].action %q; want enter, message, click, follow or scan", i, g.Action)
		}
		if g.Limit < 1 || g.Limit > 100 || g.For <= 0 || time.Duration(g.For) > 48*time.Hour {
			return wrong("settings.grants[%d]: limit must be 1 to 100 and for at most 48h", i)
		}
	}
	if s.TypingPath != "" && !slices.Contains(typingPaths(), s.TypingPath) {
		return wrong("settings.typing_path is none of the platform's; want one of %s", strings.Join(typingPaths(), ", "))
	}
	return s.Routing.Check()
}

// Table returns the grants that apply to an account of channel c.
func (s Settings) Table(c Channel) quota.Table {
	if len(s.Grants) > 0 {
		t := make(quota.Table, len(s.Grants))
		for _, g := range s.Grants {
			t[g.Action] = quota.Grant{Limit: g.Limit, For: time.Duration(g.For)}
		}
		return t
	}
	if s.Windows != "" {
		if t := quota.Preset(s.Windows); t != nil {
			return t
		}
	}
	if c == Official {
		return quota.Preset(quota.Official2023)
	}
	return quota.Preset(quota.MiniProgram2024)
}

// SessionLife is SessionFor or its default.
func (s Settings) SessionLife() time.Duration { return or(s.SessionFor, DefaultSessionFor) }

// HoldLife is HoldFor or its default.
func (s Settings) HoldLife() time.Duration { return or(s.HoldFor, DefaultHoldFor) }

// MediaLife is KeepMediaFor or its default.
func (s Settings) MediaLife() time.Duration { return or(s.KeepMediaFor, DefaultKeepMediaFor) }

// Typing is TypingPath or its default, which also stands in for a path that an earlier version let pass.
func (s Settings) Typing() string {
	if !slices.Contains(typingPaths(), s.TypingPath) {
		return DefaultTypingPath
	}
	return s.TypingPath
}

func or(d Duration, def time.Duration) time.Duration {
	if d == 0 {
		return def
	}
	return time.Duration(d)
}
