// Package message describes what customers and agents send each other, in
// Kefu's own form. [Message] is one row of a conversation, [Content] what it
// says, [Push] a delivery of the platform as it waits for ingest, and [Inbound]
// that delivery once it has been read.
package message

import (
	"strconv"
	"strings"
	"time"

	"kefu/shared/core/account"
	"kefu/shared/core/quota"
	"kefu/shared/core/tenant"
)

// ID names a message: the session it stands in and its number, "s4k…-12".
type ID string

// SessionID names a session. It lives here because messages refer to sessions
// and sessions to messages.
type SessionID string

// NewID makes the id of the n-th message of a customer's conversation.
func NewID(s SessionID, n int64) ID { return ID(string(s) + "-" + strconv.FormatInt(n, 10)) }

// Split takes an id apart; ok is false for a text that is no message id.
func (id ID) Split() (s SessionID, n int64, ok bool) {
	left, right, found := strings.Cut(string(id), "-")
	n, err := strconv.ParseInt(right, 10, 64)
	if !found || left == "" || err != nil || n <= 0 {
		return "", 0, false
	}
	return SessionID(left), n, true
}

// Direction says who wrote.
type Direction string

// In is from the customer, Out to him.
const (
	In  Direction = "in"
	Out Direction = "out"
)

// State is where an outbound message stands.
type State string

// Pending, Held and Sending are on the way; the others are final: each outbound
// message ends in exactly one of them. Received is the one state of inbound messages.
const (
	Received  State = "received"
	Pending   State = "pending" // goes at once
	Held      State = "held"    // waits for its time, for a window, or behind another
	Sending   State = "sending" // a call is under way
	Sent      State = "sent"
	Failed    State = "failed"
	Expired   State = "expired"
	Cancelled State = "cancelled"
	Unknown   State = "unknown" // the call's answer was lost
)

// Final reports whether the state never changes again.
func (s State) Final() bool {
	switch s {
	case Sent, Failed, Expired, Cancelled, Unknown, Received:
		return true
	}
	return false
}

// Message is one row of a conversation. Rows are ordered by N within a session;
// numbers grow over all sessions of a customer.
type Message struct {
	ID        ID               `json:"id"`
	N         int64            `json:"n"`
	Tenant    tenant.ID        `json:"tenant"`
	Account   account.ID       `json:"account"`
	Customer  account.Customer `json:"customer"`
	Session   SessionID        `json:"session"`
	Direction Direction        `json:"direction"`
	Content   Content          `json:"content"`
	State     State            `json:"state"`
	Reason    string           `json:"reason,omitempty"` // why it ended so; a stable word, then details
	Code      int              `json:"code,omitempty"`   // the platform's error code, if it gave one
	By        string           `json:"by,omitempty"`     // who wrote: an agent's id, empty for a key of the tenant
	Push      string           `json:"push,omitempty"`   // inbound: key of the push that brought it
	Raw       []byte           `json:"raw,omitempty"`    // inbound: the push as it was read, for replay
	CreatedAt time.Time        `json:"created_at"`       // inbound: the customer's time; outbound: accepted
	SentAt    time.Time        `json:"sent_at,omitzero"`
	SendAt    time.Time        `json:"send_at,omitzero"`
	ExpiresAt time.Time        `json:"expires_at,omitzero"`
	Parts     int              `json:"parts,omitempty"`      // outbound: calls needed, when more than one
	PartsSent int              `json:"parts_sent,omitempty"` // of these, how many the platform took
	With      ID               `json:"with,omitempty"`       // outbound: went out in one text with that one
	Cause     *Cause           `json:"cause,omitempty"`      // outbound: what it was sent in answer to
	Approved  string           `json:"approved,omitempty"`   // outbound: the supervisor who let it go
}

// Who writes when no person does.
const (
	ByBot    = "bot"
	BySystem = "system"
)

// Cause is the customer's action that a message was sent in answer to: the one whose
// grant allowed it (M12).
type Cause struct {
	Action  quota.Action `json:"action"`
	At      time.Time    `json:"at"`
	Message ID           `json:"message,omitempty"` // its row
}

// Settlement is how an outbound message ended.
type Settlement struct {
	Message   ID        `json:"m"`
	State     State     `json:"s"`
	Reason    string    `json:"r,omitempty"`
	Code      int       `json:"c,omitempty"`
	At        time.Time `json:"at"`
	PartsSent int       `json:"p,omitempty"`
	With      ID        `json:"w,omitempty"`
	Cause     *Cause    `json:"cs,omitempty"`
	Approved  string    `json:"ap,omitempty"`
}

// Settle returns the row as the settlement leaves it. A row that has ended stays as it is.
func (m Message) Settle(s Settlement) (Message, bool) {
	if m.State.Final() {
		return m, false
	}
	m.State, m.Reason, m.Code, m.PartsSent = s.State, s.Reason, s.Code, s.PartsSent
	m.With, m.Cause, m.Approved = s.With, s.Cause, s.Approved
	if s.State == Sent {
		m.SentAt = s.At
	}
	return m, true
}
