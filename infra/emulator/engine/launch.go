package engine

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"time"
)

const (
	portTries = 3
	askEvery  = 25 * time.Millisecond
	askWithin = 2 * time.Second
)

// launch runs the program on a free port and returns when it answers. Between choosing a port and listening on it anybody
// may take it: then another one is tried.
func (o Options) launch(ctx context.Context, p program) (*process, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, o.wait, fmt.Errorf("no answer within %v", o.wait))
	defer cancel()
	for try := 1; ; try++ {
		port, err := o.freePort()
		if err != nil {
			return nil, err
		}
		log := filepath.Join(o.Cache, fmt.Sprintf("%s-%d.log", p.name, port))
		e, err := spawn(ctx, p, port, log)
		if err != nil {
			return nil, err
		}
		if err = e.answers(ctx, p); err == nil {
			return e, nil
		}
		e.kill()
		if !errors.Is(err, errPortBusy) || try == portTries {
			return nil, fmt.Errorf("%s doesn't start: %w: see %s", p.name, err, log)
		}
	}
}

// answers waits until the process is ready. An error says why it never will be.
func (e *process) answers(ctx context.Context, p program) error {
	again := time.NewTicker(askEvery)
	defer again.Stop()
	var silent error // how the last full question ended
	for {
		asking, cancel := context.WithTimeout(ctx, askWithin)
		err := p.ask(asking, e.address)
		cancel()
		if ctx.Err() == nil {
			silent = err
		}
		// DynamoDB Local lives on without its port.
		if e.lostPort() {
			return errPortBusy
		}
		select {
		case <-e.over:
			return fmt.Errorf("it ended at once (%v)", e.cmd.ProcessState)
		default:
		}
		if err == nil {
			return nil
		}
		select {
		case <-e.over:
		case <-again.C:
		case <-ctx.Done():
			return fmt.Errorf("%w (%w)", context.Cause(ctx), cmp.Or(silent, err))
		}
	}
}

// lostPort looks for the one sentence that Java and Node agree on.
func (e *process) lostPort() bool {
	said, err := os.ReadFile(e.log)
	return err == nil && bytes.Contains(bytes.ToLower(said), []byte("address already in use"))
}

// freePort gives a port on which nobody listens now.
func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close() //nolint:errcheck // a port that stays taken shows in the next step
	a, ok := l.Addr().(*net.TCPAddr)
	if !ok {
		return 0, fmt.Errorf("a listener at %v", l.Addr())
	}
	return a.Port, nil
}
