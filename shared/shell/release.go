package shell

import (
	"context"
	"errors"
	"fmt"

	"kefu/shared/core/account"
	"kefu/shared/core/agent"
	"kefu/shared/core/fault"
	"kefu/shared/core/session"
	"kefu/shared/core/tenant"
)

// Desks is what [Shell.ReleaseAll] needs to know of an agent's sessions.
type Desks interface {
	Finder
	Account(ctx context.Context, id account.ID) (account.Account, error)
	Desk(ctx context.Context, t tenant.ID, a agent.ID) (agent.Desk, error)
}

// ReleaseAll takes those of the agent's sessions from him for which the rule says so;
// each must then be taken again to go on. It returns how many it released. A session
// that others change meanwhile is released only if it is still his; after an error it
// can be repeated.
func (sh *Shell) ReleaseAll(ctx context.Context, in Desks, t tenant.ID, of agent.ID, which func(session.Session) bool) (n int, err error) {
	d, err := in.Desk(ctx, t, of)
	if err != nil {
		return 0, fmt.Errorf("list seats: %w", err)
	}
	for _, seat := range d.Seats {
		s, err := in.SessionByID(ctx, session.ID(seat.Session))
		if errors.Is(err, fault.NotFound) {
			continue
		}
		released := false
		if err == nil && which(s) {
			released, err = sh.release(ctx, in, s, of)
		}
		if released {
			n++
		}
		if err != nil {
			return n, fmt.Errorf("release session: %w", err)
		}
	}
	return n, nil
}

var errAnothers = fault.New(fault.Conflict, "not-serving", "the session is another's")

// release takes a session from the agent, if it is his.
func (sh *Shell) release(ctx context.Context, in Desks, s session.Session, of agent.ID) (bool, error) {
	a, err := in.Account(ctx, s.Account)
	switch {
	case errors.Is(err, fault.NotFound), err == nil && !s.Owner().Is(a.Owner()):
		a = account.Account{ID: s.Account, Tenant: s.Tenant, Incarnation: s.Incarnation, Channel: s.Channel} // deleted: the defaults
	case err != nil:
		return false, err
	}
	his := func(cur session.Session) error {
		if cur.Agent != of {
			return errAnothers
		}
		return nil
	}
	under, g := sh.Guarded(his)
	_, err = under.DoFor(ctx, s.ID, s.Ref(), session.RulesOf(a), nil, session.Release{})
	if !g.Saved() && Unseated(err) {
		return false, nil
	}
	return g.Saved(), err
}
