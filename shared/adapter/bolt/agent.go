package bolt

import (
	"context"
	"slices"
	"time"

	"kefu/shared/core/account"
	"kefu/shared/core/agent"
	"kefu/shared/core/tenant"
)

func agentKey(of tenant.ID, id agent.ID) key { return newKey().text(string(of)).bare(string(id)) }

// Agent returns an agent of a tenant.
func (s *Store) Agent(ctx context.Context, of tenant.ID, id agent.ID) (out agent.Agent, err error) {
	err = s.db.view(ctx, func(t *tx) error {
		out, err = needAgent(t, of, id)
		return err
	})
	return out, err
}

func needAgent(t *tx, of tenant.ID, id agent.ID) (agent.Agent, error) {
	a, ok, err := load[agent.Agent](t, inAgent, agentKey(of, id), "agent")
	if err == nil && !ok {
		err = missing("agent", string(id))
	}
	return a, err
}

// PutAgent makes or replaces an agent.
func (s *Store) PutAgent(ctx context.Context, in agent.Agent) (created bool, err error) {
	in.Accounts = slices.Clone(in.Accounts)
	err = s.db.update(ctx, func(t *tx) error {
		a := in
		old, ok, err := load[agent.Agent](t, inAgent, agentKey(in.Tenant, in.ID), "agent")
		if err != nil {
			return err
		}
		if created = !ok; ok {
			a.Status, a.StatusAt, a.Until, a.CreatedAt = old.Status, old.StatusAt, old.Until, old.CreatedAt
		}
		raw, err := encode(a)
		if err != nil {
			return err
		}
		t.put(inAgent, agentKey(a.Tenant, a.ID), raw)
		for _, id := range old.Accounts {
			if !slices.Contains(a.Accounts, id) {
				t.delete(agentsOf, boundKey(a, id))
			}
		}
		for _, id := range a.Accounts {
			if !slices.Contains(old.Accounts, id) {
				t.put(agentsOf, boundKey(a, id), present)
			}
		}
		return nil
	})
	return created && err == nil, err
}

func boundKey(a agent.Agent, to account.ID) key {
	return newKey().text(string(a.Tenant)).text(string(to)).bare(string(a.ID))
}

// SetStatus changes an agent's presence, or prolongs it.
func (s *Store) SetStatus(ctx context.Context, of tenant.ID, id agent.ID, st agent.Status, at, until time.Time) (out agent.Agent, err error) {
	err = s.db.update(ctx, func(t *tx) error {
		if out, err = needAgent(t, of, id); err != nil {
			return err
		}
		out = out.Present(st, at, until)
		raw, err := encode(out)
		if err != nil {
			return err
		}
		t.put(inAgent, agentKey(of, id), raw)
		return nil
	})
	if err != nil {
		return agent.Agent{}, err
	}
	return out, nil
}

// DeleteAgent removes an agent and all its keys. Seats that its sessions hold stay until they are freed.
func (s *Store) DeleteAgent(ctx context.Context, of tenant.ID, id agent.ID) error {
	return s.db.relieve(ctx, func(t *tx) error {
		a, err := needAgent(t, of, id)
		if err != nil {
			return err
		}
		t.delete(inAgent, agentKey(of, id))
		for _, acc := range a.Accounts {
			t.delete(agentsOf, boundKey(a, acc))
		}
		var ids []string
		prefix := newKey().text(string(of)).text(string(id))
		for k := range t.scan(keysOf, prefix, nil) {
			ids = append(ids, string(k[len(prefix):]))
		}
		for _, kid := range ids {
			t.delete(keysOf, prefix.plus([]byte(kid)))
			t.delete(inKey, newKey().text(kid))
		}
		return nil
	})
}

// Agents lists a tenant's agents by id.
func (s *Store) Agents(ctx context.Context, of tenant.ID, cursor string, limit int) ([]agent.Agent, string, error) {
	l := list[agent.Agent]{
		bucket: inAgent, scope: newKey().text("agents").text(string(of)), prefix: newKey().text(string(of)),
		read: func(_ *tx, _ key, v []byte) (agent.Agent, error) { return decode[agent.Agent]("agent", v) },
	}
	return l.page(ctx, s.db, cursor, limit)
}

// AgentsOf lists all agents that are bound to an account, by id.
func (s *Store) AgentsOf(ctx context.Context, of tenant.ID, id account.ID) (items []agent.Agent, err error) {
	prefix := newKey().text(string(of)).text(string(id))
	err = s.db.view(ctx, func(t *tx) error {
		for k := range t.scan(agentsOf, prefix, nil) {
			a, err := needAgent(t, of, agent.ID(k[len(prefix):]))
			if err != nil {
				return broken("agents of an account", err)
			}
			items = append(items, a)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return items, nil
}
