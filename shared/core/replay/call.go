// Package replay lets a client repeat a writing call without repeating its
// effect: the first answer is kept under the client's Idempotency-Key and given
// again. [Call] is the record.
package replay

import "time"

// Call is what is known of a call with an Idempotency-Key.
type Call struct {
	Key         string    `json:"key"`
	Fingerprint string    `json:"fp"` // of method, path, identity and body: the same key with another is a mistake
	Done        bool      `json:"done,omitempty"`
	Status      int       `json:"status,omitempty"` // the answer, once Done
	Body        []byte    `json:"body,omitempty"`
	LeaseUntil  time.Time `json:"lease"`   // while not Done: until then the first call is taken to be running
	ExpiresAt   time.Time `json:"expires"` // 24 h after the first call
}

// Blocks reports whether the record stands in the way of a new first call at now.
func (c Call) Blocks(now time.Time) bool {
	return now.Before(c.ExpiresAt) && (c.Done || now.Before(c.LeaseUntil))
}
