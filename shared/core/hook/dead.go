package hook

import (
	"encoding/json"
	"strconv"
	"time"

	"kefu/shared/core/account"
	"kefu/shared/core/fault"
	"kefu/shared/core/message"
	"kefu/shared/core/session"
)

// Yard is the scope under which the dead news of an account are kept among the raw pushes. No account has such a one.
func Yard(of account.Scope) account.Scope { return yard + of }

const yard = "-hooks-"

// Bury makes what is kept of news that could not be told: a raw push whose body is the queue message's, without a word of
// what anybody wrote. Its key is the same however often it is buried, but another one for each time that it was told again.
func Bury(t Told, reason string, now time.Time) (message.RawPush, error) {
	body, err := json.Marshal(t)
	if err != nil {
		return message.RawPush{}, fault.Wrap(fault.Invalid, "not-json", err)
	}
	key := t.ID()
	if !t.AgainAt.IsZero() {
		key += "@" + strconv.FormatInt(t.AgainAt.UnixMilli(), 10)
	}
	return message.RawPush{
		Push:   message.Push{Account: yard + t.Account, Owner: t.Owner, Customer: t.Customer, Key: key, Body: body, ReceivedAt: now},
		Reason: reason,
	}, nil
}

// Dead is news that could not be told, as they are shown.
type Dead struct {
	Key      string           `json:"key"` // names this entry of the list
	ID       string           `json:"id"`  // the request's webhook-id
	Event    string           `json:"event"`
	At       time.Time        `json:"at"` // when it happened
	Customer account.Customer `json:"customer"`
	Session  session.ID       `json:"session"`
	Sequence int64            `json:"sequence"`
	Message  message.ID       `json:"message,omitempty"`
	Reason   string           `json:"reason"` // of the last try
	DiedAt   time.Time        `json:"died_at"`
	AgainAt  time.Time        `json:"again_at,omitzero"` // when it had been told again
}

// ReadDead reads what [Bury] made; what is something else is Invalid with code "not-news".
func ReadDead(r message.RawPush) (Dead, error) {
	t, err := Read(r.Push.Body)
	if err != nil {
		return Dead{}, err
	}
	n := t.News
	return Dead{
		Key: r.Push.Key, ID: t.ID(), Event: n.Event, At: n.At.UTC(), Customer: t.Customer, Session: n.Session, Sequence: n.Seq,
		Message: n.Message, Reason: r.Reason, DiedAt: r.Push.ReceivedAt.UTC(), AgainAt: t.AgainAt.UTC(),
	}, nil
}

// Again gives the body of the queue message that has dead news told once more, for [GiveUp] from now and with the same
// webhook-id, and the conversation whose group it goes into.
func Again(r message.RawPush, now time.Time) (session.Ref, []byte, error) {
	t, err := Read(r.Push.Body)
	if err != nil {
		return session.Ref{}, nil, err
	}
	t.AgainAt = now
	body, err := json.Marshal(t)
	if err != nil {
		return session.Ref{}, nil, fault.Wrap(fault.Invalid, "not-json", err)
	}
	return t.Ref, body, nil
}
