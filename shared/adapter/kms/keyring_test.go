package kms

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"kefu/shared/core/fault"
)

// A data key serves until MaxAge, and not a moment longer.
func TestAge(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ option, age time.Duration }{"by default": {0, 5 * time.Minute}, "as asked": {time.Hour, time.Hour}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fake, c := newFake(), newClock()
			vault := func() *Vault {
				return New(config(direct{handler: fake}), Options{KeyID: keyID, Now: c.now, MaxAge: tc.option})
			}
			writer, reader := vault(), vault()
			sealed := seal(t, writer, "o", "hunter2")
			wantOpen(t, writer, "o", sealed, "hunter2")
			wantCalls(t, fake, 1, 0) // who sealed it need not ask to open it
			wantOpen(t, reader, "o", sealed, "hunter2")
			wantCalls(t, fake, 1, 1)
			c.move(tc.age - time.Nanosecond)
			seal(t, writer, "o", "hunter2")
			wantOpen(t, writer, "o", sealed, "hunter2")
			wantOpen(t, reader, "o", sealed, "hunter2")
			wantCalls(t, fake, 1, 1)
			c.move(time.Nanosecond)
			wantOpen(t, reader, "o", sealed, "hunter2")
			wantCalls(t, fake, 1, 2)
			seal(t, writer, "o", "hunter2")
			wantCalls(t, fake, 2, 2)
			wantOpen(t, writer, "o", sealed, "hunter2")
			wantCalls(t, fake, 2, 3)
		})
	}
}

// An age is counted from before the call that brought the key, and a clock that goes back makes no key younger.
func TestAgeOfASlowCall(t *testing.T) {
	t.Parallel()
	fake, c := newFake(), newClock()
	v := New(config(direct{handler: fake, before: func(*http.Request) error { c.move(time.Minute); return nil }}), Options{KeyID: keyID, Now: c.now})
	seal(t, v, "o", "x")
	c.move(4*time.Minute - time.Nanosecond)
	seal(t, v, "o", "x")
	wantCalls(t, fake, 1, 0)
	c.move(time.Nanosecond)
	sealed := seal(t, v, "o", "x")
	wantCalls(t, fake, 2, 0)
	c.move(-time.Hour)
	wantOpen(t, v, "o", sealed, "x")
	seal(t, v, "o", "x")
	wantCalls(t, fake, 3, 1)
}

// What is too old is not only unused but gone.
func TestOldKeysGo(t *testing.T) {
	t.Parallel()
	fake, c := newFake(), newClock()
	reader := newVault(fake, c.now)
	for range 5 {
		wantOpen(t, reader, "o", seal(t, newVault(fake, c.now), "o", "x"), "x")
	}
	seal(t, reader, "o", "x")
	ring := reader.keys.(*keyring)
	if got := len(ring.kept); got != 6 || ring.current == nil {
		t.Errorf("got %d keys, %v; want 6, and one that seals", got, ring.current)
	}
	fresh := seal(t, newVault(fake, c.now), "o", "x")
	c.move(time.Hour)
	wantOpen(t, reader, "o", fresh, "x")
	if got := len(ring.kept); got != 1 || ring.current != nil {
		t.Errorf("got %d keys, %v; want the one that was asked for, and none that seals", got, ring.current)
	}
}

func TestNewKeyAfterManySeals(t *testing.T) {
	t.Parallel()
	fake := newFake()
	v := newVault(fake, nil)
	v.keys.(*keyring).maxSeals = 10
	var sealed [][]byte
	for range 25 {
		sealed = append(sealed, seal(t, v, "o", "x"))
	}
	wantCalls(t, fake, 3, 0)
	for _, s := range sealed {
		wantOpen(t, v, "o", s, "x")
	}
	wantCalls(t, fake, 3, 0)
}

// Memory holds the keys that were used last, and never more than its bound.
func TestBound(t *testing.T) {
	t.Parallel()
	fake := newFake()
	reader := newVault(fake, newClock().now)
	var sealed [][]byte
	for i := range maxKeys + 2 {
		sealed = append(sealed, seal(t, newVault(fake, nil), "o", fmt.Sprint(i)))
	}
	for i := range maxKeys {
		wantOpen(t, reader, "o", sealed[i], fmt.Sprint(i))
	}
	wantCalls(t, fake, maxKeys+2, maxKeys)
	wantOpen(t, reader, "o", sealed[0], "0") // so that 1 is the one that was not used for longest
	wantOpen(t, reader, "o", sealed[maxKeys], fmt.Sprint(maxKeys))
	wantCalls(t, fake, maxKeys+2, maxKeys+1)
	wantOpen(t, reader, "o", sealed[0], "0")
	wantOpen(t, reader, "o", sealed[2], "2")
	wantCalls(t, fake, maxKeys+2, maxKeys+1)
	wantOpen(t, reader, "o", sealed[1], "1")
	wantCalls(t, fake, maxKeys+2, maxKeys+2)
	if got := len(reader.keys.(*keyring).kept); got != maxKeys {
		t.Errorf("got %d keys in memory, want %d", got, maxKeys)
	}
}

// gate holds the first request until it is opened, or until its caller leaves.
type gate struct {
	first chan struct{}
	open  chan struct{}
}

func newGate() gate { return gate{first: make(chan struct{}, 1), open: make(chan struct{})} }

func (g gate) before(r *http.Request) error {
	select {
	case g.first <- struct{}{}:
	default:
		return nil
	}
	select {
	case <-g.open:
		return nil
	case <-r.Context().Done():
		return r.Context().Err()
	}
}

// crowd is n callers at the same time, the first of them with a ctx of its own.
func crowd(t *testing.T, n int, first context.Context, call func(context.Context) error) []chan error {
	t.Helper()
	var all []chan error
	for i := range n {
		ctx := t.Context()
		if i == 0 {
			ctx = first
		}
		done := make(chan error, 1)
		all = append(all, done)
		go func() { done <- call(ctx) }()
		synctest.Wait() // each waits before the next one comes, so it is the first that asks
	}
	return all
}

// crowds are the two calls in which many may want one key.
func crowds(t *testing.T, run func(t *testing.T, g gate, call func(context.Context) error, requests func() int)) {
	t.Helper()
	t.Run("open", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			fake, g := newFake(), newGate()
			sealed := seal(t, newVault(fake, nil), "o", "hunter2")
			v := New(config(direct{fake, g.before}), Options{KeyID: keyID})
			run(t, g, func(ctx context.Context) error {
				got, err := v.Open(ctx, "o", sealed)
				if err == nil && string(got) != "hunter2" {
					return fmt.Errorf("got %q", got)
				}
				return err
			}, func() int { return fake.Calls("Decrypt") })
		})
	})
	t.Run("seal", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			fake, g := newFake(), newGate()
			v := New(config(direct{fake, g.before}), Options{KeyID: keyID})
			run(t, g, func(ctx context.Context) error {
				_, err := v.Seal(ctx, "o", []byte("hunter2"))
				return err
			}, func() int { return fake.Calls("GenerateDataKey") })
		})
	})
}

// Fifty who want the same key at the same time make one request.
func TestOneAsks(t *testing.T) {
	t.Parallel()
	crowds(t, func(t *testing.T, g gate, call func(context.Context) error, requests func() int) {
		all := crowd(t, 50, t.Context(), call)
		close(g.open)
		for i, done := range all {
			if err := <-done; err != nil {
				t.Errorf("caller %d: got %v, want no error", i, err)
			}
		}
		if got := requests(); got != 1 {
			t.Errorf("got %d requests, want 1", got)
		}
	})
}

// The one who asks leaves: he fails, and one of the others asks in his place.
func TestTheOneWhoAsksLeaves(t *testing.T) {
	t.Parallel()
	crowds(t, func(t *testing.T, _ gate, call func(context.Context) error, requests func() int) {
		ctx, leave := context.WithCancel(t.Context())
		all := crowd(t, 50, ctx, call)
		leave()
		for i, done := range all {
			err := <-done
			if i == 0 {
				wantFault(t, err, fault.Unavailable, "cancelled", "data key")
				if !errors.Is(err, context.Canceled) {
					t.Errorf("got %v, want context.Canceled in it", err)
				}
			} else if err != nil {
				t.Errorf("caller %d: got %v, want no error", i, err)
			}
		}
		if got := requests(); got != 1 { // his never arrived
			t.Errorf("got %d requests, want 1", got)
		}
	})
}

// One of those who wait leaves at once, and nobody else notices.
func TestOneWhoWaitsLeaves(t *testing.T) {
	t.Parallel()
	crowds(t, func(t *testing.T, g gate, call func(context.Context) error, requests func() int) {
		all := crowd(t, 3, t.Context(), call)
		ctx, leave := context.WithTimeout(t.Context(), time.Second)
		defer leave()
		begin := time.Now()
		err := call(ctx)
		wantFault(t, err, fault.Unavailable, "cancelled", "wait for a data key")
		if took := time.Since(begin); took != time.Second || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v after %v, want the deadline after a second", err, took)
		}
		close(g.open)
		for i, done := range all {
			if err := <-done; err != nil {
				t.Errorf("caller %d: got %v, want no error", i, err)
			}
		}
		if got := requests(); got != 1 {
			t.Errorf("got %d requests, want 1", got)
		}
	})
}

// A refusal is one for all who wait, and the next call asks again.
func TestRefusalIsShared(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		fake, g := newFake(), newGate()
		sealed := seal(t, newVault(fake, nil), "o", "hunter2")
		cancel := fake.Inject(deny)
		v := New(config(direct{fake, g.before}), Options{KeyID: keyID})
		all := crowd(t, 10, t.Context(), func(ctx context.Context) error {
			_, err := v.Open(ctx, "o", sealed)
			return err
		})
		close(g.open)
		for _, done := range all {
			wantFault(t, <-done, fault.Unavailable, "secrets-denied", "KEFU_KMS_KEY")
		}
		wantCalls(t, fake, 1, 1)
		cancel()
		wantOpen(t, v, "o", sealed, "hunter2")
		wantCalls(t, fake, 1, 2)
	})
}

// A call that panics takes its own caller down and lets the others go on.
func TestPanicLands(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		fake, g := newFake(), newGate()
		sealed := seal(t, newVault(fake, nil), "o", "hunter2")
		first := true
		v := New(config(direct{fake, func(r *http.Request) error {
			err := g.before(r)
			if first {
				first = false
				panic("a bug of the client")
			}
			return err
		}}), Options{KeyID: keyID})
		all := crowd(t, 3, t.Context(), func(ctx context.Context) (err error) {
			defer func() {
				if p := recover(); p != nil {
					err = fmt.Errorf("%v", p)
				}
			}()
			_, err = v.Open(ctx, "o", sealed)
			return err
		})
		close(g.open)
		if err := <-all[0]; err == nil || err.Error() != "a bug of the client" {
			t.Errorf("got %v, want the panic", err)
		}
		for _, done := range all[1:] {
			if err := <-done; err != nil {
				t.Errorf("got %v, want no error", err)
			}
		}
	})
}
