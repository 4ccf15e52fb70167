package kms

import (
	"context"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"net/http"
	"net/url"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
)

const (
	callTime     = 10 * time.Second // for one call with all its tries
	tryTime      = 4 * time.Second  // for one try, so that a peer that went silent does not eat all of that
	defaultTries = 4
	// The pause before try n+1 is drawn from 0 to firstPause·2ⁿ⁻¹, at most longestPause: processes that failed together
	// don't come back together.
	firstPause   = 100 * time.Millisecond
	longestPause = 2 * time.Second
)

// client returns a client that follows no redirect: KMS has none, and whoever has one is not KMS.
func client(c aws.HTTPClient) aws.HTTPClient {
	switch c := c.(type) {
	case nil:
		return &http.Client{Transport: awshttp.NewBuildableClient().GetTransport(), CheckRedirect: dontFollow}
	case *http.Client:
		own := *c
		own.CheckRedirect = dontFollow
		return &own
	default:
		return c
	}
}

func dontFollow(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// call asks until there is an answer for good, at most r.tries times and not beyond callTime or the end of ctx. A data
// key whose answer was lost is one that nobody uses.
func (r *remote) call(ctx context.Context, operation string, q question) (answer, error) {
	switch {
	case ctx.Err() != nil:
		return answer{}, ctx.Err()
	case r.keyID == "":
		return answer{}, errNoKey
	case r.wrong != nil:
		return answer{}, r.wrong
	}
	body, err := json.Marshal(q)
	if err != nil {
		return answer{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	for try := 1; ; try++ {
		a, err := r.try(ctx, operation, body)
		if err == nil || try >= r.tries || ctx.Err() != nil || !passing(err) || !pause(ctx, try) {
			return a, err
		}
	}
}

// try asks once. Its error is a *refusal when there was an answer that is no success.
func (r *remote) try(ctx context.Context, operation string, body []byte) (answer, error) {
	ctx, cancel := context.WithTimeout(ctx, tryTime)
	defer cancel()
	req, err := r.build(ctx, operation, body)
	if err != nil {
		return answer{}, err
	}
	resp, err := r.client.Do(req)
	if err != nil {
		var u *url.Error
		if errors.As(err, &u) {
			err = u.Err // the address is in the settings
		}
		return answer{}, err
	}
	defer func() {
		drain(resp.Body)
		_ = resp.Body.Close()
	}()
	if resp.StatusCode != http.StatusOK {
		return answer{}, refused(resp)
	}
	return read(resp)
}

// pause waits before the next try. It tells whether there is time for one: rather than sleep into the end of ctx, the
// caller returns the reason that it has.
func pause(ctx context.Context, tried int) bool {
	d := rand.N(min(firstPause<<min(tried-1, 10), longestPause)) //nolint:gosec // a pause need not be unpredictable
	if end, ok := ctx.Deadline(); ok && time.Until(end) <= d {
		return false
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
