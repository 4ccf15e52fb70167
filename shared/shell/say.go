package shell

import (
	"context"
	"errors"
	"fmt"
	"time"

	"kefu/shared/core/fault"
	"kefu/shared/core/message"
	"kefu/shared/core/session"
)

// say writes the row of a message that a rule wrote. One that is there already stays.
func (sh *Shell) say(ctx context.Context, s session.Session, e session.Say, at time.Time) error {
	in, n, _ := e.Message.Split()
	m := message.Message{
		ID: e.Message, N: n, Tenant: s.Tenant, Account: s.Account, Customer: s.Customer, Session: in,
		Direction: message.Out, Content: e.Content, State: message.Pending, By: e.By, CreatedAt: at, ExpiresAt: e.ExpiresAt,
	}
	if e.State != "" {
		m.State, m.Reason = e.State, e.Reason
	}
	err := sh.Store.PutMessage(ctx, m)
	if errors.Is(err, fault.Conflict) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("store what a rule said: %w", err)
	}
	return nil
}

// Said returns the row of a message of the flight, writing it first if a rule wrote the
// message and a crash kept its row from being written. NotFound if there is none.
func (sh *Shell) Said(ctx context.Context, s session.Session, w session.Waiting) (message.Message, error) {
	m, err := sh.Store.Message(ctx, w.Message)
	if !errors.Is(err, fault.NotFound) || w.Content == nil {
		return m, err
	}
	said := session.Say{Message: w.Message, Content: *w.Content, By: w.By, ExpiresAt: w.ExpiresAt}
	if err := sh.say(ctx, s, said, sh.Now()); err != nil {
		return message.Message{}, err
	}
	return sh.Store.Message(ctx, w.Message)
}
