package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"kefu/shared/adapter/bolt"
	"kefu/shared/core/fault"
	"kefu/shared/faas"
)

// TestPoison: a message that always fails ends among the dead letters; those
// behind it in its group and those beside it pass, in order, and it can be sent again.
func TestPoison(t *testing.T) {
	t.Parallel()
	c := &clock{}
	db, err := bolt.Open(bolt.Options{Path: filepath.Join(t.TempDir(), "kefu.db"), Now: c.Now})
	if err != nil {
		t.Fatal(err)
	}
	q := db.Queue("q", bolt.QueueOptions{Visibility: time.Minute, MaxReceives: 5})
	var mu sync.Mutex
	passed := map[string][]string{}
	healed, tries := false, 0
	consumer := &consumer{
		name: "q", source: &kept{queue: q, now: c.Now}, workers: 2, limit: time.Second, log: slog.New(slog.DiscardHandler),
		handler: faas.Batch(func(_ context.Context, m faas.Message) error {
			mu.Lock()
			defer mu.Unlock()
			if m.Body == "poison" && !healed {
				tries++
				return errors.New("this one never works")
			}
			passed[m.Group] = append(passed[m.Group], m.Body)
			return nil
		}, faas.Logger(slog.New(slog.DiscardHandler))),
	}
	ctx, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { consumer.run(ctx) })
	defer func() {
		stop()
		running.Wait()
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}()
	for i, body := range []string{"1", "poison", "2", "3"} {
		if err := q.Send(ctx, "mei", 0, []byte(body)); err != nil {
			t.Fatal(err)
		}
		if err := q.Send(ctx, "lin", 0, []byte(fmt.Sprint(i))); err != nil {
			t.Fatal(err)
		}
	}
	has := func(group string, want ...string) func() (bool, error) {
		return func() (bool, error) {
			c.Forward(time.Second) // pauses between the tries go by
			mu.Lock()
			defer mu.Unlock()
			return slices.Equal(passed[group], want), nil
		}
	}
	for what, ok := range map[string]func() (bool, error){
		"the neighbours pass": has("lin", "0", "1", "2", "3"), "its group goes on": has("mei", "1", "2", "3"),
	} {
		if err := until(ctx, what, ok); err != nil {
			t.Fatal(err)
		}
	}
	if tries != 5 {
		t.Errorf("it was tried %d times, want 5", tries)
	}
	letters, err := q.Dead(ctx, 10)
	if err != nil || len(letters) != 1 || string(letters[0].Body) != "poison" || letters[0].Receives != 5 {
		t.Fatalf("dead letters: %+v, %v", letters, err)
	}
	mu.Lock()
	healed = true
	mu.Unlock()
	if n, err := q.Redrive(ctx, letters[0].ID); err != nil || n != 1 {
		t.Fatalf("sent again %d, %v", n, err)
	}
	if err := until(ctx, "it passes", has("mei", "1", "2", "3", "poison")); err != nil {
		t.Fatal(err)
	}
}

// TestBadEnvironment: what can't work is said at once, by name.
func TestBadEnvironment(t *testing.T) {
	t.Parallel()
	busy := filepath.Join(t.TempDir(), "kefu.db")
	db, err := bolt.Open(bolt.Options{Path: busy})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}()
	for what, tt := range map[string]struct {
		env  map[string]string
		want string
	}{
		"offset":           {map[string]string{"KEFU_CLOCK_OFFSET": "two days"}, "KEFU_CLOCK_OFFSET"},
		"address":          {map[string]string{"KEFU_ADDR": "nowhere", "KEFU_DATA": t.TempDir()}, "KEFU_ADDR"},
		"somebody's data":  {map[string]string{"KEFU_ADDR": "127.0.0.1:0", "KEFU_DATA": filepath.Dir(busy)}, "KEFU_DATA"},
		"two at once":      {map[string]string{"KEFU_CLOCK_OFFSET": "x", "KEFU_SECRET_KEY": "y"}, "KEFU_SECRET_KEY"},
		"a short key":      {map[string]string{"KEFU_ADMIN_KEY": "short"}, "KEFU_ADMIN_KEY"},
		"a folder of root": {map[string]string{"KEFU_ADDR": "127.0.0.1:0", "KEFU_DATA": "/proc/kefu"}, "KEFU_DATA"},
	} {
		err := run(t.Context(), func(name string) string { return tt.env[name] }, nil)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want an error that names %s", what, err, tt.want)
		}
	}
}

// TestRests: where the function gives back what failed, its pause counts, and not the poller's.
func TestRests(t *testing.T) {
	t.Parallel()
	c := &clock{}
	db, err := bolt.Open(bolt.Options{Path: filepath.Join(t.TempDir(), "kefu.db"), Now: c.Now})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}()
	q := db.Queue("q", bolt.QueueOptions{Visibility: time.Minute, MaxReceives: 5})
	works := &consumer{
		name: "q", source: &kept{queue: q, now: c.Now, rests: true}, log: slog.New(slog.DiscardHandler),
		handler: faas.Batch(func(context.Context, faas.Message) error {
			return fault.Later("not-told", "", time.Hour)
		}, faas.Logger(slog.New(slog.DiscardHandler)), faas.Returned(func(ctx context.Context, m faas.Message, after time.Duration) error {
			return q.Retry(ctx, m.Receipt, after)
		})),
	}
	for _, group := range []string{"mei", "lin"} {
		if err := q.Send(t.Context(), group, 0, []byte("m")); err != nil {
			t.Fatal(err)
		}
	}
	batch := works.next(t.Context())
	if len(batch) != 1 {
		t.Errorf("got a batch of %d, want one message: nobody waits for another's receiver", len(batch))
	}
	works.work(t.Context(), batch)
	works.work(t.Context(), works.next(t.Context()))
	c.Forward(59 * time.Minute)
	if list, err := q.Receive(t.Context(), 10); err != nil || len(list) != 0 {
		t.Errorf("after 59 minutes: got %d messages, %v, want none yet", len(list), err)
	}
	c.Forward(2 * time.Minute)
	if list, err := q.Receive(t.Context(), 10); err != nil || len(list) != 2 {
		t.Errorf("after an hour: got %d messages, %v, want both", len(list), err)
	}
}
