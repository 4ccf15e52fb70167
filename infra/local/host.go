package main

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"kefu/shared/app"
	"kefu/shared/faas"
)

// host runs the six functions in one process, each behind the same bytes that it
// would get in the cloud.
type host struct {
	system    *app.System
	clock     *clock
	log       *slog.Logger
	extra     map[string]http.Handler // more to serve, by pattern
	consumers []*consumer
}

// How long one invocation may take; the queues' visibility times are longer.
const (
	ingestLimit = 30 * time.Second
	senderLimit = 150 * time.Second
	closeLimit  = 5 * time.Second
)

func newHost(s *app.System, c *clock, log *slog.Logger) *host {
	q := s.Queues()
	h := &host{system: s, clock: c, log: log, extra: map[string]http.Handler{}, consumers: []*consumer{
		{name: "inbound", queue: q.Inbound, handler: s.Ingest(), workers: 8, limit: ingestLimit},
		{name: "route", queue: q.Route, handler: s.Router(), workers: 2, limit: ingestLimit},
		{name: "outbound", queue: q.Outbound, handler: s.Sender(), workers: 8, limit: senderLimit},
	}}
	for _, c := range h.consumers {
		c.log, c.now = log, h.clock.Now
	}
	return h
}

// handled is how many messages of a queue have been worked on.
func (h *host) handled(name string) int64 {
	for _, c := range h.consumers {
		if c.name == name {
			return c.handled.Load()
		}
	}
	return 0
}

// serve works until ctx ends, then finishes what has begun.
func (h *host) serve(ctx context.Context, ln net.Listener) error {
	work, stop := context.WithCancel(context.WithoutCancel(ctx))
	var running sync.WaitGroup
	for _, c := range h.consumers {
		running.Go(func() { c.run(work) })
	}
	running.Go(func() { h.timer(work) })

	server := &http.Server{Handler: h.mux(), ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(ln) }()
	var err error
	select {
	case err = <-failed:
	case <-ctx.Done():
		// First no more requests, then no more work.
		down, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeLimit)
		err = server.Shutdown(down)
		cancel()
		if errors.Is(err, context.DeadlineExceeded) {
			err = server.Close() // somebody holds a connection open; nothing is lost by cutting it
		}
	}
	stop()
	running.Wait()
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

func (h *host) mux() *http.ServeMux {
	mux := http.NewServeMux()
	mux.Handle("/callback/", faas.Gateway(h.system.Callback(), faas.BodyLimit(2<<20)))
	mux.Handle("/v1/", faas.Gateway(h.system.API()))
	for pattern, handler := range h.extra {
		mux.Handle(pattern, handler)
	}
	return mux
}

// timer runs the sweep whenever a minute of the clock begins.
func (h *host) timer(ctx context.Context) {
	sweep := h.system.Expiry()
	last := time.Time{}
	for ctx.Err() == nil {
		if minute := h.clock.Now().Truncate(time.Minute); !minute.Equal(last) {
			last = minute
			within, cancel := context.WithTimeout(context.WithoutCancel(ctx), ingestLimit)
			if _, err := sweep.Invoke(within, nil); err != nil {
				h.log.Error("sweep", "cause", err.Error())
			}
			cancel()
		}
		_ = pause(ctx, idle) // the loop's condition sees the end
	}
}
