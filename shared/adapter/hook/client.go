package hook

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"kefu/shared/core/account"
	"kefu/shared/core/hook"
)

// Options are what a [Client] needs. All may stay empty.
type Options struct {
	// Private allows addresses of private networks and of this machine, and http without TLS: for tests, for the local
	// runner, and for whoever runs receivers beside Kefu and trusts everybody who may set up an account.
	Private bool
	// Timeout bounds a request that tells of something, its answer included; default 15 s.
	Timeout time.Duration
	// Now is the clock; default time.Now.
	Now func() time.Time
}

// Client calls the business's software. All methods may be called concurrently.
type Client struct {
	Options
	web *http.Client
}

const (
	defaultTimeout   = 15 * time.Second
	dialTimeout      = 5 * time.Second
	handshakeTimeout = 5 * time.Second
	// idleTimeout is short: a receiver that closes an idle connection just as a request goes out costs a try.
	idleTimeout = 15 * time.Second
	idleConns   = 64

	maxHeader = 64 << 10
	// maxAnswer is how much of an answer is read. What a webhook's receiver says is of no interest, but a connection
	// can be used again only if its answer was read to the end.
	maxAnswer = 64 << 10
)

// New makes a client.
func New(o Options) *Client {
	if o.Timeout <= 0 {
		o.Timeout = defaultTimeout
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	dialer := &net.Dialer{Timeout: dialTimeout, KeepAlive: 15 * time.Second}
	if !o.Private {
		dialer.Control = guard
	}
	return &Client{Options: o, web: &http.Client{
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		// No proxy: the guard would look at the proxy's address in place of the receiver's.
		Transport: &http.Transport{
			DialContext: dialer.DialContext, TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12}, TLSHandshakeTimeout: handshakeTimeout,
			MaxIdleConns: idleConns, MaxIdleConnsPerHost: idleConns, IdleConnTimeout: idleTimeout,
			MaxResponseHeaderBytes: maxHeader, DisableCompression: true,
		},
	}}
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   []byte // at most maxAnswer bytes and one
	broken error  // why there is no more of the body; nil when it is whole
}

// Why a request could not be made, or had no answer.
var (
	errAddress = errors.New("it is no https address, or http where that is allowed")
	errTimeout = errors.New("the answer took too long")
)

// post signs a body and sends it. The error is Invalid if there is no secret to sign with. None holds the address, whose path may be a password.
func (c *Client) post(ctx context.Context, to string, s account.Signing, id string, body []byte) (answer, error) {
	u, err := url.Parse(to)
	if err != nil || u.Host == "" || !(u.Scheme == "https" || (u.Scheme == "http" && c.Private)) {
		return answer{}, errAddress
	}
	now := c.Now()
	signature, err := hook.Sign(s, id, now, body)
	if err != nil {
		return answer{}, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, to, bytes.NewReader(body))
	if err != nil {
		return answer{}, errAddress
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "kefu")
	req.Header.Set("Webhook-Id", id)
	req.Header.Set("Webhook-Timestamp", hook.Timestamp(now))
	req.Header.Set("Webhook-Signature", signature)
	// An empty one isn't sent. It says that the request may be repeated when a kept connection turns out to be closed.
	req.Header["Idempotency-Key"] = []string{}
	resp, err := c.web.Do(req)
	if err != nil {
		return answer{}, bare(ctx, err)
	}
	defer func() { _ = resp.Body.Close() }() // nothing was written to it
	got := answer{status: resp.StatusCode, header: resp.Header}
	if got.body, err = io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1)); err != nil {
		got.broken = bare(ctx, err)
	}
	return got, nil
}

// bare takes the address out of an error, and tells a timeout.
func bare(ctx context.Context, err error) error {
	var outer *url.Error
	if errors.As(err, &outer) {
		err = outer.Err
	}
	var slow net.Error
	if ctx.Err() != nil || (errors.As(err, &slow) && slow.Timeout()) {
		return fmt.Errorf("%w: %w", errTimeout, err)
	}
	return err
}

// reason is a stable word for why there was no answer.
func reason(err error) string {
	switch {
	case errors.Is(err, errRefused):
		return "refused-address"
	case errors.Is(err, errAddress):
		return "bad-address"
	case errors.Is(err, errTimeout):
		return "timeout"
	}
	var certificate *tls.CertificateVerificationError
	if errors.As(err, &certificate) || strings.Contains(err.Error(), "tls: ") {
		return "tls"
	}
	return "unreachable"
}
