package faastest

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// startLimit is how long a function may take until it listens.
const startLimit = 20 * time.Second

// Build compiles the main package pkg, an import path or a directory relative to the test's, with the flags of a
// release, for this machine. More tags may be given, such as noscf for what only Lambda runs. The binary goes with the
// test.
func Build(tb testing.TB, pkg string, tags ...string) string {
	tb.Helper()
	bin := filepath.Join(tb.TempDir(), "bootstrap")
	cmd := exec.CommandContext(tb.Context(), "go", "build", //nolint:gosec // pkg comes from the test's own source
		"-trimpath", "-buildvcs=false", "-tags", strings.Join(append(tags, "lambda.norpc"), ","), "-ldflags", "-s -w", "-o", bin, pkg)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=")
	if out, err := cmd.CombinedOutput(); err != nil {
		tb.Fatalf("go build %s: %v\n%s", pkg, err, out)
	}
	return bin
}

// Process is a function's running process. The end of the test that started it kills it; so does, on Linux, the end of
// the process that did.
type Process struct {
	cmd    *exec.Cmd
	log    string // file that the process writes to by itself, so that nothing lags behind
	exited chan struct{}
}

// Run starts bin as Lambda does, with r's address and the variables env, "NAME=value" each, as its whole
// environment. One process may run under r at a time; after Kill, Run starts the next.
func (r *Runtime) Run(tb testing.TB, bin string, env ...string) *Process {
	tb.Helper()
	return start(tb, bin, append(env, "AWS_LAMBDA_RUNTIME_API="+r.Addr()), r.processGone)
}

// Start is Run for a caller that is no test: what bin writes goes to out, or nowhere when that is nil, and the caller
// has to kill the process. There is no Log.
func (r *Runtime) Start(bin string, out *os.File, env ...string) (*Process, error) {
	return spawn(bin, append(slices.Clip(env), "AWS_LAMBDA_RUNTIME_API="+r.Addr()), out, r.processGone)
}

// RunSCF starts bin as SCF does and connects to it. SCF's own variables go into SCF.Environment; env is for the
// few that the process has from the start.
func RunSCF(tb testing.TB, bin string, env ...string) (*Process, *SCF) {
	tb.Helper()
	port := freePort(tb)
	p := start(tb, bin, append(env, "_LAMBDA_SERVER_PORT="+strconv.Itoa(port)), func() {})
	retry := time.NewTicker(2 * time.Millisecond) // nothing tells when a foreign process listens
	defer retry.Stop()
	limit, cancel := context.WithTimeout(tb.Context(), startLimit)
	defer cancel()
	for {
		client, err := DialSCF(port)
		if err == nil {
			tb.Cleanup(func() { _ = client.Close() }) // fails when the process was killed before
			return p, client
		}
		select {
		case <-retry.C:
		case <-p.exited:
			tb.Fatalf("%s ended before it listened:\n%s", filepath.Base(bin), p.Log())
		case <-limit.Done():
			tb.Fatalf("%s doesn't listen on port %d: %v\n%s", filepath.Base(bin), port, err, p.Log())
		}
	}
}

// Kill ends the process with SIGKILL and returns when it is gone.
func (p *Process) Kill() {
	_ = p.cmd.Process.Kill() // fails when it is gone already
	<-p.exited
}

// Exited is closed when the process has ended.
func (p *Process) Exited() <-chan struct{} { return p.exited }

// Log gives what the process has written so far.
func (p *Process) Log() string {
	text, err := os.ReadFile(p.log)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// start runs bin with env as its whole environment, for a test; see spawn.
func start(tb testing.TB, bin string, env []string, gone func()) *Process {
	tb.Helper()
	log, err := os.CreateTemp(tb.TempDir(), "log")
	if err != nil {
		tb.Fatal(err)
	}
	defer func() { _ = log.Close() }() // the process has its own handle
	p, err := spawn(bin, env, log, gone)
	if err != nil {
		tb.Fatal(err)
	}
	p.log = log.Name()
	tb.Cleanup(p.Kill)
	return p
}

// spawn starts a process on the leash of this one, with its output in a file: so nothing lags behind. Gone is called when
// it has ended, before Exited says so.
func spawn(bin string, env []string, out *os.File, gone func()) (*Process, error) {
	p := &Process{cmd: exec.Command(bin), exited: make(chan struct{})} //nolint:noctx // a binary that the caller built; Kill ends it
	p.cmd.Env = env
	if out != nil {
		p.cmd.Stdout, p.cmd.Stderr = out, out
	}
	leash(p.cmd)
	started := make(chan error)
	go func() {
		// The leash is tied to the thread that starts the child: this one must live as long as the child does.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := p.cmd.Start()
		started <- err
		if err != nil {
			return
		}
		_ = p.cmd.Wait() // how it ended is in its log, or was Kill
		gone()
		close(p.exited)
	}()
	if err := <-started; err != nil {
		return nil, fmt.Errorf("start %s: %w", filepath.Base(bin), err)
	}
	return p, nil
}

// freePort finds a port that nobody listens on now.
func freePort(tb testing.TB) int {
	tb.Helper()
	listener, err := net.Listen("tcp", "localhost:0")
	if err != nil {
		tb.Fatal(err)
	}
	defer func() { _ = listener.Close() }() // it has served its purpose
	return listener.Addr().(*net.TCPAddr).Port
}
