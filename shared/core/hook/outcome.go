package hook

import "time"

// Outcome is what became of a request.
type Outcome struct {
	Kind Kind
	// Reason is a stable word for people and programs, empty if it was delivered: "timeout", "unreachable",
	// "refused-address", "http-503" …
	Reason string
	Status int           // of HTTP; 0: there was no answer
	After  time.Duration // how long the receiver asked to be left alone; zero: it didn't
	Cause  error         // for logs; never the address, which may hold a token
}

// Kind says what an outcome means.
type Kind string

// The kinds of outcome. Gone is the receiver's 410: it wants to hear nothing any more.
const (
	Delivered Kind = "delivered"
	Gone      Kind = "gone"
	Failed    Kind = "failed" // perhaps it was delivered all the same
)
