package shell

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"kefu/shared/core/account"
	"kefu/shared/core/agent"
	"kefu/shared/core/queue"
	"kefu/shared/core/session"
	"kefu/shared/core/tenant"
)

// WakeRouters wakes the router of every account that the agent is bound to.
func (sh *Shell) WakeRouters(ctx context.Context, a agent.Agent) error {
	for _, id := range a.Accounts {
		if err := sh.WakeRouter(ctx, id, account.Owner{Tenant: a.Tenant}); err != nil {
			return err
		}
	}
	return nil
}

// Wake is the body of a wake-up for the router. It names an account, where somebody
// waits or is free; or with Customer a conversation whose bot has to ask the business's
// responder; or an agent who may have gone.
type Wake struct {
	Account       account.ID       `json:"account,omitempty"`
	Customer      account.Customer `json:"customer,omitempty"`
	account.Owner                  // of the account, as far as it is known; of an agent the tenant
	Agent         agent.ID         `json:"agent,omitempty"`
}

// WakeRouter tells the router that somebody waits or somebody is free.
func (sh *Shell) WakeRouter(ctx context.Context, id account.ID, of account.Owner) error {
	return sh.wakeRouter(ctx, string(id), 0, Wake{Account: id, Owner: of})
}

// AgentGone has the router look after some time whether the agent is gone, and release
// his sessions if so. At most queue.MaxDelay ahead.
func (sh *Shell) AgentGone(ctx context.Context, t tenant.ID, id agent.ID, after time.Duration) error {
	return sh.wakeRouter(ctx, string(t)+"/"+string(id), after, Wake{Owner: account.Owner{Tenant: t}, Agent: id})
}

// wakeBot has the router take the bot's turn.
func (sh *Shell) wakeBot(ctx context.Context, s session.Session) error {
	return sh.wakeRouter(ctx, Group(s.Ref()), 0, Wake{Account: s.Account, Customer: s.Customer, Owner: s.Owner()})
}

func (sh *Shell) wakeRouter(ctx context.Context, group string, after time.Duration, w Wake) error {
	body, err := json.Marshal(w)
	if err != nil {
		return err
	}
	if err := sh.Route.Send(ctx, group, after, body); err != nil {
		return fmt.Errorf("wake router: %w", err)
	}
	return nil
}

// SenderWake is the body of a wake-up for the sender: a conversation whose outbox has work. What had the account's id
// before is not woken for.
type SenderWake struct {
	session.Ref
	account.Owner
}

// wakeSender tells the sender that the conversation's outbox has work at the given
// time. What lies further ahead than a queue can delay is left to the sweep.
func (sh *Shell) wakeSender(ctx context.Context, s session.Session, at, now time.Time) error {
	delay := time.Duration(0)
	if !at.IsZero() {
		delay = max(0, at.Sub(now))
	}
	if delay > queue.MaxDelay {
		return nil
	}
	body, err := json.Marshal(SenderWake{Ref: s.Ref(), Owner: s.Owner()})
	if err != nil {
		return err
	}
	if err := sh.Outbound.Send(ctx, Group(s.Ref()), delay, body); err != nil {
		return fmt.Errorf("wake sender: %w", err)
	}
	return nil
}

// Group names the queue group of a conversation. No account id contains a slash.
func Group(ref session.Ref) string { return string(ref.Account) + "/" + string(ref.Customer) }
