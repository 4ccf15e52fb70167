package faas

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"
	"unicode/utf8"

	"kefu/shared/core/fault"
)

// Message is one queue message of a batch.
type Message struct {
	ID       string    // the queue's id, never empty; a redelivery has the same
	Group    string    // messages of one group are handled in order; empty: a group of its own
	Body     string    // as it was sent
	Receives int       // how often the queue has handed it out, this time included; 0 when it doesn't say
	Sent     time.Time // when it was sent, UTC, to the millisecond; zero when the queue doesn't say
	Receipt  string    // handle of this delivery, for a change of its visibility; may be empty
	Source   string    // ARN of the queue; may be empty
}

// batchEvent is SQS's event for Lambda (docs.aws.amazon.com/lambda/latest/dg/with-sqs.html).
type batchEvent struct {
	Records []record `json:"Records"`
}

type record struct {
	MessageID     string           `json:"messageId"`
	ReceiptHandle string           `json:"receiptHandle,omitempty"`
	Body          string           `json:"body"`
	Attributes    recordAttributes `json:"attributes"`
	EventSource   string           `json:"eventSource,omitempty"`
	ARN           string           `json:"eventSourceARN,omitempty"`
}

// recordAttributes are numbers in strings, and absent where they don't apply.
type recordAttributes struct {
	Receives string `json:"ApproximateReceiveCount,omitempty"`
	Sent     string `json:"SentTimestamp,omitempty"` // milliseconds since 1970
	Group    string `json:"MessageGroupId,omitempty"`
}

// batchAnswer names the messages that failed; all others are acknowledged.
type batchAnswer struct {
	Failures []batchFailure `json:"batchItemFailures"`
}

type batchFailure struct {
	ID *string `json:"itemIdentifier"`
}

var (
	errNoRecords = errors.New("not a queue event: it has no Records")
	errNoID      = errors.New("a message has no id")
	errNotUTF8   = errors.New("a body is not UTF-8, which no queue event can carry")
)

// EncodeBatch writes the event that SQS's trigger would send for messages, for a local queue. A message without
// an id or with a body that is not UTF-8 is an Invalid error.
func EncodeBatch(messages []Message) ([]byte, error) {
	e := batchEvent{Records: make([]record, len(messages))}
	for i, m := range messages {
		if m.ID == "" {
			return nil, badEvent(errNoID)
		}
		if !utf8.ValidString(m.Body) {
			return nil, badEvent(fmt.Errorf("message %s: %w", m.ID, errNotUTF8))
		}
		r := record{
			MessageID: m.ID, ReceiptHandle: m.Receipt, Body: m.Body, EventSource: "aws:sqs", ARN: m.Source,
			Attributes: recordAttributes{Group: m.Group},
		}
		if m.Receives > 0 {
			r.Attributes.Receives = strconv.Itoa(m.Receives)
		}
		if !m.Sent.IsZero() {
			r.Attributes.Sent = strconv.FormatInt(m.Sent.UnixMilli(), 10)
		}
		e.Records[i] = r
	}
	return json.Marshal(e)
}

// decodeBatch reads SQS's event. Attributes that don't parse count as absent: they are hints.
func decodeBatch(payload []byte) ([]Message, error) {
	var e batchEvent
	if err := json.Unmarshal(payload, &e); err != nil {
		return nil, err
	}
	if e.Records == nil {
		return nil, errNoRecords
	}
	messages := make([]Message, len(e.Records))
	for i, r := range e.Records {
		if r.MessageID == "" {
			return nil, errNoID // its failure could not be reported
		}
		m := Message{ID: r.MessageID, Group: r.Attributes.Group, Body: r.Body, Receipt: r.ReceiptHandle, Source: r.ARN}
		if n, err := strconv.Atoi(r.Attributes.Receives); err == nil && n > 0 {
			m.Receives = n
		}
		if ms, err := strconv.ParseInt(r.Attributes.Sent, 10, 64); err == nil {
			m.Sent = time.UnixMilli(ms).UTC()
		}
		messages[i] = m
	}
	return messages, nil
}

// encodeFailures writes the answer of a batch.
func encodeFailures(ids []string) []byte {
	b := []byte(`{"batchItemFailures":[`)
	for i, id := range ids {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, `{"itemIdentifier":`...)
		b = append(appendString(b, id), '}')
	}
	return append(b, "]}"...)
}

// DecodeFailures reads a batch function's answer as SQS's trigger does and gives the ids of sent that must come
// again, in the order sent. Null, an empty object and an empty list mean that nothing failed. An answer of another
// shape, and an id that is empty or was not sent, mean that the whole batch failed: then all ids come back, with
// an Internal error that says why.
func DecodeFailures(answer []byte, sent []Message) (failed []string, err error) {
	unsettled := make(map[string]bool, len(sent)) // true: named as failed
	all := make([]string, len(sent))
	for i, m := range sent {
		all[i] = m.ID
		unsettled[m.ID] = false
	}
	var a batchAnswer
	d := json.NewDecoder(bytes.NewReader(answer))
	d.DisallowUnknownFields()
	if err := d.Decode(&a); err != nil {
		return all, badAnswer(err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return all, badAnswer(errors.New("something follows the answer"))
	}
	for _, f := range a.Failures {
		if f.ID == nil || *f.ID == "" {
			return all, badAnswer(errors.New("a failure without an id"))
		}
		if _, known := unsettled[*f.ID]; !known {
			return all, badAnswer(fmt.Errorf("a failure of %q, which was not sent", *f.ID))
		}
		unsettled[*f.ID] = true
	}
	for _, id := range all {
		if unsettled[id] {
			failed = append(failed, id)
			unsettled[id] = false // sent twice, reported once
		}
	}
	return failed, nil
}

func badAnswer(err error) error {
	return fault.Wrap(fault.Internal, "bad-answer", fmt.Errorf("read the batch's answer: %w", err))
}
