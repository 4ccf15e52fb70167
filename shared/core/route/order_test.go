package route

import (
	"testing"
	"time"

	"kefu/shared/core/agent"
)

func TestOrder(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)
	who := func(id string, status agent.Status, capacity, load int, used time.Time) Candidate {
		return Candidate{Agent: agent.Agent{ID: agent.ID(id), Status: status, Capacity: capacity}, Load: load, LastUsed: used}
	}
	tests := []struct {
		name string
		all  []Candidate
		want string
	}{
		{"nobody", nil, ""},
		{"only those online", []Candidate{who("a", agent.Away, 5, 0, at), who("b", agent.Paused, 5, 0, at), who("c", agent.Offline, 5, 0, at), who("d", agent.Online, 5, 0, at)}, "d"},
		{"full ones are left out", []Candidate{who("a", agent.Online, 2, 2, at), who("b", agent.Online, 2, 3, at), who("c", agent.Online, 2, 1, at)}, "c"},
		{"no seats at all", []Candidate{who("a", agent.Online, 0, 0, at)}, ""},
		{"share, not number", []Candidate{who("big", agent.Online, 100, 60, at), who("small", agent.Online, 2, 1, at)}, "small big"},
		{"equal share: idle longest", []Candidate{who("a", agent.Online, 4, 2, at), who("b", agent.Online, 2, 1, at.Add(-time.Minute))}, "b a"},
		{"all equal: by id", []Candidate{who("b", agent.Online, 2, 1, at), who("a", agent.Online, 2, 1, at)}, "a b"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := ""
			for i, c := range Order(tt.all) {
				if i > 0 {
					got += " "
				}
				got += string(c.Agent.ID)
			}
			if got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestStale(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)
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
		if got := Stale(agent.Seat{TakenAt: now.Add(-tt.age)}, tt.serving, now); got != tt.want {
			t.Errorf("%s: got %v, want %v", tt.name, got, tt.want)
		}
	}
}
