package faas_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kefu/shared/core/fault"
	"kefu/shared/faas"
)

func TestBatchEvents(t *testing.T) {
	t.Parallel()
	for file, want := range map[string][]faas.Message{
		"sqs-standard.json": {{
			ID: "059f36b4-87a3-44ab-83d2-661975830a7d", Body: "Message Body", Receives: 2,
			Sent: time.Date(2018, 3, 9, 18, 53, 45, 29e6, time.UTC), Receipt: "AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a",
			Source: "arn:aws:sqs:us-west-2:123456789012:SQSQueue",
		}},
		"sqs-fifo.json": {
			{
				ID: "11d6ee51-4cc7-4302-9e22-7cd8afdaadf5", Group: "shop/oABC", Body: `{"text":"你好"}`, Receives: 1,
				Sent: time.Date(2019, 11, 8, 22, 18, 30, 774e6, time.UTC), Receipt: "AQEBBX8nesZEXmkhsmZeyIE8iQAMig7qw",
				Source: "arn:aws:sqs:us-east-2:123456789012:fifo.fifo",
			},
			{
				ID: "22d6ee51-4cc7-4302-9e22-7cd8afdaadf5", Group: "shop/oABC", Body: "second",
				Receipt: "AQEBBX8nesZEXmkhsmZeyIE8iQAMig7qx", Source: "arn:aws:sqs:us-east-2:123456789012:fifo.fifo",
			},
		},
	} {
		t.Run(file, func(t *testing.T) {
			t.Parallel()
			var got []faas.Message
			h := faas.Batch(func(_ context.Context, m faas.Message) error {
				got = append(got, m)
				return nil
			}, quiet())
			answer, err := h(t.Context(), sample(t, "batch", file))
			if err != nil || string(answer) != `{"batchItemFailures":[]}` {
				t.Errorf("got %s, %v, want no failures", answer, err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("want -, got +:\n%s", diff)
			}
			if again := send(t.Context(), t, h, got...); again != nil || !cmp.Equal(got[:len(want)], got[len(want):]) {
				t.Errorf("after EncodeBatch: got %v, want the same messages", got[len(want):])
			}
		})
	}
}

func TestDecodeFailures(t *testing.T) {
	t.Parallel()
	sent := []faas.Message{{ID: "1"}, {ID: "2"}, {ID: "3"}}
	all := []string{"1", "2", "3"}
	for answer, want := range map[string][]string{
		`{"batchItemFailures":[]}`:   nil,
		`{"batchItemFailures":null}`: nil,
		`{}`:                         nil,
		`null`:                       nil,
		` {} `:                       nil,
		`{"batchItemFailures":[{"itemIdentifier":"2"}]}`:                                               {"2"},
		`{"batchItemFailures":[{"itemIdentifier":"3"},{"itemIdentifier":"1"},{"itemIdentifier":"3"}]}`: {"1", "3"},
		``:                                   all,
		`{"batchItemFailures":[`:             all,
		`{"batchItemFailures":{}}`:           all,
		`{"batchItemFailures":["2"]}`:        all,
		`{"batchItemFailures":[null]}`:       all,
		`{"batchItemFailures":[{}]}`:         all,
		`{"batchItemFailures":[{"id":"2"}]}`: all,
		`{"failures":[]}`:                    all,
		`[]`:                                 all,
		`"ok"`:                               all,
		`{} {}`:                              all,
		`{"batchItemFailures":[{"itemIdentifier":""}]}`:                             all,
		`{"batchItemFailures":[{"itemIdentifier":null}]}`:                           all,
		`{"batchItemFailures":[{"itemIdentifier":7}]}`:                              all,
		`{"batchItemFailures":[{"itemIdentifier":"2"},{"itemIdentifier":"other"}]}`: all,
	} {
		got, err := faas.DecodeFailures([]byte(answer), sent)
		if !slices.Equal(got, want) {
			t.Errorf("%s: got %v, want %v", answer, got, want)
		}
		if bad := len(want) == len(all); (err != nil) != bad || (bad && fault.KindOf(err) != fault.Internal) {
			t.Errorf("%s: got error %v, want one: %t", answer, err, bad)
		}
	}
}

func TestEncodeBatchRefuses(t *testing.T) {
	t.Parallel()
	for name, m := range map[string]faas.Message{"no id": {Body: "x"}, "not UTF-8": {ID: "1", Body: "\xff"}} {
		if b, err := faas.EncodeBatch([]faas.Message{{ID: "0"}, m}); !errors.Is(err, fault.Invalid) || b != nil {
			t.Errorf("%s: got %q and error %v, want an invalid one", name, b, err)
		}
	}
}

// TestDecodeFailuresTwice: a standard queue may put one message into a batch twice; its failure is reported once.
func TestDecodeFailuresTwice(t *testing.T) {
	t.Parallel()
	sent := []faas.Message{{ID: "1"}, {ID: "2"}, {ID: "1"}}
	got, err := faas.DecodeFailures([]byte(`{"batchItemFailures":[{"itemIdentifier":"1"}]}`), sent)
	if want := []string{"1"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("got %v, %v, want %v", got, err, want)
	}
}
