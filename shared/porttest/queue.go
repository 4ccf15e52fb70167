package porttest

import (
	"context"
	"time"

	"kefu/shared/core/queue"
)

// Queue carries messages between functions: at least once, in order within a group.
type Queue interface {
	// Send makes the message durable before it returns. Messages of one group are delivered in the
	// order in which their Sends returned, one at a time: while one is being worked on, no other of
	// the group is delivered. Group "" has no order. A delayed message joins its group when its
	// delay is over, behind what was sent until then, and blocks nobody before. Body at most queue.MaxBody (Invalid beyond); delay at most 15 min
	// (Invalid beyond).
	Send(ctx context.Context, group string, delay time.Duration, body []byte) error
	// Receive takes up to limit messages that are ready, without waiting; each is hidden from others until
	// the visibility time is over, then it is delivered again, in its place in the group's order, with
	// Receives counted up. After maxReceives deliveries a message goes to the dead letters instead, and its
	// group goes on. One Receive may return several messages of one group, in order; an engine that does
	// counts each of them as delivered, even if the consumer never gets to it.
	Receive(ctx context.Context, limit int) ([]queue.Delivery, error)
	// Ack removes messages. Acking with a receipt whose visibility is over and that was delivered
	// again since then changes nothing; until then it still removes the message. What is no receipt at all is Invalid.
	Ack(ctx context.Context, receipts ...string) error
	// Retry gives a message back before its visibility ends, to be delivered again after the delay.
	// The group waits for it. A receipt that no longer counts changes nothing. Delay at most 12 h (Invalid beyond).
	Retry(ctx context.Context, receipt string, delay time.Duration) error
	// Dead lists dead letters, the one that died first first.
	Dead(ctx context.Context, limit int) ([]queue.DeadLetter, error)
	// Redrive sends dead letters again as new messages of their groups and removes them from the dead
	// letters; without ids all of them. Ids that name no dead letter are passed over. It returns how many.
	Redrive(ctx context.Context, ids ...string) (int, error)
}
