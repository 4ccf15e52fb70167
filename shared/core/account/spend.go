package account

// Spend is the policy by which a window's messages are spent (P2).
type Spend struct {
	// KeepForHuman is how many messages of a window are never sent by the bot or by another rule. Default 1.
	KeepForHuman *int `json:"keep_for_human,omitempty"`
	// BotBudget bounds what rules send between two actions of the customer. 0: no bound but the window.
	BotBudget int `json:"bot_budget,omitempty"`
	// Merge sends waiting texts as one where the window has fewer messages left than wait. Off,
	// each is a message of its own and the rest is held.
	Merge bool `json:"merge,omitempty"`
	// Separator stands between merged texts. Default: a line break.
	Separator string `json:"separator,omitempty"`
	// OneSender merges only texts of one and the same sender.
	OneSender bool `json:"one_sender,omitempty"`
}

// Kept is KeepForHuman or its default.
func (s Spend) Kept() int {
	if s.KeepForHuman == nil {
		return 1
	}
	return *s.KeepForHuman
}

// Between is Separator or its default.
func (s Spend) Between() string {
	if s.Separator == "" {
		return "\n"
	}
	return s.Separator
}

func (s Spend) check() error {
	if s.Kept() < 0 || s.Kept() > 100 {
		return wrongRouting("spend.keep_for_human must be between 0 and 100")
	}
	if s.BotBudget < 0 || s.BotBudget > 100 {
		return wrongRouting("spend.bot_budget must be between 0 and 100")
	}
	if len(s.Separator) > 100 {
		return wrongRouting("spend.separator is longer than 100 bytes")
	}
	return nil
}
