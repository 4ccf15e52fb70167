// Package route chooses agents. [Order] ranks those who may take a session, and
// [Prefer] puts the agent of last time first; the caller takes a seat of the first
// and, when it is refused, tries the next.
package route

import (
	"cmp"
	"slices"
	"time"

	"kefu/shared/core/account"
	"kefu/shared/core/agent"
)

// Candidate is an agent who is bound to the session's account.
type Candidate struct {
	Agent     agent.Agent // as he reads now, see agent.Agent.At
	Load      int         // seats taken
	LastTaken time.Time   // when he was last given a session, zero if never
	LastFreed time.Time   // when one last left him, zero if never
}

// Free is how many more sessions the agent may take.
func (c Candidate) Free() int {
	if c.Agent.Status != agent.Online {
		return 0
	}
	return max(0, c.Agent.Capacity-c.Load)
}

// Free is how many more sessions they may take together.
func Free(all []Candidate) (n int) {
	for _, c := range all {
		n += c.Free()
	}
	return n
}

// idleSince is since when he has had nothing to do: no session, and been there. It
// has a meaning only without load.
func (c Candidate) idleSince() time.Time {
	if c.Agent.StatusAt.After(c.LastFreed) {
		return c.Agent.StatusAt
	}
	return c.LastFreed
}

// Order returns the candidates who are online and have a free seat, by the strategy,
// the first choice first. Those whom a strategy holds equal go by who was given a
// session longest ago, never being longest of all, and at last by id: so the order
// is always the same, however the candidates were listed.
//
//   - idle_rate (空闲率): the largest share of free seats. The default.
//   - round_robin (轮流): given a session longest ago; of those, the largest share.
//   - longest_idle: first those without any session, the one who has had none for
//     longest, which counts from his coming online at the earliest; then the others,
//     the one with the fewest sessions.
func Order(all []Candidate, by account.Strategy) []Candidate {
	free := slices.DeleteFunc(slices.Clone(all), func(c Candidate) bool { return c.Free() == 0 })
	slices.SortFunc(free, func(a, b Candidate) int {
		return cmp.Or(prior(a, b, by), a.LastTaken.Compare(b.LastTaken), share(a, b), cmp.Compare(a.Agent.ID, b.Agent.ID))
	})
	return free
}

// prior compares by the strategy alone.
func prior(a, b Candidate, by account.Strategy) int {
	switch by {
	case account.RoundRobin:
		return a.LastTaken.Compare(b.LastTaken)
	case account.LongestIdle:
		if a.Load == 0 && b.Load == 0 {
			return a.idleSince().Compare(b.idleSince())
		}
		return cmp.Compare(a.Load, b.Load)
	default:
		return share(a, b)
	}
}

// share compares a.Free/a.Capacity with b.Free/b.Capacity, the larger first, without fractions.
func share(a, b Candidate) int {
	return cmp.Compare(b.Free()*a.Agent.Capacity, a.Free()*b.Agent.Capacity)
}

// Prefer moves the agent of last time to the front of those that Order returned; one
// who isn't among them has no free seat or isn't there, and changes nothing.
func Prefer(ordered []Candidate, last agent.ID) []Candidate {
	i := slices.IndexFunc(ordered, func(c Candidate) bool { return c.Agent.ID == last })
	if i <= 0 {
		return ordered
	}
	out := make([]Candidate, 0, len(ordered))
	out = append(out, ordered[i])
	return append(append(out, ordered[:i]...), ordered[i+1:]...)
}
