package faas

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"kefu/shared/core/fault"
)

// TestMain keeps the log lines that builds write to slog's default out of the tests' output.
func TestMain(m *testing.M) {
	slog.SetDefault(slog.New(slog.DiscardHandler))
	os.Exit(m.Run())
}

var errBuild = errors.New("TABLE is missing")

func same(_ context.Context, payload []byte) ([]byte, error) { return payload, nil }

// TestLazyShares: callers that come during a build wait for it, share its outcome, good or bad, and build no second
// time.
func TestLazyShares(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var builds atomic.Int32
		l := &lazy{build: func(context.Context) (Handler, error) {
			n := builds.Add(1)
			time.Sleep(time.Second)
			if n == 1 {
				return nil, errBuild
			}
			return same, nil
		}}
		round := func(check func(answer []byte, err error)) {
			var calls sync.WaitGroup
			for range 20 {
				calls.Go(func() { check(l.Invoke(t.Context(), []byte("x"))) })
			}
			calls.Wait()
		}
		round(func(_ []byte, err error) {
			if !errors.Is(err, errBuild) || fault.KindOf(err) != fault.Unavailable || fault.CodeOf(err) != "not-ready" {
				t.Errorf("first round: got error %v, want the reason, as unavailable not-ready", err)
			}
		})
		for range 2 {
			round(func(answer []byte, err error) {
				if string(answer) != "x" || err != nil {
					t.Errorf("got %q, %v, want the payload back", answer, err)
				}
			})
		}
		if got := builds.Load(); got != 2 {
			t.Errorf("builds: got %d, want 2", got)
		}
	})
}

// TestLazyWaiterLeaves: a caller whose time is up doesn't wait for somebody else's build.
func TestLazyWaiterLeaves(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := &lazy{build: func(context.Context) (Handler, error) {
			time.Sleep(time.Minute)
			return same, nil
		}}
		var leader sync.WaitGroup
		leader.Go(func() {
			if _, err := l.Invoke(t.Context(), nil); err != nil {
				t.Errorf("leader: got %v, want none", err)
			}
		})
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		_, err := l.Invoke(ctx, nil)
		if took := time.Since(start); took != time.Second || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("waiter: got %v after %v, want its deadline", err, took)
		}
		leader.Wait()
	})
}

// TestLazyBadBuilds: no way in which a constructor ends may block later calls.
func TestLazyBadBuilds(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		build  func() (Handler, error)
		reason string
	}{
		"error":   {func() (Handler, error) { return nil, errBuild }, "TABLE is missing"},
		"both":    {func() (Handler, error) { return same, errBuild }, "TABLE is missing"},
		"nothing": {func() (Handler, error) { return nil, nil }, "gave no handler"},
		"panic":   {func() (Handler, error) { panic("4711") }, "panic: string"},
		"exit":    {func() (Handler, error) { runtime.Goexit(); return nil, nil }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			builds := 0
			l := &lazy{build: func(context.Context) (Handler, error) {
				if builds++; builds == 1 {
					return tc.build()
				}
				return same, nil
			}}
			done := make(chan struct{})
			go func() { // Goexit ends this goroutine
				defer close(done)
				_, err := l.Invoke(t.Context(), nil)
				if err == nil || !strings.Contains(err.Error(), tc.reason) || strings.Contains(err.Error(), "4711") {
					t.Errorf("got error %v, want %q in it and no content", err, tc.reason)
				}
			}()
			<-done
			if answer, err := l.Invoke(t.Context(), []byte("x")); string(answer) != "x" || err != nil {
				t.Errorf("next call: got %q, %v, want the payload back", answer, err)
			}
		})
	}
}

// FuzzAppendString: what appendString writes, encoding/json reads, and reads as its own output.
func FuzzAppendString(f *testing.F) {
	for _, s := range []string{"", "abc", "你好", "a\"b\\c\n\r\t\x00\x1f", "\xff\xfe", "\xe4\xbd", "<&>\u2028", "\U0001F600"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		written := appendString([]byte("["), s)
		var got [1]string
		if err := json.Unmarshal(append(bytes.Clone(written), ']'), &got); err != nil {
			t.Fatalf("%q was written as %s: %v", s, written[1:], err)
		}
		std, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		var want string
		if err := json.Unmarshal(std, &want); err != nil {
			t.Fatal(err)
		}
		if got[0] != want {
			t.Errorf("%q came back as %q, want %q", s, got[0], want)
		}
	})
}
