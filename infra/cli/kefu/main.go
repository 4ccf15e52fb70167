// Kefu is the command line of the HTTP interface: `kefu help` lists what it can do. Settings: KEFU_URL and KEFU_KEY.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"kefu/infra/cli/command"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := command.Run(ctx, os.Args[1:], command.System())
	stop()
	os.Exit(code)
}
