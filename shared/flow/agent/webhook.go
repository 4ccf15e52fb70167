package agent

import (
	"errors"
	"fmt"
	"regexp"
	"sync"
	"time"

	"kefu/shared/core/account"
	"kefu/shared/core/fault"
	"kefu/shared/core/hook"
	"kefu/shared/core/message"
	"kefu/shared/shell"
)

// webhookView is where an account's events are told. The secret is shown when it is made.
type webhookView struct {
	URL       string    `json:"url"`
	Events    []string  `json:"events"`
	HasSecret bool      `json:"has_secret"`
	SecretAt  time.Time `json:"secret_at,omitzero"` // since when it signs
	Secret    string    `json:"secret,omitempty"`
}

func viewWebhook(a account.Account) webhookView {
	v := webhookView{URL: a.Webhook.URL, Events: a.Webhook.Events, HasSecret: a.Signing.Secret != "", SecretAt: a.Signing.ChangedAt.UTC()}
	if len(v.Events) == 0 {
		v.Events = account.WebhookEvents()
	}
	return v
}

func (c *call) getWebhook() (answer, error) {
	a, err := c.account()
	if err != nil {
		return answer{}, err
	}
	if a.Webhook.URL == "" {
		return answer{}, missing("webhook")
	}
	return ok(viewWebhook(a)), nil
}

// putWebhook says where the account's events are told. The first time a secret is made
// that signs them, and shown this once.
func (c *call) putWebhook() (answer, error) {
	a, err := c.account()
	if err != nil {
		return answer{}, err
	}
	var body account.Webhook
	if err := c.decode(&body); err != nil {
		return answer{}, err
	}
	if err := body.Check(); err != nil {
		return answer{}, err
	}
	isNew := a.Webhook.URL == ""
	a.Webhook = body
	fresh := a.Signing.Secret == ""
	if fresh {
		if a.Signing, err = hook.Rotate(a.Signing, c.Rand, c.now); err != nil {
			return answer{}, err
		}
	}
	if err := c.Store.SetWebhook(c.ctx(), a.ID, a.Webhook, a.Signing); err != nil {
		return answer{}, named(fmt.Errorf("set webhook: %w", err), "account")
	}
	v := viewWebhook(a)
	if fresh {
		v.Secret = a.Signing.Secret.Reveal()
	}
	return made(isNew, v), nil
}

// deleteWebhook stops the telling. The secret stays, since it signs what the responder is asked too.
func (c *call) deleteWebhook() (answer, error) {
	a, err := c.account()
	if err != nil {
		return answer{}, err
	}
	if a.Webhook.URL == "" {
		return answer{}, missing("webhook")
	}
	if err := c.Store.SetWebhook(c.ctx(), a.ID, account.Webhook{}, a.Signing); err != nil {
		return answer{}, named(fmt.Errorf("set webhook: %w", err), "account")
	}
	return done(), nil
}

// secretView is a new signing secret: the one time that it is shown.
type secretView struct {
	Secret string `json:"secret"`
	// PreviousUntil is how long the former one signs too.
	PreviousUntil time.Time `json:"previous_until,omitzero"`
}

// createSecret makes a new secret, which signs webhooks and what the responder is asked.
func (c *call) createSecret() (answer, error) {
	if err := c.noFields(); err != nil {
		return answer{}, err
	}
	a, err := c.account()
	if err != nil {
		return answer{}, err
	}
	next, err := hook.Rotate(a.Signing, c.Rand, c.now)
	if err != nil {
		return answer{}, err
	}
	if err := c.Store.SetWebhook(c.ctx(), a.ID, a.Webhook, next); err != nil {
		return answer{}, named(fmt.Errorf("set secret: %w", err), "account")
	}
	v := secretView{Secret: next.Secret.Reveal()}
	if next.Previous != "" {
		v.PreviousUntil = c.now.Add(account.SigningOverlap)
	}
	return created(v), nil
}

// listDeadNews lists what could not be told within a day, oldest first.
func (c *call) listDeadNews() (answer, error) {
	a, err := c.account()
	if err != nil {
		return answer{}, err
	}
	cursor, limit, err := c.paging()
	if err != nil {
		return answer{}, err
	}
	kept, next, err := c.Store.RawPushes(c.ctx(), hook.Yard(a.Scope()), cursor, limit)
	if err != nil {
		return answer{}, fmt.Errorf("list dead news: %w", err)
	}
	items := make([]hook.Dead, 0, len(kept))
	for _, k := range kept {
		if d, err := hook.ReadDead(k); err == nil {
			items = append(items, d)
		}
	}
	return ok(page(items, next)), nil
}

// deadShape is what keys of dead news look like.
var deadShape = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[A-Za-z0-9_@-]{1,160}$`) })

// resendDeadNews has dead news told once more. It stays in the list.
func (c *call) resendDeadNews() (answer, error) {
	if err := c.noFields(); err != nil {
		return answer{}, err
	}
	a, err := c.account()
	if err != nil {
		return answer{}, err
	}
	if a.Webhook.URL == "" {
		return answer{}, fault.New(fault.Conflict, "no-webhook", "The account has no webhook to tell it to.")
	}
	kept, err := c.deadNews(a.Scope(), c.r.PathValue("news"))
	if err != nil {
		return answer{}, err
	}
	ref, body, err := hook.Again(kept, c.now)
	if err != nil {
		return answer{}, err
	}
	if err := c.Shell.Hooks.Send(c.ctx(), shell.Group(ref), 0, body); err != nil {
		return answer{}, fault.Wrap(fault.Unavailable, "", fmt.Errorf("tell again: %w", err))
	}
	dead, err := hook.ReadDead(kept)
	if err != nil {
		return answer{}, err
	}
	return accepted(dead), nil
}

// deadNews finds what is kept under a key. There are few, as somebody looks after them.
func (c *call) deadNews(of account.Scope, key string) (message.RawPush, error) {
	if !deadShape().MatchString(key) {
		return message.RawPush{}, missing("entry")
	}
	for cursor := ""; ; {
		kept, next, err := c.Store.RawPushes(c.ctx(), hook.Yard(of), cursor, maxLimit)
		if err != nil {
			return message.RawPush{}, fmt.Errorf("find dead news: %w", err)
		}
		for _, k := range kept {
			if k.Push.Key == key {
				return k, nil
			}
		}
		if cursor = next; cursor == "" {
			return message.RawPush{}, missing("entry")
		}
		if err := c.ctx().Err(); err != nil {
			return message.RawPush{}, errors.Join(fault.Unavailable, err)
		}
	}
}
