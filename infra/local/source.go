package main

import (
	"context"
	"time"

	"kefu/infra/local/stack"
	"kefu/shared/app"
	"kefu/shared/core/queue"
	"kefu/shared/faas"
)

const (
	batchSize = 10
	// idle is the longest that a poller of the embedded engine waits without looking: the clock may have been moved,
	// and hints may be lost.
	idle = 250 * time.Millisecond
	// longPoll is how long a poll of SQS waits. Lambda's wait 20 s; this is how long an end may take.
	longPoll = 5 * time.Second
)

// kept is a queue of the embedded engine. What failed is given back with a pause, unless the function does that itself.
type kept struct {
	queue app.Queue
	now   func() time.Time
	// rests says that the function gives back what failed; a batch is one message then, so that none waits for what
	// another's receiver takes its time with.
	rests bool
}

// hints are what an embedded queue tells of itself, so that nobody has to poll it.
type hints interface {
	Ready() <-chan struct{}
	NextAt(ctx context.Context) (time.Time, bool)
}

func (k *kept) next(ctx context.Context) ([]faas.Message, error) {
	for ctx.Err() == nil {
		batch, err := k.queue.Receive(ctx, k.batch())
		if err != nil || len(batch) > 0 {
			return messages(batch), err
		}
		k.wait(ctx)
	}
	return nil, nil
}

func (k *kept) batch() int {
	if k.rests {
		return 1
	}
	return batchSize
}

func messages(batch []queue.Delivery) []faas.Message {
	list := make([]faas.Message, len(batch))
	for i, d := range batch {
		list[i] = faas.Message{
			ID: d.ID, Group: d.Group, Body: string(d.Body), Receives: d.Receives, Sent: d.SentAt, Receipt: d.Receipt,
		}
	}
	return list
}

// wait waits until the queue may have something.
func (k *kept) wait(ctx context.Context) {
	wait, ready := idle, (<-chan struct{})(nil)
	if h, ok := k.queue.(hints); ok {
		ready = h.Ready()
		if at, ok := h.NextAt(ctx); ok {
			wait = min(idle, max(time.Millisecond, at.Sub(k.now())))
		}
	}
	t := time.NewTimer(wait)
	defer t.Stop()
	select {
	case <-ready:
	case <-t.C:
	case <-ctx.Done():
	}
}

func (k *kept) done(ctx context.Context, receipts ...string) error {
	return k.queue.Ack(ctx, receipts...)
}

func (k *kept) failed(ctx context.Context, m faas.Message) error {
	if k.rests {
		return nil
	}
	return k.queue.Retry(ctx, m.Receipt, backoff(m.Receives))
}

// backoff is how long a message that failed rests: a second, doubling to a minute.
func backoff(receives int) time.Duration {
	return min(time.Second<<min(max(receives-1, 0), 6), time.Minute)
}

// polled is a queue of SQS. What failed is left alone, as Lambda does: it comes again when its visibility is over,
// which the function itself may have shortened.
type polled struct {
	queue *stack.Queue
	batch int
	// hurry, if set, says how long a message that failed stays hidden instead, or false. Tests set it: they can't
	// wait for minutes.
	hurry func(m faas.Message) (time.Duration, bool)
}

func (p *polled) next(ctx context.Context) ([]faas.Message, error) {
	for ctx.Err() == nil {
		if batch, err := p.queue.Receive(ctx, p.batch, longPoll); err != nil || len(batch) > 0 {
			return batch, err
		}
	}
	return nil, nil
}

func (p *polled) done(ctx context.Context, receipts ...string) error {
	return p.queue.Delete(ctx, receipts...)
}

func (p *polled) failed(ctx context.Context, m faas.Message) error {
	if p.hurry == nil {
		return nil
	}
	d, ok := p.hurry(m)
	if !ok {
		return nil
	}
	return p.queue.Hide(ctx, m.Receipt, d)
}
