package token_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"kefu/shared/core/account"
	"kefu/shared/core/fault"
	"kefu/shared/flow/token"
)

var (
	start = time.Date(2026, 10, 1, 4, 0, 0, 0, time.UTC)
	shop  = account.Account{ID: "shop", AppID: "wx1", AppSecret: "s1"}
	by    = credential(shop)
)

func credential(a account.Account) account.Credential {
	c, err := a.Credential()
	if err != nil {
		panic(err)
	}
	return c
}

// world is a store, a platform and a clock in one.
type world struct {
	mu      sync.Mutex
	now     time.Time
	kept    map[account.Credential]account.AccessToken
	reads   int
	leases  int
	readErr error
	saveErr error

	issued  int                       // calls of Issue
	forced  int                       // of these, forced
	next    func(force bool) string   // the platform's answer; default a new token each time
	lives   time.Duration             // of issued tokens
	fail    error                     // of Issue
	during  func(ctx context.Context) // runs in Issue
	waited  []time.Duration
	waiting func(n int) // runs in the n-th wait
	saved   func()      // runs after SaveToken
}

func newWorld() *world {
	return &world{now: start, kept: map[account.Credential]account.AccessToken{}, lives: 2 * time.Hour}
}

func (w *world) keeper() *token.Keeper {
	return &token.Keeper{Store: w, Issuer: w, Now: w.clock, Wait: w.wait}
}

func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *world) pass(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

func (w *world) wait(ctx context.Context, d time.Duration) error {
	w.mu.Lock()
	w.now = w.now.Add(d)
	w.waited = append(w.waited, d)
	n, hook := len(w.waited), w.waiting
	w.mu.Unlock()
	if hook != nil {
		hook(n)
	}
	return ctx.Err()
}

func (w *world) Token(_ context.Context, c account.Credential) (account.AccessToken, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.reads++
	if w.readErr != nil {
		return account.AccessToken{}, w.readErr
	}
	t, ok := w.kept[c]
	if !ok {
		return t, fault.New(fault.NotFound, "", "")
	}
	return t, nil
}

func (w *world) LeaseToken(_ context.Context, c account.Credential, now, until time.Time) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.leases++
	t := w.kept[c]
	if now.Before(t.LeaseUntil) {
		return fault.New(fault.Conflict, "", "")
	}
	t.LeaseUntil = until
	w.kept[c] = t
	return nil
}

func (w *world) SaveToken(_ context.Context, c account.Credential, t account.AccessToken) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.saveErr != nil {
		return w.saveErr
	}
	t.LeaseUntil = time.Time{}
	w.kept[c] = t
	if w.saved != nil {
		w.saved()
	}
	return nil
}

func (w *world) Issue(ctx context.Context, _ account.Account, force bool) (account.AccessToken, error) {
	w.mu.Lock()
	w.issued++
	if force {
		w.forced++
	}
	value := fmt.Sprint("T", w.issued)
	if w.next != nil {
		value = w.next(force)
	}
	t, err, during := account.AccessToken{Value: account.Secret(value), ExpiresAt: w.now.Add(w.lives)}, w.fail, w.during
	w.mu.Unlock()
	if during != nil {
		during(ctx)
	}
	if err != nil {
		return account.AccessToken{}, err
	}
	return t, nil
}

// keep puts a token into the store with so much left to live.
func (w *world) keep(value string, left time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.kept[by] = account.AccessToken{Value: account.Secret(value), ExpiresAt: w.now.Add(left)}
}

func want(t *testing.T, k *token.Keeper, refused, value string) {
	t.Helper()
	got, err := k.Token(t.Context(), shop, refused)
	if err != nil || got != value {
		t.Errorf("got %q, %v; want %q", got, err, value)
	}
}

func wantCounts(t *testing.T, w *world, issued, forced int) {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.issued != issued || w.forced != forced {
		t.Errorf("got %d calls of the platform, %d of them forced; want %d, %d", w.issued, w.forced, issued, forced)
	}
}
