package s3

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"net/url"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
)

const (
	defaultTries = 4
	// tryTime bounds one try, so that a peer that went silent does not eat the caller's whole time.
	tryTime = 20 * time.Second
	// The pause before try n+1 is drawn from 0 to firstPause·2ⁿ⁻¹, at most longestPause: clients that failed together
	// don't come back together.
	firstPause   = 100 * time.Millisecond
	longestPause = 2 * time.Second
)

// client returns a client that takes a redirect for what it is here: the answer that the bucket is somewhere else.
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

// call makes a request until it is answered for good, at most b.tries times and not beyond the end of ctx.
func (b *Bucket) call(ctx context.Context, r request) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, b.judge(ctx, r, err)
	}
	if b.wrong != nil {
		return nil, b.wrong
	}
	if err := checkKey(r.key); err != nil {
		return nil, err
	}
	for try := 1; ; try++ {
		body, err := b.try(ctx, r)
		if err == nil {
			return body, nil
		}
		if try >= b.tries || ctx.Err() != nil || !passing(err) || !pause(ctx, try) {
			return nil, b.judge(ctx, r, err)
		}
	}
}

// try makes the request once. Its error is a *refusal when there was an answer.
func (b *Bucket) try(ctx context.Context, r request) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, tryTime)
	defer cancel()
	req, err := b.build(ctx, r)
	if err != nil {
		return nil, err
	}
	resp, err := b.client.Do(req)
	if err != nil {
		var u *url.Error
		if errors.As(err, &u) {
			err = u.Err // the address is in the settings, and the key is added by judge
		}
		return nil, err
	}
	defer func() {
		drain(resp.Body)
		_ = resp.Body.Close()
	}()
	switch {
	case r.method == http.MethodGet && resp.StatusCode == http.StatusOK:
		return read(resp)
	case r.method != http.MethodGet && (resp.StatusCode == http.StatusOK || resp.StatusCode == http.StatusNoContent):
		return nil, nil
	default:
		return nil, refused(resp)
	}
}

// pause waits before the next try. It tells whether there is time for one: rather than sleep into the end of ctx, the
// caller returns the reason that it has.
func pause(ctx context.Context, tried int) bool {
	d := rand.N(min(firstPause<<(tried-1), longestPause)) //nolint:gosec // a pause need not be unpredictable
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
