package sqs_test

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"kefu/shared/adapter/sqs"
	"kefu/shared/core/fault"
	"kefu/shared/core/queue"
	"kefu/shared/porttest"
)

var mortal = porttest.QueueSetup{Visibility: setup.Visibility, MaxReceives: 1}

// bury sends messages, each to a group of its own, and lets them die.
func bury(t testing.TB, q *sqs.Queue, bodies ...string) {
	t.Helper()
	for _, b := range bodies {
		must(t, "Send", q.Send(t.Context(), "group "+b[:1], 0, []byte(b)))
		list, err := q.Receive(t.Context(), 1)
		if err != nil || len(list) != 1 {
			t.Fatalf("Receive: got %d messages, error %v; want 1", len(list), err)
		}
		must(t, "Retry", q.Retry(t.Context(), list[0].Receipt, 0))
		if list, err := q.Receive(t.Context(), 1); err != nil || len(list) > 0 {
			t.Fatalf("Receive: got %d messages, error %v; want none: it is dead", len(list), err)
		}
	}
}

func wantDead(t testing.TB, q *sqs.Queue, want ...string) []queue.DeadLetter {
	t.Helper()
	list, err := q.Dead(t.Context(), 100)
	must(t, "Dead", err)
	var got []string
	for _, l := range list {
		got = append(got, string(l.Body))
	}
	if !slices.Equal(got, want) {
		t.Fatalf("Dead: got %q; want %q", got, want)
	}
	return list
}

func wantMessages(t testing.TB, q *sqs.Queue, want ...string) {
	t.Helper()
	list, err := q.Receive(t.Context(), 10)
	must(t, "Receive", err)
	var got []string
	for _, d := range list {
		got = append(got, string(d.Body)+" of "+d.Group)
	}
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Fatalf("Receive: got %q; want %q", got, want)
	}
}

func TestRedriveOfNamedLetters(t *testing.T) {
	t.Parallel()
	q := emulator(t).open(t, true, mortal, &wire{})
	bury(t, q, "a", "b", "c")
	dead := wantDead(t, q, "a", "b", "c")
	if n, err := q.Redrive(t.Context(), dead[1].ID, dead[2].ID, "no such id"); err != nil || n != 2 {
		t.Fatalf("Redrive: got %d, error %v; want 2", n, err)
	}
	wantMessages(t, q, "b of group b", "c of group c")
	wantDead(t, q, "a")
}

// Between the sending and the removing anything may happen; then there are two of a letter, never none.
func TestRedriveThatCannotRemove(t *testing.T) {
	t.Parallel()
	for _, ordered := range []bool{true, false} {
		w := &wire{meddle: first(1, "DeleteMessageBatch", func() *reply { return refusal(http.StatusForbidden, "AccessDenied", "") })}
		q := emulator(t).open(t, ordered, mortal, w)
		bury(t, q, "a")
		n, err := q.Redrive(t.Context())
		wantFault(t, "Redrive", err, fault.Unavailable, "queue-denied")
		if n != 1 {
			t.Errorf("got %d; want the 1 that was sent", n)
		}
		wantDead(t, q, "a")
		if n, err := q.Redrive(t.Context()); err != nil || n != 1 {
			t.Errorf("Redrive again: got %d, error %v; want 1", n, err)
		}
		wantDead(t, q)
		if ordered {
			wantMessages(t, q, "a of group a") // once, by its token
		} else {
			wantMessages(t, q, "a of ", "a of ")
		}
	}
}

func TestRedriveThatCannotSend(t *testing.T) {
	t.Parallel()
	w := &wire{meddle: func(_ *http.Request, op string, n int) (*reply, error) {
		if op == "SendMessage" && n == 5 { // after three that die and one redriven
			return refusal(http.StatusForbidden, "AccessDenied", ""), nil
		}
		return nil, nil
	}}
	q := emulator(t).open(t, true, mortal, w)
	bury(t, q, "a", "b", "c")
	n, err := q.Redrive(t.Context())
	wantFault(t, "Redrive", err, fault.Unavailable, "queue-denied")
	if n != 1 {
		t.Errorf("got %d; want 1", n)
	}
	wantMessages(t, q, "a of group a")
	wantDead(t, q, "b", "c")
}

// A caller who leaves in the middle of a look hides nothing from the next.
func TestDeadGivesBackWhenTheCallerLeaves(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	w := &wire{}
	q := emulator(t).open(t, true, mortal, w)
	bury(t, q, "a", "b")
	received := w.count("ReceiveMessage")
	w.meddle = func(_ *http.Request, op string, n int) (*reply, error) {
		if op == "ReceiveMessage" && n == received+2 {
			cancel() // the first page is held
		}
		return nil, nil
	}
	_, err := q.Dead(ctx, 10)
	wantFault(t, "Dead", err, fault.Unavailable, "cancelled")
	wantDead(t, q, "a", "b")
}

// A message in the bucket gets an object of its own for its new life.
func TestRedriveStoresLongBodiesAnew(t *testing.T) {
	t.Parallel()
	e, b := emulator(t), &bucket{}
	dead := e.make(t, true, map[string]string{})
	o := sqs.Options{URL: e.make(t, true, map[string]string{"RedrivePolicy": policy(e.arn(t, dead), 1)}), Ordered: true, Bucket: b}
	q := e.client(t, o, &wire{})
	body := strings.Repeat("x", 1<<20)
	bury(t, q, body)
	var old []string
	b.change(func(objects map[string][]byte) {
		for key := range objects {
			old = append(old, key)
		}
	})
	if n, err := q.Redrive(t.Context()); err != nil || n != 1 {
		t.Fatalf("Redrive: got %d, error %v; want 1", n, err)
	}
	b.change(func(objects map[string][]byte) {
		for _, key := range old {
			delete(objects, key) // as the bucket's lifecycle does
		}
	})
	list, err := q.Receive(t.Context(), 1)
	if err != nil || len(list) != 1 || !bytes.Equal(list[0].Body, []byte(body)) {
		t.Fatalf("Receive: got %d messages, error %v; want the long one", len(list), err)
	}

	// Without its object a letter is listed with the text there is, and redriven with it.
	must(t, "Retry", q.Retry(t.Context(), list[0].Receipt, 0))
	if list, err := q.Receive(t.Context(), 1); err != nil || len(list) > 0 {
		t.Fatalf("Receive: got %d messages, error %v; want none: it is dead", len(list), err)
	}
	b.change(func(objects map[string][]byte) { clear(objects) })
	letters, err := q.Dead(t.Context(), 1)
	if err != nil || len(letters) != 1 || !bytes.HasPrefix(letters[0].Body, []byte("kefu1.object.")) {
		t.Errorf("Dead: got %d letters, error %v; want one with its text", len(letters), err)
	}
	if n, err := q.Redrive(t.Context()); err != nil || n != 1 {
		t.Errorf("Redrive: got %d, error %v; want 1", n, err)
	}
	_, err = q.Receive(t.Context(), 1)
	wantFault(t, "Receive", err, fault.Internal, "body-missing")
}

func TestRedrivePolicies(t *testing.T) {
	t.Parallel()
	const beside = "http://sqs.localhost/1/dead"
	for _, tc := range []struct{ name, policy, given, url, code string }{
		{"none", ``, "", "", ""},
		{"a number", `{\"deadLetterTargetArn\":\"arn:aws:sqs:eu-west-1:1:dead\",\"maxReceiveCount\":3}`, "", beside, ""},
		{"a number in a string", `{\"deadLetterTargetArn\":\"arn:aws-cn:sqs:cn-north-1:1:dead\",\"maxReceiveCount\":\"3\"}`, "", beside, ""},
		{"a URL besides", `{\"deadLetterTargetArn\":\"arn:aws:sqs:eu-west-1:1:dead\",\"maxReceiveCount\":3}`, "http://else/1/d", "http://else/1/d", ""},
		{"a URL instead", ``, "http://else/1/d", "http://else/1/d", ""},
		{"no target", `{\"maxReceiveCount\":3}`, "", "", "bad-redrive-policy"},
		{"no JSON", `x`, "", "", "bad-redrive-policy"},
	} {
		w := &wire{meddle: func(_ *http.Request, op string, n int) (*reply, error) {
			switch {
			case op == "GetQueueAttributes":
				return response(http.StatusOK, fmt.Sprintf(`{"Attributes":{"RedrivePolicy":"%s"}}`, tc.policy)), nil
			case op == "ReceiveMessage" && n == 1:
				return response(http.StatusOK, `{"Messages":[{"MessageId":"1","ReceiptHandle":"r","Body":"x","Attributes":{"ApproximateReceiveCount":"9"}}]}`), nil
			default:
				return response(http.StatusOK, `{}`), nil
			}
		}}
		q := nowhere.client(t, sqs.Options{URL: "http://sqs.localhost/1/q", DeadURL: tc.given}, w)
		list, err := q.Dead(t.Context(), 1)
		if tc.code != "" {
			wantFault(t, tc.name, err, fault.Internal, tc.code)
			continue
		}
		must(t, tc.name, err)
		if tc.url == "" {
			if len(list) > 0 || w.total() != 1 {
				t.Errorf("%s: got %d letters in %d requests; want none in 1", tc.name, len(list), w.total())
			}
			continue
		}
		if got := w.fields(t)[1]["QueueUrl"]; got != tc.url {
			t.Errorf("%s: looked into %v; want %s", tc.name, got, tc.url)
		}
		want := 3
		if tc.policy == "" {
			want = 9 // what SQS counts is all there is
		}
		if len(list) != 1 || list[0].Receives != want {
			t.Errorf("%s: got %+v; want one letter with %d receives", tc.name, list, want)
		}
		_, err = q.Dead(t.Context(), 1)
		must(t, tc.name, err)
		if n := w.count("GetQueueAttributes"); n != 1 {
			t.Errorf("%s: got %d requests for the policy in two lists; want 1", tc.name, n)
		}
	}
}

// pages answers looks into the dead-letter queue with these messages, one page each, and then with none.
func pages(ids ...string) *wire {
	return &wire{meddle: func(_ *http.Request, op string, n int) (*reply, error) {
		switch op {
		case "GetQueueAttributes":
			return response(http.StatusOK, `{"Attributes":{"RedrivePolicy":"{\"deadLetterTargetArn\":\"arn:aws:sqs:eu-west-1:1:dead.fifo\"}"}}`), nil
		case "ReceiveMessage":
			if n > len(ids) {
				return response(http.StatusOK, `{}`), nil
			}
			return response(http.StatusOK, fmt.Sprintf(`{"Messages":[{"MessageId":%q,"ReceiptHandle":"receipt-%s","Body":"x"}]}`, ids[n-1], ids[n-1])), nil
		case "SendMessage":
			return response(http.StatusOK, fmt.Sprintf(`{"MessageId":"sent-%d"}`, n)), nil
		default:
			return response(http.StatusOK, `{"Successful":[{"Id":"0"}],"Failed":[]}`), nil
		}
	}}
}

// givenBack are the receipts whose visibility was changed, in order.
func (w *wire) givenBack(t testing.TB) (out []string) {
	t.Helper()
	for _, f := range w.fields(t) {
		entries, _ := f["Entries"].([]any)
		for _, e := range entries {
			if e := e.(map[string]any); e["VisibilityTimeout"] == float64(0) {
				out = append(out, e["ReceiptHandle"].(string))
			}
		}
	}
	return out
}

// A group whose first is given back before its second never shows the second first.
func TestDeadGivesBackTheLastFirst(t *testing.T) {
	t.Parallel()
	w := pages("1", "2", "3", "2")
	q := nowhere.client(t, sqs.Options{URL: "http://localhost/1/q.fifo", Ordered: true}, w)
	list, err := q.Dead(t.Context(), 10)
	if err != nil || len(list) != 3 {
		t.Errorf("Dead: got %d letters, error %v; want 3, each once", len(list), err)
	}
	if got, want := w.givenBack(t), []string{"receipt-2", "receipt-3", "receipt-2", "receipt-1"}; !slices.Equal(got, want) {
		t.Errorf("given back: got %v; want %v", got, want)
	}
}

// Who dies again while all are redriven stays dead, or it would never end.
func TestRedriveEnds(t *testing.T) {
	t.Parallel()
	w := pages("1", "sent-1", "2", "sent-2")
	q := nowhere.client(t, sqs.Options{URL: "http://localhost/1/q.fifo", Ordered: true}, w)
	if n, err := q.Redrive(t.Context()); err != nil || n != 2 {
		t.Errorf("Redrive: got %d, error %v; want 2", n, err)
	}
	if got, want := w.givenBack(t), []string{"receipt-sent-2", "receipt-sent-1"}; !slices.Equal(got, want) {
		t.Errorf("given back: got %v; want %v", got, want)
	}
}
