package hook

import (
	"encoding/json"
	"time"

	"kefu/shared/core/account"
	"kefu/shared/core/agent"
	"kefu/shared/core/fault"
	"kefu/shared/core/message"
	"kefu/shared/core/session"
)

// envelope is the body of a request that tells of something, as Standard Webhooks advises.
type envelope struct {
	Type      string    `json:"type"`
	Timestamp time.Time `json:"timestamp"`
	Data      data      `json:"data"`
}

type data struct {
	Account  account.ID       `json:"account"`
	Channel  account.Channel  `json:"channel"`
	Customer account.Customer `json:"customer"`
	Session  session.ID       `json:"session"`
	Sequence int64            `json:"sequence"`
	State    session.State    `json:"state,omitempty"`
	Agent    agent.ID         `json:"agent,omitempty"`
	Message  *messageView     `json:"message,omitempty"`
}

// messageView is a message in the words of the HTTP interface.
type messageView struct {
	ID        message.ID        `json:"id"`
	Direction message.Direction `json:"direction"`
	message.Content
	State     message.State `json:"state"`
	Reason    string        `json:"reason,omitempty"`
	By        string        `json:"by,omitempty"`
	CreatedAt time.Time     `json:"created_at"`
	SentAt    time.Time     `json:"sent_at,omitzero"`
}

// Payload makes the body of a request. M is the row of the message that the news are about, nil if they are about none.
// How an outbound message ended is as the news have it: the row may not know yet.
func Payload(t Told, c account.Channel, m *message.Message) ([]byte, error) {
	n := t.News
	e := envelope{Type: n.Event, Timestamp: n.At.UTC(), Data: data{
		Account: t.Account, Channel: c, Customer: t.Customer, Session: n.Session, Sequence: n.Seq, State: n.State, Agent: n.Agent,
	}}
	if m != nil {
		v := messageView{
			ID: m.ID, Direction: m.Direction, Content: m.Content, State: m.State, Reason: m.Reason, By: m.By,
			CreatedAt: m.CreatedAt.UTC(), SentAt: m.SentAt.UTC(),
		}
		if n.Ended != "" {
			v.State, v.Reason = n.Ended, n.Reason
		}
		if v.State == message.Sent && v.SentAt.IsZero() {
			v.SentAt = n.At.UTC()
		}
		if u := m.Content.Unknown; u != nil {
			v.Unknown = &message.Raw{Type: u.Type, Body: string(m.Raw)} // shown as it came
		}
		e.Data.Message = &v
	}
	b, err := json.Marshal(e)
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, "not-json", err)
	}
	return b, nil
}
