package s3

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"time"
)

// emptySum is the SHA-256 of nothing: what a request without a body signs.
const emptySum = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

// askFirst is the size from where a body waits for leave to come: S3 then refuses without reading it, and the reason
// does not get lost in a connection that it closed.
const askFirst = 1 << 20

// request is one of the three calls, before it is signed.
type request struct {
	method string
	key    string
	body   []byte
	sum    string // of the body, SHA-256 in hexadecimal
	header http.Header
}

var errNoCredentials = errors.New("AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not set")

// unsigned marks the errors of getting credentials: no request went out.
type unsigned struct{ error }

func (e unsigned) Unwrap() error { return e.error }

// build makes a signed HTTP request. Each try has one of its own, because a signature carries the time.
func (b *Bucket) build(ctx context.Context, r request) (*http.Request, error) {
	var body io.Reader
	if r.method == http.MethodPut {
		body = bytes.NewReader(r.body) // of known length, and readable again should the transport repeat it
	}
	req, err := http.NewRequestWithContext(ctx, r.method, b.site.address(r.key).String(), body)
	if err != nil {
		return nil, err
	}
	for name, values := range r.header {
		req.Header[name] = values
	}
	if len(r.body) >= askFirst {
		req.Header.Set("Expect", "100-continue")
	}
	// The clock is the machine's own, even where the product's is moved: S3 compares it with its own.
	return req, b.sign(req, r.sum, time.Now())
}

// sign adds the signature over method, path, headers and the body's sum.
func (b *Bucket) sign(req *http.Request, sum string, now time.Time) error {
	if b.creds == nil {
		return unsigned{errNoCredentials}
	}
	creds, err := b.creds.Retrieve(req.Context())
	if err != nil {
		return unsigned{err}
	}
	req.Header.Set("X-Amz-Content-Sha256", sum)
	return b.signer.SignHTTP(req.Context(), creds, req, sum, "s3", b.region, now.UTC())
}
