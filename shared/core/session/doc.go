// Package session decides what happens to a conversation. Everything is a
// value: [Step] takes a [Session], an [Event] and the time, and returns the
// session as it is afterwards with the [Effect]s that the caller has to carry
// out. Read session.go for the state, step.go for the table of events, then the
// file of what you care about:
//
//	arrive.go    what the customer did; bot.go: who answers him
//	queue.go     waiting: place, text, timeout; desk.go: agents take, pass on, close
//	external.go  the platform's own tool has him
//	outbox.go    messages are accepted; say.go: those that rules write, and when not
//	send.go      one call after the other; bundle.go: several texts in one
//	review.go    a supervisor lets a text go
//	tick.go      what time alone does
//	news.go      what the business's own software is told
//
// testdata has a script for each rule, to be read without knowing Go.
//
// # The caller's part
//
// Load the session, Step, save it on condition that its Version is the one that
// was loaded, then carry out the effects in order, then acknowledge. When the
// save is refused, load again and Step again: nothing has happened yet. When the
// process dies between save and effects, the next visit (a redelivery, the
// sender's next turn, or the sweep at DueAt) returns them again; each is harmless
// to repeat. There is one exception to the order, [Record], which says so itself.
//
// Two things are late on purpose, because a store is paid by the write. A flight
// that ended well is told by its message's row, so it may stay in the stored session
// until something else is saved; see [Rests]. And DueAt is often earlier than it need
// be: moving it costs more than a look of the sweep; see tick.go.
//
// # Words
//
//	session   one conversation of a customer with an account (会话)
//	customer  who writes, within one account
//	agent     who answers (客服人员)
//	window    how many messages may be sent, and until when (package quota)
//	outbox    outbound messages that were accepted and not yet called, in order
//	hold      one of them that waits for its time or for a window
//	flight    the one call that is under way; while it lasts no other sender may call
//	news      something that the business's own software wants to be told
//	ending    how a message of the outbox ended without a call, until its row says so too
//
// The window, the outbox and the flight belong to the customer rather than to
// one session; a new session inherits them from the one before.
package session
