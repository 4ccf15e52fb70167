package engine

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// keeping runs Keep until the test ends it, and gives what it found of its engines and the end of Keep.
func keeping(t *testing.T, o Options) (found *Engines, stop context.CancelFunc, ended <-chan error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	end := make(chan error, 1)
	go func() { end <- Keep(ctx, o) }()
	again := time.NewTicker(10 * time.Millisecond)
	defer again.Stop()
	for found == nil {
		select {
		case err := <-end:
			cancel()
			t.Fatalf("Keep ended with %v", err)
		case <-again.C:
		}
		var err error
		if found, err = Find(t.Context(), o); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(cancel)
	return found, cancel, end
}

func TestKeepAndFind(t *testing.T) {
	t.Parallel()
	o := Options{Cache: fetched(t), lookPath: tools(t, healthy)}
	if e, err := Find(t.Context(), o); e != nil || err != nil {
		t.Fatalf("before Keep: got %v, %v; want nothing", e, err)
	}
	e, stop, ended := keeping(t, o)
	if err := Keep(t.Context(), o); err != nil {
		t.Errorf("a second Keep: got %v, want nil at once", err)
	}
	e.Stop()
	if err := get(e.SQS); err != nil {
		t.Errorf("after Stop of found engines: got %v, want them untouched", err)
	}
	stop()
	if err := <-ended; err != nil {
		t.Errorf("Keep: got %v", err)
	}
	if err := get(e.SQS); err == nil {
		t.Error("the engines answer after the end of Keep")
	}
	if e, err := Find(t.Context(), o); e != nil || err != nil {
		t.Errorf("after Keep: got %v, %v; want nothing", e, err)
	}
}

func TestKeepEndsWithItsFolder(t *testing.T) {
	t.Parallel()
	o := Options{Cache: fetched(t), lookPath: tools(t, healthy)}
	e, _, ended := keeping(t, o)
	if err := os.RemoveAll(o.Cache); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err != nil {
		t.Errorf("got %v, want no error", err)
	}
	if err := get(e.DynamoDB); err == nil {
		t.Error("the engines answer although nobody can find them")
	}
}

// A keeper that was killed left a file, and its engines are gone.
func TestStaleSession(t *testing.T) {
	t.Parallel()
	port, err := freePort()
	if err != nil {
		t.Fatal(err)
	}
	o := Options{Cache: t.TempDir()}
	dead := session{Engines: Engines{DynamoDB: address(port), SQS: address(port)}, PID: os.Getpid()}
	if err := o.saveSession(dead); err != nil {
		t.Fatal(err)
	}
	if e, err := Find(t.Context(), o); e != nil || err != nil {
		t.Errorf("Find: got %v, %v; want nothing", e, err)
	}
	// The id may belong to anybody by now, here to the test itself: nobody is killed.
	if found, err := Down(t.Context(), o); found || err != nil {
		t.Errorf("Down: got %v, %v; want nothing found", found, err)
	}
	if _, err := os.Stat(o.statePath()); err == nil {
		t.Error("the stale file is still there")
	}
}

func TestBrokenSession(t *testing.T) {
	t.Parallel()
	o := Options{Cache: t.TempDir()}
	if err := os.WriteFile(filepath.Join(o.Cache, "state.json"), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if e, err := Find(t.Context(), o); err == nil {
		t.Errorf("Find: got %v, want an error", e)
	}
	if _, err := Down(t.Context(), o); err == nil {
		t.Error("Down: got no error")
	}
}
