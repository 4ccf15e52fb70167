package agent

import (
	"context"
	"errors"
	"log/slog"

	"kefu/shared/core/account"
	"kefu/shared/core/agent"
	"kefu/shared/core/fault"
	"kefu/shared/core/session"
	"kefu/shared/shell"
)

// guarded is the store of one change to one conversation. It asks the check about
// the very version that the step then starts from, however often others save in
// between, and remembers whether the change was saved.
type guarded struct {
	shell.Store
	check func(session.Session) error
	saved bool
}

func (g *guarded) Session(ctx context.Context, a account.ID, c account.Customer) (session.Session, error) {
	s, err := g.Store.Session(ctx, a, c)
	if err == nil && !g.saved {
		err = g.check(s)
	}
	return s, err
}

func (g *guarded) SaveSession(ctx context.Context, s session.Session, was int64) error {
	err := g.Store.SaveSession(ctx, s, was)
	g.saved = g.saved || err == nil
	return err
}

// guard makes a shell for one change under the check.
func (c *call) guard(check func(session.Session) error) (*shell.Shell, *guarded) {
	g := &guarded{Store: c.Shell.Store, check: check}
	sh := *c.Shell
	sh.Store = g
	return &sh, g
}

// change applies the events to the session s, if the check permits it and s is
// still its customer's current session. Once it is saved it has happened: work
// that is left undone afterwards is found by the sweep.
func (c *call) change(s session.Session, r session.Rules, check func(session.Session) error, events ...session.Event) (session.Session, error) {
	sh, g := c.guard(func(cur session.Session) error {
		if cur.ID != s.ID {
			return errClosed
		}
		return check(cur)
	})
	res, err := sh.DoFor(c.ctx(), s.ID, s.Ref(), r, nil, events...)
	if err != nil && g.saved {
		c.warn("deeds left to the sweep", err)
		err = nil
	}
	return res.Session, err
}

// mayAct permits those who may transfer or close the session.
func (c *call) mayAct(s session.Session) error { return s.PermitsActing(c.id) }

// settleSeat gives a seat back that was taken for a session which the agent then
// didn't get. Somebody else may have given it to him meanwhile: then he needs it.
func (c *call) settleSeat(s session.Session, g agent.Agent) {
	his := func() (bool, error) {
		cur, err := c.Store.Session(c.ctx(), s.Account, s.Customer)
		if errors.Is(err, fault.NotFound) {
			err = nil
		}
		return cur.ID == s.ID && cur.State == session.Serving && cur.Agent == g.ID, err
	}
	keep, err := his()
	if err == nil && !keep {
		if err = c.Store.FreeSeat(c.ctx(), g.Tenant, g.ID, s.ID); err == nil {
			keep, err = his()
			if err == nil && keep {
				err = c.Store.TakeSeat(c.ctx(), g.Tenant, g.ID, s.ID, agent.MaxCapacity, c.now)
			}
		}
	}
	if err != nil {
		c.warn("seat left to be found stale", err)
	}
}

// warn logs what went wrong without making the call fail.
func (c *call) warn(what string, err error) {
	c.Log.LogAttrs(c.ctx(), slog.LevelWarn, what, slog.String("function", "api"), slog.String("route", c.route.path),
		slog.String("tenant", string(c.id.Tenant)), slog.Any("cause", err))
}
