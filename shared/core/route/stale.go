package route

import (
	"time"

	"kefu/shared/core/agent"
)

// SeatGrace is how long a seat may be taken before its session says so: the time
// between the two writes of an assignment.
const SeatGrace = time.Minute

// Stale reports whether a seat is left over from a crash: it has been taken for a
// while, and the session that took it isn't served by the agent.
func Stale(s agent.Seat, serving bool, now time.Time) bool {
	return !serving && now.Sub(s.TakenAt) >= SeatGrace
}
