package app

import (
	"context"
	"sync"
	"time"

	"kefu/shared/core/account"
	"kefu/shared/flow/callback"
)

// accountAge is how old an account may be that a function goes by; its settings and
// keys take that long to spread. A push that is refused asks again after freshAge.
const (
	accountAge = time.Minute
	freshAge   = 5 * time.Second
	// accountsKept bounds the memory of a process that serves very many.
	accountsKept = 1024
)

// accountCache remembers accounts, their secrets unsealed, for the life of a process
// and no longer than accountAge. It spares each message a read and a decryption.
type accountCache struct {
	source callback.Accounts
	now    func() time.Time

	mu   sync.Mutex
	kept map[account.ID]*keptAccount
}

// keptAccount is one account; whoever holds its lock reads it anew for all others.
type keptAccount struct {
	mu      sync.Mutex
	account account.Account
	readAt  time.Time // zero: not yet
}

func newAccountCache(source callback.Accounts, now func() time.Time) *accountCache {
	return &accountCache{source: source, now: now, kept: make(map[account.ID]*keptAccount)}
}

// Account returns the account as it was at most a minute ago.
func (c *accountCache) Account(ctx context.Context, id account.ID) (account.Account, error) {
	return c.read(ctx, id, accountAge)
}

// Fresh returns the account as it is now.
func (c *accountCache) Fresh(ctx context.Context, id account.ID) (account.Account, error) {
	return c.read(ctx, id, 0)
}

// fresh returns the account as it was a few seconds ago at most.
func (c *accountCache) fresh() callback.Accounts { return freshAccounts{c} }

type freshAccounts struct{ *accountCache }

func (f freshAccounts) Account(ctx context.Context, id account.ID) (account.Account, error) {
	return f.read(ctx, id, freshAge)
}

func (c *accountCache) read(ctx context.Context, id account.ID, age time.Duration) (account.Account, error) {
	k := c.keep(id)
	k.mu.Lock()
	defer k.mu.Unlock()
	now := c.now()
	if old := now.Sub(k.readAt); !k.readAt.IsZero() && old >= 0 && old < age {
		return k.account, nil
	}
	a, err := c.source.Account(ctx, id)
	if err != nil {
		c.forget(id)
		return account.Account{}, err
	}
	k.account, k.readAt = a, now
	return a, nil
}

func (c *accountCache) keep(id account.ID) *keptAccount {
	c.mu.Lock()
	defer c.mu.Unlock()
	k, ok := c.kept[id]
	if !ok {
		if len(c.kept) >= accountsKept {
			clear(c.kept)
		}
		k = &keptAccount{}
		c.kept[id] = k
	}
	return k
}

func (c *accountCache) forget(id account.ID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.kept, id)
}
