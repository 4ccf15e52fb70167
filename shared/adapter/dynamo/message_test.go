package dynamo

import (
	"bytes"
	"testing"

	"kefu/shared/core/fault"
	"kefu/shared/core/message"
)

// noise is what doesn't compress.
func noise(n int) []byte { return newTypical(uint64(n)).bytes(n) }

// TestAPageOfMessagesMayBeMoreThanDynamoDBs lists what lies on several of its pages of a megabyte, some of it in the bucket.
func TestAPageOfMessagesMayBeMoreThanDynamoDBs(t *testing.T) {
	t.Parallel()
	s, ctx := newStore(t), t.Context()
	const rows = 9
	for n := range int64(rows) {
		size := 250 << 10
		if n == 4 {
			size = 900 << 10
		}
		must(t, s.PutMessage(ctx, message.Message{ID: message.NewID("s", n), Session: "s", N: n, Raw: noise(size)}))
	}
	items, next, err := s.Messages(ctx, "s", "", rows)
	if err != nil || len(items) != rows || next != "" {
		t.Fatalf("got %d rows, cursor %q, error %v; want all %d", len(items), next, err, rows)
	}
	for n, m := range items {
		size := 250 << 10
		if n == 4 {
			size = 900 << 10
		}
		if m.N != int64(n) || !bytes.Equal(m.Raw, noise(size)) {
			t.Errorf("row %d: got number %d, %d bytes; want %d", n, m.N, len(m.Raw), size)
		}
	}
	items, next, err = s.Messages(ctx, "s", "", rows-1)
	if err != nil || len(items) != rows-1 || next == "" {
		t.Fatalf("got %d rows, cursor %q, error %v; want %d and a cursor", len(items), next, err, rows-1)
	}
}

func TestAMessageThatIsTooLargeIsRefusedWithoutABucket(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	s.bucket = nil
	err := s.PutMessage(t.Context(), message.Message{ID: "s-1", Session: "s", N: 1, Raw: noise(900 << 10)})
	wantKind(t, "PutMessage", err, fault.Invalid, "too-large")
}

func TestIDsThatAreNone(t *testing.T) {
	t.Parallel()
	for _, id := range []message.ID{"", "s", "-1", "s-", "s--1", "s-01", "s-+1", "s-1.0", "s-99999999999999999999", "s-1 "} {
		if in, n, ok := splitMessage(id); ok && message.NewID(in, n) != id {
			t.Errorf("%q: got session %q, number %d; want no id", id, in, n)
		}
	}
	if in, n, ok := splitMessage("a-b-12"); !ok || in != "a-b" || n != 12 {
		t.Errorf("a-b-12: got session %q, number %d, %v; want a-b, 12", in, n, ok)
	}
}

// TestASettlementStopsAtWhatTheCoreCallsFinal compares the condition of the write with the core's rule, for all states.
func TestASettlementStopsAtWhatTheCoreCallsFinal(t *testing.T) {
	t.Parallel()
	s, ctx := newStore(t), t.Context()
	for n, st := range []message.State{
		message.Received, message.Pending, message.Held, message.Sending, message.Sent, message.Failed,
		message.Expired, message.Cancelled, message.Unknown, "",
	} {
		m := message.Message{ID: message.NewID("s", int64(n)), Session: "s", N: int64(n), State: st, Reason: "r", Code: 7, SentAt: start}
		end := message.Settlement{Message: m.ID, State: message.Cancelled, At: after(1)}
		want, wants := m.Settle(end)
		must(t, s.PutMessage(ctx, m))
		wrote, err := s.SettleMessage(ctx, end)
		must(t, err)
		got, err := s.Message(ctx, m.ID)
		must(t, err)
		if wantSame(t, "row that was "+string(st), got, want); wrote != wants {
			t.Errorf("a row that is %q: got wrote %v; want %v", st, wrote, wants)
		}
	}
}
