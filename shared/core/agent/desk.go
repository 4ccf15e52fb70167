package agent

import "time"

// Desk is an agent's places, and what is known of how they were used.
type Desk struct {
	Seats     []Seat
	LastTaken time.Time // when he was last given a session; zero: never
	LastFreed time.Time // when a session of his last left him; zero: never
}

// Seat is one of an agent's places, taken by a session.
type Seat struct {
	Session string `json:"session"`
	// TakenAt is when it was taken, or kept: as of when the session needs it. Whoever
	// gives the seat back names a time, and one that is needed as of later stays.
	TakenAt time.Time `json:"taken_at"`
}
