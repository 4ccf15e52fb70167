package route

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"kefu/shared/core/account"
	"kefu/shared/core/agent"
	"kefu/shared/core/fault"
	"kefu/shared/core/route"
	"kefu/shared/core/session"
	"kefu/shared/shell"
)

// shift is the handling of one wake-up of an account. It reads who is there first, then
// their seats, and of each queue as much as there are seats for: most wake-ups come when
// nobody is free. What it has read it counts along: that its count may be behind costs a
// refused attempt, no more.
type shift struct {
	*Router
	known  map[agent.ID]route.Candidate // whose seats have been read, as far as we know now
	served map[account.ID]bool
	done
}

// serve gives the account's waiting sessions to its free agents, until either run out,
// and tells those who wait their place.
func (r *Router) serve(ctx context.Context, w shell.Wake) (done, error) {
	a, err := r.woken(ctx, w)
	if errors.Is(err, fault.NotFound) {
		return done{}, nil
	}
	if err != nil {
		return done{}, err
	}
	rules := a.Settings.Routing
	if rules.Assign.Mode != account.Auto && rules.Queue.Text == "" {
		return done{}, nil
	}
	s := &shift{Router: r, known: map[agent.ID]route.Candidate{}, served: map[account.ID]bool{}}
	q := r.queueOf(a)
	if rules.Assign.Mode == account.Auto {
		err = s.assign(ctx, q)
	}
	if err == nil && rules.Queue.Text != "" {
		err = s.tell(ctx, q)
	}
	return s.done, err
}

// assign gives sessions of a queue to the account's agents. Those who also serve
// accounts of a higher priority serve these first.
func (s *shift) assign(ctx context.Context, q *queue) error {
	a := q.account
	s.served[a.ID] = true
	agents, err := s.online(ctx, a)
	if err != nil || len(agents) == 0 {
		return err
	}
	candidates, err := s.candidates(ctx, a.Tenant, agents)
	if err != nil || route.Free(candidates) == 0 {
		return err
	}
	if err := s.assignBefore(ctx, a, agents); err != nil {
		return err
	}
	if candidates, err = s.candidates(ctx, a.Tenant, agents); err != nil { // some seats may be taken now
		return err
	}
	for free := route.Free(candidates); free > 0; free = route.Free(candidates) {
		if auto, err := q.automatic(ctx, free); err != nil || !auto {
			return err
		}
		got, err := s.place(ctx, a, q.first(), candidates)
		if err != nil || got == full {
			return err
		}
		if got == given {
			s.assigned++
		}
		q.pass()
	}
	return nil
}

// online are the account's agents who are there now.
func (s *shift) online(ctx context.Context, a account.Account) ([]agent.Agent, error) {
	agents, err := s.Agents.AgentsOf(ctx, a.Tenant, a.ID)
	if err != nil {
		return nil, fmt.Errorf("list agents: %w", err)
	}
	now := s.Now()
	for i := range agents {
		agents[i] = agents[i].At(now)
	}
	return slices.DeleteFunc(agents, func(g agent.Agent) bool { return g.Status != agent.Online }), nil
}

// assignBefore assigns the queues of the agents' other accounts whose sessions go
// first, the highest priority first.
func (s *shift) assignBefore(ctx context.Context, a account.Account, agents []agent.Agent) error {
	var others []account.Account
	seen := map[account.ID]bool{a.ID: true}
	for _, g := range agents {
		for _, id := range g.Accounts {
			if seen[id] || s.served[id] {
				continue
			}
			seen[id] = true
			other, err := s.Accounts.Account(ctx, id)
			if err != nil && !errors.Is(err, fault.NotFound) {
				return err
			}
			rules := other.Settings.Routing.Assign
			if err == nil && other.Tenant == a.Tenant && rules.Mode == account.Auto && rules.Priority > a.Settings.Routing.Assign.Priority {
				others = append(others, other)
			}
		}
	}
	slices.SortFunc(others, func(x, y account.Account) int {
		return cmp.Or(cmp.Compare(y.Settings.Routing.Assign.Priority, x.Settings.Routing.Assign.Priority), cmp.Compare(x.ID, y.ID))
	})
	for _, other := range others {
		if s.served[other.ID] {
			continue
		}
		if err := s.assign(ctx, s.queueOf(other)); err != nil {
			return err
		}
	}
	return nil
}

// attempt is how it went to find an agent for a session.
type attempt int

const (
	given attempt = iota // the session has its agent
	gone                 // it waits no longer, whoever has it
	full                 // no seat
)

// place gives a session to the first in the order who gets it.
func (s *shift) place(ctx context.Context, a account.Account, w session.Session, all []route.Candidate) (attempt, error) {
	rules := a.Settings.Routing.Assign
	ordered := route.Order(all, rules.Strategy)
	if rules.Prefers() {
		ordered = route.Prefer(ordered, w.LastAgent)
	}
	for _, c := range ordered {
		at := s.Now()
		got, err := s.give(ctx, a, w, c.Agent, at)
		if err != nil {
			return got, err
		}
		switch got {
		case given:
			c.Load++
			c.LastTaken = at
		case full:
			c.Load = c.Agent.Capacity // others have been faster
		}
		s.note(all, c)
		if got != full {
			return got, nil
		}
	}
	return full, nil
}

// note puts what is known of an agent now in the place of what was.
func (s *shift) note(all []route.Candidate, c route.Candidate) {
	s.known[c.Agent.ID] = c
	for i := range all {
		if all[i].Agent.ID == c.Agent.ID {
			all[i] = c
		}
	}
}

// give takes a seat, then the session. Whoever loses the session gives the seat back.
func (s *shift) give(ctx context.Context, a account.Account, w session.Session, g agent.Agent, at time.Time) (attempt, error) {
	taken, err := s.Agents.TakeSeat(ctx, g.Tenant, g.ID, w.ID, g.Capacity, at)
	if errors.Is(err, fault.Conflict) {
		return full, nil
	}
	if err != nil {
		return full, fmt.Errorf("take seat: %w", err)
	}
	if !taken {
		// Somebody is giving him this session, or died over it, which the seat's age tells.
		return gone, s.freeLeft(ctx, g, w.ID)
	}
	res, err := s.Shell.DoFor(ctx, w.ID, w.Ref(), session.RulesOf(a), nil, session.Assign{Agent: g.ID})
	his := res.Session.ID == w.ID && res.Session.State == session.Serving && res.Session.Agent == g.ID
	switch {
	case err == nil, his && shell.Unseated(err): // given to him already
		return given, nil
	case !shell.Unseated(err): // perhaps it was saved: then he needs the seat
		return gone, fmt.Errorf("assign: %w", err)
	}
	if err := s.Shell.Unseat(ctx, g, w, at); err != nil {
		return gone, err
	}
	// Who looked meanwhile found the seat taken.
	return gone, s.Shell.WakeRouters(ctx, g)
}
