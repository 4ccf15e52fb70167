package account

// Conduct has texts checked by the platform's content security before they go out
// (M12). Mini Programs only: the platform offers it to no other account.
//
// https://developers.weixin.qq.com/miniprogram/dev/OpenApiDoc/sec-center/sec-check/msgSecCheck.html
type Conduct struct {
	Check bool `json:"check,omitempty"`
	// Unchecked says what happens to a text that couldn't be checked, as when the customer has not
	// opened the Mini Program for two hours (61010): send (default) or hold for a supervisor.
	Unchecked Unsure `json:"unchecked,omitempty"`
	// Review says the same of a text that the platform wants looked at: hold (default) or send.
	Review Unsure `json:"review,omitempty"`
}

// Unsure says what happens to a text of which the platform is not sure.
type Unsure string

// SendUnsure sends it; HoldUnsure has it wait until a supervisor approves it.
const (
	SendUnsure Unsure = "send"
	HoldUnsure Unsure = "hold"
)

func (c Conduct) check() error {
	for name, u := range map[string]Unsure{"unchecked": c.Unchecked, "review": c.Review} {
		switch u {
		case "", SendUnsure, HoldUnsure:
		default:
			return wrongRouting("conduct.%s is %q; want send or hold", name, u)
		}
	}
	return nil
}
