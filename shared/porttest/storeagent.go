package porttest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"kefu/shared/core/account"
	"kefu/shared/core/agent"
	"kefu/shared/core/fault"
	"kefu/shared/core/tenant"
)

func agentsIn(s storeCase, of tenant.ID) lister[agent.Agent] {
	return func(ctx context.Context, cursor string, limit int) ([]agent.Agent, string, error) {
		return s.Agents(ctx, of, cursor, limit)
	}
}

// boundTo is AgentsOf as a list of one page.
func boundTo(s storeCase, of tenant.ID, id account.ID) lister[agent.Agent] {
	return func(ctx context.Context, _ string, limit int) ([]agent.Agent, string, error) {
		items, err := s.AgentsOf(ctx, of, id)
		return items[:min(limit, len(items))], "", err
	}
}

func agentID(a agent.Agent) string { return string(a.ID) }

// wantBound fails unless exactly these agents are bound to the account, in any order.
func wantBound(t *testing.T, s storeCase, of tenant.ID, id account.ID, want ...string) {
	t.Helper()
	s.soon(t, func() string {
		items, _, err := boundTo(s, of, id)(t.Context(), "", 1000)
		if err != nil {
			return err.Error()
		}
		got := map[string]bool{}
		for _, a := range items {
			got[agentID(a)] = true
		}
		wanted := map[string]bool{}
		for _, w := range want {
			wanted[w] = true
		}
		if d := diff(wanted, got); d != "" || len(items) != len(want) {
			return fmt.Sprintf("agents of %s: %d items; %s", id, len(items), d)
		}
		return ""
	})
}

var agentClauses = []storeClause{
	{"PutAgent makes, then replaces but for presence and CreatedAt", func(t *testing.T, s storeCase) {
		ctx := t.Context()
		if created := got[bool](t)(s.PutAgent(ctx, anAgent("t", "li", "a"))); !created {
			t.Error("got created false; want true")
		}
		wantEqual(t, "agent", got[agent.Agent](t)(s.Agent(ctx, "t", "li")), anAgent("t", "li", "a"))
		next := agent.Agent{
			ID: "li", Tenant: "t", Name: "new", Role: agent.RoleAgent, Capacity: 9, Status: agent.Offline,
			StatusAt: sec(70), CreatedAt: sec(71), UpdatedAt: sec(72),
		}
		if created := got[bool](t)(s.PutAgent(ctx, next)); created {
			t.Error("got created true; want false")
		}
		next.Status, next.StatusAt, next.Until, next.CreatedAt = agent.Online, sec(3), sec(100), sec(1)
		wantEqual(t, "agent", got[agent.Agent](t)(s.Agent(ctx, "t", "li")), next)
	}},
	{"SetStatus changes presence and nothing else", func(t *testing.T, s storeCase) {
		ctx := t.Context()
		got[bool](t)(s.PutAgent(ctx, anAgent("t", "li", "a")))
		for _, step := range []struct {
			what      string
			to        agent.Status
			at, until time.Time
			since     time.Time
		}{
			{"another status", agent.Paused, sec(20), time.Time{}, sec(20)},
			{"the same again", agent.Paused, sec(30), time.Time{}, sec(20)},
			{"with an end", agent.Paused, sec(40), sec(140), sec(20)},
			{"prolonged", agent.Paused, sec(50), sec(150), sec(20)},
			{"another with an end", agent.Online, sec(60), sec(160), sec(60)},
			{"after it has ended", agent.Online, sec(160), sec(260), sec(160)},
			{"without an end again", agent.Online, sec(170), time.Time{}, sec(160)},
			{"offline", agent.Offline, sec(180), time.Time{}, sec(180)},
			{"offline again", agent.Offline, sec(190), time.Time{}, sec(180)},
			{"back", agent.Online, sec(200), sec(300), sec(200)},
			{"gone when it has ended", agent.Offline, sec(300), time.Time{}, sec(300)},
		} {
			want := anAgent("t", "li", "a")
			want.Status, want.StatusAt, want.Until = step.to, step.since, step.until
			wantEqual(t, step.what+", returned", got[agent.Agent](t)(s.SetStatus(ctx, "t", "li", step.to, step.at, step.until)), want)
			wantEqual(t, step.what+", stored", got[agent.Agent](t)(s.Agent(ctx, "t", "li")), want)
		}
		_, err := s.SetStatus(ctx, "t", "nobody", agent.Online, sec(1), sec(2))
		wantKind(t, "of nobody", err, fault.NotFound)
		_, err = s.SetStatus(ctx, "t", "nobody", agent.Offline, sec(1), time.Time{})
		wantKind(t, "of nobody", err, fault.NotFound)
	}},
	{"Agents lists a tenant's agents by id, and no other's", func(t *testing.T, s storeCase) {
		for _, id := range edge {
			got[bool](t)(s.PutAgent(t.Context(), anAgent("t", agent.ID(id))))
		}
		got[bool](t)(s.PutAgent(t.Context(), anAgent("t1", "a")))
		got[bool](t)(s.PutAgent(t.Context(), anAgent("ta", "b")))
		wantList(t, s, "Agents", agentsIn(s, "t"), agentID, edge...)
		_, err := s.Agent(t.Context(), "t1", "b")
		wantKind(t, "another tenant's agent", err, fault.NotFound)
	}},
	{"AgentsOf follows what agents are bound to", func(t *testing.T, s storeCase) {
		ctx := t.Context()
		got[bool](t)(s.PutAgent(ctx, anAgent("t", "li", "a", "ab")))
		got[bool](t)(s.PutAgent(ctx, anAgent("t", "wu", "a")))
		got[bool](t)(s.PutAgent(ctx, anAgent("u", "li", "a")))
		wantBound(t, s, "t", "a", "li", "wu")
		wantBound(t, s, "t", "ab", "li")
		got[bool](t)(s.PutAgent(ctx, anAgent("t", "li", "ab", "b")))
		wantBound(t, s, "t", "a", "wu")
		wantBound(t, s, "t", "b", "li")
		must(t, s.DeleteAgent(ctx, "t", "wu"))
		wantBound(t, s, "t", "a")
		wantBound(t, s, "u", "a", "li")
	}},
	{"AgentsOf has no end before the last", func(t *testing.T, s storeCase) {
		var want []string
		for i := range 250 {
			id := fmt.Sprintf("agent%03d", i)
			want = append(want, id)
			got[bool](t)(s.PutAgent(t.Context(), anAgent("t", agent.ID(id), "a")))
		}
		wantBound(t, s, "t", "a", want...)
	}},
	{"PutKey of an id that exists is Conflict and changes nothing", func(t *testing.T, s storeCase) {
		ctx := t.Context()
		must(t, s.PutKey(ctx, aKey("t", "li", "k")))
		wantEqual(t, "key", got[agent.Key](t)(s.Key(ctx, "k")), aKey("t", "li", "k"))
		wantKind(t, "PutKey again", s.PutKey(ctx, aKey("u", "wu", "k")), fault.Conflict)
		wantEqual(t, "key", got[agent.Key](t)(s.Key(ctx, "k")), aKey("t", "li", "k"))
	}},
	{"DeleteKey wants the key's own agent", func(t *testing.T, s storeCase) {
		ctx := t.Context()
		must(t, s.PutKey(ctx, aKey("t", "li", "k")))
		must(t, s.PutKey(ctx, aKey("t", "", "tenant-key")))
		wantKind(t, "another agent's", s.DeleteKey(ctx, "t", "wu", "k"), fault.NotFound)
		wantKind(t, "another tenant's", s.DeleteKey(ctx, "u", "li", "k"), fault.NotFound)
		wantKind(t, "the tenant's", s.DeleteKey(ctx, "t", "", "k"), fault.NotFound)
		wantEqual(t, "key", got[agent.Key](t)(s.Key(ctx, "k")), aKey("t", "li", "k"))
		must(t, s.DeleteKey(ctx, "t", "li", "k"))
		must(t, s.DeleteKey(ctx, "t", "", "tenant-key"))
		wantKind(t, "again", s.DeleteKey(ctx, "t", "li", "k"), fault.NotFound)
		_, err := s.Key(ctx, "k")
		wantKind(t, "Key", err, fault.NotFound)
	}},
	{"DeleteAgent removes the agent and all its keys", func(t *testing.T, s storeCase) {
		ctx := t.Context()
		for _, id := range []agent.ID{"li", "li2"} {
			got[bool](t)(s.PutAgent(ctx, anAgent("t", id, "a")))
			for i := range 30 {
				must(t, s.PutKey(ctx, aKey("t", id, fmt.Sprintf("%s-%d", id, i))))
			}
		}
		must(t, s.DeleteAgent(ctx, "t", "li"))
		wantKind(t, "again", s.DeleteAgent(ctx, "t", "li"), fault.NotFound)
		for i := range 30 {
			_, err := s.Key(ctx, fmt.Sprintf("li-%d", i))
			wantKind(t, "Key", err, fault.NotFound)
		}
		got[agent.Key](t)(s.Key(ctx, "li2-29"))
		wantList(t, s, "Agents", agentsIn(s, "t"), agentID, "li2")
	}},
}
