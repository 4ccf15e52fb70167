package app

import (
	"context"
	"time"

	"kefu/shared/core/account"
	"kefu/shared/core/message"
	"kefu/shared/core/queue"
	"kefu/shared/faas"
)

// batch turns a flow's handler of bodies into a queue consumer.
func (s *System) batch(name string, q Queue, handle func(context.Context, []byte) error) faas.Handler {
	return s.consumer(name, q, s.rests, func(ctx context.Context, d queue.Delivery) error { return handle(ctx, d.Body) })
}

// consumer turns a flow's handler into a queue consumer. A body that is no message
// of this queue is kept for somebody to look at, and doesn't come again. Rests says
// that what failed is given back here; see engine.rests.
func (s *System) consumer(name string, q Queue, rests bool, handle func(context.Context, queue.Delivery) error) faas.Handler {
	park := func(ctx context.Context, m faas.Message, cause error) error {
		return s.store.KeepRaw(ctx, message.RawPush{
			Push:   message.Push{Account: "-" + account.ID(name), Key: m.ID, Body: []byte(m.Body), ReceivedAt: s.cfg.Now()},
			Reason: cause.Error(),
		})
	}
	options := []faas.Option{s.name(name), faas.Logger(s.quiet()), faas.Parked(park)}
	if rests && q != nil {
		options = append(options, faas.Returned(func(ctx context.Context, m faas.Message, after time.Duration) error {
			if after <= 0 {
				after = rest(m.Receives)
			}
			return q.Retry(ctx, m.Receipt, min(after, longestRest))
		}))
	}
	return faas.Batch(func(ctx context.Context, m faas.Message) error {
		body, err := s.unpack(ctx, m.Body)
		if err != nil {
			return err
		}
		return handle(ctx, queue.Delivery{ID: m.ID, Receipt: m.Receipt, Group: m.Group, Body: body, Receives: m.Receives, SentAt: m.Sent})
	}, options...)
}

// longestRest is within what a queue can hide a message for.
const longestRest = time.Hour

// rests are the pauses after the first, second … delivery that failed. Five deliveries, which is what the queues of
// infra/aws allow, let an outage of six minutes pass, and a passing fault costs two seconds. Without this a message
// would rest for the queue's whole visibility time, which is six times the function's.
var rests = [...]time.Duration{2 * time.Second, 15 * time.Second, time.Minute, 5 * time.Minute}

func rest(receives int) time.Duration {
	return rests[min(max(receives, 1), len(rests))-1]
}
