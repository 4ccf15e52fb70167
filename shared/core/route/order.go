// Package route chooses agents. [Order] ranks those who may take a session; the
// caller takes a seat of the first and, when it is refused, tries the next.
package route

import (
	"cmp"
	"slices"
	"time"

	"kefu/shared/core/agent"
)

// Candidate is an agent who is bound to the session's account.
type Candidate struct {
	Agent    agent.Agent
	Load     int       // seats taken
	LastUsed time.Time // when the last session was taken, zero if none is
}

// Free is how many more sessions the agent may take.
func (c Candidate) Free() int {
	if c.Agent.Status != agent.Online {
		return 0
	}
	return max(0, c.Agent.Capacity-c.Load)
}

// Order returns the candidates who are online and have a free seat, the one with
// the largest share of free seats first (空闲率, idle rate); among equals the one
// who took a session longest ago, then by id so that the order is always the same.
func Order(all []Candidate) []Candidate {
	free := slices.DeleteFunc(slices.Clone(all), func(c Candidate) bool { return c.Free() == 0 })
	slices.SortFunc(free, func(a, b Candidate) int {
		// a.Free/a.Capacity against b.Free/b.Capacity, without fractions.
		return cmp.Or(
			cmp.Compare(b.Free()*a.Agent.Capacity, a.Free()*b.Agent.Capacity),
			a.LastUsed.Compare(b.LastUsed),
			cmp.Compare(a.Agent.ID, b.Agent.ID),
		)
	})
	return free
}

// SeatGrace is how long a seat may be taken before its session says so: the time
// between the two writes of an assignment.
const SeatGrace = time.Minute

// Stale reports whether a seat is left over from a crash: it has been taken for a
// while, and the session that took it isn't served by the agent.
func Stale(s agent.Seat, serving bool, now time.Time) bool {
	return !serving && now.Sub(s.TakenAt) >= SeatGrace
}
