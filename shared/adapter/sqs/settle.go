package sqs

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/smithy-go"

	"kefu/shared/core/fault"
)

const (
	// maxRetry is the longest that a message may be put off.
	maxRetry = 12 * time.Hour
	// maxReceipt is the length of SQS's receipts.
	maxReceipt = 1024
)

// Ack removes messages, ten in one request. What SQS fails to remove is tried again by itself; of what is left then the
// error says how much, and those messages come again. In a standard queue an Ack of a stale receipt may remove the
// message after all: somebody has done it.
func (q *Queue) Ack(ctx context.Context, receipts ...string) error {
	if err := checkReceipts(receipts...); err != nil {
		return err
	}
	return q.remove(ctx, q.URL, receipts)
}

// Retry gives a message back, to be delivered again after the delay, which is rounded up to whole seconds. SQS counts
// its 12 hours from the delivery: a delay that goes beyond that is Invalid.
func (q *Queue) Retry(ctx context.Context, receipt string, delay time.Duration) error {
	if delay > maxRetry {
		return fault.Wrap(fault.Invalid, "delay-too-long", fmt.Errorf("%s; at most %s", delay, maxRetry))
	}
	if err := checkReceipts(receipt); err != nil {
		return err
	}
	_, err := q.client.ChangeMessageVisibility(ctx, &sqs.ChangeMessageVisibilityInput{
		QueueUrl: &q.URL, ReceiptHandle: &receipt, VisibilityTimeout: seconds(delay),
	})
	var api smithy.APIError
	if err == nil || (errors.As(err, &api) && isStale(bareCode(api), api.ErrorMessage())) {
		return nil
	}
	return q.fail("ChangeMessageVisibility", err)
}

// checkReceipts finds what can't be a receipt, before anything is asked: SQS takes some of it without a word.
func checkReceipts(receipts ...string) error {
	for i, r := range receipts {
		if r == "" || len(r) > maxReceipt || !isGraphic(r) {
			return fault.Wrap(fault.Invalid, "bad-receipt", fmt.Errorf("number %d is no receipt", i+1))
		}
	}
	return nil
}

// remove deletes messages of a queue. One ten that fails doesn't keep the others.
func (q *Queue) remove(ctx context.Context, url string, receipts []string) error {
	var errs []error
	for ten := range slices.Chunk(receipts, maxPage) {
		errs = append(errs, q.removeTen(ctx, url, ten))
	}
	return errors.Join(errs...)
}

// removeTen deletes up to ten, and tries those again that SQS failed at.
func (q *Queue) removeTen(ctx context.Context, url string, receipts []string) error {
	var wrong error
	for attempt := 1; ; attempt++ {
		out, err := q.client.DeleteMessageBatch(ctx, deletion(url, receipts))
		if err != nil {
			return errors.Join(q.fail("DeleteMessageBatch", err), wrong)
		}
		left, why, bad := q.undone(receipts, out)
		wrong = errors.Join(wrong, bad)
		if len(left) == 0 {
			return wrong
		}
		if attempt == q.Attempts {
			why = fault.Wrap(fault.Unavailable, "queue-unavailable", fmt.Errorf("%d messages were not removed: %w", len(left), why))
			return errors.Join(why, wrong)
		}
		if err := pause(ctx, attempt); err != nil {
			return errors.Join(err, wrong)
		}
		receipts = left
	}
}

// undone reads the answer to a deletion: the receipts that are left and the reason of one of them, and apart from those
// the error of what can never be deleted.
func (q *Queue) undone(receipts []string, out *sqs.DeleteMessageBatchOutput) (left []string, why, bad error) {
	why = errors.New("the answer doesn't mention them")
	over := make([]bool, len(receipts)+1) // the last is for answers about what wasn't asked
	place := func(id *string) int {
		i, err := strconv.Atoi(aws.ToString(id))
		if err != nil || i < 0 || i >= len(receipts) {
			return len(receipts)
		}
		return i
	}
	for _, s := range out.Successful {
		over[place(s.Id)] = true
	}
	for _, f := range out.Failed {
		code, text := aws.ToString(f.Code), aws.ToString(f.Message)
		if isStale(code, text) {
			over[place(f.Id)] = true
			continue
		}
		err := q.fail("DeleteMessageBatch", &smithy.GenericAPIError{Code: code, Message: text})
		if errors.Is(err, fault.Invalid) {
			over[place(f.Id)], bad = true, err
			continue
		}
		why = err
	}
	for i, r := range receipts {
		if !over[i] {
			left = append(left, r)
		}
	}
	return left, why, bad
}

// deletion names each entry by its place.
func deletion(url string, receipts []string) *sqs.DeleteMessageBatchInput {
	in := &sqs.DeleteMessageBatchInput{QueueUrl: &url}
	for i := range receipts {
		in.Entries = append(in.Entries, types.DeleteMessageBatchRequestEntry{
			Id: aws.String(strconv.Itoa(i)), ReceiptHandle: &receipts[i],
		})
	}
	return in
}
