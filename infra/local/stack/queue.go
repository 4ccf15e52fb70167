package stack

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"kefu/shared/faas"
)

// Queue is a queue as whoever polls it sees it: its messages have the texts that are in the queue, not the bodies that
// the product makes of them.
type Queue struct {
	URL     string
	arn     string
	ordered bool
	stack   *Stack
}

// makeQueue makes a queue and the queue of its dead letters.
func (s *Stack) makeQueue(ctx context.Context, name string, r Rule) (*Queue, error) {
	dead, err := s.createQueue(ctx, name+"-dead", r.Ordered, map[string]string{"MessageRetentionPeriod": "1209600"})
	if err != nil {
		return nil, err
	}
	policy, err := json.Marshal(map[string]any{"deadLetterTargetArn": dead.arn, "maxReceiveCount": r.MaxReceives})
	if err != nil {
		return nil, err
	}
	attributes := map[string]string{
		"VisibilityTimeout": strconv.Itoa(int(r.Visibility / time.Second)), "RedrivePolicy": string(policy), "MaximumMessageSize": "1048576",
	}
	if r.Ordered {
		attributes["DeduplicationScope"], attributes["FifoThroughputLimit"] = "messageGroup", "perMessageGroupId"
	}
	return s.createQueue(ctx, name, r.Ordered, attributes)
}

func (s *Stack) createQueue(ctx context.Context, name string, ordered bool, attributes map[string]string) (*Queue, error) {
	name = s.o.Name + "-" + name
	if ordered {
		name += ".fifo"
		attributes["FifoQueue"] = "true"
	}
	q := &Queue{ordered: ordered, stack: s, arn: "arn:aws:sqs:" + Region + ":000000000000:" + name}
	var made struct {
		URL string `json:"QueueUrl"`
	}
	if err := q.call(ctx, "CreateQueue", map[string]any{"QueueName": name, "Attributes": attributes}, &made); err != nil {
		return nil, err
	}
	q.URL = made.URL
	s.queues = append(s.queues, q)
	return q, nil
}

// call makes a call about the queue.
func (q *Queue) call(ctx context.Context, action string, in map[string]any, out any) error {
	if q.URL != "" {
		in["QueueUrl"] = q.URL
	}
	return q.stack.wire(q.stack.o.SQS, "AmazonSQS."+action).call(ctx, in, out)
}

func (s *Stack) wire(address, target string) operation {
	return operation{web: s.web, address: address, target: target}
}

func (q *Queue) remove(ctx context.Context) error {
	return q.call(ctx, "DeleteQueue", map[string]any{}, nil)
}

// Receive takes up to limit messages, at most 10, and waits for the first of them, in whole seconds, at most 20.
func (q *Queue) Receive(ctx context.Context, limit int, wait time.Duration) ([]faas.Message, error) {
	var page struct{ Messages []received }
	if err := q.call(ctx, "ReceiveMessage", map[string]any{
		"MaxNumberOfMessages": limit, "WaitTimeSeconds": int(wait / time.Second), "MessageSystemAttributeNames": []string{"All"},
	}, &page); err != nil {
		return nil, err
	}
	messages := make([]faas.Message, len(page.Messages))
	for i, m := range page.Messages {
		messages[i] = m.message(q.arn)
	}
	return messages, nil
}

// received is a message in SQS's own words.
type received struct {
	ID         string `json:"MessageId"`
	Receipt    string `json:"ReceiptHandle"`
	Body       string
	Attributes struct {
		Receives string `json:"ApproximateReceiveCount"`
		Sent     string `json:"SentTimestamp"`
		Group    string `json:"MessageGroupId"`
	}
}

func (r received) message(arn string) faas.Message {
	receives, _ := strconv.Atoi(r.Attributes.Receives) // 0: it doesn't say
	sent, _ := strconv.ParseInt(r.Attributes.Sent, 10, 64)
	return faas.Message{
		ID: r.ID, Group: r.Attributes.Group, Body: r.Body, Receives: receives,
		Sent: time.UnixMilli(sent).UTC(), Receipt: r.Receipt, Source: arn,
	}
}

// Delete removes up to 10 messages.
func (q *Queue) Delete(ctx context.Context, receipts ...string) error {
	if len(receipts) == 0 {
		return nil
	}
	entries := make([]map[string]string, len(receipts))
	for i, r := range receipts {
		entries[i] = map[string]string{"Id": strconv.Itoa(i), "ReceiptHandle": r}
	}
	var answer struct{ Failed []struct{ Code string } }
	if err := q.call(ctx, "DeleteMessageBatch", map[string]any{"Entries": entries}, &answer); err != nil {
		return err
	}
	if n := len(answer.Failed); n > 0 {
		return fmt.Errorf("%d of %d messages were not deleted: %s", n, len(receipts), answer.Failed[0].Code)
	}
	return nil
}

// Hide has a message that was received come again after d, in whole seconds.
func (q *Queue) Hide(ctx context.Context, receipt string, d time.Duration) error {
	return q.call(ctx, "ChangeMessageVisibility", map[string]any{"ReceiptHandle": receipt, "VisibilityTimeout": int(d / time.Second)}, nil)
}

// Send puts a text into the queue as it is. An ordered queue needs a group.
func (q *Queue) Send(ctx context.Context, group, text string) error {
	in := map[string]any{"MessageBody": text}
	if q.ordered {
		in["MessageGroupId"], in["MessageDeduplicationId"] = group, rand.Text()
	}
	return q.call(ctx, "SendMessage", in, nil)
}

// Depth is how many messages are in the queue, those that are hidden or delayed among them.
func (q *Queue) Depth(ctx context.Context) (int, error) {
	names := []string{"ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible", "ApproximateNumberOfMessagesDelayed"}
	var answer struct{ Attributes map[string]string }
	if err := q.call(ctx, "GetQueueAttributes", map[string]any{"AttributeNames": names}, &answer); err != nil {
		return 0, err
	}
	sum := 0
	for _, name := range names {
		n, err := strconv.Atoi(answer.Attributes[name])
		if err != nil {
			return 0, fmt.Errorf("%s: %w", name, err)
		}
		sum += n
	}
	return sum, nil
}
