package expire_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"kefu/shared/adapter/bolt"
	"kefu/shared/core/account"
	"kefu/shared/core/quota"
	"kefu/shared/core/session"
	"kefu/shared/flow/expire"
	"kefu/shared/shell"
)

// line is a queue that keeps what is sent.
type line struct {
	mu   sync.Mutex
	sent []string
	fail error
}

func (l *line) Send(_ context.Context, group string, delay time.Duration, _ []byte) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.fail != nil {
		return l.fail
	}
	l.sent = append(l.sent, fmt.Sprint(group, " ", delay))
	return nil
}

// TestOneWakeUpForAQueue: however many wait, a sweep wakes the router of their account once; when that fails, the next
// sweep does it.
func TestOneWakeUpForAQueue(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)
	db, err := bolt.Open(bolt.Options{Path: filepath.Join(t.TempDir(), "kefu.db"), Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	store, route := db.Store(), &line{}
	sh := &shell.Shell{Store: store, Route: route, Outbound: &line{}, Hooks: &line{}, Now: func() time.Time { return now }}
	sweep := &expire.Sweep{Accounts: store, Index: store, Shell: sh, Now: sh.Now, Log: slog.New(slog.DiscardHandler)}
	for _, id := range []account.ID{"shop", "club"} {
		a := account.Account{ID: id, Tenant: "t", Channel: account.MiniProgram, AppID: "wx", Token: "t", Mode: account.Plaintext, Format: account.JSON}
		if _, err := store.PutAccount(t.Context(), a); err != nil {
			t.Fatal(err)
		}
		a.Settings.Routing.Assign.Mode = account.Auto
		if err := store.SetRouting(t.Context(), id, a.Settings.Routing); err != nil {
			t.Fatal(err)
		}
		for i := range 12 {
			ref := session.Ref{Account: id, Customer: account.Customer(fmt.Sprint("customer", i))}
			_, err := sh.Do(t.Context(), ref, session.RulesOf(a), nil, session.Arrived{
				ID: session.ID(fmt.Sprint("s", id, i)), Account: id, Customer: ref.Customer, Key: fmt.Sprint(i), At: now, Action: quota.Message, FromCustomer: true,
			})
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	now = now.Add(time.Minute)
	route.sent, route.fail = nil, errors.New("no queue")
	if err := sweep.Run(t.Context()); !errors.Is(err, route.fail) {
		t.Errorf("got %v, want the queue's fault", err)
	}
	route.fail = nil
	if err := sweep.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if want := []string{"club 0s", "shop 0s"}; !slices.Equal(route.sent, want) {
		t.Errorf("got wake-ups %q, want %q", route.sent, want)
	}
}
