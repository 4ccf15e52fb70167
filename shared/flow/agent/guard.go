package agent

import (
	"log/slog"

	"kefu/shared/core/agent"
	"kefu/shared/core/session"
	"kefu/shared/shell"
)

// guard makes a shell for one change under the check.
func (c *call) guard(check func(session.Session) error) (*shell.Shell, *shell.Guard) {
	return c.Shell.Guarded(check)
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
	if err != nil && g.Saved() {
		c.warn("deeds left to the sweep", err)
		err = nil
	}
	return res.Session, err
}

// mayAct permits those who may transfer or close the session.
func (c *call) mayAct(s session.Session) error { return s.PermitsActing(c.id) }

// settleSeat gives a seat back that takeSeat took for a session which the agent then
// didn't get; one that the session had already belongs to somebody else.
func (c *call) settleSeat(s session.Session, g agent.Agent) {
	if !c.seat.taken {
		return
	}
	if err := c.Shell.Unseat(c.ctx(), g, s, c.seat.at); err != nil {
		c.warn("seat left to be found stale", err)
	}
}

// warn logs what went wrong without making the call fail.
func (c *call) warn(what string, err error) {
	c.Log.LogAttrs(c.ctx(), slog.LevelWarn, what, slog.String("function", "api"), slog.String("route", c.route.path),
		slog.String("tenant", string(c.id.Tenant)), slog.Any("cause", err))
}
