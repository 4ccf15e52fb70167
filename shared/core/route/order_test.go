package route

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"kefu/shared/core/account"
	"kefu/shared/core/agent"
)

var nine = time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)

// TestOrderIsTotal: by every strategy the order has each who is online and has a free
// seat, once and nobody else, and doesn't depend on how the candidates were listed.
func TestOrderIsTotal(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		by := rapid.SampledFrom([]account.Strategy{"", account.IdleRate, account.RoundRobin, account.LongestIdle}).Draw(t, "strategy")
		all := draw(t)
		before := slices.Clone(all)
		got := Order(all, by)
		if !reflect.DeepEqual(all, before) {
			t.Fatalf("the caller's list has changed: got %v, want %v", all, before)
		}
		want := map[agent.ID]bool{}
		for _, c := range all {
			if c.Agent.Status == agent.Online && c.Load < c.Agent.Capacity {
				want[c.Agent.ID] = true
			}
		}
		for _, c := range got {
			if !want[c.Agent.ID] {
				t.Fatalf("%s is on the list twice, or has no business there", c.Agent.ID)
			}
			delete(want, c.Agent.ID)
		}
		if len(want) > 0 {
			t.Fatalf("not on the list: %v", want)
		}
		dice := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
		dice.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		if again := Order(all, by); names(again) != names(got) {
			t.Fatalf("listed otherwise: got %s, want %s", names(again), names(got))
		}
		last := agent.ID(fmt.Sprint("a", rapid.IntRange(0, 9).Draw(t, "last")))
		preferred := Prefer(got, last)
		i := slices.IndexFunc(got, func(c Candidate) bool { return c.Agent.ID == last })
		if i >= 0 && preferred[0].Agent.ID != last {
			t.Fatalf("%s could take it: got %s first", last, preferred[0].Agent.ID)
		}
		rest := func(list []Candidate) string {
			return names(slices.DeleteFunc(slices.Clone(list), func(c Candidate) bool { return c.Agent.ID == last }))
		}
		if len(preferred) != len(got) || rest(preferred) != rest(got) {
			t.Fatalf("the others: got %s, want %s", rest(preferred), rest(got))
		}
	})
}

func draw(t *rapid.T) []Candidate {
	at := func(what string) time.Time {
		if m := rapid.IntRange(0, 3).Draw(t, what); m > 0 {
			return nine.Add(time.Duration(m) * time.Minute)
		}
		return time.Time{}
	}
	all := make([]Candidate, rapid.IntRange(0, 8).Draw(t, "agents"))
	for i := range all {
		all[i] = Candidate{
			Agent: agent.Agent{
				ID: agent.ID(fmt.Sprint("a", i)), Capacity: rapid.IntRange(0, 3).Draw(t, "capacity"), StatusAt: at("status at"),
				Status: rapid.SampledFrom([]agent.Status{agent.Online, agent.Online, agent.Online, agent.Away}).Draw(t, "status"),
			},
			Load: rapid.IntRange(0, 3).Draw(t, "load"), LastTaken: at("taken"), LastFreed: at("freed"),
		}
	}
	return all
}

func TestStale(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		age     time.Duration
		serving bool
		want    bool
	}{
		{"just taken", time.Second, false, false},
		{"at the end of grace", SeatGrace, false, true},
		{"in use", time.Hour, true, false},
	} {
		if got := Stale(agent.Seat{TakenAt: nine.Add(-tt.age)}, tt.serving, nine); got != tt.want {
			t.Errorf("%s: got %v, want %v", tt.name, got, tt.want)
		}
	}
}
