package sqs

import (
	"context"
	"crypto/rand"
	"errors"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"kefu/shared/core/queue"
)

// What SQS allows of one request.
const (
	maxPage = 10
	maxPoll = 20 * time.Second
)

// Receive takes up to limit messages, and never more than 10, without waiting: it may miss some that are ready, and
// finds them at the next call. See [Queue.Poll] for what it does with a message that can't be read.
func (q *Queue) Receive(ctx context.Context, limit int) ([]queue.Delivery, error) {
	return q.Poll(ctx, limit, 0)
}

// Poll is Receive for a loop: it waits for the first message, up to wait and never longer than 20 s, and misses none
// that is ready. The HTTP client must have that patience.
//
// A message whose body can't be read (see [Unpack]) is left out, and so is what follows it in its group: they come
// again when their visibility is over. Only if nothing else came is its error returned.
func (q *Queue) Poll(ctx context.Context, limit int, wait time.Duration) ([]queue.Delivery, error) {
	page, err := q.page(ctx, reading{url: q.URL, limit: limit, wait: wait, hide: q.Visibility})
	if err != nil {
		return nil, err
	}
	var out []queue.Delivery
	var unread []error
	stuck := map[string]bool{}
	for _, m := range page {
		name := m.Attributes[string(types.MessageSystemAttributeNameMessageGroupId)]
		if stuck[name] {
			continue
		}
		body, err := q.Unpack(ctx, aws.ToString(m.Body))
		if err != nil {
			unread = append(unread, err)
			stuck[name] = q.Ordered
			continue
		}
		out = append(out, queue.Delivery{
			ID: aws.ToString(m.MessageId), Receipt: aws.ToString(m.ReceiptHandle), Group: groupOf(name), Body: body,
			Receives: receives(m), SentAt: instant(m, types.MessageSystemAttributeNameSentTimestamp),
		})
	}
	if len(out) == 0 {
		return nil, errors.Join(unread...)
	}
	return out, nil
}

// reading is one look into a queue.
type reading struct {
	url   string
	limit int
	wait  time.Duration
	hide  time.Duration // 0: as the queue is set
}

// attributes are what we want to know of a message besides its text.
var attributes = []types.MessageSystemAttributeName{
	types.MessageSystemAttributeNameApproximateReceiveCount,
	types.MessageSystemAttributeNameApproximateFirstReceiveTimestamp,
	types.MessageSystemAttributeNameSentTimestamp,
	types.MessageSystemAttributeNameMessageGroupId,
}

// page receives messages as SQS has them.
func (q *Queue) page(ctx context.Context, r reading) ([]types.Message, error) {
	in := &sqs.ReceiveMessageInput{
		QueueUrl:                    &r.url,
		MaxNumberOfMessages:         int32(min(max(r.limit, 1), maxPage)),
		WaitTimeSeconds:             min(seconds(r.wait), seconds(maxPoll)),
		VisibilityTimeout:           seconds(r.hide),
		MessageSystemAttributeNames: attributes,
	}
	if q.Ordered {
		// An attempt whose answer was lost hands out the same messages when it is repeated under its name.
		in.ReceiveRequestAttemptId = aws.String(rand.Text())
	}
	out, err := q.client.ReceiveMessage(ctx, in)
	if err != nil {
		return nil, q.fail("ReceiveMessage", err)
	}
	return out.Messages, nil
}

// receives is how often a message was handed out, this time included.
func receives(m types.Message) int {
	n, err := strconv.Atoi(m.Attributes[string(types.MessageSystemAttributeNameApproximateReceiveCount)])
	if err != nil || n < 1 {
		return 1
	}
	return n
}

// instant is one of a message's times, to the millisecond; zero when SQS doesn't say.
func instant(m types.Message, name types.MessageSystemAttributeName) time.Time {
	ms, err := strconv.ParseInt(m.Attributes[string(name)], 10, 64)
	if err != nil {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}
