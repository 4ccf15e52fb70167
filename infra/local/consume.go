package main

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"kefu/shared/faas"
)

// consumer does what an event source mapping does in the cloud: it takes batches from a queue, hands them to a function
// in the queue's own event format, and acknowledges what the function didn't report as failed.
type consumer struct {
	name    string
	source  source
	handler faas.Handler
	workers int
	limit   time.Duration // of one invocation; 0: the handler has its own
	log     *slog.Logger
	handled atomic.Int64 // messages acknowledged
}

// source is a queue as its poller sees it.
type source interface {
	// next waits for messages. It returns none, and no error, only when ctx has ended.
	next(ctx context.Context) ([]faas.Message, error)
	// done acknowledges messages of one batch.
	done(ctx context.Context, receipts ...string) error
	// failed says what becomes of a message that must come again.
	failed(ctx context.Context, m faas.Message) error
}

// run works until ctx ends; what has been begun by then is finished.
func (c *consumer) run(ctx context.Context) {
	slots := make(chan struct{}, c.workers)
	for {
		select {
		case slots <- struct{}{}:
		case <-ctx.Done():
			fill(slots, c.workers)
			return
		}
		batch := c.next(ctx)
		if len(batch) == 0 {
			fill(slots, c.workers-1) // the last is ours
			return
		}
		go func() {
			defer func() { <-slots }()
			c.work(context.WithoutCancel(ctx), batch)
		}()
	}
}

// fill takes so many slots, waiting for the workers who hold them.
func fill(slots chan struct{}, n int) {
	for range n {
		slots <- struct{}{}
	}
}

// next waits for messages; it returns none when ctx has ended.
func (c *consumer) next(ctx context.Context) []faas.Message {
	for ctx.Err() == nil {
		batch, err := c.source.next(ctx)
		if err == nil {
			return batch
		}
		if ctx.Err() == nil {
			c.log.Error("receive", "queue", c.name, "cause", err.Error())
		}
		_ = pause(ctx, idle) // the loop's condition sees the end
	}
	return nil
}

func (c *consumer) work(ctx context.Context, batch []faas.Message) {
	failed, err := c.invoke(ctx, batch)
	if err != nil {
		c.log.Error("invoke", "queue", c.name, "cause", err.Error())
	}
	bad := make(map[string]bool, len(failed))
	for _, id := range failed {
		bad[id] = true
	}
	var done []string
	for _, m := range batch {
		if !bad[m.ID] {
			done = append(done, m.Receipt)
			continue
		}
		if err := c.source.failed(ctx, m); err != nil {
			c.log.Error("give back", "queue", c.name, "cause", err.Error())
		}
	}
	if err := c.source.done(ctx, done...); err != nil {
		c.log.Error("acknowledge", "queue", c.name, "cause", err.Error())
		return
	}
	c.handled.Add(int64(len(done)))
}

// invoke gives the ids that must come again: all of them when the function failed as a whole.
func (c *consumer) invoke(ctx context.Context, batch []faas.Message) (failed []string, err error) {
	for _, m := range batch {
		failed = append(failed, m.ID) // until the function has said otherwise
	}
	event, err := faas.EncodeBatch(batch)
	if err != nil {
		return failed, err
	}
	if c.limit > 0 {
		within, cancel := context.WithTimeout(ctx, c.limit)
		defer cancel()
		ctx = within
	}
	answer, err := c.handler.Invoke(ctx, event)
	if err != nil {
		return failed, err
	}
	return faas.DecodeFailures(answer, batch)
}
