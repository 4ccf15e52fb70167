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
	broken    chan error         // what ends the work besides the context
	calls     calls              // the requests under way
	cut       context.CancelFunc // ends every invocation under way
}

// How long one invocation may take on the embedded engine; the queues' visibility times are longer.
const (
	ingestLimit = 30 * time.Second
	senderLimit = 150 * time.Second
)

func newServer(c *clock, log *slog.Logger, callback, api, sweep faas.Handler, consumers ...*consumer) *server {
	life, cut := context.WithCancel(context.Background())
	s := &server{
		mux: http.NewServeMux(), consumers: consumers, sweep: within(life, sweep), clock: c, log: log, broken: make(chan error, 1), cut: cut,
	}
	for _, c := range consumers {
		c.log, c.handler = log, within(life, c.handler)
	}
	s.mux.Handle("/callback/", faas.Gateway(within(life, callback), faas.BodyLimit(2<<20), faas.Logger(log)))
	s.mux.Handle("/v1/", faas.Gateway(within(life, api), faas.Logger(log)))
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

// serve works until ctx ends. Then no new work is taken, what has begun is finished or cut, and the listener closes last;
// see [server.end].
func (s *server) serve(ctx context.Context, ln net.Listener) error {
	work, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	var workers sync.WaitGroup
	for _, c := range s.consumers {
		workers.Go(func() { c.run(work) })
	}
	workers.Go(func() { s.timer(work) })

	door := &http.Server{Handler: s.calls.track(s.mux), ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute}
	failed := make(chan error, 1)
	go func() { failed <- door.Serve(ln) }()
	var err error
	select {
	case err = <-failed:
	case broken := <-s.broken: // nothing can be finished any more
		s.cut()
		err = errors.Join(broken, door.Close())
	case <-ctx.Done():
	}
	stop()
	s.calls.stop()
	err = errors.Join(err, s.end(door, &workers))
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
