package main

import (
	"context"
	"log/slog"
	"time"

	"kefu/shared/app"
)

// host runs all functions in one process on the embedded engine, each behind the same bytes that it would get in
// the cloud.
type host struct {
	*server
	system *app.System
}

// openHost opens the data.
func openHost(o localOptions) (*host, error) {
	o.config.Now, o.config.Log = o.clock.Now, o.log
	system, err := app.Open(o.config)
	if err != nil {
		return nil, err
	}
	return newHost(system, o.clock, o.log), nil
}

func newHost(s *app.System, c *clock, log *slog.Logger) *host {
	q := s.Queues()
	return &host{system: s, server: newServer(c, log, s.Callback(), s.API(), s.Expiry(),
		&consumer{name: "inbound", source: &kept{queue: q.Inbound, now: c.Now}, handler: s.Ingest(), workers: 8, limit: ingestLimit},
		&consumer{name: "route", source: &kept{queue: q.Route, now: c.Now}, handler: s.Router(), workers: 2, limit: ingestLimit},
		&consumer{name: "outbound", source: &kept{queue: q.Outbound, now: c.Now}, handler: s.Sender(), workers: 8, limit: senderLimit},
		&consumer{name: "hooks", source: &kept{queue: q.Hooks, now: c.Now, rests: true}, handler: s.Webhook(), workers: 8, limit: ingestLimit},
	)}
}

// adminKey is the operator's key.
func (h *host) adminKey() string { return h.system.AdminKey().Reveal() }

// pass lets time pass at once.
func (h *host) pass(_ context.Context, d time.Duration) error {
	h.clock.Forward(d)
	return nil
}

// about has nothing to say: this is the engine that one expects.
func (h *host) about() string { return "" }

func (h *host) close() error { return h.system.Close() }
