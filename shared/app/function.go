package app

import (
	"context"
	"errors"
	"os"
	"sync"

	"kefu/shared/faas"
)

// Callback builds the function that the platform calls. Settings come from the
// environment, as for each of these.
func Callback(ctx context.Context) (faas.Handler, error) {
	return function(ctx, "callback", (*System).Callback)
}

// Ingest builds the consumer of the inbound queue.
func Ingest(ctx context.Context) (faas.Handler, error) {
	return function(ctx, "ingest", (*System).Ingest)
}

// Router builds the consumer of the route queue.
func Router(ctx context.Context) (faas.Handler, error) {
	return function(ctx, "router", (*System).Router)
}

// Sender builds the consumer of the outbound queue.
func Sender(ctx context.Context) (faas.Handler, error) {
	return function(ctx, "sender", (*System).Sender)
}

// Webhook builds the consumer of the queue of what the business's own software is told.
func Webhook(ctx context.Context) (faas.Handler, error) {
	return function(ctx, "webhook", (*System).Webhook)
}

// Expiry builds the sweep.
func Expiry(ctx context.Context) (faas.Handler, error) {
	return function(ctx, "expiry", (*System).Expiry)
}

// API builds the HTTP interface.
func API(ctx context.Context) (faas.Handler, error) {
	return function(ctx, "api", (*System).API)
}

// function reads the settings, warms the connections to the cloud, so that the first event finds them open, and opens the
// system.
func function(ctx context.Context, name string, handler func(*System) faas.Handler) (faas.Handler, error) {
	c, err := FromEnv(os.Getenv)
	if err := errors.Join(err, c.need(name)); err != nil {
		return nil, err
	}
	web := newWeb(c)
	// Side by side: the one mostly waits, the other works.
	var warming sync.WaitGroup
	defer warming.Wait()
	if c.Engine == AWS {
		warming.Go(func() { warm(ctx, web, c.Cloud.endpoints()) })
	}
	s, err := open(c, web)
	if err != nil {
		return nil, err
	}
	return handler(s), nil
}
