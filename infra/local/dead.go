package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"kefu/shared/app"
)

var errNoQueues = errors.New("set the URL of at least one queue: KEFU_QUEUE_INBOUND, KEFU_QUEUE_ROUTE, KEFU_QUEUE_OUTBOUND or KEFU_QUEUE_HOOKS")

// dead lists the messages that were delivered too often, or sends them again. On the embedded engine the system must
// not be running: the data file has one owner.
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
	config.Log = slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	system, err := app.Open(config)
	if err != nil {
		return err
	}
	defer func() { _ = system.Close() }() // everything that was changed is durable already
	q := system.Queues()
	found := false
	for _, one := range []deadQueue{{"inbound", q.Inbound}, {"route", q.Route}, {"outbound", q.Outbound}, {"hooks", q.Hooks}} {
		if one.Queue == nil {
			continue // on AWS one looks into those that one names
		}
		found = true
		if err := one.list(ctx, out); err != nil {
			return fmt.Errorf("%s: %w", one.name, err)
		}
		if !*again {
			continue
		}
		if err := one.redrive(ctx, out); err != nil {
			return fmt.Errorf("%s: %w", one.name, err)
		}
	}
	if !found {
		return errNoQueues
	}
	return nil
}

// deadQueue is a queue that is looked into.
type deadQueue struct {
	name string
	app.Queue
}

func (d deadQueue) list(ctx context.Context, out io.Writer) error {
	letters, err := d.Dead(ctx, 1000)
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintf(out, "%-9s %d dead letters\n", d.name, len(letters)); err != nil {
		return err
	}
	for _, l := range letters {
		// No body: it may hold what a customer wrote.
		if _, err := fmt.Fprintf(out, "%-9s %s group=%s bytes=%d receives=%d sent=%s died=%s\n",
			d.name, l.ID, l.Group, len(l.Body), l.Receives, l.SentAt.Format(time.RFC3339), l.DiedAt.Format(time.RFC3339)); err != nil {
			return err
		}
	}
	return nil
}

func (d deadQueue) redrive(ctx context.Context, out io.Writer) error {
	n, err := d.Redrive(ctx)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "%-9s %d sent again\n", d.name, n)
	return err
}
