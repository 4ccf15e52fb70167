package sqs_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"kefu/shared/adapter/sqs"
	"kefu/shared/core/fault"
)

// deletes answers deletions; the entries are what the answer says of them.
func deletes(answer string) *reply { return response(http.StatusOK, answer) }

// receiptsOf are the receipts of each DeleteMessageBatch.
func (w *wire) receiptsOf(t testing.TB) (out []string) {
	t.Helper()
	for _, f := range w.fields(t) {
		var list []string
		for _, e := range f["Entries"].([]any) {
			list = append(list, e.(map[string]any)["ReceiptHandle"].(string))
		}
		out = append(out, strings.Join(list, " "))
	}
	return out
}

func TestAckRetriesWhatFailed(t *testing.T) {
	t.Parallel()
	w := &wire{meddle: func(_ *http.Request, _ string, n int) (*reply, error) {
		switch n {
		case 1:
			return deletes(`{"Successful":[{"Id":"0"},{"Id":"7"}],"Failed":[{"Id":"1","Code":"InternalError","SenderFault":false}]}`), nil
		case 2: // says nothing of the second
			return deletes(`{"Successful":[{"Id":"0"}],"Failed":[]}`), nil
		default:
			return deletes(`{"Successful":[{"Id":"0"}],"Failed":[]}`), nil
		}
	}}
	q := nowhere.client(t, sqs.Options{URL: "http://localhost/1/q"}, w)
	must(t, "Ack", q.Ack(t.Context(), "a", "b", "c"))
	if got, want := fmt.Sprint(w.receiptsOf(t)), "[a b c b c c]"; got != want {
		t.Errorf("receipts: got %s; want %s", got, want)
	}
}

func TestAckGivesUp(t *testing.T) {
	t.Parallel()
	w := &wire{meddle: func(*http.Request, string, int) (*reply, error) {
		return deletes(`{"Successful":[],"Failed":[{"Id":"0","Code":"InternalError","SenderFault":false}]}`), nil
	}}
	q := nowhere.client(t, sqs.Options{URL: "http://localhost/1/q"}, w)
	wantFault(t, "Ack", q.Ack(t.Context(), "a"), fault.Unavailable, "queue-unavailable")
	if n := w.total(); n != attempts {
		t.Errorf("got %d requests; want %d", n, attempts)
	}
}

func TestAckOfReceiptsThatAreNoLongerAny(t *testing.T) {
	t.Parallel()
	for text, stale := range map[string]bool{
		`"Code":"ReceiptHandleIsInvalid","Message":"The receipt handle has expired"`:                                                         true,
		`"Code":"InvalidParameterValue","Message":"Value a for parameter ReceiptHandle is invalid. Reason: The receipt handle has expired."`: true,
		`"Code":"ReceiptHandleIsInvalid","Message":"The input receipt handle is invalid."`:                                                   false,
	} {
		w := &wire{meddle: func(*http.Request, string, int) (*reply, error) {
			return deletes(`{"Successful":[{"Id":"1"}],"Failed":[{"Id":"0","SenderFault":true,` + text + `}]}`), nil
		}}
		q := nowhere.client(t, sqs.Options{URL: "http://localhost/1/q"}, w)
		err := q.Ack(t.Context(), "a", "b")
		if stale {
			must(t, text, err)
		} else {
			wantFault(t, text, err, fault.Invalid, "bad-receipt")
		}
		if n := w.total(); n != 1 {
			t.Errorf("%s: got %d requests; want 1", text, n)
		}
	}
}

// Twenty-five are three requests, and one that fails doesn't keep the others.
func TestAckInTens(t *testing.T) {
	t.Parallel()
	e := emulator(t)
	w := &wire{meddle: first(1, "DeleteMessageBatch", func() *reply { return refusal(http.StatusForbidden, "AccessDenied", "") })}
	q := e.open(t, false, setup, w)
	var receipts []string
	for len(receipts) < 25 {
		must(t, "Send", q.Send(t.Context(), "", 0, []byte("x")))
		list, err := q.Receive(t.Context(), 1)
		must(t, "Receive", err)
		receipts = append(receipts, list[0].Receipt)
	}
	wantFault(t, "Ack", q.Ack(t.Context(), receipts...), fault.Unavailable, "queue-denied")
	if n := w.count("DeleteMessageBatch"); n != 3 {
		t.Errorf("got %d requests; want 3", n)
	}
	for _, r := range receipts { // those that are gone can't be given back, which is no error
		must(t, "Retry", q.Retry(t.Context(), r, 0))
	}
	left, err := q.Receive(t.Context(), 10)
	must(t, "Receive", err)
	more, err := q.Receive(t.Context(), 10)
	must(t, "Receive", err)
	if len(left)+len(more) != 10 {
		t.Errorf("got %d messages left; want the 10 of the request that failed", len(left)+len(more))
	}
}

func TestAckEndsWithTheContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	w := &wire{meddle: func(*http.Request, string, int) (*reply, error) {
		cancel()
		return deletes(`{"Successful":[],"Failed":[{"Id":"0","Code":"InternalError","SenderFault":false}]}`), nil
	}}
	q := nowhere.client(t, sqs.Options{URL: "http://localhost/1/q"}, w)
	wantFault(t, "Ack", q.Ack(ctx, "a"), fault.Unavailable, "cancelled")
}

func TestRetryOfReceiptsThatAreNoLongerAny(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ code, text, want string }{
		{"MessageNotInflight", "", ""},
		{"InvalidParameterValue", "Value a for parameter ReceiptHandle is invalid. Reason: Message does not exist or is not available for visibility timeout change.", ""},
		{"InvalidParameterValue", "Value 43200 for parameter VisibilityTimeout is invalid. Reason: Total VisibilityTimeout for the message is beyond the limit [43200 seconds].", "queue-refused"},
		{"ReceiptHandleIsInvalid", "The input receipt handle is invalid.", "bad-receipt"},
	} {
		w := &wire{meddle: func(*http.Request, string, int) (*reply, error) {
			return refusal(http.StatusBadRequest, tc.code, tc.text), nil
		}}
		q := nowhere.client(t, sqs.Options{URL: "http://localhost/1/q"}, w)
		err := q.Retry(t.Context(), "a", 1500*time.Millisecond)
		if tc.want == "" {
			must(t, tc.code, err)
		} else {
			wantFault(t, tc.text, err, fault.Invalid, tc.want)
		}
		if got := w.fields(t)[0]["VisibilityTimeout"]; got != float64(2) {
			t.Errorf("got VisibilityTimeout %v; want 2, rounded up", got)
		}
	}
}

func TestReceiptsAreLookedAtFirst(t *testing.T) {
	t.Parallel()
	w := &wire{}
	q := nowhere.client(t, sqs.Options{URL: "http://localhost/1/q"}, w)
	for _, r := range []string{"", "a b", "ä", "\n", strings.Repeat("a", 1025)} {
		wantFault(t, "Ack", q.Ack(t.Context(), "a", r), fault.Invalid, "bad-receipt")
		wantFault(t, "Retry", q.Retry(t.Context(), r, 0), fault.Invalid, "bad-receipt")
	}
	if n := w.total(); n != 0 {
		t.Errorf("got %d requests; want none", n)
	}
}
