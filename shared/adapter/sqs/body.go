package sqs

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"

	"kefu/shared/core/fault"
)

// Prefix begins the keys of all objects that a [Queue] puts into its [Bucket]; the day (UTC) and something random follow.
const Prefix = "queue/"

// Bucket keeps bodies that are too long for a message. Both calls may come concurrently.
type Bucket interface {
	// Put keeps a body, durably once it returns, under a key that is new. It doesn't retain the slice.
	Put(ctx context.Context, key string, body []byte) error
	// Get gives a body back. A key that isn't there is fault.NotFound; every other error counts as one that passes.
	Get(ctx context.Context, key string) ([]byte, error)
}

var errNoBucket = errors.New("the body needs a bucket, and none is set")

// Unpack makes the body of a message's text, such as Lambda's event holds it. A text that is a body comes back
// untouched, and most are; b, which may be nil, is asked only for bodies that it keeps.
//
// None of its errors may cost the message, which might be readable later: a bucket that fails is Unavailable; a body
// that isn't there ("body-missing"), isn't what was put there ("body-altered") or stands in a form that this version
// doesn't know ("body-unreadable") is Internal. A consumer that returns them gets the message again, until it is a
// dead letter that somebody looks at.
func Unpack(ctx context.Context, b Bucket, text string) ([]byte, error) {
	if !packed(text) {
		return []byte(text), nil
	}
	if coded, ok := strings.CutPrefix(text, codedMark); ok {
		body, err := base64.RawStdEncoding.Strict().DecodeString(coded)
		if err != nil {
			return nil, fault.Wrap(fault.Internal, "body-unreadable", err)
		}
		return body, nil
	}
	rest, ok := strings.CutPrefix(text, objectMark)
	if !ok {
		return nil, fault.Wrap(fault.Internal, "body-unreadable", errForm)
	}
	o, err := readObject(rest)
	if err != nil {
		return nil, fault.Wrap(fault.Internal, "body-unreadable", err)
	}
	if b == nil {
		return nil, fault.Wrap(fault.Unavailable, "no-bucket", errNoBucket)
	}
	return load(ctx, b, o)
}

// Unpack makes the body of a message's text, with the queue's own bucket; see the function of that name.
func (q *Queue) Unpack(ctx context.Context, text string) ([]byte, error) {
	return Unpack(ctx, q.Bucket, text)
}

// load reads a body and verifies it. The bucket's own verdicts are overruled: a consumer would take a NotFound or a
// Denied as a reason to drop the message.
func load(ctx context.Context, b Bucket, o object) ([]byte, error) {
	body, err := b.Get(ctx, o.key)
	switch {
	case errors.Is(err, fault.NotFound):
		return nil, fault.Wrap(fault.Internal, "body-missing", fmt.Errorf("object %s: %w", o.key, err))
	case err != nil:
		return nil, fault.Wrap(fault.Unavailable, "bucket-unavailable", fmt.Errorf("read object %s: %w", o.key, err))
	case len(body) != o.length || sha256.Sum256(body) != o.sum:
		return nil, fault.Wrap(fault.Internal, "body-altered", fmt.Errorf("object %s has %d bytes; its message says %d, or has another sum", o.key, len(body), o.length))
	}
	return body, nil
}

// pack makes the text of a body: the body itself if it is text that SQS takes, else base64, else an object.
func (q *Queue) pack(ctx context.Context, body []byte, text bool) (string, error) {
	if text && len(body) <= maxText {
		return string(body), nil
	}
	if coded, ok := encode(body); ok && !text {
		return coded, nil
	}
	return q.store(ctx, body)
}

// store puts a body into the bucket and gives the text that says where.
func (q *Queue) store(ctx context.Context, body []byte) (string, error) {
	if q.Bucket == nil {
		return "", fault.Wrap(fault.Invalid, "too-large", fmt.Errorf("%d bytes: %w", len(body), errNoBucket))
	}
	o := object{
		length: len(body), sum: sha256.Sum256(body),
		key: Prefix + q.Now().UTC().Format(time.DateOnly) + "/" + rand.Text(),
	}
	if err := q.Bucket.Put(ctx, o.key, body); err != nil {
		return "", fault.Wrap(fault.Unavailable, "bucket-unavailable", fmt.Errorf("write object %s: %w", o.key, err))
	}
	return o.text(), nil
}

// renew stores a body in the bucket anew, for a message that begins a new life; its object may be about to expire.
// What can't be renewed keeps its text: it is no worse than before.
func (q *Queue) renew(ctx context.Context, text string) string {
	if !strings.HasPrefix(text, objectMark) {
		return text
	}
	body, err := q.Unpack(ctx, text)
	if err != nil {
		return text
	}
	anew, err := q.store(ctx, body)
	if err != nil {
		return text
	}
	return anew
}
