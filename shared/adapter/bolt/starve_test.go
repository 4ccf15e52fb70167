//go:build unix

package bolt_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"kefu/shared/adapter/bolt"
	"kefu/shared/core/fault"
	"kefu/shared/core/tenant"
)

// fileLimit is the largest file that the starved child may write: bbolt asks for 16 MiB more at once.
const fileLimit = 20 << 20

func init() { roles["starved"] = starved }

// starved is the child whose disk fills up: it sends until it is refused, looks that it can go on, and goes on when
// there is room again.
func starved(path string) int {
	signal.Ignore(syscall.SIGXFSZ)
	if err := starve(context.Background(), path); err != nil {
		fmt.Fprintln(os.Stderr, "child:", err)
		return 1
	}
	return 0
}

func starve(ctx context.Context, path string) error {
	db, err := bolt.Open(bolt.Options{Path: path, Key: [32]byte{1, 2, 3}})
	if err != nil {
		return err
	}
	var old syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &old); err != nil {
		return err
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: fileLimit, Max: old.Max}); err != nil {
		return err
	}
	q := db.Queue("q", bolt.QueueOptions{Visibility: time.Hour})
	sent, refused := fill(ctx, q)
	if fault.KindOf(refused) != fault.Unavailable || sent == 0 {
		return fmt.Errorf("full disk after %d: got error %w; want unavailable", sent, refused)
	}
	// What is there can be read, and what was acknowledged is there.
	list, err := q.Receive(ctx, 1)
	if err != nil && fault.KindOf(err) != fault.Unavailable {
		return fmt.Errorf("receive on a full disk: %w", err)
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &old); err != nil {
		return err
	}
	if err := q.Send(ctx, "", 0, make([]byte, 200<<10)); err != nil {
		return fmt.Errorf("send when there is room again: %w", err)
	}
	found := len(list)
	for {
		list, err := q.Receive(ctx, 100)
		if err != nil {
			return err
		}
		if len(list) == 0 {
			break
		}
		found += len(list)
	}
	if found < sent+1 {
		return fmt.Errorf("got %d messages; want at least the %d that were acknowledged", found, sent+1)
	}
	return db.Close()
}

// fill sends until the first refusal.
func fill(ctx context.Context, q *bolt.Queue) (sent int, refused error) {
	for {
		if err := q.Send(ctx, "", 0, make([]byte, 200<<10)); err != nil {
			return sent, err
		}
		sent++
	}
}

// A full disk is Unavailable for as long as it lasts, and no longer.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	if err := child(t, "starved", filepath.Join(t.TempDir(), "kefu.db")).Run(); err != nil {
		t.Fatalf("child: got error %v; want none", err)
	}
}

// A file that has reached MaxBytes refuses what needs more room, lets everything be read and removed, and then
// takes as much again.
func TestMaxBytes(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	db := open(t, bolt.Options{MaxBytes: 40 << 20})
	q := db.Queue("q", bolt.QueueOptions{Visibility: time.Hour})
	if _, err := db.Store().PutTenant(ctx, tenant.Tenant{ID: "t"}); err != nil {
		t.Fatalf("PutTenant: got error %v; want none", err)
	}
	sent, refused := fill(ctx, q)
	if fault.KindOf(refused) != fault.Unavailable || sent == 0 {
		t.Fatalf("full file after %d: got error %v; want unavailable", sent, refused)
	}
	if errors.Unwrap(refused) == nil {
		t.Errorf("got error %v without a cause", refused)
	}
	if _, err := db.Store().Tenant(ctx, "t"); err != nil {
		t.Errorf("reading from a full file: got error %v; want none", err)
	}
	for n := range sent {
		list, err := q.Receive(ctx, 1)
		if err != nil || len(list) != 1 {
			t.Fatalf("Receive after %d: got %d messages, error %v; want 1", n, len(list), err)
		}
		if err := q.Ack(ctx, list[0].Receipt); err != nil {
			t.Fatalf("Ack after %d: got error %v; want none", n, err)
		}
	}
	if again, _ := fill(ctx, q); again < sent/2 {
		t.Errorf("after %d were removed: got %d that fit; want at least half", sent, again)
	}
}
