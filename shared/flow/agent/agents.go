package agent

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"

	"kefu/shared/core/account"
	"kefu/shared/core/agent"
	"kefu/shared/core/fault"
	"kefu/shared/core/message"
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
	if !account.ValidID(id) || id == me || id == message.ByBot || id == message.BySystem {
		return answer{}, errID("An agent's id, which may not be \"me\", \"bot\" or \"system\",")
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

// present sets an agent's presence. Most heartbeats of a lease write nothing. Who goes
// offline gives his sessions back: at once, and by the router should that fail halfway;
// who has a lease is looked after when it ends.
func (c *call) present(g agent.Agent, s agent.Status, lease time.Duration) (agent.Agent, error) {
	write, until := agent.Renew(g, s, lease, c.now)
	if !write && s != agent.Offline {
		return g, nil
	}
	if s == agent.Offline || !until.IsZero() {
		look := goneAfter
		if s != agent.Offline {
			look = lease
		}
		// Before the write: whatever is written then has somebody who looks after its end.
		if err := c.Shell.AgentGone(c.ctx(), g.Tenant, g.ID, look); err != nil {
			return g, fault.Wrap(fault.Unavailable, "", err)
		}
	}
	g, err := c.Store.SetStatus(c.ctx(), g.Tenant, g.ID, s, c.now, until)
	if err != nil {
		return g, named(err, "agent")
	}
	if s == agent.Offline {
		if err := c.releaseAll(g, func(session.Session) bool { return true }); err != nil {
			c.warn("sessions left to the router", err)
		}
	}
	return g, nil
}

// goneAfter is when the router looks whether an agent who went offline has been rid of his sessions.
const goneAfter = 5 * time.Second

// offer wakes the routers that may now have an agent for who waits. It is a hint:
// the sweep comes by within a minute.
func (c *call) offer(g agent.Agent) {
	if g.At(c.now).Status != agent.Online {
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
	if g, err = c.Store.SetStatus(c.ctx(), g.Tenant, g.ID, agent.Offline, c.now, time.Time{}); err != nil {
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
	_, err := c.Shell.ReleaseAll(c.ctx(), c.Store, g.Tenant, g.ID, which)
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
		Status agent.Status     `json:"status"`
		Lease  account.Duration `json:"lease"`
	}
	if err := c.decode(&body); err != nil {
		return answer{}, err
	}
	if !agent.ValidStatus(body.Status) {
		return answer{}, wrongField("status-invalid", "status", "status must be online, away, paused or offline.")
	}
	lease := time.Duration(body.Lease)
	if lease != 0 && (lease < agent.MinLease || lease > agent.MaxLease) {
		return answer{}, wrongField("status-invalid", "lease", fmt.Sprintf("lease must be between %s and %s.", agent.MinLease, agent.MaxLease))
	}
	if g, err = c.present(g, body.Status, lease); err != nil {
		return answer{}, err
	}
	c.offer(g)
	v, err := c.viewAgent(g)
	return ok(v), err
}
