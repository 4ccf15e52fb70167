package sqs

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
)

// Waits between attempts: up to 0.1 s, 0.2 s, 0.4 s and so on, each of a random length, so that those who failed
// together don't come back together.
const (
	firstWait = 100 * time.Millisecond
	maxWait   = 2 * time.Second
)

// throttles are what SQS says for "slow down" besides what the SDK knows.
var throttles = map[string]struct{}{
	"AWS.SimpleQueueService.RequestThrottled": {},
	"KMS.ThrottlingException":                 {},
	"KmsThrottled":                            {},
	"ServiceUnavailable":                      {},
}

// newRetryer is the SDK's standard retryer, which also limits the sum of all retries of a client, with our waits.
// Retries end with their context.
func newRetryer(attempts int) aws.Retryer {
	return retry.NewStandard(func(o *retry.StandardOptions) {
		o.MaxAttempts = attempts
		o.Backoff = retry.BackoffDelayerFunc(func(attempt int, _ error) (time.Duration, error) { return backoff(attempt), nil })
		o.Retryables = append(o.Retryables, retry.RetryableErrorCode{Codes: throttles})
	})
}

// backoff is how long to wait after that many attempts.
func backoff(attempts int) time.Duration {
	longest := min(firstWait<<min(max(attempts-1, 0), 10), maxWait)
	return rand.N(longest) //nolint:gosec // spreads load; nobody gains by guessing it
}

// pause waits before another attempt, or until ctx ends.
func pause(ctx context.Context, attempts int) error {
	t := time.NewTimer(backoff(attempts))
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return cancelled(ctx.Err())
	}
}
