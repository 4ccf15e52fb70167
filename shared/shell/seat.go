package shell

import (
	"context"
	"errors"
	"fmt"
	"time"

	"kefu/shared/core/agent"
	"kefu/shared/core/fault"
	"kefu/shared/core/route"
	"kefu/shared/core/session"
)

// How seats are kept, so that no agent ever serves more sessions than he has seats:
//
//   - Whoever gives a session to an agent takes the seat first. If the session has one
//     already, somebody else is at it, or died over it: the router leaves the session to
//     him, an agent who reaches for it by hand keeps the seat and goes on.
//   - Whoever took a seat and didn't get the session gives it back, as of the time he
//     took it; nobody gives back another's.
//   - A seat is freed after the session has been saved as not his, as of the time of
//     that step. So who has taken or kept the seat since, to give him the session anew,
//     has it still.
//   - A save whose outcome isn't known keeps the seat. What is left over so, or by a
//     crash, is found when the agent seems full, see [Shell.FreeStaleSeats].

// Unseated reports whether an error of changing a session means for certain that it
// wasn't changed: then the seat that was taken for it can be given back.
func Unseated(err error) bool {
	switch fault.KindOf(err) {
	case fault.Conflict, fault.NotFound, fault.Denied, fault.Invalid:
		return err != nil
	}
	return false
}

// Unseat gives back a seat that was taken at a time for a session which the agent then
// didn't get. Somebody else may have given it to him meanwhile: then he needs it.
func (sh *Shell) Unseat(ctx context.Context, g agent.Agent, s session.Session, at time.Time) error {
	cur, err := sh.Store.Session(ctx, s.Account, s.Customer)
	if err != nil && !errors.Is(err, fault.NotFound) {
		return err
	}
	if err == nil && cur.ID == s.ID && cur.State == session.Serving && cur.Agent == g.ID {
		return nil
	}
	if err := sh.Store.FreeSeat(ctx, g.Tenant, g.ID, s.ID, at); err != nil {
		return fmt.Errorf("give seat back: %w", err)
	}
	return nil
}

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
		if !route.Stale(seat, false, now) {
			continue // too young, whatever its session says
		}
		s, err := find.SessionByID(ctx, session.ID(seat.Session))
		if err != nil && !errors.Is(err, fault.NotFound) {
			return n, err
		}
		serving := err == nil && s.State == session.Serving && s.Agent == g.ID
		if !route.Stale(seat, serving, now) {
			continue
		}
		if err := sh.Store.FreeSeat(ctx, g.Tenant, g.ID, session.ID(seat.Session), seat.TakenAt); err != nil {
			return n, fmt.Errorf("free stale seat: %w", err)
		}
		n++
	}
	return n, nil
}
