package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"kefu/shared/core/account"
	"kefu/shared/core/fault"
	"kefu/shared/core/message"
	"kefu/shared/core/session"
)

// sendBody is a message to send and when.
type sendBody struct {
	message.Content
	SendAt     string `json:"send_at"`
	ExpiresAt  string `json:"expires_at"`
	WhenClosed string `json:"when_closed"`
}

// sendMessage accepts a message into the customer's outbox.
func (c *call) sendMessage() (answer, error) {
	s, err := c.session()
	if err != nil {
		return answer{}, err
	}
	rules, a, err := c.rulesOf(s)
	if err != nil {
		return answer{}, err
	}
	if a == nil {
		return answer{}, missing("account")
	}
	o := outgoing{call: c, path: s, rules: rules}
	if err := o.read(*a); err != nil {
		return answer{}, err
	}
	// Should the sender have buried the message, since its row came too late, another
	// takes its place: also for a later repetition of the call, which finds both.
	for n := range 3 {
		if o.event.Key = c.retry; c.retry != "" && n > 0 {
			o.event.Key = fmt.Sprintf("%s:%d", c.retry, n)
		}
		m, conversation, err := o.accept()
		if errors.Is(err, errBuried) {
			continue
		}
		if err != nil {
			return answer{}, err
		}
		return accepted(viewMessage(m, conversation, c.now)), nil
	}
	return answer{}, errBuried
}

// errBuried: the row came so late that the sender had given the message up.
var errBuried = fault.New(fault.Unavailable, "", "The message could not be stored in time; send it again.")

// outgoing is one message on its way into the outbox.
type outgoing struct {
	*call
	path    session.Session // the session of the path, perhaps one that has ended
	rules   session.Rules
	content message.Content
	event   session.Enqueue

	visiting bool // a supervisor who writes without taking the session

	row message.Message // what is stored
	err error           // why it isn't
}

// read takes the message from the body and checks all that needs no conversation.
func (o *outgoing) read(a account.Account) error {
	// The type first: of one that nobody knows, the object of its name is not the mistake.
	var peek struct {
		Type message.Type `json:"type"`
	}
	if json.Unmarshal(o.body, &peek) == nil && peek.Type != "" {
		err := message.Content{Type: peek.Type}.CheckOutbound(a.Channel)
		if fault.CodeOf(err) == "type-not-supported" {
			return err
		}
	}
	var body sendBody
	if err := o.decode(&body); err != nil {
		return err
	}
	if body.Type == "" {
		return wrongField("message-invalid", "type", "type is missing.")
	}
	o.content = body.Content
	if err := o.content.CheckOutbound(a.Channel); err != nil {
		return err
	}
	if err := o.readTimes(body); err != nil {
		return err
	}
	switch body.WhenClosed {
	case "", "hold":
	case "fail":
		o.event.FailClosed = true
	default:
		return wrongField("message-invalid", "when_closed", "when_closed must be hold or fail.")
	}
	o.event.Parts, o.event.By, o.event.Bytes = o.content.Parts(), string(o.id.Agent), o.content.TextBytes()
	return o.checkMedia(a)
}

func (o *outgoing) readTimes(body sendBody) (err error) {
	if o.event.SendAt, err = instant("send_at", body.SendAt); err != nil {
		return err
	}
	if o.event.ExpiresAt, err = instant("expires_at", body.ExpiresAt); err != nil {
		return err
	}
	if e := o.event.ExpiresAt; !e.IsZero() && !e.After(o.now) {
		return wrongField("message-invalid", "expires_at", "expires_at is in the past.")
	}
	const far = 366 * 24 * time.Hour
	if last := o.now.Add(far); o.event.SendAt.After(last) || o.event.ExpiresAt.After(last) {
		return wrongField("message-invalid", "send_at", "send_at and expires_at must lie within a year.")
	}
	return nil
}

// checkMedia wants every file to be there and to be the account's own.
func (o *outgoing) checkMedia(a account.Account) error {
	for _, id := range o.content.Media() {
		unknown := fault.With(fault.New(fault.Invalid, "media-unknown", "The account has no such file; upload it first and name its id."),
			map[string]any{"media": id})
		if !idShape().MatchString(id) {
			return unknown
		}
		m, err := o.Store.Media(o.ctx(), id)
		if errors.Is(err, fault.NotFound) {
			return unknown
		}
		if err != nil {
			return fmt.Errorf("media: %w", err)
		}
		if m.Account != a.ID || !m.Owner.Is(a.Owner()) || (!m.ExpiresAt.IsZero() && !o.now.Before(m.ExpiresAt)) {
			return unknown
		}
	}
	return nil
}

// accept enqueues the message and stores its row. A session that nobody serves becomes
// the agent's who writes.
func (o *outgoing) accept() (message.Message, session.Session, error) {
	m, s, err := o.enqueue(func(cur session.Session) error {
		if !o.visiting && o.vacant(cur) {
			return errVacant
		}
		return o.permitted(cur)
	}, o.event)
	if errors.Is(err, errVacant) {
		return o.takeOver()
	}
	return m, s, err
}

// enqueue applies the events, the last of which enqueues the message, if the check permits it.
func (o *outgoing) enqueue(check func(session.Session) error, events ...session.Event) (message.Message, session.Session, error) {
	o.row, o.err = message.Message{}, nil
	sh, _ := o.guard(check)
	res, err := sh.Do(o.ctx(), o.path.Ref(), o.rules, o.store, events...)
	switch {
	case o.err != nil:
		return message.Message{}, session.Session{}, o.err
	case o.row.ID != "":
		// It is accepted. A wake-up that failed is made up for by the sweep.
		if err != nil {
			o.warn("deeds left to the sweep", err)
		}
		return o.row, res.Session, nil
	case err == nil:
		err = fault.New(fault.Internal, "", "")
	case fault.CodeOf(err) == "window-closed":
		err = fault.With(err, map[string]any{"window": viewWindow(res.Session.Window, o.now)})
	}
	return message.Message{}, session.Session{}, err
}

// permitted says whether the key may write into the conversation as it is now. The
// session of the path may have expired and been followed by another: then the
// message joins that one, if the key may write there too.
func (o *outgoing) permitted(cur session.Session) error {
	if cur.Tenant != o.path.Tenant {
		return missing("session")
	}
	if cur.ID == o.path.ID {
		return cur.At(o.rules, o.now).PermitsWriting(o.id)
	}
	if err := o.path.PermitsActing(o.id); err != nil {
		return err
	}
	if o.path.At(o.rules, o.now).State != session.Expired || cur.PermitsWriting(o.id) != nil {
		return fault.With(errClosed, map[string]any{"current_session": cur.ID})
	}
	return nil
}

// store writes the message's row, after the save and before the sender is woken.
func (o *outgoing) store(ctx context.Context, s session.Session, e session.Store) error {
	m := o.rowOf(s, e.Message)
	err := o.Store.PutMessage(ctx, m)
	if errors.Is(err, fault.Conflict) {
		// An earlier try of the same call wrote it, or the sender has given it up.
		if m, err = o.Store.Message(ctx, e.Message); err == nil && (buried(m) || !e.Repeat) {
			err = errBuried
		}
	}
	if err != nil {
		o.err = fmt.Errorf("store message: %w", err)
		return o.err
	}
	o.row = m
	return nil
}

func (o *outgoing) rowOf(s session.Session, id message.ID) message.Message {
	in, n, _ := id.Split()
	m := message.Message{
		ID: id, N: n, Tenant: s.Tenant, Account: s.Account, Customer: s.Customer, Session: in, Direction: message.Out,
		Content: o.content, State: message.Pending, By: string(o.id.Agent), CreatedAt: o.now,
	}
	if o.event.Parts > 1 {
		m.Parts = o.event.Parts
	}
	if i := slices.IndexFunc(s.Outbox, func(w session.Waiting) bool { return w.Message == id }); i >= 0 {
		m.SendAt, m.ExpiresAt = s.Outbox[i].SendAt, s.Outbox[i].ExpiresAt
	}
	if state, reason := s.Standing(m, o.now); !state.Final() {
		m.State, m.Reason = state, reason
	}
	return m
}
