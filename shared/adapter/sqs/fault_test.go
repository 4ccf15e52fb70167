package sqs_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/smithy-go"

	"kefu/shared/adapter/sqs"
	"kefu/shared/core/fault"
)

const attempts = 4 // of the queue's default

func throttle() *reply {
	return refusal(http.StatusBadRequest, "RequestThrottled", "slow down")
}

func breakdown() *reply { return response(http.StatusInternalServerError, "<html>oops</html>") }

func TestPassingFaultsAreRetried(t *testing.T) {
	t.Parallel()
	e := emulator(t)
	for name, answer := range map[string]func() *reply{"throttled": throttle, "broken": breakdown} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := &wire{meddle: first(attempts-1, "SendMessage", answer)}
			q := e.open(t, true, setup, w)
			must(t, "Send", q.Send(t.Context(), "g", 0, []byte("x")))
			if n := w.count("SendMessage"); n != attempts {
				t.Errorf("got %d requests; want %d", n, attempts)
			}
			list, err := q.Receive(t.Context(), 1)
			if err != nil || len(list) != 1 {
				t.Errorf("Receive: got %d messages, error %v; want 1", len(list), err)
			}
		})
	}
}

func TestLastingFaults(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		answer func() *reply
		code   string
		tries  int
	}{
		"throttled": {throttle, "queue-throttled", attempts},
		"broken":    {breakdown, "queue-unavailable", attempts},
		"unheard of": {
			func() *reply { return refusal(http.StatusTeapot, "NeverHeardOf", "") }, "queue-unavailable", 1,
		},
		"denied": {
			func() *reply {
				return refusal(http.StatusForbidden, "AccessDeniedException", "User: arn:aws:sts::1:assumed-role/api is not authorized")
			}, "queue-denied", 1,
		},
		"wrong Region": {
			func() *reply { return refusal(http.StatusBadRequest, "InvalidAddress", "") }, "queue-missing", 1,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := &wire{meddle: func(*http.Request, string, int) (*reply, error) { return tc.answer(), nil }}
			q := nowhere.client(t, sqs.Options{URL: "http://localhost/1/q"}, w)
			err := q.Send(t.Context(), "", 0, []byte("hush"))
			wantFault(t, "Send", err, fault.Unavailable, tc.code)
			if got := fault.Decide(err).Action; got != fault.Redeliver {
				t.Errorf("got decision %s; want that the message comes again", got)
			}
			if n := w.count("SendMessage"); n != tc.tries {
				t.Errorf("got %d requests; want %d", n, tc.tries)
			}
			var api smithy.APIError
			if tc.code != "queue-unavailable" && !errors.As(err, &api) {
				t.Errorf("got error %v; want its cause within reach", err)
			}
			if tc.tries == 1 && tc.code != "queue-unavailable" {
				for _, word := range []string{"KEFU_QUEUE_TEST", region, "SendMessage", "request-7"} {
					if !strings.Contains(err.Error(), word) {
						t.Errorf("got %q; want it to name %s", err, word)
					}
				}
			}
		})
	}
}

func TestWrongURL(t *testing.T) {
	t.Parallel()
	e := emulator(t)
	q := e.client(t, sqs.Options{URL: e.make(t, false, map[string]string{}) + "x"}, &wire{})
	wantFault(t, "Send", q.Send(t.Context(), "", 0, []byte("x")), fault.Unavailable, "queue-missing")
	_, err := q.Receive(t.Context(), 1)
	wantFault(t, "Receive", err, fault.Unavailable, "queue-missing")
	wantFault(t, "Ack", q.Ack(t.Context(), "receipt"), fault.Unavailable, "queue-missing")
	wantFault(t, "Retry", q.Retry(t.Context(), "receipt", 0), fault.Unavailable, "queue-missing")
	_, err = q.Dead(t.Context(), 1)
	wantFault(t, "Dead", err, fault.Unavailable, "queue-missing")
	_, err = q.Redrive(t.Context())
	wantFault(t, "Redrive", err, fault.Unavailable, "queue-missing")
}

func TestNobodyAnswers(t *testing.T) {
	t.Parallel()
	w := &wire{meddle: func(*http.Request, string, int) (*reply, error) { return nil, errors.New("no route") }}
	q := nowhere.client(t, sqs.Options{URL: "http://localhost/1/q"}, w)
	wantFault(t, "Send", q.Send(t.Context(), "", 0, []byte("x")), fault.Unavailable, "queue-unavailable")
	if n := w.total(); n != attempts {
		t.Errorf("got %d requests; want %d", n, attempts)
	}
}

func TestErrorsQuoteNothing(t *testing.T) {
	t.Parallel()
	for _, code := range []string{"InvalidParameterValue", "ReceiptHandleIsInvalid", "RequestThrottled", "Whatever"} {
		w := &wire{meddle: func(*http.Request, string, int) (*reply, error) {
			return refusal(http.StatusBadRequest, code, "Value hush for parameter MessageBody is invalid."), nil
		}}
		q := nowhere.client(t, sqs.Options{URL: "http://localhost/1/q", Attempts: 1}, w)
		for what, err := range map[string]error{
			"Send":  q.Send(t.Context(), "", 0, []byte("hush")),
			"Ack":   q.Ack(t.Context(), "hush"),
			"Retry": q.Retry(t.Context(), "hush", 0),
		} {
			if err == nil || strings.Contains(err.Error(), "hush") {
				t.Errorf("%s, %s: got error %v; want one without what was sent", what, code, err)
			}
		}
	}
}

// The answer to a Send that was applied is lost: the retry is recognised by its token.
func TestLostAnswer(t *testing.T) {
	t.Parallel()
	e := emulator(t)
	w := &wire{lose: func(op string, n int) bool { return op == "SendMessage" && n < attempts }}
	q := e.open(t, true, setup, w)
	must(t, "Send", q.Send(t.Context(), "g", 0, []byte("first")))
	must(t, "Send", q.Send(t.Context(), "g", 0, []byte("second")))
	if n := w.count("SendMessage"); n != attempts+1 {
		t.Errorf("got %d requests; want %d", n, attempts+1)
	}
	for _, want := range []string{"first", "second"} {
		list, err := q.Receive(t.Context(), 1)
		if err != nil || len(list) != 1 || string(list[0].Body) != want {
			t.Fatalf("Receive: got %v, error %v; want %s once", list, err, want)
		}
		must(t, "Ack", q.Ack(t.Context(), list[0].Receipt))
	}
	if list, err := q.Receive(t.Context(), 1); err != nil || len(list) > 0 {
		t.Errorf("Receive: got %d messages, error %v; want none", len(list), err)
	}
}

// A standard queue may then have it twice, but has it.
func TestLostAnswerInAStandardQueue(t *testing.T) {
	t.Parallel()
	w := &wire{lose: func(op string, n int) bool { return op == "SendMessage" && n == 1 }}
	q := emulator(t).open(t, false, setup, w)
	must(t, "Send", q.Send(t.Context(), "", 0, []byte("x")))
	if list, err := q.Receive(t.Context(), 10); err != nil || len(list) == 0 {
		t.Errorf("Receive: got %d messages, error %v; want at least one", len(list), err)
	}
}

func TestRetriesEndWithTheContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	w := &wire{meddle: func(_ *http.Request, _ string, n int) (*reply, error) {
		if n == 2 {
			cancel()
		}
		return throttle(), nil
	}}
	q := nowhere.client(t, sqs.Options{URL: "http://localhost/1/q", Attempts: 1000}, w)
	wantFault(t, "Send", q.Send(ctx, "", 0, []byte("x")), fault.Unavailable, "cancelled")
	if n := w.total(); n != 2 {
		t.Errorf("got %d requests; want 2", n)
	}
}
