package porttest

import (
	"context"
	"fmt"
	"testing"

	"kefu/shared/core/account"
	"kefu/shared/core/agent"
	"kefu/shared/core/fault"
	"kefu/shared/core/session"
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
		next.Status, next.StatusAt, next.CreatedAt = agent.Online, sec(3), sec(1)
		wantEqual(t, "agent", got[agent.Agent](t)(s.Agent(ctx, "t", "li")), next)
	}},
	{"SetStatus changes presence and nothing else", func(t *testing.T, s storeCase) {
		ctx := t.Context()
		got[bool](t)(s.PutAgent(ctx, anAgent("t", "li", "a")))
		want := anAgent("t", "li", "a")
		want.Status, want.StatusAt = agent.Paused, sec(20)
		wantEqual(t, "returned", got[agent.Agent](t)(s.SetStatus(ctx, "t", "li", agent.Paused, sec(20))), want)
		wantEqual(t, "stored", got[agent.Agent](t)(s.Agent(ctx, "t", "li")), want)
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

var seatClauses = []storeClause{
	{"seats are taken up to the capacity, and again when freed", func(t *testing.T, s storeCase) {
		ctx := t.Context()
		must(t, s.TakeSeat(ctx, "t", "li", "s1", 2, sec(1)))
		must(t, s.TakeSeat(ctx, "t", "li", "s2", 2, sec(2)))
		wantCode(t, "a third", s.TakeSeat(ctx, "t", "li", "s3", 2, sec(3)), fault.Conflict, "capacity-full")
		must(t, s.TakeSeat(ctx, "t", "li", "s1", 2, sec(4))) // again: nothing more
		must(t, s.TakeSeat(ctx, "t", "li", "s2", 1, sec(4))) // even if the capacity has shrunk
		wantSeats(t, s, "t", "li", "s1", "s2")
		must(t, s.FreeSeat(ctx, "t", "li", "s1"))
		must(t, s.FreeSeat(ctx, "t", "li", "s1")) // not taken: no error
		must(t, s.FreeSeat(ctx, "t", "nobody", "s1"))
		must(t, s.TakeSeat(ctx, "t", "li", "s3", 2, sec(5)))
		wantSeats(t, s, "t", "li", "s2", "s3")
	}},
	{"without capacity there is no seat", func(t *testing.T, s storeCase) {
		wantCode(t, "TakeSeat", s.TakeSeat(t.Context(), "t", "li", "s", 0, sec(1)), fault.Conflict, "capacity-full")
	}},
	{"seats of agents and tenants are apart", func(t *testing.T, s storeCase) {
		ctx := t.Context()
		must(t, s.TakeSeat(ctx, "t", "l", "is", 1, sec(1)))
		must(t, s.TakeSeat(ctx, "t", "li", "s", 1, sec(1)))
		must(t, s.TakeSeat(ctx, "u", "li", "s", 1, sec(1)))
		wantSeats(t, s, "t", "li", "s")
		wantSeats(t, s, "u", "l")
	}},
	{"of 50 that race, capacity get a seat", func(t *testing.T, s storeCase) {
		const racers, capacity = 50, 7
		errs := tried(racers, func(i int) error {
			for { // an engine under such a race may ask to come again; that takes no seat
				err := s.TakeSeat(t.Context(), "t", "li", session.ID(fmt.Sprintf("s%02d", i)), capacity, sec(1))
				if err == nil || fault.CodeOf(err) == "capacity-full" || fault.KindOf(err) != fault.Unavailable {
					return err
				}
			}
		})
		if n := count(errs, func(err error) bool { return err == nil }); n != capacity {
			t.Errorf("got %d that took a seat; want %d", n, capacity)
		}
		for _, err := range errs {
			if err != nil {
				wantCode(t, "a loser", err, fault.Conflict, "capacity-full")
			}
		}
		if seats := got[[]agent.Seat](t)(s.Seats(t.Context(), "t", "li")); len(seats) != capacity {
			t.Errorf("got %d seats; want %d", len(seats), capacity)
		}
	}},
}

// wantSeats fails unless exactly these sessions have seats, in any order.
func wantSeats(t *testing.T, s storeCase, of tenant.ID, a agent.ID, want ...string) {
	t.Helper()
	wanted := map[string]bool{}
	for _, w := range want {
		wanted[w] = true
	}
	s.soon(t, func() string {
		seats, err := s.Seats(t.Context(), of, a)
		if err != nil {
			return err.Error()
		}
		taken := map[string]bool{}
		for _, seat := range seats {
			taken[seat.Session] = true
			if seat.TakenAt.IsZero() {
				return "seat of " + seat.Session + " has no time"
			}
		}
		return diff(wanted, taken)
	})
}
