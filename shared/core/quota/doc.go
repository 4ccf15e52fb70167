// Package quota is the reply window: how many messages may still be sent to a
// customer, and until when. It is arithmetic on values; nothing here knows a
// clock, a store or a platform's wire format.
//
// Begin with [Window]. A customer's action adds a grant ([Window.Grant]), a
// sender takes from it before each call ([Window.Take]), gives back what the
// platform refused ([Window.Refund]) and believes the platform when it
// disagrees ([Window.Correct]). [Window.At] reads it.
//
// The rules, from the platform's pages "Customer message guide" and "Send
// customer messages": each action grants a number of messages for a time;
// grants do not add up, a new one refills the count to the highest that applies
// and moves the end to the latest that applies.
//
// What the pages leave open is settled by the time of each send. A grant counts
// from the second in which the customer acted, not from when we applied it: a send
// made after that second, or after the push had reached us, has already been
// counted by the platform against the new grant, so it stays counted here.
// Resetting to zero would promise messages that the platform then refuses.
package quota
