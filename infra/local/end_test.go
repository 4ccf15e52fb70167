package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"kefu/shared/faas"
)

// ending is a server in a bubble that is asked to end while the test looks on.
type ending struct {
	t     *testing.T
	ln    *pipes
	begin time.Time // when the end was asked for
	stop  context.CancelFunc
	done  chan error
	taken atomic.Int64 // batches that the consumer took
}

// endless is a queue that always has a message, or never.
type endless struct {
	empty bool
	taken *atomic.Int64
}

func (q endless) next(ctx context.Context) ([]faas.Message, error) {
	if q.empty {
		<-ctx.Done()
	}
	if ctx.Err() != nil {
		return nil, nil
	}
	q.taken.Add(1)
	return []faas.Message{{ID: "1", Body: "{}"}}, nil
}
func (endless) done(context.Context, ...string) error      { return nil }
func (endless) failed(context.Context, faas.Message) error { return nil }

const answered = `{"statusCode":200,"body":"success"}`

// serving starts a server whose consumer runs work, nil: has none; its interface runs api.
func serving(t *testing.T, work, api faas.Handler) *ending {
	t.Helper()
	e := &ending{t: t, ln: newPipes(), done: make(chan error, 1)}
	callback := func(context.Context, []byte) ([]byte, error) {
		return []byte(answered), nil
	}
	sweep := func(context.Context, []byte) ([]byte, error) { return nil, nil }
	s := newServer(&clock{}, slog.New(slog.DiscardHandler), callback, api, sweep,
		&consumer{name: "outbound", source: endless{work == nil, &e.taken}, workers: 1, handler: work})
	ctx, stop := context.WithCancel(t.Context())
	e.stop = stop
	go func() { e.done <- s.serve(ctx, e.ln) }()
	synctest.Wait()
	return e
}

// ask makes a request on a new connection and gives its status, 0 when nobody is at the door.
func (e *ending) ask(method, path string) int {
	e.t.Helper()
	req, err := http.NewRequestWithContext(e.t.Context(), method, "http://kefu"+path, strings.NewReader("x"))
	if err != nil {
		e.t.Fatal(err)
	}
	client := e.ln.caller()
	defer client.CloseIdleConnections()
	answer, err := client.Do(req)
	if err != nil {
		return 0
	}
	_, _ = io.Copy(io.Discard, answer.Body)
	_ = answer.Body.Close()
	return answer.StatusCode
}

func (e *ending) end() {
	e.begin = time.Now()
	e.stop()
	synctest.Wait()
}

// ended waits for the end and wants it within the time.
func (e *ending) ended(within time.Duration) {
	e.t.Helper()
	if err := <-e.done; err != nil {
		e.t.Errorf("serve: got %v, want a clean end", err)
	}
	if took := time.Since(e.begin); took > within {
		e.t.Errorf("the end took %v, want at most %v", took, within)
	}
}

func ok200(context.Context, []byte) ([]byte, error) { return []byte(answered), nil }

// TestTheDoorStaysOpen: while calls to a platform that hangs go on, pushes are still taken and calls answered; the hung
// call is cut after graceLimit, and the listener closes last.
func TestTheDoorStaysOpen(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var cutAfter time.Duration
		var e *ending
		e = serving(t, func(ctx context.Context, _ []byte) ([]byte, error) {
			<-ctx.Done()
			cutAfter = time.Since(e.begin)
			return nil, ctx.Err()
		}, ok200)
		time.Sleep(time.Minute) // of the bubble: it hangs for long
		e.end()
		for second := range 4 {
			time.Sleep(900 * time.Millisecond)
			if got := e.ask("POST", "/callback/shop"); got != 200 {
				t.Errorf("a push %d s after the end was asked for: got %d, want 200", second, got)
			}
			if got := e.ask("POST", "/v1/agents"); got != 200 {
				t.Errorf("a call then: got %d, want 200", got)
			}
			if got := e.ask("GET", "/v1/health"); got != 503 {
				t.Errorf("health then: got %d, want 503, so that a load balancer turns away", got)
			}
		}
		e.ended(graceLimit + recordLimit)
		if cutAfter != graceLimit {
			t.Errorf("the call was cut after %v, want %v", cutAfter, graceLimit)
		}
		if got := e.taken.Load(); got != 1 {
			t.Errorf("batches taken: got %d, want none after the end was asked for", got)
		}
		if got := e.ask("POST", "/callback/shop"); got != 0 {
			t.Errorf("a push after the end: got %d, want nobody there", got)
		}
	})
}

// TestNothingHoldsTheEndUp: whatever hangs, and whether or not it heeds that it was cut, the end comes within seven seconds.
func TestNothingHoldsTheEndUp(t *testing.T) {
	t.Parallel()
	heeds := func(ctx context.Context, _ []byte) ([]byte, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	deaf := func(ctx context.Context, _ []byte) ([]byte, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Hour)
		defer cancel()
		<-ctx.Done()
		return nil, errors.New("too late")
	}
	for name, tt := range map[string]struct {
		work, api faas.Handler
		request   string // sent before the end, on a connection that stays open
		within    time.Duration
	}{
		"nothing":                      {api: ok200},
		"an idle connection":           {api: ok200, request: "GET /v1/agents HTTP/1.1\r\nHost: kefu\r\n\r\n", within: closeLimit},
		"a connection without a word":  {api: ok200, request: " ", within: closeLimit},
		"a call that heeds the cut":    {api: heeds, request: "POST /v1/agents HTTP/1.1\r\nHost: kefu\r\nContent-Length: 0\r\n\r\n", within: graceLimit + closeLimit},
		"work that heeds the cut":      {work: heeds, api: ok200, within: graceLimit},
		"work that doesn't":            {work: deaf, api: ok200, within: graceLimit + recordLimit},
		"a call that doesn't":          {api: deaf, request: "POST /v1/agents HTTP/1.1\r\nHost: kefu\r\nContent-Length: 0\r\n\r\n", within: graceLimit + recordLimit + closeLimit},
		"a body that stays incomplete": {api: ok200, request: "POST /v1/agents HTTP/1.1\r\nHost: kefu\r\nContent-Length: 9\r\n\r\nx", within: graceLimit + recordLimit + closeLimit},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				e := serving(t, tt.work, tt.api)
				if tt.request != "" {
					c, err := e.ln.dial()
					if err != nil {
						t.Fatal(err)
					}
					defer func() { _ = c.Close() }()
					go func() { _, _ = io.Copy(io.Discard, c) }()
					if _, err := io.WriteString(c, tt.request); err != nil {
						t.Fatal(err)
					}
				}
				synctest.Wait()
				e.end()
				e.ended(tt.within)
				time.Sleep(2 * time.Hour) // whatever is left over ends
			})
		})
	}
}
