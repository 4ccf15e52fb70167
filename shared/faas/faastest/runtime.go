// Package faastest runs a function's real binary: under a fake of Lambda's Runtime API, or under a caller that speaks
// SCF's protocol. It is for tests, and for infra/local; it never ships.
//
// Build the binary, then start it:
//
//	bin := faastest.Build(t, "kefu/functions/callback")
//	rt := faastest.NewRuntime()
//	defer rt.Close()
//	rt.Run(t, bin, "KEFU_ADDR=…")
//	answer, err := rt.Invoke(ctx, event)
//
// Outside of tests it is rt.Start. For SCF: process, scf := faastest.RunSCF(t, bin), then scf.Invoke.
package faastest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"
)

// ErrExited is what Invoke returns when the function's process ended without answering.
var ErrExited = errors.New("the function's process exited")

// ErrClosed is what Invoke returns after Close.
var ErrClosed = errors.New("the fake runtime is closed")

// defaultTimeLimit is the function's time limit for a call whose context has no deadline.
const defaultTimeLimit = 30 * time.Second

// FunctionError is an error that the function reported.
type FunctionError struct {
	Message string `json:"errorMessage"`
	Type    string `json:"errorType"`
	Exit    bool   `json:"-"` // the function asked to be restarted (SCF only)
}

// Error gives type and message.
func (e *FunctionError) Error() string {
	return fmt.Sprintf("function error %s: %s", e.Type, e.Message)
}

// Runtime is a fake of Lambda's Runtime API (docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html). It hands
// events to whoever polls it, in any number of processes and connections.
type Runtime struct {
	listener net.Listener
	server   *http.Server
	queue    chan *invocation
	closed   chan struct{}
	polled   chan struct{}
	once     sync.Once
	first    sync.Once

	mu       sync.Mutex
	last     int
	inFlight map[string]*invocation
	conns    map[net.Conn]bool
	quiet    chan struct{} // closed and dropped when conns gets empty; nil when nobody waits
}

// invocation is one event on its way.
type invocation struct {
	id       string
	payload  []byte
	deadline time.Time
	done     chan result
}

type result struct {
	answer []byte
	err    error
}

// NewRuntime starts the fake on a free port of the loopback interface. It panics when there is none.
func NewRuntime() *Runtime {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	r := &Runtime{
		listener: listener,
		queue:    make(chan *invocation),
		closed:   make(chan struct{}),
		polled:   make(chan struct{}),
		inFlight: make(map[string]*invocation),
		conns:    make(map[net.Conn]bool),
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /2018-06-01/runtime/invocation/next", r.next)
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/{id}/response", r.response)
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/{id}/error", r.failure)
	r.server = &http.Server{
		Handler:           mux,
		ReadHeaderTimeout: time.Minute,
		ConnState:         r.connState,
	}
	go func() { _ = r.server.Serve(listener) }() // ends with Close, with ErrServerClosed
	return r
}

// Addr gives what AWS_LAMBDA_RUNTIME_API must hold.
func (r *Runtime) Addr() string { return r.listener.Addr().String() }

// Polled is closed when a function asked for its first event: its init phase is over.
func (r *Runtime) Polled() <-chan struct{} { return r.polled }

// Close stops the fake. Calls under way end with ErrClosed or ErrExited.
func (r *Runtime) Close() {
	r.once.Do(func() {
		close(r.closed)
		_ = r.server.Close() // only ever says that the listener was closed before
	})
}

// Invoke gives one event to the function and waits for its answer until ctx's deadline, at most 30 s where it has
// none; the function sees the same deadline. The error is a *FunctionError when the function reported one,
// ErrExited when its process (started by Run) died on the event, or the context's when nobody took the event or
// answered it in time. Unlike Lambda, the fake does not kill a function whose time is up.
func (r *Runtime) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	ctx, deadline, cancel := timeLimit(ctx)
	defer cancel()
	r.mu.Lock()
	r.last++
	inv := &invocation{
		id: "request-" + strconv.Itoa(r.last), payload: payload, deadline: deadline, done: make(chan result, 1),
	}
	r.mu.Unlock()
	select {
	case r.queue <- inv:
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-r.closed:
		return nil, ErrClosed
	}
	select {
	case res := <-inv.done:
		return res.answer, res.err
	case <-ctx.Done():
		r.settle(inv.id, result{err: ctx.Err()})
		return nil, ctx.Err()
	}
}

// timeLimit gives ctx the default deadline where it has none.
func timeLimit(ctx context.Context) (context.Context, time.Time, context.CancelFunc) {
	if deadline, ok := ctx.Deadline(); ok {
		return ctx, deadline, func() {}
	}
	deadline := time.Now().Add(defaultTimeLimit)
	ctx, cancel := context.WithDeadline(ctx, deadline)
	return ctx, deadline, cancel
}

// next is the long poll.
func (r *Runtime) next(w http.ResponseWriter, req *http.Request) {
	r.first.Do(func() { close(r.polled) })
	var inv *invocation
	select {
	case inv = <-r.queue:
	case <-req.Context().Done():
		return
	case <-r.closed:
		return
	}
	r.mu.Lock()
	r.inFlight[inv.id] = inv
	r.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Lambda-Runtime-Aws-Request-Id", inv.id)
	w.Header().Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(inv.deadline.UnixMilli(), 10))
	w.Header().Set("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:eu-west-1:123456789012:function:under-test")
	_, _ = w.Write(inv.payload) // a process that is gone is noticed by processGone
}

// response takes the function's answer. An answer that broke off is a failure, as on Lambda.
func (r *Runtime) response(w http.ResponseWriter, req *http.Request) {
	answer, err := io.ReadAll(req.Body)
	r.accept(w, req, result{answer: answer, err: err})
}

// failure takes the function's error.
func (r *Runtime) failure(w http.ResponseWriter, req *http.Request) {
	reported := &FunctionError{}
	if err := json.NewDecoder(req.Body).Decode(reported); err != nil {
		r.accept(w, req, result{err: fmt.Errorf("read the function's error: %w", err)})
		return
	}
	r.accept(w, req, result{err: reported})
}

func (r *Runtime) accept(w http.ResponseWriter, req *http.Request, res result) {
	if !r.settle(req.PathValue("id"), res) {
		http.Error(w, `{"errorType":"InvalidRequestID"}`, http.StatusBadRequest)
		return
	}
	w.WriteHeader(http.StatusAccepted)
}

// settle ends an invocation once; false when there is none of that id.
func (r *Runtime) settle(id string, res result) bool {
	r.mu.Lock()
	inv := r.inFlight[id]
	delete(r.inFlight, id)
	r.mu.Unlock()
	if inv == nil {
		return false
	}
	inv.done <- res
	return true
}

// connState keeps the set of open connections.
func (r *Runtime) connState(c net.Conn, state http.ConnState) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch state {
	case http.StateNew:
		r.conns[c] = true
	case http.StateClosed, http.StateHijacked:
		delete(r.conns, c)
		if len(r.conns) == 0 && r.quiet != nil {
			close(r.quiet)
			r.quiet = nil
		}
	}
}

// processGone fails what a process that has ended had been given. It first waits until no connection of it is
// left, so that the next event cannot go to its polls. A connection alone tells nothing: a live process closes
// those that its pool has no room for.
func (r *Runtime) processGone() {
	r.mu.Lock()
	if len(r.conns) > 0 {
		if r.quiet == nil {
			r.quiet = make(chan struct{})
		}
		quiet := r.quiet
		r.mu.Unlock()
		select {
		case <-quiet:
		case <-r.closed:
		}
		r.mu.Lock()
	}
	lost := slices.Collect(maps.Keys(r.inFlight))
	r.mu.Unlock()
	for _, id := range lost {
		r.settle(id, result{err: ErrExited})
	}
}
