package account

// Handoff is the switch of M9 (转人工). On: a session stays with the bot until the
// customer writes one of the words. Off: whoever writes joins the queue.
type Handoff struct {
	Enabled  bool     `json:"enabled"`
	Keywords []string `json:"keywords,omitempty"` // 人工, 客服, rg, 退款 …
	Match    Match    `json:"match,omitempty"`    // default exact
	// Notice tells the customer that a human is being called.
	Notice string `json:"notice,omitempty"`
	// Urgent words call a human too, and move the session forward in the queue.
	Urgent []Urgent `json:"urgent,omitempty"`
}

// Urgent gives words a priority, 1 to 9.
type Urgent struct {
	Words    []string `json:"words"`
	Priority int      `json:"priority"`
}

func (h Handoff) check() error {
	if err := checkWords("handoff.keywords", h.Keywords); err != nil {
		return err
	}
	if err := checkMatch("handoff.match", h.Match); err != nil {
		return err
	}
	if len(h.Urgent) > MaxPriority {
		return wrongRouting("handoff.urgent has more than %d entries", MaxPriority)
	}
	for _, u := range h.Urgent {
		if err := checkWords("handoff.urgent.words", u.Words); err != nil {
			return err
		}
		if u.Priority < 1 || u.Priority > MaxPriority {
			return wrongRouting("handoff.urgent.priority must be between 1 and %d", MaxPriority)
		}
	}
	return checkText("handoff.notice", h.Notice)
}
