package app

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"time"

	"kefu/shared/adapter/wechat"
	"kefu/shared/core/account"
	"kefu/shared/core/fault"
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
	engine
	cfg       Config
	shell     *shell.Shell
	client    *wechat.Client
	inbox     *wechat.Inbox
	media     *media.Keeper
	adminKey  account.Secret // as it was set or generated; empty where only the hash is known
	adminHash [sha256.Size]byte
}

// Open builds a system on the engine that the settings name.
func Open(c Config) (*System, error) {
	if err := errors.Join(c.complete()...); err != nil {
		return nil, err
	}
	s := &System{cfg: c, inbox: &wechat.Inbox{}}
	if err := s.operator(); err != nil {
		return nil, err
	}
	open := embedded
	if c.Engine == AWS {
		open = cloud
	}
	var err error
	if s.engine, err = open(c); err != nil {
		return nil, err
	}
	s.shell = &shell.Shell{Store: s.store, Route: s.queues.Route, Outbound: s.queues.Outbound, Now: c.Now, Turns: shell.NewTurns()}
	s.client = &wechat.Client{BaseURL: c.WeChatURL, HTTP: wechat.NewHTTPClient(), Now: c.Now, Log: c.Log}
	s.client.Tokens = &token.Keeper{Store: s.store, Issuer: s.client, Now: c.Now, Log: c.Log}
	s.media = &media.Keeper{Store: s.store, Platform: s.client, Accounts: s.accounts, Now: c.Now}
	if !s.alone {
		return s, nil
	}
	if err := s.recover(context.Background()); err != nil {
		return nil, errors.Join(fmt.Errorf("take over the data of %s: %w", c.Data, err), s.close())
	}
	return s, nil
}

// operator finds the operator's key: set, generated, or on a cloud only its hash.
func (s *System) operator() (err error) {
	if s.cfg.Engine == AWS && s.cfg.AdminKey == "" {
		_, err = hex.Decode(s.adminHash[:], []byte(s.cfg.Cloud.AdminKeySHA256)) // 64 digits or none: it was checked
		return err
	}
	if s.adminKey, err = adminKey(s.cfg); err == nil {
		s.adminHash = agent.HashKey(s.adminKey.Reveal())
	}
	return err
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
func (s *System) Close() error { return s.close() }

// Queues returns the engine's queues.
func (s *System) Queues() Queues { return s.queues }

// Store returns the engine's store, for tools that look after it.
func (s *System) Store() Store { return s.store }

// AdminKey returns the operator's key, for printing it where it was generated.
func (s *System) AdminKey() account.Secret { return s.adminKey }

// Callback is the function that the platform calls.
func (s *System) Callback() faas.Handler {
	c := &callback.Callback{Accounts: s.accounts, Channel: s.inbox, Inbound: s.queues.Inbound, Now: s.cfg.Now, Log: s.cfg.Log}
	if cache, ok := s.accounts.(*accountCache); ok {
		c.Fresh = cache.fresh()
	}
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
		AdminKey: s.adminHash,
	}
	return faas.HTTP(api.Handler(), s.name("api"), faas.Logger(s.quiet()))
}

// Ingest is the consumer of the inbound queue.
func (s *System) Ingest() faas.Handler {
	in := &ingest.Ingest{
		Accounts: s.accounts, Channel: s.inbox, Store: s.store, Shell: s.shell, Media: s.media, Fetch: s.queues.Outbound,
		Now: s.cfg.Now, Log: s.cfg.Log,
	}
	return s.batch("ingest", s.queues.Inbound, in.Handle)
}

// Router is the consumer of the route queue.
func (s *System) Router() faas.Handler {
	r := &route.Router{Accounts: s.accounts, Sessions: s.store, Agents: s.store, Shell: s.shell, Now: s.cfg.Now, Log: s.cfg.Log}
	return s.batch("router", s.queues.Route, r.Handle)
}

// Sender is the consumer of the outbound queue.
func (s *System) Sender() faas.Handler {
	snd := &send.Sender{
		Accounts: s.accounts, Messages: s.store, Messenger: s.client, Media: s.media, Shell: s.shell,
		Now: s.cfg.Now, Log: s.cfg.Log,
	}
	return s.batch("sender", s.queues.Outbound, snd.Handle)
}

// Expiry is the function that runs every minute.
func (s *System) Expiry() faas.Handler {
	sweep := &expire.Sweep{
		Accounts: s.accounts, Index: s.store, Shell: s.shell, Now: s.cfg.Now, Log: s.cfg.Log,
		Cleaners: []expire.Cleaner{s.media},
	}
	if s.cleaner != nil {
		sweep.Cleaners = append(sweep.Cleaners, s.cleaner)
	}
	return faas.Timer(sweep.Run, s.name("expiry"), faas.Logger(s.quiet()))
}

func (s *System) name(name string) faas.Option { return faas.Name(name) }
