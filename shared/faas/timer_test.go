package faas_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"kefu/shared/core/fault"
	"kefu/shared/faas"
)

func TestTimerEvents(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		event string
		tick  bool
	}{
		"eventbridge": {string(sample(t, "timer", "eventbridge.json")), true},
		"scf":         {string(sample(t, "timer", "scf.json")), true},
		"empty":       {"", true},
		"blank":       {" \n", true},
		"null":        {"null", true},
		"object":      {"{}\n", true},
		"queue":       {string(sample(t, "batch", "sqs-fifo.json")), false},
		"http":        {get, false},
		"other event": {`{"detail-type":"Object Created","source":"aws.s3"}`, false},
		"no JSON":     {"{", false},
		"list":        {"[]", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ticks := 0
			answer, err := faas.Timer(func(context.Context) error { ticks++; return nil }, quiet())(t.Context(), []byte(tc.event))
			if tc.tick && (err != nil || ticks != 1 || string(answer) != "{}") {
				t.Errorf("got %d ticks, %s, %v, want one", ticks, answer, err)
			}
			if !tc.tick && (!errors.Is(err, fault.Invalid) || ticks != 0) {
				t.Errorf("got %d ticks and error %v, want none and an invalid one", ticks, err)
			}
		})
	}
}

func TestTimerErrors(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		fn   func(context.Context) error
		kind fault.Kind
	}{
		"error": {func(context.Context) error { return fault.Unavailable }, fault.Unavailable},
		"panic": {func(context.Context) error { panic("the customer wrote 4711") }, fault.Internal},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var log bytes.Buffer
			h := faas.Timer(tc.fn, faas.Logger(slog.New(slog.NewJSONHandler(&log, nil))), faas.Name("expiry"))
			_, err := h(t.Context(), nil)
			if fault.KindOf(err) != tc.kind || strings.Contains(err.Error()+log.String(), "4711") {
				t.Errorf("got error %v and log %s, want kind %s and no content", err, log.String(), tc.kind)
			}
			lines := strings.Split(strings.TrimSpace(log.String()), "\n")
			var got map[string]any
			if err := json.Unmarshal([]byte(lines[len(lines)-1]), &got); err != nil {
				t.Fatal(err)
			}
			if got["function"] != "expiry" || got["kind"] != string(tc.kind) || got["failed"] != 1.0 || got["level"] != "ERROR" {
				t.Errorf("got summary %v, want a failure of kind %s", got, tc.kind)
			}
		})
	}
}

func TestTimerMargin(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		start := time.Now()
		_, err := faas.Timer(func(ctx context.Context) error {
			<-ctx.Done()
			return ctx.Err()
		}, quiet())(ctx, nil)
		if took := time.Since(start); took != 9500*time.Millisecond || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v after %v, want the end 500 ms before the host's", err, took)
		}
	})
}
