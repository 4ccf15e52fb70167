package fault

import "time"

// statuses is the one place where a kind becomes an HTTP status. It also says which kinds there are.
var statuses = map[Kind]int{
	Invalid:     400,
	Denied:      403,
	NotFound:    404,
	Conflict:    409,
	Exhausted:   429,
	Unavailable: 503,
	Internal:    500,
}

// texts is what a user reads when an error brings no text of its own.
var texts = map[Kind]string{
	Invalid:     "The request is not valid.",
	Denied:      "This is not allowed.",
	NotFound:    "There is no such thing.",
	Conflict:    "The state has changed meanwhile.",
	Exhausted:   "Too many requests.",
	Unavailable: "A service that this needs does not answer. Try again later.",
	Internal:    "Something went wrong on our side.",
}

// Action is what a queue consumer does with a message whose handling ended in an error.
type Action string

// The actions. Done is the zero value.
const (
	// Done: acknowledge, nothing went wrong.
	Done Action = ""
	// Park: set the message aside for a person to look at and acknowledge it; no repetition will help.
	Park Action = "park"
	// RetryNow: load the state again and handle the message once more, at once, a bounded number of times.
	RetryNow Action = "retry-now"
	// RetryLater: handle it again when Decision.After has passed.
	RetryLater Action = "retry-later"
	// Redeliver: give it back to the queue, which counts and ends in its dead letters.
	Redeliver Action = "redeliver"
)

// Decision is an Action and, for RetryLater, the wait.
type Decision struct {
	Action Action
	After  time.Duration // zero when the error doesn't say, and for every other action
}

// actions is the one place where a kind becomes a queue decision.
var actions = map[Kind]Action{
	Invalid:     Park,
	Denied:      Park,
	NotFound:    Park,
	Conflict:    RetryNow,
	Exhausted:   RetryLater,
	Unavailable: Redeliver,
	Internal:    Redeliver,
}

// Status gives the HTTP status for err: its own (WithStatus), else its kind's; 200 for nil.
func Status(err error) int {
	if err == nil {
		return 200
	}
	r := read(err)
	if r.status != 0 {
		return r.status
	}
	return statuses[r.kind]
}

// Decide gives the queue decision for err; Done for nil.
func Decide(err error) Decision {
	if err == nil {
		return Decision{}
	}
	return Decision{Action: actions[KindOf(err)], After: RetryAfter(err)}
}
