package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"syscall"

	"kefu/infra/emulator/engine"
)

// variables are where tests look for the engines.
var variables = []string{"KEFU_TEST_DYNAMODB", "KEFU_TEST_SQS", "KEFU_TEST_S3"}

// with runs a command with engines and gives its exit code. Engines that were there before are used and left alone.
func with(ctx context.Context, args []string) (int, error) {
	if len(args) > 0 && args[0] == "--" {
		args = args[1:]
	}
	if len(args) == 0 {
		return 2, errors.New("with which command? with -- COMMAND …")
	}
	// From here on signals are for the command: it decides when to end, and the engines end after it.
	signals := make(chan os.Signal, 4)
	for _, s := range []os.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT} {
		if !signal.Ignored(s) { // by nohup, say
			signal.Notify(signals, s)
		}
	}
	defer signal.Stop(signals)

	e, err := engines(ctx, signals)
	var stopped interrupted
	switch {
	case errors.As(err, &stopped):
		return 128 + int(stopped), nil
	case errors.Is(err, engine.ErrUnavailable) && os.Getenv("CI") != "true":
		fmt.Fprintf(os.Stderr, "emulator: tests against DynamoDB, SQS and S3 are skipped: %v\n", err)
		return execute(ctx, args, os.Environ(), signals)
	case err != nil:
		return 1, err
	case e == nil:
		return execute(ctx, args, os.Environ(), signals)
	}
	defer e.Stop()
	code, err := execute(ctx, args, append(os.Environ(), e.Env()...), signals)
	return code, errors.Join(err, e.Err())
}

// interrupted is the signal that came while the engines were starting.
type interrupted syscall.Signal

func (i interrupted) Error() string { return syscall.Signal(i).String() }

// engines finds or starts engines. It gives nil if the environment names some already. A signal ends the starting.
func engines(ctx context.Context, signals <-chan os.Signal) (*engine.Engines, error) {
	if slices.ContainsFunc(variables, func(name string) bool { return os.Getenv(name) != "" }) {
		return nil, nil
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	started := make(chan struct{})
	defer close(started)
	go func() {
		select {
		case s := <-signals:
			if s, ok := s.(syscall.Signal); ok {
				cancel(interrupted(s))
			}
		case <-started:
		}
	}()
	o := engine.Options{Log: os.Stderr}
	if e, err := engine.Find(ctx, o); e != nil || err != nil {
		return e, err
	}
	return engine.Start(ctx, o)
}
