package sqs

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"kefu/shared/core/fault"
	"kefu/shared/core/queue"
)

// Options are the rules of one queue. URL must be set; the rest may stay empty.
type Options struct {
	// URL is the queue's.
	URL string
	// Setting names the setting that URL came from, such as KEFU_QUEUE_INBOUND. Errors that a wrong setting may cause
	// name it; without one they say "the queue's URL".
	Setting string
	// DeadURL is the URL of the dead-letter queue; empty: the one that the queue's redrive policy names.
	DeadURL string
	// Ordered says that the queue is a FIFO queue.
	Ordered bool
	// Once says that a body which is sent again to its group within five minutes is the same message, and is stored
	// once. Of an ordered queue only.
	Once bool
	// Fair sends the group with each message of a standard queue, so that a group with many messages doesn't starve
	// the others (SQS calls it a fair queue). It costs a quarter more, and a Region may lack it.
	Fair bool
	// Visibility is how long a delivered message is hidden from others, in whole seconds, rounded up; 0: as the queue
	// is set. It counts for Receive; Lambda's event source goes by the queue's setting.
	Visibility time.Duration
	// Bucket keeps bodies that are too long for a message; without one they are Invalid.
	Bucket Bucket
	// Attempts is how often a request is tried, the first time included; default 4, which is at most 0.7 s of waiting.
	Attempts int
	// Now is the clock; default time.Now. It only dates the objects in the bucket.
	Now func() time.Time
}

// Queue is one queue of SQS. All methods may be called concurrently.
type Queue struct {
	client *sqs.Client
	Options
	region    string
	graveyard atomic.Pointer[graveyard] // when it has been looked up
}

const (
	defaultAttempts = 4
	fifoSuffix      = ".fifo" // of every FIFO queue's name, and of no other's
)

// New makes a client for a queue; it asks nothing of the queue. An address of cfg (BaseEndpoint) and its HTTP client are
// used as they are; retries are this package's own. A URL that is none, or that doesn't fit Ordered, is Invalid.
//
// The HTTP client must hide from its transport what a request's body has besides Read and Close. The SDK closes the body
// as soon as the head of an answer is there; a transport that at that moment asks it through io.WriterTo whether it goes
// on gets an error, and closes the connection under the answer: a Receive then hides messages that nobody got.
func New(cfg aws.Config, o Options) (*Queue, error) {
	if o.Setting == "" {
		o.Setting = "the queue's URL"
	}
	if u, err := url.Parse(o.URL); err != nil || u.Host == "" || strings.Trim(u.Path, "/") == "" {
		return nil, fault.Wrap(fault.Invalid, "bad-queue-url", fmt.Errorf("%s is not the URL of a queue", o.Setting))
	}
	if strings.HasSuffix(o.URL, fifoSuffix) != o.Ordered {
		want := "must not name a FIFO queue"
		if o.Ordered {
			want = "must name a FIFO queue, whose name ends in " + fifoSuffix
		}
		return nil, fault.Wrap(fault.Invalid, "bad-queue-url", fmt.Errorf("%s %s", o.Setting, want))
	}
	if o.Attempts <= 0 {
		o.Attempts = defaultAttempts
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	client := sqs.NewFromConfig(cfg, func(c *sqs.Options) {
		c.Retryer = newRetryer(o.Attempts)
	})
	return &Queue{client: client, Options: o, region: cfg.Region}, nil
}

// letter is a message on its way to the queue.
type letter struct {
	text  string
	group string // SQS's name of it; empty: none
	delay int32  // seconds
	token string // of an ordered queue: what is sent twice under one token within 5 minutes is stored once
}

// Send makes a message durable. The delay is rounded up to whole seconds; in an ordered queue there is none, so that it
// is Invalid there ("no-delay").
func (q *Queue) Send(ctx context.Context, group string, delay time.Duration, body []byte) error {
	if err := q.checkSend(delay, body); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return cancelled(err) // before the bucket is written to
	}
	l := letter{delay: seconds(delay)}
	switch {
	case q.Ordered:
		l.group, l.token = groupName(group), rand.Text()
		if q.Once {
			sum := sha256.Sum256(append([]byte(group+"\x00"), body...))
			l.token = hex.EncodeToString(sum[:])
		}
	case q.Fair && group != "":
		l.group = groupName(group)
	}
	var err error
	if l.text, err = q.pack(ctx, body, isText(body)); err != nil {
		return err
	}
	_, err = q.post(ctx, l)
	if !refusesText(err) || packed(l.text) {
		return err
	}
	// SQS disagrees about what is text, as some of its stand-ins do about emoji.
	if l.text, err = q.pack(ctx, body, false); err != nil {
		return err
	}
	_, err = q.post(ctx, l)
	return err
}

func (q *Queue) checkSend(delay time.Duration, body []byte) error {
	switch {
	case len(body) > queue.MaxBody:
		return fault.Wrap(fault.Invalid, "message-too-large", fmt.Errorf("%d bytes; at most %d", len(body), queue.MaxBody))
	case delay > queue.MaxDelay:
		return fault.Wrap(fault.Invalid, "delay-too-long", fmt.Errorf("%s; at most %s", delay, queue.MaxDelay))
	case delay > 0 && q.Ordered:
		return fault.Wrap(fault.Invalid, "no-delay", errors.New("an ordered queue can't delay a message"))
	}
	return nil
}

// post sends one letter and gives the id that it got.
func (q *Queue) post(ctx context.Context, l letter) (id string, err error) {
	in := &sqs.SendMessageInput{QueueUrl: &q.URL, MessageBody: &l.text, DelaySeconds: l.delay}
	if l.group != "" {
		in.MessageGroupId = &l.group
	}
	if l.token != "" {
		in.MessageDeduplicationId = &l.token
	}
	out, err := q.client.SendMessage(ctx, in)
	if err != nil {
		return "", q.fail("SendMessage", err)
	}
	return aws.ToString(out.MessageId), nil
}

// seconds rounds up: nothing comes too early. A span below zero is none.
func seconds(d time.Duration) int32 {
	return int32(max(d+time.Second-1, 0) / time.Second) //nolint:gosec // callers have bounded it to hours
}
