package engine

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"sync/atomic"
)

// process is a running engine.
type process struct {
	name    string
	address string
	log     string // path of what it writes
	cmd     *exec.Cmd
	over    chan struct{} // closed when it is gone
	killed  atomic.Bool   // we want it gone
}

// spawn starts the command with its output in the log. It can't outlive this process (see leash).
func spawn(ctx context.Context, p program, port int, log string) (*process, error) {
	out, err := os.OpenFile(filepath.Clean(log), os.O_CREATE|os.O_WRONLY|os.O_APPEND|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, err
	}
	defer out.Close() //nolint:errcheck // the child writes by a handle of its own
	args := p.args(strconv.Itoa(port))
	cmd := exec.CommandContext(context.WithoutCancel(ctx), args[0], args[1:]...) //nolint:gosec // java and node of this machine
	cmd.Dir, cmd.Stdout, cmd.Stderr = p.dir, out, out
	leash(cmd)

	e := &process{
		name: p.name, address: address(port), log: log, cmd: cmd,
		over: make(chan struct{}),
	}
	started := make(chan error)
	go func() {
		// The leash is tied to the thread that starts the child: this one must live as long as the child does.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait() // how it ended is in cmd.ProcessState
		}
		close(e.over)
	}()
	if err := <-started; err != nil {
		return nil, fmt.Errorf("start %s: %w", p.name, err)
	}
	return e, nil
}

// kill ends the process and waits until it is gone. There is nothing that it would want to save.
func (e *process) kill() {
	e.killed.Store(true)
	_ = e.cmd.Process.Kill() // it may be gone already
	<-e.over
}

// ended is an error if the process is gone although nobody killed it.
func (e *process) ended() error {
	if e.killed.Load() {
		return nil
	}
	select {
	case <-e.over:
		return fmt.Errorf("%s ended by itself (%v): see %s", e.name, e.cmd.ProcessState, e.log)
	default:
		return nil
	}
}

var errPortBusy = errors.New("somebody took the port")
