//go:build linux

package main

import (
	"bufio"
	"context"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"kefu/infra/emulator/engine"
)

// A wrapper that is killed takes its engines and its command along.
func TestKilledWrapperLeavesNothing(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("starts Java")
	}
	cmd := emulator(t, []string{"KEFU_TEST_DYNAMODB="}, "with", "--", "/bin/sh", "-c", "echo $KEFU_TEST_DYNAMODB; echo $KEFU_TEST_SQS; exec sleep 60")
	borrow(t, filepath.Join(cmd.Dir, engine.DefaultCache))
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	said := bufio.NewReader(out)
	var addresses []string
	for range 2 {
		line, err := said.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		addresses = append(addresses, strings.TrimSpace(line))
	}
	if err := cmd.Process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	// The pipe ends when the command, which holds it too, is gone: long before its minute is over.
	if rest, err := said.ReadString('\n'); err == nil {
		t.Errorf("got %q, want the end", rest)
	}
	_ = cmd.Wait()
	for _, a := range addresses {
		if !dies(t, a) {
			t.Errorf("%s: got answers for 10 s after the kill, want none", a)
		}
	}
}

// dies asks until nobody answers: a killed process takes a moment to be gone.
func dies(t *testing.T, address string) bool {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	for {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			return ctx.Err() == nil
		}
		_ = resp.Body.Close()
	}
}

// borrow puts the repository's engines into a cache of the test's own, without a running session.
func borrow(t *testing.T, cache string) {
	t.Helper()
	if err := os.MkdirAll(cache, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, main := range []string{"dynamodb-*/DynamoDBLocal.jar", "fauxqs-*/launch.mjs"} {
		found, err := filepath.Glob(filepath.Join("..", "..", engine.DefaultCache, main))
		if err != nil {
			t.Fatal(err)
		}
		if len(found) == 0 {
			const why = "%s is not fetched: `make test` does it"
			if os.Getenv("CI") == "true" {
				t.Fatalf(why, main)
			}
			t.Skipf(why, main)
		}
		for _, f := range found {
			at, err := filepath.Abs(filepath.Dir(f))
			if err != nil {
				t.Fatal(err)
			}
			if err := os.Symlink(at, filepath.Join(cache, filepath.Base(at))); err != nil {
				t.Fatal(err)
			}
		}
	}
}
