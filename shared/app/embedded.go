package app

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"kefu/shared/adapter/bolt"
)

// Visibility times: how long a consumer may take before its message is given to
// another. A sender's visit makes several calls of up to 45 s.
const (
	inboundVisibility  = time.Minute
	routeVisibility    = time.Minute
	outboundVisibility = 3 * time.Minute
	hooksVisibility    = time.Minute
	// maxReceives lets an outage of a few minutes pass: with the consumers' pauses
	// of a second, doubling to a minute, ten deliveries take four.
	maxReceives = 10
	// hooksReceives is more than the tries of a day that news have before they are dead, some thirty, and some over
	// for tries of which nobody knows: processes that died. infra/aws has the same.
	hooksReceives = 40
)

// embedded opens the engine of one file.
func embedded(c Config) (engine, error) {
	seal, err := secretKey(c)
	if err != nil {
		return engine{}, err
	}
	db, err := bolt.Open(bolt.Options{
		Path: filepath.Join(c.Data, "kefu.db"), MediaDir: filepath.Join(c.Data, "media"),
		Key: seal, Now: c.Now, MaxBytes: c.MaxBytes, Log: c.Log,
	})
	if err != nil {
		return engine{}, fmt.Errorf("open the data of %s (KEFU_DATA; sealed by KEFU_SECRET_KEY): %w", c.Data, err)
	}
	store := db.Store()
	return engine{
		store: store, accounts: store, cleaner: cleaner(store.Clean), alone: true, close: db.Close,
		unpack: func(_ context.Context, text string) ([]byte, error) { return []byte(text), nil },
		queues: Queues{
			Inbound:  db.Queue("inbound", bolt.QueueOptions{Visibility: inboundVisibility, MaxReceives: maxReceives}),
			Route:    db.Queue("route", bolt.QueueOptions{Visibility: routeVisibility, MaxReceives: maxReceives}),
			Outbound: db.Queue("outbound", bolt.QueueOptions{Visibility: outboundVisibility, MaxReceives: maxReceives}),
			Hooks:    db.Queue("hooks", bolt.QueueOptions{Visibility: hooksVisibility, MaxReceives: hooksReceives}),
		},
	}, nil
}

type cleaner func(ctx context.Context, now time.Time, limit int) (int, error)

func (c cleaner) Sweep(ctx context.Context, now time.Time, limit int) (int, error) {
	return c(ctx, now, limit)
}
