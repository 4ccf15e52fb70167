package shell

import (
	"hash/maphash"
	"sync"

	"kefu/shared/core/session"
)

// Turns is one queue for each conversation, more or less: conversations share a
// fixed number of them. It only saves work, since the condition on the version
// decides who wins; other processes are not in it.
type Turns struct {
	seed  maphash.Seed
	locks [256]sync.Mutex
}

// NewTurns makes the queues of one process.
func NewTurns() *Turns { return &Turns{seed: maphash.MakeSeed()} }

// take waits for the conversation's turn and returns what ends it.
func (t *Turns) take(ref session.Ref) (done func()) {
	if t == nil {
		return func() {}
	}
	lock := &t.locks[maphash.String(t.seed, Group(ref))%uint64(len(t.locks))]
	lock.Lock()
	return lock.Unlock
}
