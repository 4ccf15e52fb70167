package hook

import (
	"fmt"

	"kefu/shared/core/account"
	"kefu/shared/core/fault"
	"kefu/shared/core/message"
	"kefu/shared/core/session"
)

// Ask is the question to a business's responder, which takes the bot's place: what the
// customer wrote since the bot's last turn.
type Ask struct {
	// ID names the turn. A question that is repeated, as one whose answer was lost, has the same.
	ID       string           `json:"id"`
	Account  account.ID       `json:"account"`
	Session  session.ID       `json:"session"`
	Customer account.Customer `json:"customer"`
	State    session.State    `json:"state"`    // of the session
	Messages []Said           `json:"messages"` // in order
}

// Said is a message of the customer's, in the form that GET …/messages shows it.
type Said struct {
	ID message.ID `json:"id"`
	message.Content
}

// Answer is what the bot shall say, in the form that POST …/messages takes it. One
// without messages leaves the customer without an answer, which may be meant.
type Answer struct {
	Messages []message.Content `json:"messages"`
	Handoff  bool              `json:"handoff"` // a human shall take the session
}

// MaxAnswers is how many messages one answer may have: what the largest window of
// the platform lets out at all.
const MaxAnswers = 5

// Check says what is wrong with an answer on an account of channel ch, as a fault of
// kind Invalid: code "answers-too-many", or that of the message.
func (a Answer) Check(ch account.Channel) error {
	if len(a.Messages) > MaxAnswers {
		return fault.New(fault.Invalid, "answers-too-many", fmt.Sprintf("The answer has %d messages; at most %d can be sent.", len(a.Messages), MaxAnswers))
	}
	for i, c := range a.Messages {
		if err := c.CheckOutbound(ch); err != nil {
			return fmt.Errorf("messages[%d]: %w", i, err)
		}
	}
	return nil
}
