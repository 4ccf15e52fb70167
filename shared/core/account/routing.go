package account

import (
	"fmt"
	"unicode/utf8"

	"kefu/shared/core/fault"
)

// Routing says how an account's sessions are answered: by the bot, by agents, by the
// platform's own tool, and when. The zero value leaves every session in the queue
// until an agent takes it. Each member is a file of its own.
type Routing struct {
	Assign   Assign   `json:"assign"`
	Queue    Queue    `json:"queue,omitzero"`
	Bot      Bot      `json:"bot,omitzero"`
	Handoff  Handoff  `json:"handoff,omitzero"`
	Hours    Hours    `json:"hours,omitzero"`
	Spend    Spend    `json:"spend,omitzero"`
	External External `json:"external,omitzero"`
	Conduct  Conduct  `json:"conduct,omitzero"`
}

// Check says what is wrong with the rules, as a fault of kind Invalid with code
// "routing-invalid" that names the member.
func (r Routing) Check() error {
	for _, err := range []error{
		r.Assign.check(), r.Queue.check(), r.Bot.check(), r.Handoff.check(), r.Hours.check(),
		r.Spend.check(), r.External.check(r.Hours), r.Conduct.check(),
	} {
		if err != nil {
			return err
		}
	}
	if r.Queue.Then == ThenBot && !r.Handoff.Enabled {
		return wrongRouting("queue.then is bot, but handoff.enabled is off: the bot would hand the session back at once")
	}
	if r.Hours.Then == ThenBot && !r.Handoff.Enabled {
		return wrongRouting("hours.then is bot, but handoff.enabled is off: no session stays with the bot then")
	}
	return nil
}

// For says what of the rules an account of the channel can't have.
func (r Routing) For(c Channel) error {
	switch {
	case r.Conduct.Check && c != MiniProgram:
		return wrongRouting("conduct.check is on: the platform checks texts for Mini Programs only")
	case r.External.KfAccount != "" && c != Official:
		return wrongRouting("external.kf_account is for Official Accounts only")
	}
	return nil
}

// Then says where a session goes.
type Then string

// Where a session goes.
const (
	ThenClose Then = "close" // it ends
	ThenBot   Then = "bot"   // to the bot
	ThenStay  Then = "stay"  // where it is
	ThenQueue Then = "queue" // to the queue
)

// Match says how a word is looked for in what a customer wrote. Case and width never
// count: ＲＧ is rg.
type Match string

// Exact wants the word and nothing else, Contains the word anywhere.
const (
	Exact    Match = "exact"
	Contains Match = "contains"
)

// Bounds of the texts and lists in routing rules.
const (
	MaxRuleText  = 2048 // bytes: what one message carries
	MaxWords     = 200
	MaxWordRunes = 50
	MaxPriority  = 9
)

func wrongRouting(format string, args ...any) error {
	return fault.New(fault.Invalid, "routing-invalid", fmt.Sprintf(format, args...))
}

func checkText(name, text string) error {
	if len(text) > MaxRuleText || !utf8.ValidString(text) {
		return wrongRouting("%s must be UTF-8 of at most %d bytes: it goes out as one message", name, MaxRuleText)
	}
	return nil
}

func checkWords(name string, words []string) error {
	if len(words) > MaxWords {
		return wrongRouting("%s has more than %d words", name, MaxWords)
	}
	for i, w := range words {
		if n := utf8.RuneCountInString(w); n == 0 || n > MaxWordRunes {
			return wrongRouting("%s[%d] must have 1 to %d characters", name, i, MaxWordRunes)
		}
	}
	return nil
}

func checkMatch(name string, m Match) error {
	switch m {
	case "", Exact, Contains:
		return nil
	}
	return wrongRouting("%s is %q; want exact or contains", name, m)
}

func checkPriority(name string, p int) error {
	if p < 0 || p > MaxPriority {
		return wrongRouting("%s must be between 0 and %d", name, MaxPriority)
	}
	return nil
}

func checkThen(name string, t Then, allowed ...Then) error {
	if t == "" {
		return nil
	}
	for _, a := range allowed {
		if t == a {
			return nil
		}
	}
	return wrongRouting("%s is %q; want one of %v", name, t, allowed)
}
