package app

import (
	"context"
	"os"

	"kefu/shared/faas"
)

// Callback builds the function that the platform calls. Settings come from the
// environment, as for each of these.
func Callback(context.Context) (faas.Handler, error) { return function((*System).Callback) }

// Ingest builds the consumer of the inbound queue.
func Ingest(context.Context) (faas.Handler, error) { return function((*System).Ingest) }

// Router builds the consumer of the route queue.
func Router(context.Context) (faas.Handler, error) { return function((*System).Router) }

// Sender builds the consumer of the outbound queue.
func Sender(context.Context) (faas.Handler, error) { return function((*System).Sender) }

// Expiry builds the sweep.
func Expiry(context.Context) (faas.Handler, error) { return function((*System).Expiry) }

// API builds the HTTP interface.
func API(context.Context) (faas.Handler, error) { return function((*System).API) }

func function(handler func(*System) faas.Handler) (faas.Handler, error) {
	c, err := FromEnv(os.Getenv)
	if err != nil {
		return nil, err
	}
	s, err := Open(c)
	if err != nil {
		return nil, err
	}
	return handler(s), nil
}
