package shell

import (
	"context"
	"encoding/json"
	"fmt"
	"hash/maphash"
	"sync"
	"time"

	"kefu/shared/core/fault"
	"kefu/shared/core/session"
)

// inform puts news into the queue of what the business's software is told, in order.
// Each save asks for all that is not known to be there, so that what is told first is
// told in order even if savers overtake each other; what this process has just put
// there is left out.
func (sh *Shell) inform(ctx context.Context, s session.Session, news []session.News, now time.Time) error {
	if sh.Hooks == nil {
		return fault.New(fault.Unavailable, "", "this process has no queue for what the business's software is told")
	}
	ref := s.Ref()
	done, last := sh.Told.take(ref, now)
	defer func() { done(last) }()
	for _, n := range news {
		if n.Seq <= last {
			continue
		}
		body, err := json.Marshal(session.Tell{Ref: ref, Owner: s.Owner(), News: n})
		if err != nil {
			return err
		}
		if err := sh.Hooks.Send(ctx, Group(ref), 0, body); err != nil {
			return fmt.Errorf("tell of %s of account %s: %w", n.Event, ref.Account, err)
		}
		last = n.Seq
	}
	return nil
}

// Told is a process's short memory of the news that it has put into their queue. It
// saves repetitions, no more: without it, or in other processes, news are told twice
// under one id.
type Told struct {
	seed   maphash.Seed
	shards [64]shard
}

type shard struct {
	mu    sync.Mutex
	talks map[session.Ref]mark
}

// mark is the newest news of a conversation that is in the queue.
type mark struct {
	seq int64
	at  time.Time
}

const (
	// toldFor is how long it is remembered: longer than savers of one conversation overlap.
	toldFor = time.Minute
	// toldMost bounds a shard.
	toldMost = 512
)

// NewTold makes the memory of one process.
func NewTold() *Told { return &Told{seed: maphash.MakeSeed()} }

// take waits for the conversation's turn and returns the number of the newest news in
// the queue, 0 if none is known; done ends the turn and takes the new number.
func (t *Told) take(ref session.Ref, now time.Time) (done func(seq int64), last int64) {
	if t == nil {
		return func(int64) {}, 0
	}
	s := &t.shards[maphash.String(t.seed, Group(ref))%uint64(len(t.shards))]
	s.mu.Lock()
	if m, ok := s.talks[ref]; ok && now.Sub(m.at).Abs() < toldFor {
		last = m.seq
	}
	return func(seq int64) {
		defer s.mu.Unlock()
		if s.talks == nil || len(s.talks) >= toldMost {
			s.talks = map[session.Ref]mark{}
		}
		s.talks[ref] = mark{seq, now}
	}, last
}
