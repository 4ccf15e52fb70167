package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"sync"
	"time"

	"kefu/shared/adapter/wechat/wxfake"
	"kefu/shared/app"
)

// bench measures the whole pipeline in one process, platform included: signed and
// encrypted pushes over HTTP, fsync on; or, with -start, how long the functions'
// binaries take to start. Machines differ; compare within one run.
func bench(ctx context.Context, out io.Writer, args []string) (err error) {
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	customers := flags.Int("customers", 200, "customers who write at the same time")
	each := flags.Int("each", 50, "messages of each customer in the burst")
	rate := flags.Int("rate", 500, "messages per second in the steady part")
	steady := flags.Duration("steady", 10*time.Second, "how long the steady part lasts")
	starts := flags.Bool("start", false, "measure the start of the functions' binaries instead")
	runs := flags.Int("runs", 75, "how often each binary is started")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *starts {
		return benchStart(ctx, out, max(1, *runs))
	}
	folder, err := os.MkdirTemp("", "kefu-bench-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	l, err := start(ctx, localOptions{
		addr: "127.0.0.1:0", clock: &clock{}, config: app.Config{Data: folder}, log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.close()) }()
	b := &load{local: l, out: out}
	for i := range *customers {
		b.crowd = append(b.crowd, l.platform.Named(l.demo.Accounts[0].AppID, fmt.Sprintf("customer %d", i)))
	}
	for _, part := range []func() error{
		func() error { return b.burst(ctx, *each) },
		func() error { return b.steady(ctx, *rate, *steady) },
		func() error { return b.answers(ctx) },
	} {
		if err := part(); err != nil {
			return err
		}
	}
	return nil
}

// load drives a crowd of customers.
type load struct {
	*local
	out   io.Writer
	crowd []*wxfake.Customer
	sent  int // messages of customers so far
}

// ingested waits until all that the crowd wrote is stored.
func (b *load) ingested(ctx context.Context) error {
	return until(ctx, "all messages are ingested", func() (bool, error) {
		return b.handled("inbound") >= int64(b.sent), nil
	})
}

// burst lets everybody write as fast as the answers come.
func (b *load) burst(ctx context.Context, each int) error {
	took := make([][]time.Duration, len(b.crowd))
	errs := make([]error, len(b.crowd))
	start := time.Now()
	var all sync.WaitGroup
	for i, c := range b.crowd {
		all.Go(func() {
			for n := range each {
				push := c.Say(ctx, fmt.Sprintf("message %d of a customer who writes a line of the usual length", n))
				if push.Err != nil {
					errs[i] = push.Err
					return
				}
				took[i] = append(took[i], push.Deliveries[0].Took)
			}
		})
	}
	all.Wait()
	if err := errors.Join(errs...); err != nil {
		return err
	}
	answered := time.Since(start)
	b.sent += len(b.crowd) * each
	if err := b.ingested(ctx); err != nil {
		return err
	}
	n := len(b.crowd) * each
	_, err := fmt.Fprintf(b.out, "burst    %6d messages of %d customers: answered %5.0f/s, stored end to end %5.0f/s, callback p50 %s p99 %s\n",
		n, len(b.crowd), float64(n)/answered.Seconds(), float64(n)/time.Since(start).Seconds(),
		quantile(slices.Concat(took...), 0.50), quantile(slices.Concat(took...), 0.99))
	return err
}

// steady lets them write at a fixed rate, whatever the answers take.
func (b *load) steady(ctx context.Context, rate int, d time.Duration) error {
	n := int(d.Seconds() * float64(rate))
	took := make([]time.Duration, n)
	errs := make([]error, n)
	var all sync.WaitGroup
	start := time.Now()
	for i := range n {
		if err := pause(ctx, time.Until(start.Add(time.Duration(i)*time.Second/time.Duration(rate)))); err != nil {
			return err
		}
		all.Go(func() {
			push := b.crowd[i%len(b.crowd)].Say(ctx, fmt.Sprintf("steady message %d of the usual length, more or less", i))
			errs[i] = push.Err
			if push.Err == nil {
				took[i] = push.Deliveries[0].Took
			}
		})
	}
	all.Wait()
	if err := errors.Join(errs...); err != nil {
		return err
	}
	b.sent += n
	if err := b.ingested(ctx); err != nil {
		return err
	}
	_, err := fmt.Fprintf(b.out, "steady   %6d messages at %d/s: callback p50 %s p99 %s max %s\n",
		n, rate, quantile(took, 0.50), quantile(took, 0.99), slices.Max(took))
	return err
}

// answers lets the agents answer everybody with all that the windows allow.
func (b *load) answers(ctx context.Context) error {
	var cursor string
	var ids []string
	for {
		var list page[sessionView]
		if err := b.admin.do(ctx, "GET", "/sessions?limit=200&cursor="+cursor, nil, &list); err != nil {
			return err
		}
		for _, s := range list.Items {
			ids = append(ids, s.ID)
		}
		if cursor = list.Next; cursor == "" {
			break
		}
	}
	start := time.Now()
	errs := make([]error, len(ids))
	var all sync.WaitGroup
	slots := make(chan struct{}, 16)
	for i, id := range ids {
		all.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			for n := range 5 {
				body := map[string]any{"type": "text", "text": map[string]string{"content": fmt.Sprintf("answer %d", n)}}
				if err := b.admin.do(ctx, "POST", "/sessions/"+id+"/messages", body, nil); err != nil {
					errs[i] = err
					return
				}
			}
		})
	}
	all.Wait()
	if err := errors.Join(errs...); err != nil {
		return err
	}
	for _, c := range b.crowd {
		if _, err := c.AwaitInbox(ctx, 5); err != nil {
			return err
		}
	}
	n := 5 * len(b.crowd)
	_, err := fmt.Fprintf(b.out, "answers  %6d texts to %d customers: accepted, sent and arrived %5.0f/s, refused by the platform %d\n",
		n, len(b.crowd), float64(n)/time.Since(start).Seconds(), len(b.platform.Refused()))
	return err
}

func quantile(d []time.Duration, q float64) time.Duration {
	if len(d) == 0 {
		return 0
	}
	d = slices.Sorted(slices.Values(d))
	return d[min(len(d)-1, int(q*float64(len(d))))].Round(10 * time.Microsecond)
}
