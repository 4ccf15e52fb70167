package agent

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"kefu/shared/core/account"
	"kefu/shared/core/agent"
	"kefu/shared/core/fault"
	"kefu/shared/core/session"
)

// me stands for the key's own agent wherever an agent's id may stand.
const me = "me"

// agent finds the agent of the path.
func (c *call) agent() (agent.Agent, error) {
	return c.agentByID(c.r.PathValue("agent"))
}

func (c *call) agentByID(id string) (agent.Agent, error) {
	if id == me {
		if c.self == nil {
			return agent.Agent{}, errRole("agents; this key belongs to none")
		}
		return *c.self, nil
	}
	if !account.ValidID(id) {
		return agent.Agent{}, missing("agent")
	}
	g, err := c.Store.Agent(c.ctx(), c.id.Tenant, agent.ID(id))
	return g, named(err, "agent")
}

func (c *call) getAgent() (answer, error) {
	g, err := c.agent()
	if err != nil {
		return answer{}, err
	}
	v, err := c.viewAgent(g)
	return ok(v), err
}

// listAgents shows all of the tenant: who transfers a session has to know to whom.
func (c *call) listAgents() (answer, error) {
	cursor, limit, err := c.paging()
	if err != nil {
		return answer{}, err
	}
	all, next, err := c.Store.Agents(c.ctx(), c.id.Tenant, cursor, limit)
	if err != nil {
		return answer{}, fmt.Errorf("list agents: %w", err)
	}
	items := make([]agentView, 0, len(all))
	for _, g := range all {
		v, err := c.viewAgent(g)
		if err != nil {
			return answer{}, err
		}
		items = append(items, v)
	}
	return ok(page(items, next)), nil
}

// agentBody is the complete agent but for his presence.
type agentBody struct {
	Name     string       `json:"name"`
	Role     agent.Role   `json:"role"`
	Accounts []account.ID `json:"accounts"`
	Capacity *int         `json:"capacity"`
}

// putAgent makes an agent or replaces him; his presence and his sessions stay.
func (c *call) putAgent() (answer, error) {
	id := c.r.PathValue("agent")
	if !account.ValidID(id) || id == me {
		return answer{}, errID("An agent's id, which may not be \"me\",")
	}
	var body agentBody
	if err := c.decode(&body); err != nil {
		return answer{}, err
	}
	body.Role, body.Name = cmp.Or(body.Role, agent.RoleAgent), cmp.Or(body.Name, id)
	slices.Sort(body.Accounts)
	g := agent.Agent{
		ID: agent.ID(id), Tenant: c.id.Tenant, Name: body.Name, Role: body.Role, Accounts: slices.Compact(body.Accounts),
		Capacity: agent.DefaultCapacity, Status: agent.Offline, StatusAt: c.now, CreatedAt: c.now, UpdatedAt: c.now,
	}
	if body.Capacity != nil {
		g.Capacity = *body.Capacity
	}
	if err := g.Check(); err != nil {
		return answer{}, err
	}
	for _, id := range g.Accounts {
		if _, err := c.accountByID(id); errors.Is(err, fault.NotFound) {
			return answer{}, fault.With(fault.New(fault.Invalid, "account-unknown", fmt.Sprintf("There is no account %q to bind the agent to.", id)),
				map[string]any{"field": "accounts", "account": id})
		} else if err != nil {
			return answer{}, err
		}
	}
	isNew, err := c.Store.PutAgent(c.ctx(), g)
	if err != nil {
		return answer{}, fmt.Errorf("put agent: %w", err)
	}
	if err := c.releaseAll(g, func(s session.Session) bool {
		return !slices.Contains(g.Accounts, s.Account) && g.Role != agent.RoleAdmin
	}); err != nil {
		return answer{}, err
	}
	if g, err = c.Store.Agent(c.ctx(), g.Tenant, g.ID); err != nil {
		return answer{}, fmt.Errorf("read agent: %w", err)
	}
	c.offer(g)
	v, err := c.viewAgent(g)
	return made(isNew, v), err
}

// offer wakes the routers that may now have an agent for who waits. It is a hint:
// the sweep comes by within a minute.
func (c *call) offer(g agent.Agent) {
	if g.Status != agent.Online {
		return
	}
	if err := c.Shell.WakeRouters(c.ctx(), g); err != nil {
		c.warn("routers not woken", err)
	}
}

// deleteAgent removes an agent with his keys. His sessions are released: the next
// who takes them goes on.
func (c *call) deleteAgent() (answer, error) {
	if c.r.PathValue("agent") == me {
		return answer{}, missing("agent")
	}
	g, err := c.agent()
	if err != nil {
		return answer{}, err
	}
	// Offline first, so that no session comes in behind our back.
	if g, err = c.Store.SetStatus(c.ctx(), g.Tenant, g.ID, agent.Offline, c.now); err != nil {
		return answer{}, named(err, "agent")
	}
	if err := c.releaseAll(g, func(session.Session) bool { return true }); err != nil {
		return answer{}, err
	}
	if err := c.Store.DeleteAgent(c.ctx(), g.Tenant, g.ID); err != nil {
		return answer{}, named(err, "agent")
	}
	return done(), nil
}

// releaseAll takes those of the agent's sessions from him that he may serve no longer.
func (c *call) releaseAll(g agent.Agent, which func(session.Session) bool) error {
	seats, err := c.Store.Seats(c.ctx(), g.Tenant, g.ID)
	if err != nil {
		return fmt.Errorf("list seats: %w", err)
	}
	for _, seat := range seats {
		s, err := c.Store.SessionByID(c.ctx(), session.ID(seat.Session))
		if errors.Is(err, fault.NotFound) {
			continue
		}
		if err == nil && which(s) {
			err = c.release(s, g.ID)
		}
		if err != nil {
			return fmt.Errorf("release session: %w", err)
		}
	}
	return nil
}

// release takes a session from the agent, if it is his.
func (c *call) release(s session.Session, of agent.ID) error {
	rules, _, err := c.rulesOf(s)
	if err != nil {
		return err
	}
	his := func(cur session.Session) error {
		if cur.Agent != of {
			return fault.New(fault.Conflict, "not-serving", "the session is another's")
		}
		return nil
	}
	_, err = c.change(s, rules, his, session.Release{})
	if errors.Is(err, fault.Conflict) || errors.Is(err, fault.NotFound) {
		return nil
	}
	return err
}

// putStatus says whether an agent is there. One may speak for himself; supervisors for all.
func (c *call) putStatus() (answer, error) {
	g, err := c.agent()
	if err != nil {
		return answer{}, err
	}
	if g.ID != c.id.Agent && !c.id.Supervises() {
		return answer{}, errRole("the agent himself, supervisors and admins")
	}
	var body struct {
		Status agent.Status `json:"status"`
	}
	if err := c.decode(&body); err != nil {
		return answer{}, err
	}
	if !agent.ValidStatus(body.Status) {
		return answer{}, wrongField("status-invalid", "status", "status must be online, away, paused or offline.")
	}
	if g, err = c.Store.SetStatus(c.ctx(), g.Tenant, g.ID, body.Status, c.now); err != nil {
		return answer{}, named(err, "agent")
	}
	c.offer(g)
	v, err := c.viewAgent(g)
	return ok(v), err
}
