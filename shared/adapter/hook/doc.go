// Package hook calls the business's own software over HTTP. Make a [Client] with [New]: [Client.Tell] tells of an event,
// [Client.Ask] asks the responder. Requests are signed as Standard Webhooks wants it; see kefu/shared/core/hook.
//
// The addresses come from whoever may set up an account, so a request never goes where only the deployment itself
// could: see guard.go. Redirects are not followed, answers are read only so far, and no call takes longer than its time.
package hook
