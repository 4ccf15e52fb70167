package send

import (
	"context"

	"kefu/shared/core/account"
	"kefu/shared/core/message"
	"kefu/shared/core/session"
)

// check has the platform look at a text before its first part goes out, if the account
// wants that (M12). What a supervisor has approved is not looked at again.
func (s *Sender) check(ctx context.Context, a account.Account, conv session.Session, c message.Content, part int) (session.Outcome, bool) {
	rules := a.Settings.Routing.Conduct
	if !rules.Check || c.Type != message.TypeText || part > 0 || conv.Flight.Approved != "" {
		return session.Outcome{}, false
	}
	v := s.Checker.CheckText(ctx, a, conv.Customer, c.Text.Content)
	unsure := func(u account.Unsure, reason string) (session.Outcome, bool) {
		return session.Outcome{Kind: session.Review, Code: v.Code, Reason: reason}, u == account.HoldUnsure
	}
	switch v.Judgement {
	case message.Pass:
		return session.Outcome{}, false
	case message.Risky:
		return session.Outcome{Kind: session.Refused, Code: v.Label, Reason: "content-risky"}, true
	case message.Review:
		if rules.Review == "" {
			return unsure(account.HoldUnsure, "content-review")
		}
		return unsure(rules.Review, "content-review")
	default:
		return unsure(rules.Unchecked, "content-unchecked")
	}
}
