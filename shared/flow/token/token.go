// Package token keeps the platform's access tokens: one per app id and secret, in the store, for all accounts that hold
// both, and for all instances. Make a [Keeper] and call [Keeper.Token].
//
// The platform gives every caller of stable_token the same token until about five minutes before its end, so
// several keepers do no harm; but calls are counted, and a forced refresh kills the token for everybody. So one
// caller fetches, under a lease in the store, and the others use what is there or wait a moment.
//
// https://developers.weixin.qq.com/miniprogram/dev/OpenApiDoc/mp-access-token/getStableAccessToken.html
package token

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"kefu/shared/core/account"
	"kefu/shared/core/fault"
)

// Store keeps tokens with their leases, by the credential that fetched them.
type Store interface {
	// Token returns what is kept, the lease included; NotFound if nothing ever was.
	Token(ctx context.Context, c account.Credential) (account.AccessToken, error)
	// LeaseToken lets one caller fetch a new token until the lease ends: Conflict while another's lease runs at now.
	LeaseToken(ctx context.Context, c account.Credential, now, until time.Time) error
	// SaveToken stores a token and ends the lease.
	SaveToken(ctx context.Context, c account.Credential, t account.AccessToken) error
}

// Issuer fetches tokens from the platform.
type Issuer interface {
	// Issue returns the current token of the account's app id, or with force a new one, which ends the current one.
	// Errors carry a kind of package fault.
	Issue(ctx context.Context, a account.Account, force bool) (account.AccessToken, error)
}

// Times of the keeper.
const (
	// refreshEarly is inside the platform's own five minutes: asked any earlier it would give the same token again.
	refreshEarly = 4 * time.Minute
	// spare is what a token must have left to be used: a call takes up to 10 s.
	spare = 30 * time.Second
	// memoryFor bounds how long a token is used without a look into the store.
	memoryFor = time.Minute
	// leaseFor is longer than two calls of the platform take.
	leaseFor = 25 * time.Second
	// waitStep times waitSteps is how long a caller without a usable token waits for the one who fetches.
	waitStep  = 200 * time.Millisecond
	waitSteps = 30
	// forceGap and forcesPerDay are the platform's limits of a forced refresh.
	forceGap     = 30 * time.Second
	forcesPerDay = 20
)

// Keeper gives access tokens. Set Store and Issuer, use it by pointer, keep it for the life of the process. It may be
// used concurrently; it starts nothing in the background.
type Keeper struct {
	Store  Store
	Issuer Issuer
	// Now is the clock. Default time.Now.
	Now func() time.Time
	// Wait sleeps between looks at the store, and ends early with ctx's error. Default a timer.
	Wait func(ctx context.Context, d time.Duration) error
	// Log gets a line when a token could not be had or kept. Default none.
	Log *slog.Logger

	mu      sync.Mutex
	memory  map[account.Credential]remembered
	flights map[flightKey]*flight
	forces  map[account.Credential]forceCount
}

type remembered struct {
	token account.AccessToken
	at    time.Time
}

// flightKey is what makes two calls the same.
type flightKey struct {
	by      account.Credential
	refused string
}

// flight is one search for a token that any number of callers wait for.
type flight struct {
	done  chan struct{}
	token account.AccessToken
	err   error
	left  bool // the leader's own caller gave up, which proves nothing
}

// Token returns a token of the account's app id, fetched with its own secret, that is good for a call now. Refused is empty, or a token that the
// platform has just refused: then another one is returned, in the extreme by force.
//
// Errors: Invalid with code "secret-missing" for an account without secret, which is never given what another's secret
// fetched; what Issuer gives; Unavailable with code "token-busy" when somebody else is fetching and does not come to
// an end; Exhausted with code "token-forced-recently" when only force would help and the platform would not allow it yet.
func (k *Keeper) Token(ctx context.Context, a account.Account, refused string) (string, error) {
	by, err := a.Credential()
	if err != nil {
		return "", err
	}
	for {
		now := k.now()
		if t, ok := k.recall(by, refused, now); ok {
			return t.Value.Reveal(), nil
		}
		f, leads := k.join(flightKey{by, refused})
		if leads {
			k.lead(ctx, holder{a, by}, refused, f)
			return f.token.Value.Reveal(), f.err
		}
		select {
		case <-ctx.Done():
			return "", fault.Wrap(fault.Unavailable, "token-busy", ctx.Err())
		case <-f.done:
		}
		if f.err != nil && f.left && ctx.Err() == nil {
			continue
		}
		return f.token.Value.Reveal(), f.err
	}
}

// holder is an account with what it calls the platform with.
type holder struct {
	account.Account
	by account.Credential
}

// join finds the flight of a key, or starts one that the caller leads.
func (k *Keeper) join(key flightKey) (f *flight, leads bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if f, ok := k.flights[key]; ok {
		return f, false
	}
	if k.flights == nil {
		k.flights = map[flightKey]*flight{}
	}
	f = &flight{done: make(chan struct{})}
	k.flights[key] = f
	return f, true
}

// lead finds the token and lets the others have it.
func (k *Keeper) lead(ctx context.Context, a holder, refused string, f *flight) {
	f.err = fault.New(fault.Internal, "", "") // what the others get should the search panic
	defer func() {
		k.mu.Lock()
		delete(k.flights, flightKey{a.by, refused})
		k.mu.Unlock()
		close(f.done)
	}()
	f.token, f.err = k.find(ctx, a, refused)
	f.left = ctx.Err() != nil
}

// recall returns the token in memory if it may be used without a look into the store.
func (k *Keeper) recall(by account.Credential, refused string, now time.Time) (account.AccessToken, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	m, ok := k.memory[by]
	age := now.Sub(m.at)
	if !ok || age < 0 || age >= memoryFor || !usable(m.token, refused, now, spare) {
		return account.AccessToken{}, false
	}
	return m.token, true
}

// remember keeps a token in memory and forgets those that are too old to be used.
func (k *Keeper) remember(by account.Credential, t account.AccessToken, now time.Time) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.memory == nil {
		k.memory = map[account.Credential]remembered{}
	}
	const many = 1000
	if len(k.memory) >= many {
		for id, m := range k.memory {
			if now.Sub(m.at) >= memoryFor {
				delete(k.memory, id)
			}
		}
	}
	k.memory[by] = remembered{t, now}
}

// usable reports whether a token has at least left to live and is not the refused one.
func usable(t account.AccessToken, refused string, now time.Time, left time.Duration) bool {
	return t.Good(now.Add(left)) && t.Value.Reveal() != refused
}

func (k *Keeper) now() time.Time {
	if k.Now == nil {
		return time.Now().UTC()
	}
	return k.Now().UTC()
}

func (k *Keeper) log() *slog.Logger {
	if k.Log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return k.Log
}

func (k *Keeper) wait(ctx context.Context, d time.Duration) error {
	if k.Wait != nil {
		return k.Wait(ctx, d)
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
