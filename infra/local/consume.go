package main

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"kefu/shared/adapter/bolt"
	"kefu/shared/core/queue"
	"kefu/shared/faas"
)

// consumer does for the embedded engine what an event source mapping does in the
// cloud: it takes batches from a queue, hands them to a function in the queue's
// own event format, and acknowledges what the function didn't report as failed.
type consumer struct {
	name    string
	queue   *bolt.Queue
	handler faas.Handler
	workers int
	limit   time.Duration // of one invocation
	log     *slog.Logger
	now     func() time.Time
	handled atomic.Int64 // messages acknowledged
}

const (
	batchSize = 10
	// idle is the longest that a consumer waits without looking: the clock may
	// have been moved, and hints may be lost.
	idle = 250 * time.Millisecond
)

// run works until ctx ends; what has been begun by then is finished.
func (c *consumer) run(ctx context.Context) {
	slots := make(chan struct{}, c.workers)
	for {
		select {
		case slots <- struct{}{}:
		case <-ctx.Done():
			drain(slots, c.workers)
			return
		}
		batch := c.next(ctx)
		if len(batch) == 0 {
			drain(slots, c.workers)
			return
		}
		go func() {
			defer func() { <-slots }()
			c.work(context.WithoutCancel(ctx), batch)
		}()
	}
}

// drain waits until no worker holds a slot, apart from the caller's own.
func drain(slots chan struct{}, n int) {
	for range n - 1 {
		slots <- struct{}{}
	}
}

// next waits for messages; it returns none when ctx has ended.
func (c *consumer) next(ctx context.Context) []queue.Delivery {
	for ctx.Err() == nil {
		batch, err := c.queue.Receive(ctx, batchSize)
		if err == nil && len(batch) > 0 {
			return batch
		}
		if err != nil && ctx.Err() == nil {
			c.log.Error("receive", "queue", c.name, "cause", err.Error())
		}
		wait := idle
		if at, ok := c.queue.NextAt(ctx); ok && err == nil {
			wait = min(idle, max(time.Millisecond, at.Sub(c.now())))
		}
		t := time.NewTimer(wait)
		select {
		case <-c.queue.Ready():
		case <-t.C:
		case <-ctx.Done():
		}
		t.Stop()
	}
	return nil
}

func (c *consumer) work(ctx context.Context, batch []queue.Delivery) {
	failed, err := c.invoke(ctx, batch)
	if err != nil {
		c.log.Error("invoke", "queue", c.name, "cause", err.Error())
	}
	bad := make(map[string]bool, len(failed))
	for _, id := range failed {
		bad[id] = true
	}
	var done []string
	for _, d := range batch {
		if !bad[d.ID] {
			done = append(done, d.Receipt)
			continue
		}
		if err := c.queue.Retry(ctx, d.Receipt, backoff(d.Receives)); err != nil {
			c.log.Error("give back", "queue", c.name, "cause", err.Error())
		}
	}
	if err := c.queue.Ack(ctx, done...); err != nil {
		c.log.Error("acknowledge", "queue", c.name, "cause", err.Error())
		return
	}
	c.handled.Add(int64(len(done)))
}

func (c *consumer) invoke(ctx context.Context, batch []queue.Delivery) (failed []string, err error) {
	messages := make([]faas.Message, len(batch))
	for i, d := range batch {
		messages[i] = faas.Message{
			ID: d.ID, Group: d.Group, Body: string(d.Body), Receives: d.Receives, Sent: d.SentAt, Receipt: d.Receipt,
		}
		failed = append(failed, d.ID) // until the function has said otherwise
	}
	event, err := faas.EncodeBatch(messages)
	if err != nil {
		return failed, err
	}
	ctx, cancel := context.WithTimeout(ctx, c.limit)
	defer cancel()
	answer, err := c.handler.Invoke(ctx, event)
	if err != nil {
		return failed, err
	}
	return faas.DecodeFailures(answer, messages)
}

// backoff is how long a message that failed rests: a second, doubling to a minute.
func backoff(receives int) time.Duration {
	return min(time.Second<<min(max(receives-1, 0), 6), time.Minute)
}
