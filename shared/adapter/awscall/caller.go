// Package awscall calls a service of AWS without that service's client, whose tables cost
// more at a process's start than the call is worth: it signs, sends, tries again, and reads
// refusals. What is asked and what an answer means is for the adapter that stands on it.
// Start with [New] and [Do].
package awscall

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
)

// DefaultTries is how often a call is tried where the configuration doesn't say.
const DefaultTries = 4

// The pause before try n+1 is drawn from 0 to FirstPause·2ⁿ⁻¹, at most LongestPause:
// processes that failed together don't come back together.
const (
	FirstPause   = 100 * time.Millisecond
	LongestPause = 2 * time.Second
)

// maxRest is how much of an answer is read only to be able to use its connection again.
const maxRest = 16 << 10

// Caller calls one service. It may be used concurrently.
type Caller struct {
	service string // as signatures name it
	region  string
	tryTime time.Duration
	tries   int
	client  aws.HTTPClient
	creds   aws.CredentialsProvider
	signer  *v4.Signer
}

// New makes a caller. Of cfg it takes Region, Credentials, HTTPClient and RetryMaxAttempts
// (tries in all, DefaultTries if zero). tryTime bounds one try, so that a peer that went
// silent does not eat the caller's whole time.
func New(cfg aws.Config, service string, tryTime time.Duration, signer ...func(*v4.SignerOptions)) *Caller {
	c := &Caller{
		service: service, region: cfg.Region, tryTime: tryTime, tries: cfg.RetryMaxAttempts,
		client: client(cfg.HTTPClient), creds: cfg.Credentials, signer: v4.NewSigner(signer...),
	}
	if c.tries <= 0 {
		c.tries = DefaultTries
	}
	return c
}

// client returns a client that takes a redirect for what it is to a signed request: the
// answer that this is the wrong place.
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

// Call is what the adapter knows of one call.
type Call[T any] struct {
	// Build makes the request, unsigned, and tells the SHA-256 of its body in hexadecimal. It
	// is called for each try, since a signature carries the time.
	Build func(ctx context.Context) (req *http.Request, sum string, err error)
	// Read takes what it needs of an answer, whose body is closed afterwards. Of one that is
	// no success it returns a [*Refusal].
	Read func(*http.Response) (T, error)
	// Passing tells whether after this error the same call may succeed in a moment.
	Passing func(error) bool
}

// Do makes the call until it is answered for good, at most as often as the caller's tries
// allow and not beyond the end of ctx. Its errors are those of the last try.
func Do[T any](ctx context.Context, c *Caller, call Call[T]) (T, error) {
	for try := 1; ; try++ {
		v, err := once(ctx, c, call)
		if err == nil || try >= c.tries || ctx.Err() != nil || !call.Passing(err) || !pause(ctx, try) {
			return v, err
		}
	}
}

func once[T any](ctx context.Context, c *Caller, call Call[T]) (none T, err error) {
	ctx, cancel := context.WithTimeout(ctx, c.tryTime)
	defer cancel()
	req, sum, err := call.Build(ctx)
	if err != nil {
		return none, err
	}
	// The clock is the machine's own, even where the product's is moved: the service compares it with its own.
	if err := c.Sign(req, sum, time.Now()); err != nil {
		return none, err
	}
	resp, err := c.client.Do(req)
	if err != nil {
		var u *url.Error
		if errors.As(err, &u) {
			err = u.Err // the address is in the settings
		}
		return none, err
	}
	defer func() {
		_, _ = io.CopyN(io.Discard, resp.Body, maxRest) // so that the connection can serve again, unless that is much
		_ = resp.Body.Close()
	}()
	return call.Read(resp)
}

// pause waits before the next try. It tells whether there is time for one: rather than sleep
// into the end of ctx, the caller returns the reason that it has.
func pause(ctx context.Context, tried int) bool {
	d := rand.N(longest(tried)) //nolint:gosec // a pause need not be unpredictable
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

// longest is the most that the pause after so many tries may be.
func longest(tried int) time.Duration { return min(FirstPause<<min(tried-1, 10), LongestPause) }
