package faas

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"

	"kefu/shared/core/fault"
)

// lazy builds a handler once, on the first call that succeeds. Calls that come during a build wait for it and
// share its outcome; after a failed one the next call builds again.
type lazy struct {
	build func(context.Context) (Handler, error)

	mu     sync.Mutex
	ready  Handler
	flight *flight
}

// flight is one build that is going on.
type flight struct {
	done    chan struct{} // closed at the end; then handler and err are set
	handler Handler
	err     error
}

var errNoHandler = errors.New("the constructor gave no handler")

// Invoke is the Handler that hosts get.
func (l *lazy) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	h, err := l.get(ctx)
	if err != nil {
		return nil, err
	}
	return guard(ctx, slog.Default(), h, payload)
}

// get gives the handler, building it if need be. An error tells why there is none, and is Unavailable.
func (l *lazy) get(ctx context.Context) (Handler, error) {
	l.mu.Lock()
	if l.ready != nil {
		defer l.mu.Unlock()
		return l.ready, nil
	}
	f := l.flight
	leader := f == nil
	if leader {
		f = &flight{done: make(chan struct{}), err: errNoHandler}
		l.flight = f
	}
	l.mu.Unlock()
	if leader {
		l.lead(ctx, f)
	}
	select {
	case <-f.done:
	case <-ctx.Done():
		return nil, fault.Wrap(fault.Unavailable, "not-ready", fmt.Errorf("build: %w", ctx.Err()))
	}
	if f.err != nil {
		return nil, fault.Wrap(fault.Unavailable, "not-ready", fmt.Errorf("build: %w", f.err))
	}
	return f.handler, nil
}

// lead runs the build of f and ends f whatever the constructor does.
func (l *lazy) lead(ctx context.Context, f *flight) {
	defer func() {
		if v := recover(); v != nil {
			f.handler, f.err = nil, panicked(ctx, slog.Default(), v)
		}
		if f.err != nil {
			slog.LogAttrs(ctx, slog.LevelError, "build failed",
				slog.String("request", RequestID(ctx)), slog.String("error", f.err.Error()))
		}
		l.mu.Lock()
		defer l.mu.Unlock()
		l.ready, l.flight = f.handler, nil
		close(f.done)
	}()
	h, err := l.build(ctx)
	switch {
	case err != nil:
		f.err = err
	case h != nil:
		f.handler, f.err = h, nil
	}
}
