package route

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"kefu/shared/core/account"
	"kefu/shared/core/fault"
	"kefu/shared/core/hook"
	"kefu/shared/core/message"
	"kefu/shared/core/session"
	"kefu/shared/shell"
)

// turnMost is how many messages of one turn the responder is asked about, the last ones.
const turnMost = 50

// turn has the business's responder take the bot's turn in a conversation. When it
// fails, or there is none any more, the bot's own rules answer.
func (r *Router) turn(ctx context.Context, w shell.Wake) (d done, err error) {
	ref := session.Ref{Account: w.Account, Customer: w.Customer}
	a, err := r.woken(ctx, w)
	if errors.Is(err, fault.NotFound) {
		return done{}, nil
	}
	if err != nil {
		return done{}, err
	}
	s, err := r.Sessions.Session(ctx, ref.Account, ref.Customer)
	if errors.Is(err, fault.NotFound) {
		return done{}, nil
	}
	if err != nil {
		return done{}, fmt.Errorf("read session: %w", err)
	}
	rules := session.RulesOf(a)
	if d.session = s.ID; s.Turn == nil || !s.Owner().Is(a.Owner()) || s.At(rules, r.Now()).State != session.Bot {
		return d, nil
	}
	said, to, err := r.said(ctx, s)
	if err != nil || to == 0 {
		return d, err // whoever is about to write the first row wakes the bot again
	}
	reply := session.Replied{To: to}
	answer, err := r.ask(ctx, a, s, said)
	if err == nil {
		reply.Content, reply.Handoff, d.answers = answer.Messages, answer.Handoff, len(answer.Messages)
	} else {
		reply.Failed, d.reason = true, fault.CodeOf(err)
		if last := said[len(said)-1]; last.Text != nil {
			reply.Text = last.Text.Content
		}
	}
	_, err = r.Shell.DoFor(ctx, s.ID, ref, rules, nil, reply)
	if shell.Unseated(err) {
		return d, nil // the session has gone on without the bot
	}
	return d, err
}

// said are the customer's messages of the turn, in order, and the number of the last.
// A number without a row is a message that is being written, or one of others': the
// turn is taken as far as there are rows, and the rest is another turn.
func (r *Router) said(ctx context.Context, s session.Session) (said []hook.Said, to int64, err error) {
	for n := s.Turn.To; n >= s.Turn.From && len(said) < turnMost; n-- {
		m, err := r.Messages.Message(ctx, message.NewID(s.ID, n))
		if errors.Is(err, fault.NotFound) {
			continue
		}
		if err != nil {
			return nil, 0, fmt.Errorf("read message: %w", err)
		}
		if m.Direction != message.In {
			continue
		}
		to = max(to, n)
		said = append(said, hook.Said{ID: m.ID, Content: m.Content})
	}
	slices.Reverse(said)
	return said, to, nil
}

// woken is the account that a wake-up is about; NotFound if it has gone, whoever has its id since.
func (r *Router) woken(ctx context.Context, w shell.Wake) (account.Account, error) {
	return shell.AccountOf(ctx, r.Accounts, w.Account, func(a account.Account) bool { return w.Owner.MayBe(a.Owner()) })
}

var errNoResponder = fault.New(fault.NotFound, "no-responder", "the account has no responder")

// ask asks the responder, and looks whether what it says can be said.
func (r *Router) ask(ctx context.Context, a account.Account, s session.Session, said []hook.Said) (hook.Answer, error) {
	responder := a.Settings.Routing.Bot.Responder
	if r.Responder == nil || responder.URL == "" || !a.Settings.Routing.Bot.Enabled {
		return hook.Answer{}, errNoResponder
	}
	ctx, cancel := context.WithTimeout(ctx, responder.Patience())
	defer cancel()
	answer, err := r.Responder.Ask(ctx, a, hook.Ask{
		ID: string(said[len(said)-1].ID), Account: a.ID, Session: s.ID, Customer: s.Customer, State: s.State, Messages: said,
	})
	if err != nil {
		return hook.Answer{}, err
	}
	return answer, answer.Check(a.Channel)
}
