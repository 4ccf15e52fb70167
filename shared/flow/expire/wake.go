package expire

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"kefu/shared/shell"
)

// wakes keeps the wake-ups that visits give, to send each of them once: all who wait in a queue want the same router
// woken, and each wake-up has it read the whole queue.
type wakes struct {
	to   shell.Queue
	mu   sync.Mutex
	kept map[wake]bool
}

type wake struct {
	group, body string
	delay       time.Duration
}

// Send keeps a wake-up.
func (w *wakes) Send(_ context.Context, group string, delay time.Duration, body []byte) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.kept == nil {
		w.kept = map[wake]bool{}
	}
	w.kept[wake{group, string(body), delay}] = true
	return nil
}

// flush sends what is kept, in an order that doesn't depend on the visits'. What can't be sent is given again by a later
// visit: a conversation that waits for a wake-up stays due.
func (w *wakes) flush(ctx context.Context) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	all := make([]wake, 0, len(w.kept))
	for k := range w.kept {
		all = append(all, k)
	}
	w.kept = nil
	slices.SortFunc(all, func(a, b wake) int {
		return cmp.Or(cmp.Compare(a.group, b.group), cmp.Compare(a.delay, b.delay), cmp.Compare(a.body, b.body))
	})
	var failed []error
	for _, k := range all {
		failed = append(failed, w.to.Send(ctx, k.group, k.delay, []byte(k.body)))
	}
	return errors.Join(failed...)
}
