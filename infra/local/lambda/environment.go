package lambda

import (
	"context"
	"errors"
	"fmt"
	"time"

	"kefu/shared/faas/faastest"
)

// initLimit is Lambda's own for a process that starts
// (docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html).
const initLimit = 10 * time.Second

// environment is one process with a Runtime API of its own, so that it gets one event at a time.
type environment struct {
	runtime *faastest.Runtime
	process *faastest.Process
}

func launch(o Options) (*environment, error) {
	rt := faastest.NewRuntime()
	p, err := rt.Start(o.Binary, o.Log, append([]string{"AWS_LAMBDA_FUNCTION_NAME=" + o.Name}, o.Env...)...)
	if err != nil {
		rt.Close()
		return nil, err
	}
	return &environment{runtime: rt, process: p}, nil
}

// ready waits until the process asks for an event.
func (e *environment) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, initLimit, fmt.Errorf("it wasn't ready within %s", initLimit))
	defer cancel()
	select {
	case <-e.runtime.Polled():
		return nil
	case <-e.process.Exited():
		return faastest.ErrExited
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// invoke gives the process an event. After an error other than the function's own it may be dead.
func (e *environment) invoke(ctx context.Context, limit time.Duration, payload []byte) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	ctx, died := context.WithCancelCause(ctx)
	defer died(nil)
	go func() {
		select {
		case <-e.process.Exited():
			died(faastest.ErrExited)
		case <-ctx.Done():
		}
	}()
	answer, err := e.runtime.Invoke(ctx, payload)
	switch {
	case errors.Is(err, faastest.ErrExited):
		e.kill() // its connection broke, which is seen before its end is
		return nil, err
	case err == nil || ctx.Err() == nil:
		return answer, err
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		e.kill()
		return nil, fmt.Errorf("%w: %s", ErrTimeout, limit)
	default:
		return nil, context.Cause(ctx)
	}
}

func (e *environment) dead() bool {
	select {
	case <-e.process.Exited():
		return true
	default:
		return false
	}
}

func (e *environment) kill() {
	e.process.Kill()
	e.runtime.Close()
}
