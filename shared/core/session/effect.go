package session

import (
	"time"

	"kefu/shared/core/agent"
	"kefu/shared/core/message"
	"kefu/shared/core/tenant"
)

// Effect is something the caller has to do after the save, in the order given.
// The set is closed; each effect is harmless to repeat.
type Effect interface{ effect() }

// Archive: keep the session that has ended as history. It is the one effect
// that goes before the save, since the save puts the next session in its place.
type Archive struct{ Session Session }

// Store: write the row of the message that the event brought.
type Store struct {
	Message message.ID
	Repeat  bool // the event had been seen before
}

// WakeRouter: the session waits and somebody may be free.
type WakeRouter struct{}

// WakeBot: the business's responder has to be asked for the bot's next turn, which
// then comes as Replied.
type WakeBot struct{}

// Say: write the row of a message that a rule wrote. Its content stands in the
// outbox until its call begins, so that a crash in between loses nothing.
type Say struct {
	Message message.ID
	Content message.Content
	By      string
	// State is empty for a message that goes out; one that the spending policy withheld has ended.
	State     message.State
	Reason    string
	ExpiresAt time.Time
}

// Inform: put the news into the queue of what the business's software is told, then
// come back with Informed.
type Inform struct{ News []News }

// WakeSender: the outbox has something to do at the given time; zero means now.
type WakeSender struct{ At time.Time }

// FreeSeat: the agent no longer serves the session.
type FreeSeat struct {
	Tenant  tenant.ID
	Agent   agent.ID
	Session ID
}

// Call: make one call to the platform and come back with Answered.
type Call struct {
	Message message.ID
	Along   []message.ID // texts that go out in the same message, after it
	Part    int          // from 0
	// Renew: the media must be uploaded again first.
	Renew bool
	// Deadline ends the flight; a call that would pass it must not be made.
	Deadline time.Time
}

// Settle: write how the message ended, unless its row has ended already; then
// come back with Settled.
type Settle struct {
	Settlement message.Settlement
	// Said is what a rule wrote, should its row be missing.
	Said *Say
}

// Record: like Settle, but before the save, and without coming back. It states
// the outcome of the caller's own call, which is a fact whatever the save says:
// written first, no crash can turn a known outcome into an unknown one.
type Record struct{ Settlement message.Settlement }

func (Archive) effect()    {}
func (Store) effect()      {}
func (WakeRouter) effect() {}
func (WakeSender) effect() {}
func (FreeSeat) effect()   {}
func (Call) effect()       {}
func (Settle) effect()     {}
func (Record) effect()     {}
func (WakeBot) effect()    {}
func (Say) effect()        {}
func (Inform) effect()     {}
