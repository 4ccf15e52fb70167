package session

import (
	"time"

	"kefu/shared/core/account"
	"kefu/shared/core/agent"
	"kefu/shared/core/message"
	"kefu/shared/core/quota"
)

// Event is something that happened to a conversation. The set is closed.
type Event interface{ event() }

// Arrived: the platform delivered something of the customer's.
type Arrived struct {
	ID           ID // the session to open, should one be needed
	Account      account.ID
	Customer     account.Customer
	Key          string    // names the push; see message.Inbound
	At           time.Time // the customer's time
	HeardAt      time.Time // when the push reached us; zero: now
	Action       quota.Action
	FromCustomer bool // a message, which queues the session; not an event

	Text    string // what a message says, or is recognised to say
	Tapped  string // id of the tapped item of a msgmenu
	MenuKey string // key of the tapped item of the account's own menu
	Name    string // of an event
	// Transferred: the push was answered by handing the message to the platform's own tool.
	Transferred bool
}

// Accept: an agent takes the session by hand.
type Accept struct{ Agent agent.ID }

// Assign: the router gives a queued session to an agent.
type Assign struct{ Agent agent.ID }

// Transfer: the session passes to another agent, or to the queue when Agent is empty.
type Transfer struct{ Agent agent.ID }

// Close: somebody ends the session.
type Close struct{ By string }

// Release: the session's agent has left or been silent for too long.
type Release struct{}

// Enqueue: an outbound message is accepted.
type Enqueue struct {
	Key        string // idempotency key, may be empty
	Parts      int
	SendAt     time.Time // zero: at once
	ExpiresAt  time.Time // zero: by the account's rule
	FailClosed bool
	By         string // who wrote it, as in its row
	Bytes      int    // length of a text in bytes, 0 for all else
}

// Cancel: an outbound message shall not be sent after all.
type Cancel struct{ Message message.ID }

// Next: a sender came by and would make a call.
type Next struct{}

// Answered: the call of the flight came to an end.
type Answered struct {
	Message message.ID
	Outcome Outcome
	// Yield: the sender has to go; the next call is for another visit.
	Yield bool
}

// Landed: the row of the flight's message says that it was sent. Its sender had
// nothing more to do and left the rest to the next save; see [Rests].
type Landed struct{ Message message.ID }

// Orphaned: whoever made the flight's call is known to be gone. An engine with one
// owner says so when it starts; others let the lease run out.
type Orphaned struct{}

// Settled: the rows of these endings have been written.
type Settled struct{ Messages []message.ID }

// Drop: the outbox names a message whose row was never written; nobody was told
// that it was accepted.
type Drop struct{ Message message.ID }

// Told: the customer of a queued session may be told his place in the queue. It is
// said once for each time that he queues, and only if the account has a text for it.
type Told struct{ Position int }

// Replied: the business's responder was asked what the bot shall say, or could not be.
type Replied struct {
	To      int64 // number of the last message that it was asked about
	Content []message.Content
	Handoff bool // it wants a human
	Failed  bool // the bot's own rules shall answer; Text is what the customer wrote
	Text    string
}

// Approve: a supervisor lets a message go that the platform's text check held.
type Approve struct {
	Message message.ID
	By      string // who lets it go
}

// Informed: the business's software will be told of this news; see [News].
type Informed struct{ UpTo int64 }

// Tick: the sweep came by.
type Tick struct{}

func (Arrived) event()  {}
func (Accept) event()   {}
func (Assign) event()   {}
func (Transfer) event() {}
func (Close) event()    {}
func (Release) event()  {}
func (Enqueue) event()  {}
func (Cancel) event()   {}
func (Next) event()     {}
func (Answered) event() {}
func (Landed) event()   {}
func (Orphaned) event() {}
func (Settled) event()  {}
func (Drop) event()     {}
func (Told) event()     {}
func (Replied) event()  {}
func (Approve) event()  {}
func (Informed) event() {}
func (Tick) event()     {}
