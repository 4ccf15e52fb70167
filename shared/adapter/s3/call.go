package s3

import (
	"context"
	"net/http"
	"time"

	"kefu/shared/adapter/awscall"
)

// tryTime bounds one try: an object of MaxBytes over a slow line.
const tryTime = 20 * time.Second

// call makes a request until it is answered for good, and not beyond the end of ctx.
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
	body, err := awscall.Do(ctx, b.caller, awscall.Call[[]byte]{
		Build:   func(ctx context.Context) (*http.Request, string, error) { return b.build(ctx, r) },
		Read:    r.read,
		Passing: passing,
	})
	if err != nil {
		return nil, b.judge(ctx, r, err)
	}
	return body, nil
}

// read takes what the call wants of an answer.
func (r request) read(resp *http.Response) ([]byte, error) {
	switch {
	case r.method == http.MethodGet && resp.StatusCode == http.StatusOK:
		return read(resp)
	case r.method != http.MethodGet && (resp.StatusCode == http.StatusOK || resp.StatusCode == http.StatusNoContent):
		return nil, nil
	default:
		return nil, refused(resp)
	}
}
