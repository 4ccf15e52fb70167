package session

import (
	"time"

	"kefu/shared/core/account"
	"kefu/shared/core/quota"
	"kefu/shared/core/tenant"
)

// Rules are the settings of an account that Step decides by.
type Rules struct {
	Tenant      tenant.ID           // empty: the account has gone, and these are the defaults
	Incarnation account.Incarnation // of the account
	// Remembered: the account comes out of a memory, and may have been another a minute ago. Whatever opens a session
	// then is refused with [ErrRemembered].
	Remembered bool
	Channel    account.Channel
	Grants     quota.Table
	SessionFor time.Duration // life after the customer's last message
	HoldFor    time.Duration // life of a hold that names no end
	Auto       bool          // sessions are given to agents; otherwise they wait to be taken
	Priority   int           // of the account's sessions in the queue
	// Silence is how long nobody may have written until an agent's session is released. Zero: for ever.
	Silence time.Duration
	Queue   account.Queue
	Handoff account.Handoff
	Bot     account.Bot
	Hours   account.Hours
	Spend   account.Spend
	Webhook account.Webhook
}

// RulesOf takes the rules from an account.
func RulesOf(a account.Account) Rules {
	return Rules{
		Tenant:      a.Tenant,
		Incarnation: a.Incarnation,
		Channel:     a.Channel,
		Grants:      a.Settings.Table(a.Channel),
		SessionFor:  a.Settings.SessionLife(),
		HoldFor:     a.Settings.HoldLife(),
		Auto:        a.Settings.Routing.Assign.Mode == account.Auto,
		Priority:    a.Settings.Routing.Assign.Priority,
		Silence:     a.Settings.Routing.Assign.Silence(),
		Queue:       a.Settings.Routing.Queue,
		Handoff:     a.Settings.Routing.Handoff,
		Bot:         a.Settings.Routing.Bot,
		Hours:       a.Settings.Routing.Hours,
		Spend:       a.Settings.Routing.Spend,
		Webhook:     a.Webhook,
	}
}

// largest is the most messages that any window of the account can hold.
func (r Rules) largest() int {
	n := 0
	for _, g := range r.Grants {
		n = max(n, g.Limit)
	}
	return n
}
