package sqs

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// Redrive sends dead letters again, with their group, and removes them from the dead ones; without ids all of them. It
// returns how many it sent. A letter is sent before it is removed: who is interrupted in between leaves some in both
// queues, and loses none. In an ordered queue another Redrive within 5 minutes even recognises those.
//
// Named letters are sought among the first thousand, and of one group of an ordered queue among the first ten (see
// [Queue.Dead]); those that aren't found are passed over.
func (q *Queue) Redrive(ctx context.Context, ids ...string) (n int, err error) {
	g, ok, err := q.findGraveyard(ctx)
	if err != nil || !ok {
		return 0, err
	}
	r := &redrive{dig: dig{queue: q, url: g.url}, all: len(ids) == 0, wanted: map[string]bool{}, sent: map[string]bool{}}
	for _, id := range ids {
		r.wanted[id] = true
	}
	defer r.close(ctx)
	for (r.all || len(r.wanted) > 0) && len(r.held) < maxDead {
		page, err := r.next(ctx)
		if err != nil || len(page) == 0 {
			return r.n, err
		}
		if err := r.revive(ctx, page); err != nil {
			return r.n, err
		}
	}
	return r.n, nil
}

// redrive is one call of Redrive.
type redrive struct {
	dig
	all    bool
	wanted map[string]bool // ids that were named and not yet found
	sent   map[string]bool // ids that letters got when they were sent: who dies again meanwhile stays dead
	n      int
}

// wants reports whether a letter is to be sent, and strikes it off.
func (r *redrive) wants(id string) bool {
	if r.all {
		return !r.sent[id]
	}
	found := r.wanted[id]
	delete(r.wanted, id)
	return found
}

// revive sends the letters of a page that are wanted, one by one to keep the order of a group, and removes them.
func (r *redrive) revive(ctx context.Context, page []types.Message) (err error) {
	var done []string
	for _, m := range page {
		if err != nil || !r.wants(aws.ToString(m.MessageId)) {
			r.hold(m)
			continue
		}
		if err = r.send(ctx, m); err != nil {
			r.hold(m)
			continue
		}
		r.n++
		done = append(done, aws.ToString(m.ReceiptHandle))
	}
	// What was sent is removed even when the rest failed, or the caller has left since.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), backTime)
	defer cancel()
	if failed := r.queue.remove(ctx, r.url, done); failed != nil {
		r.held = append(r.held, done...)
		err = errors.Join(err, failed)
	}
	return err
}

// send posts a letter to the queue that it died in.
func (r *redrive) send(ctx context.Context, m types.Message) error {
	l := letter{text: r.queue.renew(ctx, aws.ToString(m.Body))}
	if r.queue.Ordered || r.queue.Fair {
		l.group = m.Attributes[string(types.MessageSystemAttributeNameMessageGroupId)]
	}
	if r.queue.Ordered {
		l.token = "redrive." + aws.ToString(m.MessageId)
	}
	id, err := r.queue.post(ctx, l)
	if err == nil {
		r.sent[id] = true
	}
	return err
}
