package sqs_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"kefu/shared/adapter/sqs"
	"kefu/shared/core/fault"
	"kefu/shared/core/queue"
)

func TestNewChecksTheURL(t *testing.T) {
	t.Parallel()
	const fifo, standard = "https://sqs.eu-west-1.amazonaws.com/1/a.fifo", "https://sqs.eu-west-1.amazonaws.com/1/a"
	for _, tc := range []struct {
		url     string
		ordered bool
		ok      bool
	}{
		{fifo, true, true},
		{standard, false, true},
		{fifo, false, false},
		{standard, true, false},
		{"", false, false},
		{"a.fifo", true, false},
		{"https://sqs.eu-west-1.amazonaws.com/", false, false},
		{"http://[::1", false, false},
	} {
		_, err := sqs.New(aws.Config{Region: region}, sqs.Options{URL: tc.url, Ordered: tc.ordered})
		if tc.ok && err != nil {
			t.Errorf("New(%q, ordered %t): got error %v; want none", tc.url, tc.ordered, err)
		}
		if !tc.ok {
			wantFault(t, "New of "+tc.url, err, fault.Invalid, "bad-queue-url")
		}
	}
}

func TestOrderedQueueRefusesDelays(t *testing.T) {
	t.Parallel()
	w := &wire{}
	q := emulator(t).open(t, true, setup, w)
	wantFault(t, "Send with a delay", q.Send(t.Context(), "g", time.Millisecond, []byte("x")), fault.Invalid, "no-delay")
	wantFault(t, "Send with too long a delay", q.Send(t.Context(), "g", queue.MaxDelay+1, []byte("x")), fault.Invalid, "delay-too-long")
	if n := w.total(); n != 0 {
		t.Errorf("got %d requests; want none", n)
	}
	must(t, "Send with a delay below zero", q.Send(t.Context(), "g", -time.Second, []byte("x")))
}

func TestDelaysAreRoundedUp(t *testing.T) {
	t.Parallel()
	w := &wire{}
	q := emulator(t).open(t, false, setup, w)
	for _, d := range []time.Duration{time.Nanosecond, time.Second, time.Second + 1, queue.MaxDelay} {
		must(t, "Send", q.Send(t.Context(), "", d, []byte("x")))
	}
	for i, want := range []float64{1, 1, 2, 900} {
		if got := w.fields(t)[i]["DelaySeconds"]; got != want {
			t.Errorf("request %d: got DelaySeconds %v; want %v", i, got, want)
		}
	}
}

func TestGroupsOnTheWire(t *testing.T) {
	t.Parallel()
	e := emulator(t)
	for _, tc := range []struct {
		name          string
		ordered, fair bool
		want          any
	}{
		{"an ordered queue", true, false, "account/customer"},
		{"a standard queue", false, false, nil},
		{"a fair queue", false, true, "account/customer"},
	} {
		w := &wire{}
		q := e.client(t, sqs.Options{URL: e.make(t, tc.ordered, map[string]string{}), Ordered: tc.ordered, Fair: tc.fair}, w)
		must(t, "Send", q.Send(t.Context(), "account/customer", 0, []byte("x")))
		must(t, "Send", q.Send(t.Context(), "", 0, []byte("x")))
		sent := w.fields(t)
		if got := sent[0]["MessageGroupId"]; got != tc.want {
			t.Errorf("%s: got group %v; want %v", tc.name, got, tc.want)
		}
		if got := sent[1]["MessageGroupId"]; (got != nil) != tc.ordered {
			t.Errorf("%s: got group %v for a message without one", tc.name, got)
		}
	}
}

// A push costs one request to send, and a tenth of two to receive and remove.
func TestRequestsPerMessage(t *testing.T) {
	t.Parallel()
	w := &wire{}
	q := emulator(t).open(t, false, setup, w)
	for range 10 {
		must(t, "Send", q.Send(t.Context(), "", 0, []byte(`{"n":1}`)))
	}
	if n := w.total(); n != 10 {
		t.Errorf("10 Sends: got %d requests; want 10", n)
	}
	list, err := q.Receive(t.Context(), 10)
	must(t, "Receive", err)
	var receipts []string
	for _, d := range list {
		receipts = append(receipts, d.Receipt)
	}
	must(t, "Ack", q.Ack(t.Context(), receipts...))
	if n := w.total() - 10; len(list) != 10 || n != 2 {
		t.Errorf("Receive and Ack of %d: got %d requests; want 10 in 2", len(list), n)
	}
}

func TestPollWaits(t *testing.T) {
	t.Parallel()
	e := emulator(t)
	asked := make(chan struct{}, 1)
	w := &wire{meddle: func(_ *http.Request, op string, _ int) (*reply, error) {
		if op == "ReceiveMessage" {
			asked <- struct{}{}
		}
		return nil, nil
	}}
	q := e.open(t, true, setup, w)
	type answer struct {
		list []queue.Delivery
		err  error
	}
	done := make(chan answer)
	go func() {
		list, err := q.Poll(t.Context(), 10, time.Hour)
		done <- answer{list, err}
	}()
	<-asked
	must(t, "Send", q.Send(t.Context(), "g", 0, []byte("x")))
	a := <-done
	if a.err != nil || len(a.list) != 1 {
		t.Errorf("Poll: got %d messages, error %v; want the one that was sent meanwhile", len(a.list), a.err)
	}
	if got := w.fields(t)[0]["WaitTimeSeconds"]; got != float64(20) {
		t.Errorf("got WaitTimeSeconds %v; want SQS's most, 20", got)
	}
}

// TestOnce: with Once what is sent again to its group is one message; without it, or in another group, it is two.
func TestOnce(t *testing.T) {
	t.Parallel()
	for _, once := range []bool{true, false} {
		e := emulator(t)
		q := e.client(t, sqs.Options{URL: e.make(t, true, map[string]string{"VisibilityTimeout": "30"}), Ordered: true, Once: once}, &wire{})
		for _, group := range []string{"g", "g", "h"} {
			must(t, "Send", q.Send(t.Context(), group, 0, []byte("news")))
		}
		must(t, "Send", q.Send(t.Context(), "g", 0, []byte("other news")))
		want, got := 4, 0
		if once {
			want = 3
		}
		for range 10 {
			batch, err := q.Receive(t.Context(), 10)
			must(t, "Receive", err)
			for _, d := range batch {
				got++
				must(t, "Ack", q.Ack(t.Context(), d.Receipt))
			}
		}
		if got != want {
			t.Errorf("once %t: got %d messages, want %d", once, got, want)
		}
	}
}
