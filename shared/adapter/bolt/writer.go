package bolt

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"sync"
	"sync/atomic"

	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"

	"kefu/shared/core/fault"
)

// groupSize is how many changes share one commit at most. More would save little of an fsync and make all wait longer.
const groupSize = 128

// change is one closure that waits for its commit.
type change struct {
	fn   func(*tx) error
	done chan error // receives exactly one result, unless the change is withdrawn
	// taken decides between the writer, who begins it, and a caller who leaves.
	taken atomic.Bool
	// relief: it makes room, or is needed to, so MaxBytes doesn't stop it.
	relief bool
	err    error // of the closure; the writer's own until done
}

// writer makes changes durable, many at a time.
type writer struct {
	db   *bbolt.DB
	log  *slog.Logger
	wake chan struct{} // buffered 1: something waits, or the end has come
	over chan struct{} // closed when the goroutine has ended

	mu      sync.Mutex
	waiting []*change
	closed  bool
}

func startWriter(db *bbolt.DB, log *slog.Logger) *writer {
	w := &writer{db: db, log: log, wake: make(chan struct{}, 1), over: make(chan struct{})}
	go w.run()
	return w
}

// do runs fn in a write transaction and returns when it is durable, or has failed.
//
// fn must check first and write afterwards: a closure that returns an error before it wrote anything costs the others
// nothing, one that fails later makes the whole group run again without it. So fn may run several times and must set
// its results anew each time. A context that ends while the change still waits withdraws it; once begun it is
// finished. A change that brings relief is made even if the file has reached its size.
func (w *writer) do(ctx context.Context, relief bool, fn func(*tx) error) error {
	if err := ctx.Err(); err != nil {
		return cancelled(err)
	}
	c := &change{fn: fn, done: make(chan error, 1), relief: relief}
	w.mu.Lock()
	if w.closed {
		w.mu.Unlock()
		return errClosed
	}
	w.waiting = append(w.waiting, c)
	w.mu.Unlock()
	w.nudge()
	select {
	case err := <-c.done:
		return err
	case <-ctx.Done():
		if c.taken.CompareAndSwap(false, true) {
			return cancelled(ctx.Err())
		}
		return <-c.done
	}
}

// close lets what waits be written and ends the goroutine. Changes that come later fail.
func (w *writer) close() {
	w.mu.Lock()
	w.closed = true
	w.mu.Unlock()
	w.nudge()
	<-w.over
}

func (w *writer) nudge() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

func (w *writer) run() {
	defer close(w.over)
	for range w.wake {
		for {
			w.yield()
			group, more := w.gather()
			if len(group) > 0 {
				w.commit(group)
			}
			if len(group) == 0 && !more {
				break
			}
		}
		w.mu.Lock()
		end := w.closed && len(w.waiting) == 0
		w.mu.Unlock()
		if end {
			return
		}
	}
}

// yields is how often the writer lets others run before it begins a group, while that brings it more changes.
const yields = 8

// yield lets those who were answered a moment ago run first, so that their next changes join this group. It never
// waits: when nobody else wants to run, it goes on at once.
func (w *writer) yield() {
	for n, before := 0, -1; n < yields; n++ {
		runtime.Gosched()
		w.mu.Lock()
		now := len(w.waiting)
		w.mu.Unlock()
		if now == before || now >= groupSize {
			return
		}
		before = now
	}
}

// gather takes what waits, without those who left; more tells whether some had to stay.
func (w *writer) gather() (group []*change, more bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := min(len(w.waiting), groupSize)
	for _, c := range w.waiting[:n] {
		if c.taken.CompareAndSwap(false, true) {
			group = append(group, c)
		}
	}
	rest := copy(w.waiting, w.waiting[n:])
	clear(w.waiting[rest:])
	w.waiting = w.waiting[:rest]
	return group, rest > 0
}

// commit writes a group and answers everyone in it.
func (w *writer) commit(group []*change) {
	live := group
	for {
		failed, err := w.try(live)
		if failed >= 0 {
			// It wrote something before it failed: once more without it.
			answer(live[failed], live[failed].err)
			live = append(live[:failed:failed], live[failed+1:]...)
			continue
		}
		if err != nil {
			w.log.Error("commit failed", "changes", len(live), "error", err.Error())
		}
		if errors.Is(err, berrors.ErrMaxSizeReached) && w.db.MaxSize > 0 {
			live = w.refuse(live, err)
			w.beyond(live)
			return
		}
		for _, c := range live {
			if err != nil {
				c.err = unavailable(err)
			}
			answer(c, c.err)
		}
		return
	}
}

// refuse fails the changes of a group that bring no relief, and returns the others.
func (w *writer) refuse(group []*change, err error) (relief []*change) {
	for _, c := range group {
		if c.relief {
			relief = append(relief, c)
			continue
		}
		answer(c, unavailable(err))
	}
	return relief
}

// beyond commits changes without regard to MaxBytes. To remove something bbolt needs pages first: a file that may
// not grow by these could never shrink in use either.
func (w *writer) beyond(group []*change) {
	if len(group) == 0 {
		return
	}
	limit := w.db.MaxSize
	w.db.MaxSize = 0 // only this goroutine reads it
	defer func() { w.db.MaxSize = limit }()
	w.commit(group)
}

func answer(c *change, err error) { c.done <- err }

// try runs the closures in one transaction. If one fails after writing, it rolls back and names that one; otherwise
// failed is -1 and err says whether the commit worked.
func (w *writer) try(group []*change) (failed int, err error) {
	btx, err := w.db.Begin(true)
	if err != nil {
		return -1, err
	}
	dirty := false
	for i, c := range group {
		t := &tx{Tx: btx}
		c.err = safely(c.fn, t)
		if c.err == nil {
			c.err = t.err
		}
		if c.err != nil && t.dirty {
			_ = btx.Rollback() // it can only say that the transaction has ended
			return i, nil
		}
		dirty = dirty || t.dirty
	}
	if !dirty {
		_ = btx.Rollback() // as above; nothing was written, so there is nothing to sync
		return -1, nil
	}
	return -1, btx.Commit()
}

// safely turns a panic of one closure into its error: the others of the group have no part in it.
func safely(fn func(*tx) error, t *tx) (err error) {
	defer func() {
		if p := recover(); p != nil {
			t.dirty = true // nobody knows how far it came
			err = fault.Wrap(fault.Internal, "store-panic", fmt.Errorf("panic: %v", p))
		}
	}()
	return fn(t)
}
