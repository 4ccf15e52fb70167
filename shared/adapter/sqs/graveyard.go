package sqs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"kefu/shared/core/fault"
)

// graveyard is the queue of another's dead letters.
type graveyard struct {
	url      string
	receives int // how often a message was delivered before it came there; 0: unknown
}

// How dead letters are looked through. A look hides them, and gives back at once what it leaves there; should it be cut
// short, they show again after deadHold. Every look waits a little for more, or SQS would ask only some of its servers.
const (
	deadHold = 2 * time.Minute
	deadWait = time.Second
	// maxDead bounds how many letters one look holds, and maxDeadText their size: many long ones fill a function's memory.
	maxDead     = 1000
	maxDeadText = 64 << 20
	// backTime is how long giving them back may take after the caller's own time is over.
	backTime = 5 * time.Second
)

// findGraveyard reads the queue's redrive policy, once for all calls; false if the queue has no dead letters.
func (q *Queue) findGraveyard(ctx context.Context) (graveyard, bool, error) {
	if g := q.graveyard.Load(); g != nil {
		return *g, true, nil
	}
	out, err := q.client.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{
		QueueUrl: &q.URL, AttributeNames: []types.QueueAttributeName{types.QueueAttributeNameRedrivePolicy},
	})
	if err != nil {
		return graveyard{}, false, q.fail("GetQueueAttributes", err)
	}
	g := graveyard{url: q.DeadURL}
	if policy := out.Attributes[string(types.QueueAttributeNameRedrivePolicy)]; policy != "" {
		if err := g.read(policy, q.URL); err != nil {
			return graveyard{}, false, fault.Wrap(fault.Internal, "bad-redrive-policy", fmt.Errorf("%s: %w", q.Setting, err))
		}
	}
	if g.url == "" {
		return graveyard{}, false, nil
	}
	q.graveyard.Store(&g)
	return g, true, nil
}

var errPolicy = errors.New("its redrive policy names no queue")

// read takes what a redrive policy says. A dead-letter queue has its queue's account and Region, hence also the
// beginning of its URL.
func (g *graveyard) read(policy, source string) error {
	var p struct {
		Target   string      `json:"deadLetterTargetArn"`
		Receives json.Number `json:"maxReceiveCount"` // a number, or a string of one
	}
	if err := json.Unmarshal([]byte(policy), &p); err != nil {
		return err
	}
	name := p.Target[strings.LastIndexByte(p.Target, ':')+1:]
	if name == "" {
		return errPolicy
	}
	if g.url == "" {
		g.url = source[:strings.LastIndexByte(source, '/')+1] + name
	}
	if n, err := p.Receives.Int64(); err == nil {
		g.receives = int(n)
	}
	return nil
}

// dig receives dead letters page by page and hands each to keep, which says whether it holds on to the letter. After
// the last page, which may come early when keep ends the search, all that are held are given back.
type dig struct {
	queue *Queue
	url   string
	held  []string // receipts, in the order of their arrival
}

// next is the next page; empty when everything has been seen.
func (d *dig) next(ctx context.Context) ([]types.Message, error) {
	return d.queue.page(ctx, reading{url: d.url, limit: maxPage, wait: deadWait, hide: deadHold})
}

func (d *dig) hold(m types.Message) { d.held = append(d.held, aws.ToString(m.ReceiptHandle)) }

// close gives back what is held, the last first: so each group has its old order at every moment. It does so even when
// the caller has left. What it fails at shows again after deadHold.
func (d *dig) close(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), backTime)
	defer cancel()
	slices.Reverse(d.held)
	for ten := range slices.Chunk(d.held, maxPage) {
		in := &sqs.ChangeMessageVisibilityBatchInput{QueueUrl: &d.url}
		for i := range ten {
			in.Entries = append(in.Entries, types.ChangeMessageVisibilityBatchRequestEntry{
				Id: aws.String(fmt.Sprint(i)), ReceiptHandle: &ten[i], VisibilityTimeout: 0,
			})
		}
		if _, err := d.queue.client.ChangeMessageVisibilityBatch(ctx, in); err != nil {
			return
		}
	}
}
