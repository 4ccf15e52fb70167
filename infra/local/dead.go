package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"time"

	"kefu/shared/adapter/bolt"
	"kefu/shared/app"
)

// dead lists the messages that were delivered too often, or sends them again.
// The system must not be running: the data file has one owner.
func dead(ctx context.Context, getenv func(string) string, out io.Writer, args []string) error {
	flags := flag.NewFlagSet("dead", flag.ContinueOnError)
	again := flags.Bool("redrive", false, "send the dead letters again")
	if err := flags.Parse(args); err != nil {
		return err
	}
	config, err := app.FromEnv(getenv)
	if err != nil {
		return err
	}
	system, err := app.Open(config)
	if err != nil {
		return err
	}
	defer func() { _ = system.Close() }() // everything that was changed is durable already
	q := system.Queues()
	for _, one := range []struct {
		name  string
		queue *bolt.Queue
	}{{"inbound", q.Inbound}, {"route", q.Route}, {"outbound", q.Outbound}} {
		name, queue := one.name, one.queue
		letters, err := queue.Dead(ctx, 1000)
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintf(out, "%-9s %d dead letters\n", name, len(letters)); err != nil {
			return err
		}
		for _, d := range letters {
			// No body: it may hold what a customer wrote.
			if _, err := fmt.Fprintf(out, "%-9s %s group=%s bytes=%d receives=%d sent=%s died=%s\n",
				name, d.ID, d.Group, len(d.Body), d.Receives, d.SentAt.Format(time.RFC3339), d.DiedAt.Format(time.RFC3339)); err != nil {
				return err
			}
		}
		if *again {
			n, err := queue.Redrive(ctx)
			if err != nil {
				return err
			}
			if _, err := fmt.Fprintf(out, "%-9s %d sent again\n", name, n); err != nil {
				return err
			}
		}
	}
	return nil
}
