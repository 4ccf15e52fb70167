package doctor

import (
	"slices"
	"time"

	"kefu/shared/core/account"
)

// Evidence is all that a diagnosis goes by.
type Evidence struct {
	At      time.Time
	Account account.Account // with its secrets; none of them gets into a finding
	Seen    Sightings
	Agents  int // bound to the account
	Online  int // of these, online
	// Token is an access token asked for with the account's own secret.
	Token    Trial
	Callback CallbackTrial
	Send     SendTrial
	// Lacks is what could not be found out on our own side.
	Lacks []Lack
}

// Lack is evidence that is missing.
type Lack string

// What may be missing.
const (
	LackPushes Lack = "pushes"
	LackAgents Lack = "agents"
)

func (e Evidence) lacks(what Lack) bool { return slices.Contains(e.Lacks, what) }

// Trial is what became of one call of the platform that was made to see whether it works.
type Trial struct {
	// Reason is empty when the call succeeded. Else it is one of the reasons below, or
	// the word for the platform's error code.
	Reason string
	Code   int    // errcode; 0 when the platform refused nothing
	RID    string // the platform's id of the request, with which it can look the call up for seven days
	IP     string // of 40164: the address that is not on the account's list
	Host   string // of Unreachable: who was called
	How    How    // of Unreachable: how far the call came
}

// Reasons of a trial that has no answer of the platform's. All others are those of its
// error codes.
const (
	NoToken       = "no-token"             // not made, for want of an access token
	SecretMissing = "secret-missing"       // not made, for want of an app secret
	Unreachable   = "platform-unreachable" // no usable answer
)

// How says where a call ended that brought no usable answer.
type How string

// Where a call may end.
const (
	AtName    How = "name"    // the host's name has no address
	AtConnect How = "connect" // the address takes no connection
	AtTLS     How = "tls"     // its certificate or its TLS is no good
	AtAnswer  How = "answer"  // something answered, but not as the platform does
	AtTime    How = "time"    // nothing came in time
)

// Worked reports whether the call succeeded.
func (t Trial) Worked() bool { return t.Reason == "" }

// CallbackTrial is the platform's own look at the callback address (callback/check).
type CallbackTrial struct {
	Trial
	Names []Resolved
	Pings []Ping
}

// Resolved is an address that one of the platform's operators found for the host of the callback.
type Resolved struct {
	IP       string `json:"ip"`
	Operator string `json:"operator,omitempty"`
}

// Ping is how one of them reached an address.
type Ping struct {
	IP       string `json:"ip"`
	Operator string `json:"operator,omitempty"`
	Loss     int    `json:"loss_percent"` // 0 to 100
	Millis   int64  `json:"millis"`
}

// SendTrial is the platform's count of the calls that send messages (openapi/quota/get).
type SendTrial struct {
	Trial
	Limit, Used, Remain int64 // of today, which begins at midnight in UTC+8
	// RateCalls may be made in RateFor; 0 when the platform tells none.
	RateCalls int64
	RateFor   time.Duration
}
