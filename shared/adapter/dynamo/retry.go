package dynamo

import (
	"errors"
	"io"
	"math/rand/v2"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"
)

// Attempts of one call, and the pauses between them: a throttled call gives up after a second or so, or with its context.
// What is still refused then is given back to the queue, whose pauses are longer.
const (
	maxAttempts = 6
	firstPause  = 50 * time.Millisecond
	maxPause    = time.Second
)

// delay is how long to wait before the n-th repetition, from 1: twice as long each time, and never quite the same, so
// that those who were refused together don't come again together. The SDK's own begins with up to a second, which is
// longer than what lost against a transaction has to wait.
func delay(n int) time.Duration {
	most := min(firstPause<<min(max(n, 1)-1, 10), maxPause)
	return most/2 + rand.N(most/2+1) //nolint:gosec // nothing secret
}

// newRetryer is the SDK's standard one (throttling, 5xx, lost connections), which also tries again what lost against
// somebody else's transaction, and whose answer broke off. It has no token bucket: that would give up early in the very outage it is made for,
// and the queues bound the number of callers.
func newRetryer() aws.Retryer {
	return retry.NewStandard(func(o *retry.StandardOptions) {
		o.MaxAttempts, o.RateLimiter = maxAttempts, ratelimit.None
		o.Backoff = retry.BackoffDelayerFunc(func(n int, _ error) (time.Duration, error) { return delay(n), nil })
		o.Retryables = append(o.Retryables, retry.IsErrorRetryableFunc(contended), retry.IsErrorRetryableFunc(torn))
	})
}

// contended tells a transaction, or a write, that met another transaction on the same item. A transaction that also
// failed a condition has its answer and isn't tried again.
func contended(err error) aws.Ternary {
	var several *types.TransactionCanceledException
	if !errors.As(err, &several) {
		return inTheWay(err)
	}
	verdict := aws.FalseTernary
	for _, r := range several.CancellationReasons {
		switch aws.ToString(r.Code) {
		case "ConditionalCheckFailed", "ValidationError", "ItemCollectionSizeLimitExceeded":
			return aws.FalseTernary
		case "TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded":
			verdict = aws.TrueTernary
		}
	}
	return verdict
}

// inTheWay tells a single request that met a transaction. By its name: the SDK knows the type of an error only where
// the operation's model lists it.
func inTheWay(err error) aws.Ternary {
	var refused smithy.APIError
	if !errors.As(err, &refused) {
		return aws.UnknownTernary
	}
	switch refused.ErrorCode() {
	case "TransactionConflictException", "TransactionInProgressException", "TransactionCanceledException":
		return aws.TrueTernary
	}
	return aws.UnknownTernary
}

// torn tells an answer that broke off in the middle. The SDK leaves such a call alone, since it may have had its effect;
// every write here knows its own repetition.
func torn(err error) aws.Ternary {
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return aws.TrueTernary
	}
	return aws.UnknownTernary
}
