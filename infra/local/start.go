package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"kefu/infra/local/lambda"
)

// startBudget is how long a function may take from exec to its first poll, as a multiple of what an empty function
// takes.
const startBudget = 2

// startTime is how long a function took to start.
type startTime struct {
	name          string
	median, least time.Duration
	ratio         float64 // the median of the ratios to what the empty function took in the same turn
}

// benchStart measures how long the functions' binaries take to start, beside a function that does nothing. The one and the
// others take turns, and each is compared with its own turn, so that what slows down all on a busy machine doesn't count.
func benchStart(ctx context.Context, out io.Writer, runs int) (err error) {
	folder, err := os.MkdirTemp("", "kefu-start-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	if err := buildFunctions(ctx, folder, "kefu/infra/local/empty"); err != nil {
		return err
	}
	times, err := startTimes(ctx, folder, runs)
	if err != nil {
		return err
	}
	var over []string
	for _, t := range times {
		if _, err := fmt.Fprintln(out, t); err != nil {
			return err
		}
		if t.ratio > startBudget {
			over = append(over, t.name)
		}
	}
	if len(over) > 0 {
		return fmt.Errorf("over the budget of %d times an empty function: %s", startBudget, strings.Join(over, ", "))
	}
	return nil
}

func (t startTime) String() string {
	return fmt.Sprintf("start    %-9s %6.2f ms from exec to first poll, %.2f × an empty function", t.name, t.median.Seconds()*1000, t.ratio)
}

// startTimes gives the empty function's first.
func startTimes(ctx context.Context, folder string, runs int) ([]startTime, error) {
	address, closeCloud, err := silentCloud(ctx)
	if err != nil {
		return nil, err
	}
	defer closeCloud()
	started := append([]deployed{{name: "empty"}}, deployment...)
	took := make(map[string][]time.Duration, len(started))
	for run := range runs + 1 {
		for _, d := range started {
			f := lambda.New(lambda.Options{Name: d.name, Binary: filepath.Join(folder, d.name), Env: environ(startSettings(d, address))})
			begin := time.Now()
			err := f.Warm(ctx, 1)
			t := time.Since(begin)
			f.Close()
			if err != nil {
				return nil, fmt.Errorf("%s: %w", d.name, err)
			}
			if run > 0 { // the first reads the file from the disk
				took[d.name] = append(took[d.name], t)
			}
		}
	}
	times := make([]startTime, len(started))
	for i, d := range started {
		ratios := make([]float64, runs)
		for turn, t := range took[d.name] {
			ratios[turn] = float64(t) / float64(took["empty"][turn])
		}
		times[i] = startTime{name: d.name, least: slices.Min(took[d.name]), median: median(took[d.name]), ratio: median(ratios)}
	}
	return times, nil
}

func median[T cmp.Ordered](all []T) T { return slices.Sorted(slices.Values(all))[len(all)/2] }

// startSettings are what a function gets where it is deployed, with all services at one address.
func startSettings(d deployed, address string) map[string]string {
	return d.keep(map[string]string{
		"KEFU_ENGINE": "aws", "KEFU_TABLE": "kefu", "KEFU_BUCKET": "kefu", "KEFU_KMS_KEY": "local",
		"KEFU_QUEUE_INBOUND": address + "/1/inbound.fifo", "KEFU_QUEUE_ROUTE": address + "/1/route", "KEFU_QUEUE_OUTBOUND": address + "/1/outbound",
		"KEFU_QUEUE_HOOKS":      address + "/1/hooks.fifo",
		"KEFU_ADMIN_KEY_SHA256": strings.Repeat("0", 64), "KEFU_WECHAT_URL": address, "KEFU_LOG_LEVEL": "info",
		"AWS_ENDPOINT_URL": address, "AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local",
	})
}

// silentCloud is where the functions warm their connections: it answers at once, and nothing.
func silentCloud(ctx context.Context) (address string, closeCloud func(), err error) {
	var lc net.ListenConfig
	ln, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	server := &http.Server{Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}), ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = server.Serve(ln) }() // ends with closeCloud
	return "http://" + ln.Addr().String(), func() { _ = server.Close() }, nil
}
