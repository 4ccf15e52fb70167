package route

import (
	"context"
	"fmt"
	"slices"
	"time"

	"kefu/shared/core/agent"
	"kefu/shared/core/route"
	"kefu/shared/core/session"
	"kefu/shared/core/tenant"
)

// candidates are the agents, all of one tenant, with their seats. Those read before are
// as they were then, and what this shift has given them since.
func (s *shift) candidates(ctx context.Context, of tenant.ID, agents []agent.Agent) ([]route.Candidate, error) {
	var unread []agent.ID
	for _, g := range agents {
		if _, ok := s.known[g.ID]; !ok {
			unread = append(unread, g.ID)
		}
	}
	var desks []agent.Desk
	var err error
	if len(unread) > 0 {
		if desks, err = s.Agents.Desks(ctx, of, unread); err != nil {
			return nil, fmt.Errorf("seats of agents: %w", err)
		}
	}
	all := make([]route.Candidate, 0, len(agents))
	for _, g := range agents {
		if _, ok := s.known[g.ID]; !ok {
			if s.known[g.ID], err = s.candidate(ctx, g, desks[0]); err != nil {
				return nil, err
			}
			desks = desks[1:]
		}
		all = append(all, s.known[g.ID])
	}
	return all, nil
}

// candidate is an agent with his seats. When none is free, those that a crash left
// taken are given back.
func (r *Router) candidate(ctx context.Context, g agent.Agent, d agent.Desk) (route.Candidate, error) {
	if g.Capacity > 0 && len(d.Seats) >= g.Capacity && r.mayLook(g) {
		freed, err := r.Shell.FreeStaleSeats(ctx, r.Sessions, d.Seats, g)
		if err == nil && freed > 0 {
			d, err = r.Agents.Desk(ctx, g.Tenant, g.ID)
		}
		if err != nil {
			return route.Candidate{}, fmt.Errorf("seats of an agent: %w", err)
		}
	}
	return route.Candidate{Agent: g, Load: len(d.Seats), LastTaken: d.LastTaken, LastFreed: d.LastFreed}, nil
}

// freeLeft gives back the seat of one session, if it is left over, and has the router
// come again.
func (r *Router) freeLeft(ctx context.Context, g agent.Agent, id session.ID) error {
	d, err := r.Agents.Desk(ctx, g.Tenant, g.ID)
	if err != nil {
		return fmt.Errorf("seats of an agent: %w", err)
	}
	left := slices.DeleteFunc(d.Seats, func(s agent.Seat) bool { return s.Session != string(id) })
	n, err := r.Shell.FreeStaleSeats(ctx, r.Sessions, left, g)
	if err != nil || n == 0 {
		return err
	}
	return r.Shell.WakeRouters(ctx, g)
}

// seatsOf names an agent's seats.
type seatsOf struct {
	tenant tenant.ID
	agent  agent.ID
}

// Whether a full agent's seats are left over takes reading each of his sessions, and
// wake-ups come thickest when all are full: one process looks no more often than this.
const (
	lookEvery  = route.SeatGrace / 4
	lookedKept = 4096
)

// mayLook reports whether it is time to look for an agent's stale seats.
func (r *Router) mayLook(g agent.Agent) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	now, of := r.Now(), seatsOf{g.Tenant, g.ID}
	if last, ok := r.looked[of]; ok && now.Sub(last) < lookEvery {
		return false
	}
	if r.looked == nil || len(r.looked) >= lookedKept {
		r.looked = map[seatsOf]time.Time{}
	}
	r.looked[of] = now
	return true
}
