// Package dynamo keeps Kefu's store in one DynamoDB table. Start with [New]; the contract of what it gives is
// kefu/shared/porttest.Store. All keys and attribute names stand in key.go, and nowhere else.
//
// The table, by partition key:
//
//	C#account/customer    the conversation: window, outbox, flight, short memories; one write per message
//	I#session             one per session: what the lists show, and the whole of a session that has been replaced
//	M#session             its messages, by number
//	P#account/push        that a push has been seen
//	T#tenant …            tenants, agents; A# accounts, K# API keys, S# seats, Q# idempotent calls, X# access tokens,
//	                      F# files, W# pushes kept raw, V# what was seen of the callback
//
// Four indexes hold keys only, and only of what is in them at the time: time (what the sweep must visit; sessions by
// customer), list (sessions by account and state, and the few other lists), agent (sessions by agent and state) and
// queue (who waits, in order). None of their keys changes with a message, so a message costs no index write.
//
// A session is current while its conversation's item says so, whatever else stands of it. When it is replaced, its own
// item has what was archived of it; when the conversation is deleted, long after there was nothing more to come, the own
// item has how the session ended. Messages and sessions are never deleted.
//
// Every condition and every read compares the time itself. The TTL attribute only cleans up: DynamoDB deletes days
// late, and what it has deleted no answer depends on.
package dynamo
