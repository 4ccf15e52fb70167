package bolt

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"testing"

	"kefu/shared/core/fault"
	"kefu/shared/core/message"
	"kefu/shared/core/tenant"
)

// fresh opens a file of the test's own.
func fresh(t testing.TB, o Options) *DB {
	t.Helper()
	o.Path = filepath.Join(t.TempDir(), "kefu.db")
	d, err := Open(o)
	if err != nil {
		t.Fatalf("open: got error %v; want none", err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Errorf("close: got error %v; want none", err)
		}
	})
	return d
}

// commits is how many transactions have been committed.
func commits(t *testing.T, d *DB) (n int) {
	t.Helper()
	if err := d.view(t.Context(), func(tx *tx) error { n = tx.ID(); return nil }); err != nil {
		t.Fatalf("view: got error %v; want none", err)
	}
	return n
}

// stopped holds the writer inside a change, so that others gather behind it. The func lets it go on and returns
// when that change is done.
func stopped(t *testing.T, d *DB) (goOn func()) {
	t.Helper()
	inside, gate, done := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	go func() {
		done <- d.update(context.Background(), func(*tx) error {
			close(inside)
			<-gate
			return nil
		})
	}()
	<-inside
	return func() {
		close(gate)
		if err := <-done; err != nil {
			t.Errorf("the change that waited: got error %v; want none", err)
		}
	}
}

// queued waits until n changes wait.
func queued(d *DB, n int) {
	for {
		d.writer.mu.Lock()
		waiting := len(d.writer.waiting)
		d.writer.mu.Unlock()
		if waiting >= n {
			return
		}
	}
}

func put(k, v string) func(*tx) error {
	return func(t *tx) error {
		t.put(inTenant, key(k), []byte(v))
		return nil
	}
}

func read(t *testing.T, d *DB, k string) (v string) {
	t.Helper()
	if err := d.view(t.Context(), func(t *tx) error { v = string(t.get(inTenant, key(k))); return nil }); err != nil {
		t.Fatalf("view: got error %v; want none", err)
	}
	return v
}

// What waits together is committed together, up to the size of a group.
func TestChangesShareCommits(t *testing.T) {
	t.Parallel()
	d := fresh(t, Options{})
	before := commits(t, d)
	goOn := stopped(t, d)
	const n = 2*groupSize + 1
	errs := make(chan error, n)
	for i := range n {
		go func() { errs <- d.update(context.Background(), put(fmt.Sprint(i), "v")) }()
	}
	queued(d, n)
	goOn()
	for range n {
		if err := <-errs; err != nil {
			t.Errorf("change: got error %v; want none", err)
		}
	}
	if made := commits(t, d) - before; made != 3 {
		t.Errorf("%d changes: got %d commits; want 3", n, made)
	}
}

// A change that fails, in whatever way, takes nobody with it and leaves nothing.
func TestFailingChangeStandsAlone(t *testing.T) {
	t.Parallel()
	refused := fault.New(fault.Conflict, "no", "")
	for name, bad := range map[string]struct {
		fn   func(*tx) error
		kind fault.Kind
	}{
		"before it wrote": {func(*tx) error { return refused }, fault.Conflict},
		"after it wrote": {func(t *tx) error {
			t.put(inTenant, key("bad"), []byte("bad"))
			t.put(inTenant, key("k3"), []byte("bad"))
			return refused
		}, fault.Conflict},
		"with a panic": {func(t *tx) error {
			t.put(inTenant, key("bad"), []byte("bad"))
			panic("a mistake")
		}, fault.Internal},
		"with a key that is too long": {func(t *tx) error {
			t.put(inTenant, key("bad"), []byte("bad"))
			t.put(inTenant, make(key, 40_000), []byte("bad"))
			return nil
		}, fault.Invalid},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := fresh(t, Options{})
			goOn := stopped(t, d)
			var all sync.WaitGroup
			for i := range 20 {
				all.Go(func() {
					fn := put(fmt.Sprintf("k%d", i), "good")
					if i%4 == 1 {
						fn = bad.fn
					}
					err := d.update(context.Background(), fn)
					if i%4 == 1 && (err == nil || fault.KindOf(err) != bad.kind) {
						t.Errorf("bad change: got error %v; want kind %s", err, bad.kind)
					}
					if i%4 != 1 && err != nil {
						t.Errorf("good change %d: got error %v; want none", i, err)
					}
				})
			}
			queued(d, 20)
			goOn()
			all.Wait()
			for i := range 20 {
				want := "good"
				if i%4 == 1 {
					want = ""
				}
				if v := read(t, d, fmt.Sprintf("k%d", i)); v != want {
					t.Errorf("k%d: got %q; want %q", i, v, want)
				}
			}
			if v := read(t, d, "bad"); v != "" {
				t.Errorf("what a failed change wrote: got %q; want nothing", v)
			}
		})
	}
}

// A change whose caller leaves while it waits is never made; one that has begun is finished.
func TestLeavingWithdraws(t *testing.T) {
	t.Parallel()
	d := fresh(t, Options{})
	goOn := stopped(t, d)
	ctx, cancel := context.WithCancel(t.Context())
	left := make(chan error, 1)
	go func() { left <- d.update(ctx, put("left", "v")) }()
	queued(d, 1)
	cancel()
	if err := <-left; fault.KindOf(err) != fault.Unavailable || !errors.Is(err, context.Canceled) {
		t.Errorf("left: got error %v; want unavailable, cancelled", err)
	}
	goOn()

	ctx, cancel = context.WithCancel(t.Context())
	err := d.update(ctx, func(t *tx) error {
		cancel()
		t.put(inTenant, key("begun"), []byte("v"))
		return nil
	})
	if err != nil || read(t, d, "begun") != "v" {
		t.Errorf("begun: got error %v, value %q; want it made", err, read(t, d, "begun"))
	}
	if v := read(t, d, "left"); v != "" {
		t.Errorf("withdrawn: got %q; want nothing", v)
	}
}

// Close makes what was accepted and refuses what comes later, whoever wins the race.
func TestCloseWhileWriting(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "kefu.db")
	d, err := Open(Options{Path: path})
	if err != nil {
		t.Fatalf("open: got error %v; want none", err)
	}
	var all sync.WaitGroup
	made := make([]bool, 200)
	for i := range made {
		all.Go(func() {
			_, err := d.Store().PutTenant(context.Background(), tenant.Tenant{ID: tenant.ID(fmt.Sprint(i))})
			if made[i] = err == nil; err != nil && fault.CodeOf(err) != "store-closed" {
				t.Errorf("PutTenant: got error %v; want none or store-closed", err)
			}
		})
	}
	if err := d.Close(); err != nil {
		t.Fatalf("close: got error %v; want none", err)
	}
	all.Wait()
	if d, err = Open(Options{Path: path}); err != nil {
		t.Fatalf("open: got error %v; want none", err)
	}
	for i, ok := range made {
		_, err := d.Store().Tenant(t.Context(), tenant.ID(fmt.Sprint(i)))
		if ok != (err == nil) {
			t.Errorf("tenant %d: acknowledged %v, but reading gives error %v", i, ok, err)
		}
	}
	if err := d.Close(); err != nil {
		t.Fatalf("close: got error %v; want none", err)
	}
}

// A failed condition and a change that changes nothing cost no commit.
func TestNothingWrittenIsNotCommitted(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	d := fresh(t, Options{})
	s, q := d.Store(), d.Queue("q", QueueOptions{})
	if err := q.Send(ctx, "g", 0, []byte("b")); err != nil {
		t.Fatalf("Send: got error %v; want none", err)
	}
	list, err := q.Receive(ctx, 1)
	if err != nil || len(list) != 1 {
		t.Fatalf("Receive: got %d messages, error %v; want 1", len(list), err)
	}
	end := message.Settlement{Message: "s-1", State: message.Sent}
	if err := s.PutMessage(ctx, message.Message{ID: "s-1", N: 1, Session: "s"}); err != nil {
		t.Fatalf("PutMessage: got error %v; want none", err)
	}
	if wrote, err := s.SettleMessage(ctx, end); err != nil || !wrote {
		t.Fatalf("SettleMessage: got %v, error %v; want it written", wrote, err)
	}
	before := commits(t, d)
	for name, call := range map[string]func() error{
		"empty Receive":   func() error { _, err := q.Receive(ctx, 10); return err },
		"stale Ack":       func() error { return q.Ack(ctx, "00000000000000ff.1") },
		"second Settle":   func() error { _, err := s.SettleMessage(ctx, end); return err },
		"FreeSeat":        func() error { return s.FreeSeat(ctx, "t", "a", "s", d.utcNow()) },
		"DeleteMedia":     func() error { return s.DeleteMedia(ctx, "m") },
		"AbandonCall":     func() error { return s.AbandonCall(ctx, "t", "k") },
		"Clean":           func() error { _, err := s.Clean(ctx, d.utcNow(), 10); return err },
		"Redrive of none": func() error { _, err := q.Redrive(ctx); return err },
	} {
		if err := call(); err != nil {
			t.Errorf("%s: got error %v; want none", name, err)
		}
		if made := commits(t, d) - before; made != 0 {
			t.Errorf("%s: got %d commits; want none", name, made)
		}
	}
}
