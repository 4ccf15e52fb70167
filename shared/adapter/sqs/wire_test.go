package sqs_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
)

// wire is what stands between a client and the engine: it counts requests by operation, and may interfere. It gives on
// bodies that only end when they are read, as New wants it.
type wire struct {
	// meddle answers a request in the engine's place, or returns nil to let it through. n counts the operation's
	// requests from 1.
	meddle func(r *http.Request, op string, n int) (*reply, error)
	// lose tells whether an answer is lost after the engine did its work.
	lose func(op string, n int) bool
	mu   sync.Mutex
	seen map[string]int
	// bodies are the requests, in order.
	bodies []string
}

func (w *wire) RoundTrip(r *http.Request) (*http.Response, error) {
	_, op, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	w.mu.Lock()
	if w.seen == nil {
		w.seen = map[string]int{}
	}
	w.seen[op]++
	n := w.seen[op]
	w.bodies = append(w.bodies, string(body))
	w.mu.Unlock()
	if w.meddle != nil {
		if answer, err := w.meddle(r, op, n); answer != nil || err != nil {
			return answer.http(), err
		}
	}
	r = r.Clone(r.Context())
	r.Body = io.NopCloser(strings.NewReader(string(body)))
	answer, err := transport.RoundTrip(r)
	if err == nil && w.lose != nil && w.lose(op, n) {
		return nil, errors.Join(io.ErrUnexpectedEOF, answer.Body.Close())
	}
	return answer, err
}

func (w *wire) count(op string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.seen[op]
}

func (w *wire) total() (n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.bodies)
}

// refusal is SQS's answer with an error code, in its JSON protocol.
func refusal(status int, code, text string) *reply {
	b, err := json.Marshal(map[string]string{"__type": "com.amazonaws.sqs#" + code, "message": text})
	if err != nil {
		panic(err)
	}
	return response(status, string(b))
}

// reply is an answer in the engine's place.
type reply struct {
	status int
	body   string
}

func response(status int, body string) *reply { return &reply{status: status, body: body} }

func (r *reply) http() *http.Response {
	if r == nil {
		return nil
	}
	return &http.Response{
		StatusCode: r.status, ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{"Content-Type": {"application/x-amz-json-1.0"}, "X-Amzn-Requestid": {"request-7"}},
		Body:   io.NopCloser(strings.NewReader(r.body)), ContentLength: int64(len(r.body)),
	}
}

// first interferes with the first n requests of an operation.
func first(n int, op string, answer func() *reply) func(*http.Request, string, int) (*reply, error) {
	return func(_ *http.Request, o string, i int) (*reply, error) {
		if o == op && i <= n {
			return answer(), nil
		}
		return nil, nil
	}
}

// fields are the requests as JSON objects, in order.
func (w *wire) fields(t testing.TB) (out []map[string]any) {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, b := range w.bodies {
		var m map[string]any
		if err := json.Unmarshal([]byte(b), &m); err != nil {
			t.Fatalf("request: got %v; want JSON", err)
		}
		out = append(out, m)
	}
	return out
}
