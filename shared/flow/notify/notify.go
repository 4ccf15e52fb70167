// Package notify tells the business's own software what happened in its conversations: it works on the queue of news,
// in order within a conversation, and posts each to the account's webhook. Start with [Notifier.Handle].
//
// News that can't be told come back with growing pauses, for a day; the later ones of the conversation wait behind
// them. Then they are dead: kept, with the reason, where kefu/shared/core/hook reads them, and the conversation goes on.
// The receiver may get the same news twice, with the same webhook-id: whoever dies between its answer and the queue's
// acknowledgement tells it again.
package notify

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"kefu/shared/core/account"
	"kefu/shared/core/fault"
	"kefu/shared/core/hook"
	"kefu/shared/core/message"
	"kefu/shared/core/queue"
	"kefu/shared/shell"
)

// Accounts finds an account with what signs its webhook, perhaps as it was a minute ago; NotFound if it has been deleted.
type Accounts interface {
	Account(ctx context.Context, id account.ID) (account.Account, error)
}

// Messages has the rows; NotFound if there is none yet.
type Messages interface {
	Message(ctx context.Context, id message.ID) (message.Message, error)
}

// Dead keeps what could not be told. Keeping the same twice changes nothing.
type Dead interface {
	KeepRaw(ctx context.Context, r message.RawPush) error
}

// Receiver makes one request to the account's webhook and tells what became of it in every case. It bounds its time
// itself.
type Receiver interface {
	Tell(ctx context.Context, a account.Account, id string, body []byte) hook.Outcome
}

// Notifier tells news.
type Notifier struct {
	Accounts Accounts
	Messages Messages
	Dead     Dead
	Receiver Receiver
	Now      func() time.Time
	Log      *slog.Logger
}

// Handle works on one queue message. Its group must wait for it: an error of kind Exhausted carries the time after
// which it has to come again, and says that it was not told. A body that is no news is Invalid.
func (n *Notifier) Handle(ctx context.Context, d queue.Delivery) error {
	start := n.Now()
	t, err := hook.Read(d.Body)
	if err != nil {
		return err
	}
	a, err := shell.AccountOf(ctx, n.Accounts, t.Account, func(a account.Account) bool { return t.Owner.Is(a.Owner()) })
	if errors.Is(err, fault.NotFound) || (err == nil && !a.Webhook.Tells(t.News.Event)) {
		return nil // nobody wants to hear it, any more
	}
	o := unread("account", err)
	if err == nil {
		o = n.tell(ctx, a, t)
	}
	n.log(ctx, t, d.Receives, o, start)
	switch o.Kind {
	case hook.Delivered:
		return nil
	case hook.Gone:
		return n.bury(ctx, t, o, d.Receives)
	}
	pause, more := t.Next(d.Receives, o.After, n.Now())
	if !more {
		return n.bury(ctx, t, o, d.Receives)
	}
	return later(pause, o)
}

// tell makes the request's body, and the request.
func (n *Notifier) tell(ctx context.Context, a account.Account, t hook.Told) hook.Outcome {
	var row *message.Message
	if id := t.News.Message; id != "" {
		m, err := n.Messages.Message(ctx, id)
		if err != nil {
			return unread("message", err)
		}
		if m.Tenant != a.Tenant {
			return hook.Outcome{Kind: hook.Gone, Reason: "message-of-another"}
		}
		row = &m
	}
	body, err := hook.Payload(t, a.Channel, row)
	if err != nil {
		return hook.Outcome{Kind: hook.Failed, Reason: fault.CodeOf(err), Cause: err}
	}
	return n.Receiver.Tell(ctx, a, t.ID(), body)
}

// unread is the outcome when the store doesn't give what is to be told. A row that isn't there is about to be written,
// or its writer has died and comes again.
func unread(what string, err error) hook.Outcome {
	o := hook.Outcome{Kind: hook.Failed, Reason: what + "-unread", Cause: fmt.Errorf("%s: %w", what, err)}
	if errors.Is(err, fault.NotFound) {
		o.Reason = what + "-missing"
	}
	return o
}

// bury keeps news that are dead. As long as that fails they come again.
func (n *Notifier) bury(ctx context.Context, t hook.Told, o hook.Outcome, tries int) error {
	kept, err := hook.Bury(t, o.Reason, n.Now())
	if err != nil {
		return err
	}
	if err := n.Dead.KeepRaw(ctx, kept); err != nil {
		// After all its time, or the receiver's 410, only the store is waited for.
		return fault.WithAfter(fault.Wrap(fault.Exhausted, "not-kept", fmt.Errorf("keep dead news: %w", err)), hook.Rest(tries))
	}
	n.Log.LogAttrs(ctx, slog.LevelError, "dead", about(t, slog.String("reason", o.Reason), slog.Int("tries", tries))...)
	return nil
}

// later says when the news have to come again.
func later(pause time.Duration, o hook.Outcome) error {
	cause := o.Cause
	if cause == nil {
		cause = errors.New("the receiver did not take it")
	}
	return fault.WithAfter(fault.Wrap(fault.Exhausted, "not-told", fmt.Errorf("%s: %w", o.Reason, cause)), pause)
}

func (n *Notifier) log(ctx context.Context, t hook.Told, tries int, o hook.Outcome, start time.Time) {
	level := slog.LevelInfo
	if o.Kind != hook.Delivered {
		level = slog.LevelWarn
	}
	n.Log.LogAttrs(ctx, level, "tell", about(
		t, slog.String("outcome", string(o.Kind)), slog.String("reason", o.Reason), slog.Int("status", o.Status),
		slog.Int("tries", tries), slog.Duration("took", n.Now().Sub(start)),
	)...)
}

// about names news in the log: ids, and no word of what anybody wrote.
func about(t hook.Told, more ...slog.Attr) []slog.Attr {
	return append([]slog.Attr{
		slog.String("function", "webhook"), slog.String("account", string(t.Account)), slog.String("session", string(t.News.Session)),
		slog.String("id", t.ID()), slog.String("event", t.News.Event),
	}, more...)
}
