package agent

import (
	"cmp"

	"kefu/shared/core/fault"
	"kefu/shared/core/message"
	"kefu/shared/core/session"
)

// approveMessage lets a text go that the platform's check held for a supervisor (M12).
func (c *call) approveMessage() (answer, error) {
	if err := c.noFields(); err != nil {
		return answer{}, err
	}
	m, conversation, err := c.message()
	if err != nil {
		return answer{}, err
	}
	if !c.id.Supervises() {
		return answer{}, errRole("supervisors and admins")
	}
	inReview := func(cur session.Session) error {
		if state, reason := cur.Standing(m, c.now); state != message.Held || reason != session.ReasonReview {
			return fault.New(fault.Conflict, "not-in-review", "The message does not wait for a supervisor: it is "+string(state)+".")
		}
		return nil
	}
	if err := inReview(conversation); err != nil {
		return answer{}, err
	}
	rules, err := c.openRules(conversation)
	if err != nil {
		return answer{}, err
	}
	changed, err := c.change(conversation, rules, inReview, session.Approve{Message: m.ID, By: cmp.Or(string(c.id.Agent), "admin")})
	if err != nil {
		return answer{}, err
	}
	return ok(viewMessage(m, changed, c.now)), nil
}
