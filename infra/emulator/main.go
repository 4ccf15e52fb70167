// Emulator starts the local engines that stand in for AWS in tests: DynamoDB Local, and fauxqs for SQS and S3.
//
//	go run ./infra/emulator with -- go test ./shared/adapter/...   runs a command with the engines
//	go run ./infra/emulator up                                     starts them for a while of work; `with` reuses them
//	go run ./infra/emulator status                                 shows their addresses
//	go run ./infra/emulator down                                   stops them
//
// They need Java and Node, and npm to fetch them once into .cache/emulator. Without these `with` says so and runs the command
// all the same, and the tests that want an engine are skipped; where CI is "true" it fails instead. Of a command that fails,
// `go run` passes on no exit code but 1: build the program if that matters, as `make test` does.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

const usage = `emulator with -- COMMAND …   runs a command with the local engines and their addresses in KEFU_TEST_DYNAMODB, KEFU_TEST_SQS, KEFU_TEST_S3
emulator up                  starts the engines in the background; with uses them
emulator status              shows the addresses
emulator down                stops them
`

func main() {
	code, err := command(context.Background(), os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "emulator:", err)
	}
	os.Exit(code)
}

// command gives the exit code; an error is for people.
func command(ctx context.Context, args []string) (int, error) {
	if len(args) == 0 {
		args = []string{"help"}
	}
	word, rest := args[0], args[1:]
	if word == "with" {
		return with(ctx, rest)
	}
	if len(rest) > 0 {
		return 2, fmt.Errorf("%s takes no words, and got %q", word, rest[0])
	}
	// A closed terminal must not end the keeper: it begins a session of its own and gets no SIGHUP.
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	var err error
	switch word {
	case "up":
		err = up(ctx)
	case "keep": // what `up` leaves running
		err = keep(ctx)
	case "status":
		err = status(ctx)
	case "down":
		err = down(ctx)
	case "-h", "-help", "--help", "help":
		_, err = fmt.Print(usage)
	default:
		return 2, fmt.Errorf("unknown command %q; there are with, up, status and down", word)
	}
	if err != nil {
		return 1, err
	}
	return 0, nil
}

var errNotUp = errors.New("no engines are up")
