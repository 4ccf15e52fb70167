package app

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"time"

	"kefu/shared/adapter/hook"
	"kefu/shared/adapter/wechat"
	"kefu/shared/core/account"
	"kefu/shared/core/fault"
	"kefu/shared/core/session"
	"kefu/shared/faas"
	"kefu/shared/flow/agent"
	"kefu/shared/flow/callback"
	"kefu/shared/flow/doctor"
	"kefu/shared/flow/expire"
	"kefu/shared/flow/ingest"
	"kefu/shared/flow/media"
	"kefu/shared/flow/notify"
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
	hooks     *hook.Client
	notes     *doctor.Noter
	adminKey  account.Secret // as it was set or generated; empty where only the hash is known
	adminHash [sha256.Size]byte
}

// Open builds a system on the engine that the settings name.
func Open(c Config) (*System, error) { return open(c, newWeb(c)) }

// open is Open with the client for a cloud's services.
func open(c Config, web *http.Client) (*System, error) {
	if err := errors.Join(c.complete()...); err != nil {
		return nil, err
	}
	s := &System{cfg: c, inbox: &wechat.Inbox{Random: c.Rand}}
	if err := s.operator(); err != nil {
		return nil, err
	}
	var err error
	if c.Engine == AWS {
		s.engine, err = cloud(c, web)
	} else {
		s.engine, err = embedded(c)
	}
	if err != nil {
		return nil, err
	}
	s.shell = &shell.Shell{
		Store: s.store, Route: s.queues.Route, Outbound: s.queues.Outbound, Hooks: s.queues.Hooks, Now: c.Now, Turns: shell.NewTurns(), Told: shell.NewTold(),
	}
	s.notes = &doctor.Noter{Store: s.store, Now: c.Now, Log: c.Log}
	s.hooks = hook.New(hook.Options{Private: c.PrivateHooks, Now: c.Now})
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
			if errors.Is(err, session.ErrAnothers) {
				continue // of a deleted account, whose id is another's: likewise
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
	c := &callback.Callback{Accounts: s.accounts, Channel: s.inbox, Inbound: s.queues.Inbound, Sights: s.notes, Now: s.cfg.Now, Log: s.cfg.Log}
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
		Store: s.store, Shell: s.shell, Media: s.media, Typer: s.client, Doctor: s.Doctor(),
		Now: s.cfg.Now, Rand: s.cfg.random(), Log: s.cfg.Log, Version: s.cfg.Version,
		AdminKey: s.adminHash,
	}
	return faas.HTTP(api.Handler(), s.name("api"), faas.Logger(s.quiet()))
}

// Doctor examines accounts (P8). It reads them as they are now, not as a cache has them.
func (s *System) Doctor() *doctor.Doctor {
	return &doctor.Doctor{Accounts: s.store, Agents: s.store, Store: s.store, Platform: s.client, Now: s.cfg.Now, Log: s.cfg.Log}
}

// Ingest is the consumer of the inbound queue.
func (s *System) Ingest() faas.Handler {
	in := &ingest.Ingest{
		Accounts: s.accounts, Channel: s.inbox, Store: s.store, Shell: s.shell, Media: s.media, Fetch: s.queues.Outbound,
		Sights: s.notes,
		Now:    s.cfg.Now, Log: s.cfg.Log,
	}
	return s.batch("ingest", s.queues.Inbound, in.Handle)
}

// Router is the consumer of the route queue.
func (s *System) Router() faas.Handler {
	r := &route.Router{
		Accounts: s.accounts, Sessions: s.store, Messages: s.store, Agents: s.store, Responder: s.hooks, Shell: s.shell,
		Now: s.cfg.Now, Log: s.cfg.Log,
	}
	return s.batch("router", s.queues.Route, r.Handle)
}

// Sender is the consumer of the outbound queue.
func (s *System) Sender() faas.Handler {
	snd := &send.Sender{
		Accounts: s.accounts, Messenger: s.client, Checker: s.client, Media: s.media, Shell: s.shell,
		Now: s.cfg.Now, Log: s.cfg.Log,
	}
	return s.batch("sender", s.queues.Outbound, snd.Handle)
}

// Webhook is the consumer of the queue of what the business's own software is told. How long a message that failed has to
// rest is the flow's to say, so it gives it back on every engine.
func (s *System) Webhook() faas.Handler {
	n := &notify.Notifier{
		Accounts: s.accounts, Messages: s.store, Dead: s.store, Receiver: s.hooks, Now: s.cfg.Now, Log: s.cfg.Log,
	}
	return s.consumer("webhook", s.queues.Hooks, true, n.Handle)
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
