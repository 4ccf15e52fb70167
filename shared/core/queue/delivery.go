// Package queue has the words of a queue that consumers and engines share:
// [Delivery] is what a consumer gets, [DeadLetter] what nobody could work on.
package queue

import "time"

// Limits of one message. MaxBody is more than the largest push that is taken in
// grows to on its way; an engine whose own limit is lower keeps the rest elsewhere.
const (
	MaxBody  = 2 << 20
	MaxDelay = 15 * time.Minute
)

// Delivery is one received message.
type Delivery struct {
	ID       string // stays the same over redeliveries
	Receipt  string // of this delivery
	Group    string
	Body     []byte
	Receives int // this one included
	SentAt   time.Time
}

// DeadLetter is a message that was delivered too often.
type DeadLetter struct {
	ID       string
	Group    string
	Body     []byte
	Receives int
	SentAt   time.Time
	DiedAt   time.Time
}
