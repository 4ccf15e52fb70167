// Local runs the whole of Kefu on this machine. With nothing installed but Go it is one process on the embedded engine:
//
//	go run ./infra/local run     the system and the simulator, until Ctrl-C
//	go run ./infra/local demo    plays a conversation and checks every step
//	go run ./infra/local bench   measures the pipeline; with -start how long the functions' binaries take to start
//	go run ./infra/local dead    lists dead letters; with -redrive sends them again
//
// With KEFU_ENGINE=aws, run and demo work as in AWS: each function is built as it ships and runs in processes of its own,
// on engines that stand in for DynamoDB, SQS, S3 and KMS. That takes Java, Node and npm. Begin to read in local.go.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

const usage = `local run      the whole system and the simulator, until Ctrl-C
local demo     plays a conversation and checks every step
local bench    measures the pipeline, or with -start the start of the functions' binaries (-h shows its flags)
local dead     lists dead letters; with -redrive sends them again

Settings: KEFU_ENGINE, KEFU_ADDR, KEFU_DATA, KEFU_ADMIN_KEY, KEFU_SECRET_KEY, KEFU_WECHAT_URL, KEFU_CLOCK_OFFSET, KEFU_LOG_LEVEL,
KEFU_MAX_BYTES, KEFU_PRIVATE_HOOKS. KEFU_ENGINE=aws runs the functions as in AWS, on local engines; there dead looks into KEFU_QUEUE_INBOUND,
KEFU_QUEUE_ROUTE, KEFU_QUEUE_OUTBOUND and KEFU_QUEUE_HOOKS, in AWS or wherever AWS_ENDPOINT_URL_SQS leads.
`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	err := command(ctx, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "kefu:", err)
		os.Exit(1)
	}
}

func command(ctx context.Context, args []string) error {
	if len(args) == 0 {
		args = []string{"run"}
	}
	switch args[0] {
	case "-h", "-help", "--help", "help":
		_, err := fmt.Print(usage)
		return err
	case "run":
		if len(args) > 1 {
			return fmt.Errorf("run takes no words, and got %q; settings come from the environment", args[1])
		}
		return run(ctx, os.Getenv, os.Stdout)
	case "demo":
		cloud, err := chosen(os.Getenv)
		if err != nil {
			return err
		}
		return demo(ctx, os.Stdout, cloud)
	case "bench":
		return bench(ctx, os.Stdout, args[1:])
	case "dead":
		return dead(ctx, os.Getenv, os.Stdout, args[1:])
	}
	return fmt.Errorf("unknown command %q; there are run, demo, bench and dead", args[0])
}
