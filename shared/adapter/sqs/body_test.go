package sqs_test

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"kefu/shared/adapter/sqs"
	"kefu/shared/core/fault"
)

// Every body comes back through the engine as it was: of any size up to 1.5 MiB, of any bytes.
func TestBodiesComeBack(t *testing.T) {
	t.Parallel()
	q := emulator(t).open(t, true, setup, &wire{})
	sizes := []int{0, 1, 600, 64 << 10, 691_190, 691_191, 691_192, 900<<10 - 1, 900 << 10, 900<<10 + 1, 1 << 20, 3 << 19}
	patterns := map[string]string{
		"random bytes": "", "text": `{"text":"a"}`, "chinese": "你好", "emoji": "😀", "control characters": "a\x01\x1b\x7f",
		"U+FFFE": "\ufffe", "the mark": "kefu1.object.1.",
	}
	names := slices.Sorted(maps.Keys(patterns))
	check := func(ctx context.Context, name string, size int, seed byte) error {
		body := fill(patterns[name], size, seed)
		if err := q.Send(ctx, "g", 0, body); err != nil {
			return err
		}
		list, err := q.Receive(ctx, 1)
		if err != nil || len(list) != 1 || !bytes.Equal(list[0].Body, body) {
			return fmt.Errorf("%d bytes of %s: got %d messages, error %w; want the one, as it was", size, name, len(list), err)
		}
		return q.Ack(ctx, list[0].Receipt)
	}
	for i, size := range sizes {
		for _, name := range []string{names[i%len(names)], "text", "random bytes"} {
			must(t, "to and fro", check(t.Context(), name, size, 0))
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		size := rapid.OneOf(rapid.IntRange(0, 100), rapid.IntRange(0, 10_000), rapid.SampledFrom(sizes)).Draw(t, "size")
		if err := check(t.Context(), rapid.SampledFrom(names).Draw(t, "fill"), size, rapid.Byte().Draw(t, "seed")); err != nil {
			t.Fatal(err)
		}
	})
}

// fill repeats a pattern; the end may cut a character, which is no text then. An empty pattern is random.
func fill(pattern string, size int, seed byte) []byte {
	b := make([]byte, size)
	if pattern == "" {
		_, _ = rand.NewChaCha8([32]byte{seed}).Read(b)
		return b
	}
	for i := range b {
		b[i] = pattern[i%len(pattern)]
	}
	return b
}

// A text that SQS refuses for a character goes again in base64.
func TestRefusedText(t *testing.T) {
	t.Parallel()
	refuse := func() *reply {
		return refusal(http.StatusBadRequest, "InvalidMessageContents", "Invalid characters found.")
	}
	w := &wire{meddle: first(1, "SendMessage", refuse)}
	q := emulator(t).open(t, true, setup, w)
	must(t, "Send", q.Send(t.Context(), "g", 0, []byte("x")))
	list, err := q.Receive(t.Context(), 1)
	if err != nil || len(list) != 1 || string(list[0].Body) != "x" {
		t.Errorf("Receive: got %v, error %v; want x", list, err)
	}
	if n := w.count("SendMessage"); n != 2 {
		t.Errorf("got %d requests; want 2", n)
	}

	w = &wire{meddle: first(9, "SendMessage", refuse)}
	q = emulator(t).open(t, true, setup, w)
	wantFault(t, "Send", q.Send(t.Context(), "g", 0, []byte("x")), fault.Invalid, "queue-refused")
	if n := w.count("SendMessage"); n != 2 {
		t.Errorf("got %d requests; want 2", n)
	}
}

func TestLongBodyLiesInTheBucket(t *testing.T) {
	t.Parallel()
	e, b, w := emulator(t), &bucket{}, &wire{}
	day := time.Date(2025, 3, 1, 23, 0, 0, 0, time.FixedZone("", -7200)) // the 2nd in UTC
	q := e.client(t, sqs.Options{
		URL: e.make(t, true, map[string]string{}), Ordered: true, Bucket: b, Now: func() time.Time { return day },
	}, w)
	body := bytes.Repeat([]byte("x"), 1<<20)
	must(t, "Send", q.Send(t.Context(), "g", 0, body))
	var keys []string
	b.change(func(objects map[string][]byte) {
		for key := range objects {
			keys = append(keys, key)
		}
	})
	if len(keys) != 1 || !strings.HasPrefix(keys[0], sqs.Prefix+"2025-03-02/") {
		t.Errorf("got objects %v; want one of the day", keys)
	}
	text := w.fields(t)[0]["MessageBody"].(string)
	if len(text) > 200 || !strings.HasSuffix(text, keys[0]) {
		t.Errorf("got text %.300q; want where the body lies", text)
	}
	got, err := sqs.Unpack(t.Context(), b, text)
	if err != nil || !bytes.Equal(got, body) {
		t.Errorf("Unpack: got %d bytes, error %v; want the body", len(got), err)
	}

	b.refuse = fault.New(fault.Denied, "", "")
	wantFault(t, "Send", q.Send(t.Context(), "g", 0, body), fault.Unavailable, "bucket-unavailable")
	q = e.client(t, sqs.Options{URL: "http://localhost/1/q"}, w)
	wantFault(t, "Send without a bucket", q.Send(t.Context(), "", 0, body), fault.Invalid, "too-large")
}

// What can't be read now must come again: a consumer may not take it for done.
func TestUnreadableBodies(t *testing.T) {
	t.Parallel()
	const key = sqs.Prefix + "2025-03-01/x"
	pointer := func(key string) string {
		return "kefu1.object.3.ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad." + key // of "abc"
	}
	whole := map[string][]byte{key: []byte("abc"), "media/1": []byte("abc")}
	if got, err := sqs.Unpack(t.Context(), &bucket{objects: whole}, pointer(key)); err != nil || string(got) != "abc" {
		t.Fatalf("Unpack: got %q, error %v; want abc", got, err)
	}
	for _, tc := range []struct {
		name   string
		bucket sqs.Bucket
		text   string
		kind   fault.Kind
		code   string
	}{
		{"missing", &bucket{}, pointer(key), fault.Internal, "body-missing"},
		{"altered", &bucket{objects: map[string][]byte{key: []byte("abd")}}, pointer(key), fault.Internal, "body-altered"},
		{"cut", &bucket{objects: map[string][]byte{key: []byte("ab")}}, pointer(key), fault.Internal, "body-altered"},
		{"denied", &bucket{refuse: fault.New(fault.Denied, "", "")}, pointer(key), fault.Unavailable, "bucket-unavailable"},
		{"invalid", &bucket{refuse: fault.New(fault.Invalid, "", "")}, pointer(key), fault.Unavailable, "bucket-unavailable"},
		{"no bucket", nil, pointer(key), fault.Unavailable, "no-bucket"},
		{"elsewhere in the bucket", &bucket{objects: whole}, pointer("media/1"), fault.Internal, "body-unreadable"},
		{"short sum", &bucket{objects: whole}, "kefu1.object.3.ba78." + key, fault.Internal, "body-unreadable"},
		{"long sum", &bucket{objects: whole}, strings.Replace(pointer(key), ".queue", "00.queue", 1), fault.Internal, "body-unreadable"},
		{"no length", &bucket{objects: whole}, strings.Replace(pointer(key), ".3.", "..", 1), fault.Internal, "body-unreadable"},
		{"no base64", nil, "kefu1.base64.*", fault.Internal, "body-unreadable"},
		{"a later form", nil, "kefu1.zstd.x", fault.Internal, "body-unreadable"},
	} {
		got, err := sqs.Unpack(t.Context(), tc.bucket, tc.text)
		wantFault(t, tc.name, err, tc.kind, tc.code)
		if action := fault.Decide(err).Action; action != fault.Redeliver || got != nil {
			t.Errorf("%s: got %q, decision %s; want nothing, and that the message comes again", tc.name, got, action)
		}
	}
}

// An unreadable message keeps its group, and nobody else.
func TestReceiveLeavesOutWhatItCannotRead(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		ordered bool
		want    string
	}{
		{true, "[b1]"},
		{false, "[a2 b1]"},
	} {
		message := func(id, group, text string) string {
			return fmt.Sprintf(`{"MessageId":%q,"ReceiptHandle":"r","Body":%q,"Attributes":{"MessageGroupId":%q}}`, id, text, group)
		}
		page := []string{message("1", "a", "kefu1.later.x"), message("2", "a", "a2"), message("3", "b", "b1")}
		w := &wire{meddle: func(_ *http.Request, _ string, n int) (*reply, error) {
			if n == 1 {
				return response(http.StatusOK, `{"Messages":[`+strings.Join(page, ",")+`]}`), nil
			}
			return response(http.StatusOK, `{"Messages":[`+page[0]+`]}`), nil
		}}
		o := sqs.Options{URL: "http://localhost/1/q", Ordered: tc.ordered}
		if tc.ordered {
			o.URL += ".fifo"
		}
		q := nowhere.client(t, o, w)
		list, err := q.Receive(t.Context(), 10)
		must(t, "Receive", err)
		var bodies []string
		for _, d := range list {
			bodies = append(bodies, string(d.Body))
			if d.Receives != 1 || !d.SentAt.IsZero() {
				t.Errorf("got %+v; want the first delivery, of no known time: SQS says nothing else", d)
			}
		}
		if got := fmt.Sprint(bodies); got != tc.want {
			t.Errorf("ordered %t: got %s; want %s", tc.ordered, got, tc.want)
		}
		_, err = q.Receive(t.Context(), 10)
		wantFault(t, "Receive of nothing else", err, fault.Internal, "body-unreadable")
	}
}
