package route

import (
	"context"
	"errors"
	"fmt"
	"time"

	"kefu/shared/core/agent"
	"kefu/shared/core/fault"
	"kefu/shared/core/session"
	"kefu/shared/core/tenant"
)

// desks is where the shell finds what it needs to release an agent's sessions.
type desks struct {
	Sessions
	Agents
	Accounts
}

// early is by how much a queue that counts whole seconds may give a wake-up too soon, with some to spare.
const early = 2 * time.Second

// gone looks whether an agent has gone, or isn't known any more, and then takes his
// sessions from him (M7). Each lease has a wake-up of its own for its end: one that finds
// a later lease has nothing to do, so that wake-ups which come twice don't become more.
func (r *Router) gone(ctx context.Context, t tenant.ID, id agent.ID) (d done, err error) {
	g, err := r.Agents.Agent(ctx, t, id)
	deleted := errors.Is(err, fault.NotFound)
	if err != nil && !deleted {
		return done{}, fmt.Errorf("read agent: %w", err)
	}
	now := r.Now()
	switch {
	case deleted:
	case g.Lapsed(now):
		// He reads offline anyway; from now on also for those whose clock is behind.
		if _, err := r.Agents.SetStatus(ctx, t, id, agent.Offline, g.Until, time.Time{}); err != nil && !errors.Is(err, fault.NotFound) {
			return done{}, fmt.Errorf("set offline: %w", err)
		}
	case g.Status != agent.Offline:
		if left := g.Until.Sub(now); g.Until.IsZero() || left > early {
			return done{reason: "present"}, nil
		}
		return done{reason: "present"}, r.Shell.AgentGone(ctx, t, id, early)
	}
	d.released, err = r.Shell.ReleaseAll(ctx, desks{r.Sessions, r.Agents, r.Accounts}, t, id, func(s session.Session) bool {
		return s.State == session.Serving
	})
	if err != nil {
		return d, err
	}
	return d, r.clear(ctx, t, id)
}

// clear gives back the seats that a crash left taken: nobody notices them as long as the agent has another free, and
// until then he would count as busier than he is.
func (r *Router) clear(ctx context.Context, t tenant.ID, id agent.ID) error {
	d, err := r.Agents.Desk(ctx, t, id)
	if err != nil {
		return fmt.Errorf("seats of an agent: %w", err)
	}
	_, err = r.Shell.FreeStaleSeats(ctx, r.Sessions, d.Seats, agent.Agent{Tenant: t, ID: id})
	return err
}
