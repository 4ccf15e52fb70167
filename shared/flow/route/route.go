// Package route gives waiting sessions to free agents. Start with [Router.Handle],
// which takes a wake-up that names an account: somebody waits there, or somebody
// has become free.
package route

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"kefu/shared/core/account"
	"kefu/shared/core/agent"
	"kefu/shared/core/fault"
	"kefu/shared/core/route"
	"kefu/shared/core/session"
	"kefu/shared/core/tenant"
	"kefu/shared/shell"
)

// Accounts finds an account; NotFound if it has been deleted.
type Accounts interface {
	Account(ctx context.Context, id account.ID) (account.Account, error)
}

// Sessions lists the queue of an account, longest waiting first.
type Sessions interface {
	Sessions(ctx context.Context, q session.Query) (items []session.Session, next string, err error)
	SessionByID(ctx context.Context, id session.ID) (session.Session, error)
}

// Agents knows who may take sessions, and keeps their seats: however many race,
// TakeSeat never gives more than capacity seats, and refuses with Conflict.
type Agents interface {
	AgentsOf(ctx context.Context, t tenant.ID, id account.ID) ([]agent.Agent, error)
	Seats(ctx context.Context, t tenant.ID, a agent.ID) ([]agent.Seat, error)
	TakeSeat(ctx context.Context, t tenant.ID, a agent.ID, s session.ID, capacity int, at time.Time) error
	FreeSeat(ctx context.Context, t tenant.ID, a agent.ID, s session.ID) error
}

// Router assigns.
type Router struct {
	Accounts Accounts
	Sessions Sessions
	Agents   Agents
	Shell    *shell.Shell
	Now      func() time.Time
	Log      *slog.Logger
}

// page is how many waiting sessions are looked at in one reading.
const page = 200

// Handle gives the account's waiting sessions to its free agents, until either
// run out. Two routers at work on one account do no harm: seats and sessions are
// taken on condition.
func (r *Router) Handle(ctx context.Context, body []byte) error {
	start := r.Now()
	var w shell.Waiting
	if err := json.Unmarshal(body, &w); err != nil || w.Account == "" {
		return fault.New(fault.Invalid, "not-a-wake-up", "the queue message names no account")
	}
	n, err := r.run(ctx, w.Account)
	attrs := []slog.Attr{
		slog.String("function", "router"), slog.String("account", string(w.Account)),
		slog.Int("assigned", n), slog.Duration("took", r.Now().Sub(start)),
	}
	level := slog.LevelInfo
	if err != nil {
		level, attrs = slog.LevelError, append(attrs, slog.String("reason", fault.CodeOf(err)), slog.String("cause", err.Error()))
	}
	r.Log.LogAttrs(ctx, level, "route", attrs...)
	return err
}

func (r *Router) run(ctx context.Context, id account.ID) (assigned int, err error) {
	a, err := r.Accounts.Account(ctx, id)
	if errors.Is(err, fault.NotFound) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	if a.Settings.Routing.Assign.Mode != account.Auto {
		return 0, nil
	}
	for {
		waiting, more, err := r.Sessions.Sessions(ctx, session.Query{Tenant: a.Tenant, Account: a.ID, State: session.Queued, Limit: page})
		if err != nil {
			return assigned, fmt.Errorf("list queue: %w", err)
		}
		candidates, err := r.candidates(ctx, a)
		if err != nil {
			return assigned, err
		}
		n, full, err := r.assign(ctx, a, waiting, candidates)
		assigned += n
		if err != nil || full || n == 0 || more == "" {
			return assigned, err
		}
	}
}

func (r *Router) candidates(ctx context.Context, a account.Account) ([]route.Candidate, error) {
	agents, err := r.Agents.AgentsOf(ctx, a.Tenant, a.ID)
	if err != nil {
		return nil, fmt.Errorf("list agents: %w", err)
	}
	var all []route.Candidate
	for _, g := range agents {
		if g.Status != agent.Online {
			continue
		}
		seats, err := r.seats(ctx, g)
		if err != nil {
			return nil, err
		}
		c := route.Candidate{Agent: g, Load: len(seats)}
		for _, s := range seats {
			if s.TakenAt.After(c.LastUsed) {
				c.LastUsed = s.TakenAt
			}
		}
		all = append(all, c)
	}
	return all, nil
}

// seats lists an agent's seats. When none is free, those that a crash left taken
// are given back.
func (r *Router) seats(ctx context.Context, g agent.Agent) ([]agent.Seat, error) {
	seats, err := r.Agents.Seats(ctx, g.Tenant, g.ID)
	if err != nil || len(seats) < g.Capacity {
		return seats, err
	}
	if _, err := r.Shell.FreeStaleSeats(ctx, r.Sessions, seats, g); err != nil {
		return nil, err
	}
	return r.Agents.Seats(ctx, g.Tenant, g.ID)
}

// assign goes through the queue in order; full reports that no seat is left.
func (r *Router) assign(ctx context.Context, a account.Account, waiting []session.Session, all []route.Candidate) (assigned int, full bool, err error) {
	for _, s := range waiting {
		if !a.Settings.Routing.Automatic(len(waiting) - assigned) {
			return assigned, true, nil
		}
		ok := false
		for _, c := range route.Order(all) {
			ok, err = r.give(ctx, a, s, c.Agent)
			if err != nil {
				return assigned, false, err
			}
			for i := range all {
				if all[i].Agent.ID == c.Agent.ID {
					// Taken, or already full: either way one seat fewer than we thought.
					all[i].Load++
					all[i].LastUsed = r.Now()
				}
			}
			if ok {
				assigned++
				break
			}
		}
		if !ok && len(route.Order(all)) == 0 {
			return assigned, true, nil
		}
	}
	return assigned, false, nil
}

// give takes a seat, then the session. Whoever loses the session gives the seat back.
func (r *Router) give(ctx context.Context, a account.Account, s session.Session, g agent.Agent) (bool, error) {
	err := r.Agents.TakeSeat(ctx, g.Tenant, g.ID, s.ID, g.Capacity, r.Now())
	if errors.Is(err, fault.Conflict) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("take seat: %w", err)
	}
	res, err := r.Shell.DoFor(ctx, s.ID, s.Ref(), session.RulesOf(a), nil, session.Assign{Agent: g.ID})
	if err == nil {
		return true, nil
	}
	if res.Session.ID == s.ID && res.Session.State == session.Serving && res.Session.Agent == g.ID {
		return true, nil // ours already
	}
	if freed := r.Agents.FreeSeat(ctx, g.Tenant, g.ID, s.ID); freed != nil {
		return false, freed
	}
	if errors.Is(err, fault.Conflict) || errors.Is(err, fault.NotFound) {
		return false, nil
	}
	return false, err
}
