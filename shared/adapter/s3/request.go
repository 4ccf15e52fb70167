package s3

import (
	"bytes"
	"context"
	"io"
	"net/http"
)

// emptySum is the SHA-256 of nothing: what a request without a body signs.
const emptySum = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

// askFirst is the size from where a body waits for leave to come: S3 then refuses without reading it, and the reason
// does not get lost in a connection that it closed.
const askFirst = 1 << 20

// request is one of the three calls.
type request struct {
	method string
	key    string
	body   []byte
	sum    string // of the body, SHA-256 in hexadecimal
	header http.Header
}

// build makes the HTTP request, and tells its body's sum, which is signed with it.
func (b *Bucket) build(ctx context.Context, r request) (*http.Request, string, error) {
	var body io.Reader
	if r.method == http.MethodPut {
		body = bytes.NewReader(r.body) // of known length, and readable again should the transport repeat it
	}
	req, err := http.NewRequestWithContext(ctx, r.method, b.site.address(r.key).String(), body)
	if err != nil {
		return nil, "", err
	}
	for name, values := range r.header {
		req.Header[name] = values
	}
	req.Header.Set("X-Amz-Content-Sha256", r.sum)
	if len(r.body) >= askFirst {
		req.Header.Set("Expect", "100-continue")
	}
	return req, r.sum, nil
}
