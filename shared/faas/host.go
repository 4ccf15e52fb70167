package faas

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
)

const (
	envLambda = "AWS_LAMBDA_RUNTIME_API"
	envSCF    = "_LAMBDA_SERVER_PORT"

	// initTimeout ends a build before Lambda's own limit of 10 s for the init phase does.
	initTimeout = 9 * time.Second
)

var errTooManyArguments = errors.New("usage: FUNCTION [EVENT.json]")

// Main runs the function that build makes, on the host that the environment names, and does not return.
//
//   - AWS_LAMBDA_RUNTIME_API set: AWS Lambda. Build runs in the init phase, with full CPU and before the first
//     poll, so it should warm its connections.
//   - _LAMBDA_SERVER_PORT set: Tencent SCF. Build runs at the first call, because SCF's settings come with it.
//   - else: one event from the file named by the first argument ("-" or nothing: standard input), the answer to
//     standard output, exit code 1 and the reason on standard error when it fails.
//
// Build runs once. When it fails, the invocation reports the reason and the next one builds again, so that a
// missing setting never becomes a crash loop. The context that build gets ends with the build; it must not keep it.
//
// Main makes JSON on standard error the default of slog.
func Main(build func(ctx context.Context) (Handler, error)) {
	slog.SetDefault(slog.New(slog.NewJSONHandler(os.Stderr, nil)))
	l := &lazy{build: build}
	switch {
	case os.Getenv(envLambda) != "":
		warm(l)
		lambda.Start(Handler(l.Invoke))
	case os.Getenv(envSCF) != "":
		startSCF(l.Invoke)
	default:
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
		code := runOnce(ctx, l.Invoke, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
		stop()
		os.Exit(code)
	}
}

// warm builds ahead of the first event.
func warm(l *lazy) {
	ctx, cancel := context.WithTimeout(context.Background(), initTimeout)
	defer cancel()
	_, _ = l.get(ctx) // logged there; the first invocation builds again and reports
}

// runOnce is the local host. It gives the exit code.
func runOnce(ctx context.Context, h Handler, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	complain := func(what string, err error) int {
		// Nothing is left to tell when standard error is gone.
		_, _ = io.WriteString(stderr, what+": "+err.Error()+"\n")
		return 1
	}
	payload, err := readEvent(args, stdin)
	if err != nil {
		return complain("read the event", err)
	}
	answer, err := h(withRequestID(ctx, "local"), payload)
	if err != nil {
		return complain("the event failed", err)
	}
	if _, err := stdout.Write(append(answer, '\n')); err != nil {
		return complain("write the answer", err)
	}
	return 0
}

// readEvent reads the file named by the only argument, or stdin.
func readEvent(args []string, stdin io.Reader) ([]byte, error) {
	switch {
	case len(args) > 1:
		return nil, errTooManyArguments
	case len(args) == 0 || args[0] == "-":
		return io.ReadAll(stdin)
	}
	return os.ReadFile(args[0]) //nolint:gosec // the person at the keyboard names the file
}
