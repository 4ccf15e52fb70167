package s3

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"kefu/shared/adapter/awscall"
	"kefu/shared/core/fault"
)

// MaxBytes is the most bytes of one object: a file of 16 MiB, and room for what a caller wraps around it.
const MaxBytes = 16<<20 + 64<<10

// maxKey is the longest key that S3 takes, in bytes of UTF-8.
const maxKey = 1024

// Options says which bucket.
type Options struct {
	// Bucket is its name (KEFU_BUCKET).
	Bucket string
	// PathStyle puts the bucket's name into the path instead of the host's name. Local engines need it; AWS needs it for
	// names with dots, which get it by themselves.
	PathStyle bool
}

// Bucket is one bucket. Its methods may be called at the same time.
type Bucket struct {
	name   string
	region string
	site   site
	wrong  error // why site can't be used, nil if it can; every call returns it
	caller *awscall.Caller
}

// New returns the bucket. It makes no call: settings that can't be right show at the first one.
//
// Of cfg it takes Region, Credentials, HTTPClient, RetryMaxAttempts (calls in all, 4 if zero) and BaseEndpoint, the
// address of another S3, such as a local one (AWS_ENDPOINT_URL_S3).
func New(cfg aws.Config, o Options) *Bucket {
	// S3 is the one service that signs a path as it is sent, without escaping it once more.
	plain := func(s *v4.SignerOptions) { s.DisableURIPathEscaping = true }
	b := &Bucket{name: o.Bucket, region: cfg.Region, caller: awscall.New(cfg, "s3", tryTime, plain)}
	b.site, b.wrong = locate(o, aws.ToString(cfg.BaseEndpoint), cfg.Region)
	return b
}

// Put stores the bytes under the key, in place of what was there. When it returns nil they are durable. After an
// error they may be there or not; putting them again is safe. Of two Puts to one key at the same time one wins whole.
//
// Errors: Invalid above MaxBytes; otherwise Unavailable, with the setting to look at in its text.
func (b *Bucket) Put(ctx context.Context, key string, body []byte) error {
	if len(body) > MaxBytes {
		return fault.WithStatus(fault.New(fault.Invalid, "file-too-large", "The file is larger than 16 MiB."), http.StatusRequestEntityTooLarge)
	}
	sum := sha256.Sum256(body)
	_, err := b.call(ctx, request{method: http.MethodPut, key: key, body: body, sum: hex.EncodeToString(sum[:]), header: http.Header{
		"Content-Type":          {"application/octet-stream"},
		"X-Amz-Checksum-Sha256": {base64.StdEncoding.EncodeToString(sum[:])},
	}})
	return err
}

// Get returns the bytes under the key, all of them. They are the caller's own.
//
// Errors: NotFound if there are none; Internal, code object-too-large, if there are more than MaxBytes; otherwise
// Unavailable.
func (b *Bucket) Get(ctx context.Context, key string) ([]byte, error) {
	return b.call(ctx, request{method: http.MethodGet, key: key, sum: emptySum, header: http.Header{
		"X-Amz-Checksum-Mode": {"ENABLED"},
		"Accept-Encoding":     {"identity"}, // otherwise the transport unpacks what was stored packed
	}})
}

// Delete removes what is under the key. That nothing is there is no error. Errors: Unavailable.
func (b *Bucket) Delete(ctx context.Context, key string) error {
	_, err := b.call(ctx, request{method: http.MethodDelete, key: key, sum: emptySum})
	if errors.Is(err, fault.NotFound) {
		return nil
	}
	return err
}

// checkKey refuses keys that would mean something else on the way: a DELETE without a key deletes the bucket, and a
// proxy may fold "a/../b". Keys are made by this system, so a bad one is its own mistake.
func checkKey(key string) error {
	if key == "" || len(key) > maxKey || !plain(key) {
		return fault.Wrap(fault.Internal, "bad-object-key", fmt.Errorf("not a key of an object: %q", key))
	}
	return nil
}
