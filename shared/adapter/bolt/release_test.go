package bolt

import (
	"path/filepath"
	"testing"
	"time"
)

// TestReleaseOnOpen: what a process took and never acknowledged is ready for the
// next one at once, in its place, with the delivery counted; delays go on.
func TestReleaseOnOpen(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 21, 8, 0, 0, 0, time.UTC)
	o := Options{Path: filepath.Join(t.TempDir(), "kefu.db"), Now: func() time.Time { return now }}
	open := func() (*DB, *Queue) {
		t.Helper()
		d, err := Open(o)
		if err != nil {
			t.Fatal(err)
		}
		q := d.Queue("q", QueueOptions{Visibility: time.Hour, MaxReceives: 5})
		return d, q
	}
	d, q := open()
	ctx := t.Context()
	for _, m := range []struct {
		body  string
		delay time.Duration
	}{{"first", 0}, {"second", 0}, {"later", time.Minute}} {
		if err := q.Send(ctx, "g", m.delay, []byte(m.body)); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := q.Receive(ctx, 1); err != nil || len(got) != 1 || string(got[0].Body) != "first" {
		t.Fatalf("got %v, %v", got, err)
	}
	if got, err := q.Receive(ctx, 1); err != nil || len(got) != 0 {
		t.Fatalf("the group is not locked: %v, %v", got, err)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	d, q = open()
	defer func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	}()
	for i, want := range []struct {
		body     string
		receives int
	}{{"first", 2}, {"second", 1}, {"later", 1}} {
		if i == 2 {
			now = now.Add(time.Minute)
		}
		got, err := q.Receive(ctx, 10)
		if err != nil || len(got) != 1 || string(got[0].Body) != want.body || got[0].Receives != want.receives {
			t.Fatalf("after opening again: %v, %v; want %+v", got, err, want)
		}
		if err := q.Ack(ctx, got[0].Receipt); err != nil {
			t.Fatal(err)
		}
	}
}
