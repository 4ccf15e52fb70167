package message

import "kefu/shared/core/account"

// Opened is a push that has proved to be the platform's, and what it takes to seal an
// answer to it. Only the push goes into the queue.
type Opened struct {
	Push
	// AESKey opened it: the account's current one or the one before, empty if it came
	// in the clear.
	AESKey account.Secret `json:"-"`
	// Nonce is the push's own; a sealed answer repeats it.
	Nonce string `json:"-"`
}
