package lambda

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"kefu/shared/faas/faastest"
)

func TestFunction(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	if err := Build(t.Context(), folder, "kefu/infra/local/lambda/testdata/probe"); err != nil {
		t.Fatal(err)
	}
	for name, check := range map[string]func(*testing.T, bench){
		"one process for one event after the other": oneAfterTheOther, "a process for each event at once": atOnce,
		"a process that dies is replaced": replaced, "time over": timeOver, "killed": killed, "drained": drained,
		"the caller leaves": left, "no such binary": absent,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			check(t, bench{filepath.Join(folder, "probe")})
		})
	}
}

type bench struct{ binary string }

// hang gives a function events that never end, and returns when each has a process. Then leave has their callers leave,
// and ended tells how each call ended.
func hang(t *testing.T, f *Function, events int) (ended chan error, leave func()) {
	t.Helper()
	begun := make(chan struct{})
	listener := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { begun <- struct{}{} }))
	t.Cleanup(listener.Close)
	ctx, cancel := context.WithCancel(t.Context())
	ended = make(chan error, events)
	for range events {
		go func() {
			_, err := f.Invoke(ctx, []byte(`"hang `+listener.URL+`"`))
			ended <- err
		}()
	}
	for range events {
		<-begun
	}
	return ended, cancel
}

func (b bench) function(t *testing.T, most int) *Function {
	t.Helper()
	f := New(Options{Name: "probe", Binary: b.binary, Env: []string{"PROBE=first"}, Max: most})
	t.Cleanup(f.Close)
	return f
}

// ask gives the number of the process that answered, and its setting.
func ask(t *testing.T, f *Function) (pid, probe string) {
	t.Helper()
	answer, err := f.Invoke(t.Context(), []byte(`"who"`))
	if err != nil {
		t.Errorf("got error %v, want an answer", err)
	}
	pid, probe, _ = strings.Cut(strings.Trim(string(answer), `"`), " ")
	return pid, probe
}

func wantRunning(t *testing.T, f *Function, want int) {
	t.Helper()
	if got := f.Running(); got != want {
		t.Errorf("got %d processes, want %d", got, want)
	}
}

func oneAfterTheOther(t *testing.T, b bench) {
	f := b.function(t, 3)
	wantRunning(t, f, 0)
	first, _ := ask(t, f)
	_, err := f.Invoke(t.Context(), []byte(`"fail"`))
	var reported *faastest.FunctionError
	if !errors.As(err, &reported) || reported.Message != "told to" {
		t.Errorf("got %v, want the function's own error", err)
	}
	if again, _ := ask(t, f); again != first {
		t.Errorf("got process %s after %s, want the same", again, first)
	}
	wantRunning(t, f, 1)
}

// atOnce: two events hang, so that a further one needs a third process; beyond the third there is none.
func atOnce(t *testing.T, b bench) {
	f := b.function(t, 3)
	if err := f.Warm(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	wantRunning(t, f, 1)
	hang(t, f, 2)
	wantRunning(t, f, 2)
	ask(t, f)
	ask(t, f)
	wantRunning(t, f, 3)
	hang(t, f, 1)
	short, stop := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer stop()
	if _, err := f.Invoke(short, nil); !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "no process was free") {
		t.Errorf("beyond Max: got %v, want that no process was free", err)
	}
	wantRunning(t, f, 3)
}

func replaced(t *testing.T, b bench) {
	f := b.function(t, 1)
	first, _ := ask(t, f)
	if _, err := f.Invoke(t.Context(), []byte(`"exit"`)); !errors.Is(err, faastest.ErrExited) {
		t.Errorf("got %v, want %v", err, faastest.ErrExited)
	}
	wantRunning(t, f, 0)
	if next, _ := ask(t, f); next == first || next == "" {
		t.Errorf("got process %q after %q, want another", next, first)
	}
}

func timeOver(t *testing.T, b bench) {
	f := b.function(t, 1)
	f.o.Limit = 2 * time.Second
	first, _ := ask(t, f)
	ended, _ := hang(t, f, 1)
	if err := <-ended; !errors.Is(err, ErrTimeout) {
		t.Errorf("got %v, want %v", err, ErrTimeout)
	}
	wantRunning(t, f, 0)
	if next, _ := ask(t, f); next == first || next == "" {
		t.Errorf("got process %q after %q, want another", next, first)
	}
}

// killed: events under way fail, idle processes are gone, the next event finds a new one.
func killed(t *testing.T, b bench) {
	f := b.function(t, 2)
	if err := f.Warm(t.Context(), 2); err != nil {
		t.Fatal(err)
	}
	first, _ := ask(t, f)
	ended, _ := hang(t, f, 1)
	f.Kill()
	if err := <-ended; !errors.Is(err, faastest.ErrExited) {
		t.Errorf("got %v, want %v", err, faastest.ErrExited)
	}
	wantRunning(t, f, 0)
	if next, _ := ask(t, f); next == first || next == "" {
		t.Errorf("got process %q after %q, want another", next, first)
	}
}

func drained(t *testing.T, b bench) {
	f := b.function(t, 2)
	first, _ := ask(t, f)
	if err := f.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	wantRunning(t, f, 0)
	waiting := make(chan string)
	go func() {
		_, probe := ask(t, f)
		waiting <- probe
	}()
	f.Resume([]string{"PROBE=second"})
	if probe := <-waiting; probe != "second" {
		t.Errorf("got setting %q, want second", probe)
	}
	if next, _ := ask(t, f); next == first {
		t.Error("got the process of before, want another")
	}

	hang(t, f, 1)
	ctx, stop := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer stop()
	if err := f.Drain(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("during an event: got %v, want that it took too long", err)
	}
	ask(t, f) // nothing is held
}

// left: the event goes on without its caller, so its process isn't free.
func left(t *testing.T, b bench) {
	f := b.function(t, 1)
	ended, leave := hang(t, f, 1)
	leave()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want the context's end", err)
	}
	ctx, stop := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer stop()
	if _, err := f.Invoke(ctx, nil); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the next: got %v, want that no process was free", err)
	}
	wantRunning(t, f, 1)
}

func absent(t *testing.T, b bench) {
	b.binary += "-none"
	f := b.function(t, 1)
	for range 2 {
		if _, err := f.Invoke(t.Context(), nil); err == nil || !strings.Contains(err.Error(), "probe-none") {
			t.Errorf("got %v, want an error that names the binary", err)
		}
	}
	if err := f.Warm(t.Context(), 1); err == nil {
		t.Error("Warm: got no error, want one")
	}
}
