package shell

import (
	"context"
	"errors"
	"fmt"

	"kefu/shared/core/agent"
	"kefu/shared/core/fault"
	"kefu/shared/core/route"
	"kefu/shared/core/session"
)

// Finder finds sessions by id, current and archived.
type Finder interface {
	SessionByID(ctx context.Context, id session.ID) (session.Session, error)
}

// FreeStaleSeats gives back the seats that a crash between taking a seat and
// saving its session left taken. It is called when an agent seems full, so that
// no sweep over all agents is needed. It returns how many it freed.
func (sh *Shell) FreeStaleSeats(ctx context.Context, find Finder, seats []agent.Seat, g agent.Agent) (int, error) {
	now, n := sh.Now(), 0
	for _, seat := range seats {
		s, err := find.SessionByID(ctx, session.ID(seat.Session))
		if err != nil && !errors.Is(err, fault.NotFound) {
			return n, err
		}
		serving := err == nil && s.State == session.Serving && s.Agent == g.ID
		if !route.Stale(seat, serving, now) {
			continue
		}
		if err := sh.Store.FreeSeat(ctx, g.Tenant, g.ID, session.ID(seat.Session)); err != nil {
			return n, fmt.Errorf("free stale seat: %w", err)
		}
		n++
	}
	return n, nil
}
