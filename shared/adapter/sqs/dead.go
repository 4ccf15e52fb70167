package sqs

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"kefu/shared/core/queue"
)

// Dead lists up to limit dead letters, at most 1000, the one that died first first. It takes about a second, and hides
// the letters from others meanwhile. A queue without a redrive policy has none.
//
// SQS has no list of messages, so this is what can be had by receiving them:
//   - DiedAt is the time of the first delivery. SQS doesn't note when a message died, and that is the nearest before it.
//   - Receives is the redrive policy's count: each look at a letter counts as a further delivery.
//   - Of one group an ordered queue shows the first ten at most, for while they are looked at it shows no more.
//   - Beyond 1000 letters, or 64 MB, the oldest are sought among those that SQS hands out first.
//   - A letter whose body can't be read stands there with the text that the queue has of it.
func (q *Queue) Dead(ctx context.Context, limit int) ([]queue.DeadLetter, error) {
	g, ok, err := q.findGraveyard(ctx)
	if err != nil || !ok {
		return nil, err
	}
	found, err := q.collect(ctx, g)
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(found, func(a, b types.Message) int {
		return instant(a, firstReceive).Compare(instant(b, firstReceive))
	})
	out := make([]queue.DeadLetter, 0, min(len(found), max(limit, 1)))
	for _, m := range found[:cap(out)] {
		out = append(out, q.deadLetter(ctx, g, m))
	}
	return out, nil
}

// collect looks through the dead letters, and gives them back before it returns.
func (q *Queue) collect(ctx context.Context, g graveyard) (found []types.Message, err error) {
	d := &dig{queue: q, url: g.url}
	defer d.close(ctx)
	size, seen := 0, map[string]bool{}
	for len(found) < maxDead && size < maxDeadText {
		page, err := d.next(ctx)
		if err != nil || len(page) == 0 {
			return found, err
		}
		for _, m := range page {
			d.hold(m)
			if id := aws.ToString(m.MessageId); !seen[id] {
				seen[id] = true
				found = append(found, m)
				size += len(aws.ToString(m.Body))
			}
		}
	}
	return found, nil
}

const firstReceive = types.MessageSystemAttributeNameApproximateFirstReceiveTimestamp

func (q *Queue) deadLetter(ctx context.Context, g graveyard, m types.Message) queue.DeadLetter {
	body, err := q.Unpack(ctx, aws.ToString(m.Body))
	if err != nil {
		body = []byte(aws.ToString(m.Body))
	}
	l := queue.DeadLetter{
		ID: aws.ToString(m.MessageId), Body: body, Receives: receives(m),
		Group:  groupOf(m.Attributes[string(types.MessageSystemAttributeNameMessageGroupId)]),
		SentAt: instant(m, types.MessageSystemAttributeNameSentTimestamp),
		DiedAt: instant(m, firstReceive),
	}
	if g.receives > 0 {
		l.Receives = g.receives
	}
	if l.DiedAt.Before(l.SentAt) {
		l.DiedAt = l.SentAt
	}
	return l
}
