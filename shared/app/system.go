package app

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"time"

	"kefu/shared/adapter/bolt"
	"kefu/shared/adapter/wechat"
	"kefu/shared/core/account"
	"kefu/shared/core/fault"
	"kefu/shared/core/message"
	"kefu/shared/core/session"
	"kefu/shared/faas"
	"kefu/shared/flow/agent"
	"kefu/shared/flow/callback"
	"kefu/shared/flow/expire"
	"kefu/shared/flow/ingest"
	"kefu/shared/flow/media"
	"kefu/shared/flow/route"
	"kefu/shared/flow/send"
	"kefu/shared/flow/token"
	"kefu/shared/shell"
)

// System is all of Kefu on one engine.
type System struct {
	cfg      Config
	db       *bolt.DB
	store    *bolt.Store
	queues   Queues
	shell    *shell.Shell
	client   *wechat.Client
	inbox    *wechat.Inbox
	media    *media.Keeper
	adminKey account.Secret
}

// Queues are the engine's queues, for whoever has to drive their consumers.
type Queues struct {
	Inbound, Route, Outbound *bolt.Queue
}

// Visibility times: how long a consumer may take before its message is given to
// another. A sender's visit makes several calls of up to 45 s.
const (
	inboundVisibility  = time.Minute
	routeVisibility    = time.Minute
	outboundVisibility = 3 * time.Minute
	// maxReceives lets an outage of a few minutes pass: with the consumers' pauses
	// of a second, doubling to a minute, ten deliveries take four.
	maxReceives = 10
)

// Open builds a system on the embedded engine.
func Open(c Config) (*System, error) {
	if err := errors.Join(c.complete()...); err != nil {
		return nil, err
	}
	seal, err := secretKey(c)
	if err != nil {
		return nil, err
	}
	admin, err := adminKey(c)
	if err != nil {
		return nil, err
	}
	db, err := bolt.Open(bolt.Options{
		Path: filepath.Join(c.Data, "kefu.db"), MediaDir: filepath.Join(c.Data, "media"),
		Key: seal, Now: c.Now, MaxBytes: c.MaxBytes, Log: c.Log,
	})
	if err != nil {
		return nil, fmt.Errorf("open the data of %s (KEFU_DATA; sealed by KEFU_SECRET_KEY): %w", c.Data, err)
	}
	s := &System{cfg: c, db: db, store: db.Store(), adminKey: admin, inbox: &wechat.Inbox{}}
	s.queues = Queues{
		Inbound:  db.Queue("inbound", bolt.QueueOptions{Visibility: inboundVisibility, MaxReceives: maxReceives}),
		Route:    db.Queue("route", bolt.QueueOptions{Visibility: routeVisibility, MaxReceives: maxReceives}),
		Outbound: db.Queue("outbound", bolt.QueueOptions{Visibility: outboundVisibility, MaxReceives: maxReceives}),
	}
	s.shell = &shell.Shell{Store: s.store, Route: s.queues.Route, Outbound: s.queues.Outbound, Now: c.Now, Turns: shell.NewTurns()}
	s.client = &wechat.Client{BaseURL: c.WeChatURL, HTTP: wechat.NewHTTPClient(), Now: c.Now, Log: c.Log}
	s.client.Tokens = &token.Keeper{Store: s.store, Issuer: s.client, Now: c.Now, Log: c.Log}
	s.media = &media.Keeper{Store: s.store, Platform: s.client, Accounts: s.store, Now: c.Now}
	if err := s.recover(context.Background()); err != nil {
		return nil, errors.Join(fmt.Errorf("take over the data of %s: %w", c.Data, err), db.Close())
	}
	return s, nil
}

// recover gives up the calls that an earlier process had under way. The embedded
// engine's file has one owner, so whoever made them is gone, and nobody need wait
// for their leases to run out.
func (s *System) recover(ctx context.Context) error {
	for cursor := ""; ; {
		refs, next, err := s.store.Due(ctx, s.cfg.Now().Add(session.CallLease+time.Second), cursor, 100)
		if err != nil {
			return err
		}
		for _, ref := range refs {
			a, err := s.store.Account(ctx, ref.Account)
			if errors.Is(err, fault.NotFound) {
				continue // its holds end by the sweep
			}
			if err == nil {
				_, err = s.shell.Do(ctx, ref, session.RulesOf(a), nil, session.Orphaned{})
			}
			if err != nil {
				return err
			}
		}
		if cursor = next; cursor == "" {
			return nil
		}
	}
}

// Close lets go of the data. Handlers must not be called any more.
func (s *System) Close() error { return s.db.Close() }

// Queues returns the engine's queues.
func (s *System) Queues() Queues { return s.queues }

// Store returns the engine's store, for tools that look after it.
func (s *System) Store() *bolt.Store { return s.store }

// AdminKey returns the operator's key, for printing it where it was generated.
func (s *System) AdminKey() account.Secret { return s.adminKey }

// Callback is the function that the platform calls.
func (s *System) Callback() faas.Handler {
	c := &callback.Callback{Accounts: s.store, Channel: s.inbox, Inbound: s.queues.Inbound, Now: s.cfg.Now, Log: s.cfg.Log}
	mux := http.NewServeMux()
	mux.Handle("GET /callback/{account}", c)
	mux.Handle("POST /callback/{account}", c)
	return faas.HTTP(mux, s.name("callback"), faas.Logger(s.quiet()))
}

// API is the function of the HTTP interface.
func (s *System) API() faas.Handler {
	api := &agent.API{
		Store: s.store, Shell: s.shell, Media: s.media, Typer: s.client,
		Now: s.cfg.Now, Rand: rand.Reader, Log: s.cfg.Log, Version: s.cfg.Version,
		AdminKey: agent.HashKey(s.adminKey.Reveal()),
	}
	return faas.HTTP(api.Handler(), s.name("api"), faas.Logger(s.quiet()))
}

// Ingest is the consumer of the inbound queue.
func (s *System) Ingest() faas.Handler {
	in := &ingest.Ingest{
		Accounts: s.store, Channel: s.inbox, Store: s.store, Shell: s.shell, Media: s.media, Fetch: s.queues.Outbound,
		Now: s.cfg.Now, Log: s.cfg.Log,
	}
	return s.batch("ingest", in.Handle)
}

// Router is the consumer of the route queue.
func (s *System) Router() faas.Handler {
	r := &route.Router{Accounts: s.store, Sessions: s.store, Agents: s.store, Shell: s.shell, Now: s.cfg.Now, Log: s.cfg.Log}
	return s.batch("router", r.Handle)
}

// Sender is the consumer of the outbound queue.
func (s *System) Sender() faas.Handler {
	snd := &send.Sender{
		Accounts: s.store, Messages: s.store, Messenger: s.client, Media: s.media, Shell: s.shell,
		Now: s.cfg.Now, Log: s.cfg.Log,
	}
	return s.batch("sender", snd.Handle)
}

// Expiry is the function that runs every minute.
func (s *System) Expiry() faas.Handler {
	sweep := &expire.Sweep{
		Accounts: s.store, Index: s.store, Shell: s.shell, Now: s.cfg.Now, Log: s.cfg.Log,
		Cleaners: []expire.Cleaner{s.media, cleaner(s.store.Clean)},
	}
	return faas.Timer(sweep.Run, s.name("expiry"), faas.Logger(s.quiet()))
}

type cleaner func(ctx context.Context, now time.Time, limit int) (int, error)

func (c cleaner) Sweep(ctx context.Context, now time.Time, limit int) (int, error) {
	return c(ctx, now, limit)
}

// batch turns a flow's handler into a queue consumer. A body that is no message
// of this queue is kept for somebody to look at, and doesn't come again.
func (s *System) batch(name string, handle func(context.Context, []byte) error) faas.Handler {
	park := func(ctx context.Context, m faas.Message, cause error) error {
		return s.store.KeepRaw(ctx, message.RawPush{
			Push:   message.Push{Account: "-" + account.ID(name), Key: m.ID, Body: []byte(m.Body), ReceivedAt: s.cfg.Now()},
			Reason: cause.Error(),
		})
	}
	return faas.Batch(func(ctx context.Context, m faas.Message) error { return handle(ctx, []byte(m.Body)) },
		s.name(name), faas.Logger(s.quiet()), faas.Parked(park))
}

func (s *System) name(name string) faas.Option { return faas.Name(name) }
