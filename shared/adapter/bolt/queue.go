package bolt

import (
	"context"
	"fmt"
	"time"

	"kefu/shared/core/fault"
	"kefu/shared/core/queue"
)

// QueueOptions are the rules of one queue.
type QueueOptions struct {
	// Visibility is how long a delivered message is hidden from others; default 30 s.
	Visibility time.Duration
	// MaxReceives is how often a message is delivered before it goes to the dead letters; 0 is without end.
	MaxReceives int
}

// Queue is one queue of the file. It implements the contract porttest.Queue, and tells a local poller when to look:
// see [Queue.Ready] and [Queue.NextAt]. All methods may be called concurrently.
type Queue struct {
	db          *DB
	bucket      bucket
	visibility  time.Duration
	maxReceives uint64
	ready       chan struct{}
}

// Queue returns the queue of that name, which is made with the first message. All calls for one name return the same
// queue; the options of the first count.
func (d *DB) Queue(name string, o QueueOptions) *Queue {
	d.mu.Lock()
	defer d.mu.Unlock()
	if q := d.queues[name]; q != nil {
		return q
	}
	if o.Visibility <= 0 {
		o.Visibility = 30 * time.Second
	}
	q := &Queue{
		db: d, bucket: bucket(queuePrefix + name), visibility: o.Visibility,
		maxReceives: uint64(max(o.MaxReceives, 0)), ready: make(chan struct{}, 1),
	}
	q.hint() // what an earlier process left may be ready
	d.queues[name] = q
	return q
}

// maxGroup bounds the name of a group.
const maxGroup = 1024

// Send makes a message durable.
func (q *Queue) Send(ctx context.Context, group string, delay time.Duration, body []byte) error {
	switch {
	case len(body) > queue.MaxBody:
		return fault.Wrap(fault.Invalid, "message-too-large", fmt.Errorf("%d bytes; at most %d", len(body), queue.MaxBody))
	case delay > queue.MaxDelay:
		return fault.Wrap(fault.Invalid, "delay-too-long", fmt.Errorf("%s; at most %s", delay, queue.MaxDelay))
	case len(group) > maxGroup:
		return fault.Wrap(fault.Invalid, "group-too-long", fmt.Errorf("%d bytes; at most %d", len(group), maxGroup))
	}
	body = append([]byte(nil), body...)
	return q.change(ctx, q.db.update, func(s *shelf) error {
		s.add(group, delay, body)
		return nil
	})
}

// Receive takes up to limit messages that are ready. When there is nothing to take it writes nothing.
func (q *Queue) Receive(ctx context.Context, limit int) (out []queue.Delivery, err error) {
	limit = min(max(limit, 1), maxPage)
	idle, now := true, q.db.utcNow()
	err = q.read(ctx, func(s *shelf) error {
		idle = !s.due(now) && !s.hasReady()
		return nil
	})
	if err != nil || idle {
		return nil, err
	}
	for more := true; more && len(out) == 0; {
		err = q.change(ctx, q.db.relieve, func(s *shelf) error {
			out, more, err = s.take(limit)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// Ack removes messages.
func (q *Queue) Ack(ctx context.Context, receipts ...string) error {
	parsed, err := readReceipts(receipts)
	if err != nil || len(parsed) == 0 {
		return err
	}
	return q.change(ctx, q.db.relieve, func(s *shelf) error {
		for _, r := range parsed {
			m, ok, err := s.held(r)
			if err != nil {
				return err
			}
			if ok {
				s.remove(m)
			}
		}
		return nil
	})
}

// maxRetry is the longest that a message may be put off, as in the cloud's queue.
const maxRetry = 12 * time.Hour

// Retry gives a message back, to be delivered again after the delay. A receipt that is no longer the message's changes
// nothing.
func (q *Queue) Retry(ctx context.Context, receipt string, delay time.Duration) error {
	if delay > maxRetry {
		return fault.Wrap(fault.Invalid, "delay-too-long", fmt.Errorf("%s; at most %s", delay, maxRetry))
	}
	parsed, err := readReceipts([]string{receipt})
	if err != nil {
		return err
	}
	return q.change(ctx, q.db.relieve, func(s *shelf) error {
		m, ok, err := s.held(parsed[0])
		if err == nil && ok {
			s.putOff(m, delay)
		}
		return err
	})
}

// Dead lists dead letters, the one that died first first.
func (q *Queue) Dead(ctx context.Context, limit int) (out []queue.DeadLetter, err error) {
	limit = pageSize(limit)
	err = q.read(ctx, func(s *shelf) error {
		out, err = s.deadLetters(limit)
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// redriveStep is how many dead letters one change sends again: 32 of the largest are 8 MB.
const redriveStep = 32

// Redrive sends dead letters again; without ids all that are dead now. Ids of no dead letter are passed over.
func (q *Queue) Redrive(ctx context.Context, ids ...string) (n int, err error) {
	var seqs []uint64
	if len(ids) == 0 {
		err = q.read(ctx, func(s *shelf) error {
			seqs = s.deadSeqs()
			return nil
		})
		if err != nil {
			return 0, err
		}
	}
	for _, id := range ids {
		if seq, ok := readID(id); ok {
			seqs = append(seqs, seq)
		}
	}
	for len(seqs) > 0 {
		step, sent := seqs[:min(len(seqs), redriveStep)], 0
		err := q.change(ctx, q.db.update, func(s *shelf) error {
			sent = 0
			for _, seq := range step {
				ok, err := s.revive(seq)
				if err != nil {
					return err
				}
				if ok {
					sent++
				}
			}
			return nil
		})
		if err != nil {
			return n, err
		}
		n, seqs = n+sent, seqs[len(step):]
	}
	return n, nil
}

// Ready fires when something may have become ready, or may become so earlier than [Queue.NextAt] said before: a poller
// waits for it, or for that time, and then calls Receive. One hint wakes one poller; a Receive that leaves ready
// messages behind gives another hint, so that several share the work. Once after the start it fires for what was there.
func (q *Queue) Ready() <-chan struct{} { return q.ready }

// NextAt is when the next delayed or hidden message becomes ready; false if there is none. A time in the past means
// now.
func (q *Queue) NextAt(ctx context.Context) (at time.Time, ok bool) {
	err := q.read(ctx, func(s *shelf) error {
		at, ok = s.nextTimer()
		return nil
	})
	return at, ok && err == nil
}

func (q *Queue) hint() {
	select {
	case q.ready <- struct{}{}:
	default:
	}
}

// read runs fn on the queue as it is; not at all while it has never had a message.
func (q *Queue) read(ctx context.Context, fn func(*shelf) error) error {
	return q.db.view(ctx, func(t *tx) error {
		if t.Bucket(q.bucket) == nil {
			return nil
		}
		return fn(&shelf{tx: t, bucket: q.bucket, now: q.db.utcNow()})
	})
}

// writing is DB.update or DB.relieve.
type writing func(context.Context, func(*tx) error) error

// change runs fn durably and gives the hint that follows from it.
func (q *Queue) change(ctx context.Context, write writing, fn func(*shelf) error) error {
	now, stirred := q.db.utcNow(), false
	err := write(ctx, func(t *tx) error {
		stirred = false
		if t.Bucket(q.bucket) == nil {
			if _, err := t.CreateBucketIfNotExists(q.bucket); err != nil {
				return unavailable(err)
			}
		}
		s := &shelf{tx: t, bucket: q.bucket, now: now, visibility: q.visibility, maxReceives: q.maxReceives}
		err := fn(s)
		stirred = s.stirred
		return err
	})
	if err == nil && stirred {
		q.hint()
	}
	return err
}
