package lambda

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestMain lets this program be a host of the probe, for TestKilledHostLeavesNothing.
func TestMain(m *testing.M) {
	binary := os.Getenv("KEFU_PLAY_HOST")
	if binary == "" {
		os.Exit(m.Run())
	}
	f := New(Options{Name: "probe", Binary: binary})
	if err := f.Warm(context.Background(), 2); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	// One waits for an event, the other has one that doesn't end.
	_, _ = f.Invoke(context.Background(), []byte(`"hang `+os.Getenv("KEFU_PLAY_ADDRESS")+`"`))
}

// TestKilledHostLeavesNothing: a host that is killed takes its functions along.
func TestKilledHostLeavesNothing(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	if err := Build(t.Context(), folder, "kefu/infra/local/lambda/testdata/probe"); err != nil {
		t.Fatal(err)
	}
	binary := filepath.Join(folder, "probe")
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self)
	begun := make(chan struct{})
	listener := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { close(begun) }))
	defer listener.Close()
	cmd.Env, cmd.Stderr = append(os.Environ(), "KEFU_PLAY_HOST="+binary, "KEFU_PLAY_ADDRESS="+listener.URL), os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	<-begun
	if got := running(t, binary); got != 2 {
		t.Errorf("got %d processes, want 2", got)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	deadline := time.NewTimer(10 * time.Second)
	defer deadline.Stop()
	again := time.NewTicker(5 * time.Millisecond)
	defer again.Stop()
	for running(t, binary) > 0 {
		select {
		case <-again.C:
		case <-deadline.C:
			t.Fatalf("got %d processes 10 s after the kill, want none", running(t, binary))
		}
	}
}

// running counts the processes of a binary.
func running(t *testing.T, binary string) int {
	t.Helper()
	links, err := filepath.Glob("/proc/[0-9]*/exe")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, link := range links {
		if at, err := os.Readlink(link); err == nil && strings.HasPrefix(at, binary) { // others come and go
			n++
		}
	}
	return n
}
