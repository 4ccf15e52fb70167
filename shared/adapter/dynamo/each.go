package dynamo

import (
	"context"
	"sync"
)

// each calls do for all items, so many at once, and returns the first error; then the others are cancelled.
func each[T any](ctx context.Context, width int, items []T, do func(context.Context, T) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var first error
	var once sync.Once
	var tasks sync.WaitGroup
	slots := make(chan struct{}, width)
	for _, v := range items {
		slots <- struct{}{}
		if ctx.Err() != nil {
			break
		}
		tasks.Go(func() {
			defer func() { <-slots }()
			if err := do(ctx, v); err != nil {
				once.Do(func() { first = err; cancel(err) })
			}
		})
	}
	tasks.Wait()
	if first == nil && ctx.Err() != nil {
		return translate("wait", ctx.Err())
	}
	return first
}
