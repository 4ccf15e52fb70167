package main

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"kefu/shared/faas"
)

// server is what plays the cloud around the functions, wherever they run: the HTTP front, the pollers of the queues and
// the minute's timer.
type server struct {
	mux       *http.ServeMux
	consumers []*consumer
	sweep     faas.Handler
	clock     *clock
	log       *slog.Logger
	broken    chan error // what ends the work besides the context
}

// How long one invocation may take on the embedded engine; the queues' visibility times are longer.
const (
	ingestLimit = 30 * time.Second
	senderLimit = 150 * time.Second
	closeLimit  = 5 * time.Second
)

func newServer(c *clock, log *slog.Logger, callback, api, sweep faas.Handler, consumers ...*consumer) *server {
	s := &server{mux: http.NewServeMux(), consumers: consumers, sweep: sweep, clock: c, log: log, broken: make(chan error, 1)}
	for _, c := range consumers {
		c.log = log
	}
	s.mux.Handle("/callback/", faas.Gateway(callback, faas.BodyLimit(2<<20), faas.Logger(log)))
	s.mux.Handle("/v1/", faas.Gateway(api, faas.Logger(log)))
	return s
}

// handle serves more, until the work begins.
func (s *server) handle(pattern string, h http.Handler) { s.mux.Handle(pattern, h) }

// handled is how many messages of a queue have been worked on.
func (s *server) handled(name string) int64 {
	for _, c := range s.consumers {
		if c.name == name {
			return c.handled.Load()
		}
	}
	return 0
}

// serve works until ctx ends, then finishes what has begun.
func (s *server) serve(ctx context.Context, ln net.Listener) error {
	work, stop := context.WithCancel(context.WithoutCancel(ctx))
	var running sync.WaitGroup
	for _, c := range s.consumers {
		running.Go(func() { c.run(work) })
	}
	running.Go(func() { s.timer(work) })

	server := &http.Server{Handler: s.mux, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(ln) }()
	var err error
	select {
	case err = <-failed:
	case broken := <-s.broken:
		err = errors.Join(broken, server.Close())
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

// timer runs the sweep whenever a minute of the clock begins.
func (s *server) timer(ctx context.Context) {
	last := time.Time{}
	for ctx.Err() == nil {
		if minute := s.clock.Now().Truncate(time.Minute); !minute.Equal(last) {
			last = minute
			within, cancel := context.WithTimeout(context.WithoutCancel(ctx), senderLimit)
			if _, err := s.sweep.Invoke(within, tick(minute)); err != nil {
				s.log.Error("sweep", "cause", err.Error())
			}
			cancel()
		}
		_ = pause(ctx, idle) // the loop's condition sees the end
	}
}

// tick is what EventBridge sends to the sweep
// (docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-rule-schedule.html).
func tick(at time.Time) []byte {
	return []byte(`{"version":"0","id":"00000000-0000-4000-8000-000000000000","detail-type":"Scheduled Event","source":"aws.events",` +
		`"account":"000000000000","time":"` + at.UTC().Format(time.RFC3339) + `","region":"us-east-1","resources":[],"detail":{}}`)
}
