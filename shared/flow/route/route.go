// Package route gives waiting sessions to free agents, tells who waits his place,
// takes sessions from agents who have gone, and asks the business's responder. Start
// with [Router.Handle], which takes a wake-up; each kind of wake-up is a file of its own.
package route

import (
	"context"
	"encoding/json"
	"log/slog"
	"sync"
	"time"

	"kefu/shared/core/account"
	"kefu/shared/core/agent"
	"kefu/shared/core/fault"
	"kefu/shared/core/hook"
	"kefu/shared/core/message"
	"kefu/shared/core/session"
	"kefu/shared/core/tenant"
	"kefu/shared/shell"
)

// Accounts finds an account, perhaps as it was a minute ago; NotFound if it has been deleted.
type Accounts interface {
	Account(ctx context.Context, id account.ID) (account.Account, error)
}

// Sessions lists the queue of an account, in its order, and finds sessions.
type Sessions interface {
	Sessions(ctx context.Context, q session.Query) (items []session.Session, next string, err error)
	SessionByID(ctx context.Context, id session.ID) (session.Session, error)
	// Session returns a customer's current session.
	Session(ctx context.Context, a account.ID, c account.Customer) (session.Session, error)
}

// Messages finds the row of a message; NotFound if there is none.
type Messages interface {
	Message(ctx context.Context, id message.ID) (message.Message, error)
}

// Agents knows who may take sessions, and keeps their seats: however many race,
// TakeSeat never gives more than capacity seats, and refuses with Conflict.
type Agents interface {
	Agent(ctx context.Context, t tenant.ID, id agent.ID) (agent.Agent, error)
	AgentsOf(ctx context.Context, t tenant.ID, id account.ID) ([]agent.Agent, error)
	SetStatus(ctx context.Context, t tenant.ID, id agent.ID, s agent.Status, at, until time.Time) (agent.Agent, error)
	Desk(ctx context.Context, t tenant.ID, a agent.ID) (agent.Desk, error)
	// Desks are those of several agents, in their order.
	Desks(ctx context.Context, t tenant.ID, agents []agent.ID) ([]agent.Desk, error)
	// TakeSeat tells whether the session had no seat before; if it had, nothing changes.
	TakeSeat(ctx context.Context, t tenant.ID, a agent.ID, s session.ID, capacity int, at time.Time) (taken bool, err error)
}

// Responder is the business's own software, which takes the bot's place. An error
// means that it gives no answer: then the own rules of the bot do, and it is not asked again.
type Responder interface {
	Ask(ctx context.Context, a account.Account, turn hook.Ask) (hook.Answer, error)
}

// Router handles wake-ups.
type Router struct {
	Accounts  Accounts
	Sessions  Sessions
	Messages  Messages
	Agents    Agents
	Responder Responder // nil: no account's is asked, and the bot's own rules answer
	Shell     *shell.Shell
	Now       func() time.Time
	Log       *slog.Logger

	mu     sync.Mutex
	looked map[seatsOf]time.Time // see mayLook
}

// done is what came of a wake-up, for the log.
type done struct {
	assigned, told, released int
	answers                  int
	session                  session.ID
	reason                   string
}

// Handle does what a wake-up asks for. Any number of routers may be at work at once,
// and a wake-up may come twice, late or for nothing: seats and sessions are taken on
// condition, and each step looks at what is so now.
func (r *Router) Handle(ctx context.Context, body []byte) error {
	start := r.Now()
	var w shell.Wake
	if err := json.Unmarshal(body, &w); err != nil {
		return fault.New(fault.Invalid, "not-a-wake-up", "the queue message is no wake-up")
	}
	var d done
	var err error
	switch {
	case w.Agent != "" && w.Tenant != "":
		d, err = r.gone(ctx, w.Tenant, w.Agent)
	case w.Account != "" && w.Customer != "":
		d, err = r.turn(ctx, w)
	case w.Account != "":
		d, err = r.serve(ctx, w)
	default:
		return fault.New(fault.Invalid, "not-a-wake-up", "the queue message names no account and no agent")
	}
	r.log(ctx, w, d, err, r.Now().Sub(start))
	return err
}

// log writes the one line of a wake-up. No text of anybody stands in it.
func (r *Router) log(ctx context.Context, w shell.Wake, d done, err error, took time.Duration) {
	attrs := []slog.Attr{slog.String("function", "router")}
	add := func(name, value string) {
		if value != "" {
			attrs = append(attrs, slog.String(name, value))
		}
	}
	add("account", string(w.Account))
	add("tenant", string(w.Tenant))
	add("agent", string(w.Agent))
	add("session", string(d.session))
	for _, n := range []struct {
		name string
		n    int
	}{{"assigned", d.assigned}, {"told", d.told}, {"released", d.released}, {"answers", d.answers}} {
		if n.n > 0 {
			attrs = append(attrs, slog.Int(n.name, n.n))
		}
	}
	attrs = append(attrs, slog.Duration("took", took))
	level := slog.LevelInfo
	if err != nil {
		level, d.reason = slog.LevelError, fault.CodeOf(err)
		add("cause", err.Error())
	}
	add("reason", d.reason)
	r.Log.LogAttrs(ctx, level, "route", attrs...)
}
