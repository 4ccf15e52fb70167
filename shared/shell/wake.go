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
)

// WakeRouters wakes the router of every account that the agent is bound to.
func (sh *Shell) WakeRouters(ctx context.Context, a agent.Agent) error {
	for _, id := range a.Accounts {
		if err := sh.WakeRouter(ctx, id); err != nil {
			return err
		}
	}
	return nil
}

// Waiting is the body of a wake-up for the router.
type Waiting struct {
	Account account.ID `json:"account"`
}

// WakeRouter tells the router that somebody waits or somebody is free.
func (sh *Shell) WakeRouter(ctx context.Context, id account.ID) error {
	body, err := json.Marshal(Waiting{Account: id})
	if err != nil {
		return err
	}
	if err := sh.Route.Send(ctx, string(id), 0, body); err != nil {
		return fmt.Errorf("wake router: %w", err)
	}
	return nil
}

// wakeSender tells the sender that the conversation's outbox has work at the given
// time. What lies further ahead than a queue can delay is left to the sweep.
func (sh *Shell) wakeSender(ctx context.Context, ref session.Ref, at, now time.Time) error {
	delay := time.Duration(0)
	if !at.IsZero() {
		delay = max(0, at.Sub(now))
	}
	if delay > queue.MaxDelay {
		return nil
	}
	body, err := json.Marshal(ref)
	if err != nil {
		return err
	}
	if err := sh.Outbound.Send(ctx, Group(ref), delay, body); err != nil {
		return fmt.Errorf("wake sender: %w", err)
	}
	return nil
}

// Group names the queue group of a conversation. No account id contains a slash.
func Group(ref session.Ref) string { return string(ref.Account) + "/" + string(ref.Customer) }
