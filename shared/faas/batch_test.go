package faas_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"kefu/shared/core/fault"
	"kefu/shared/faas"
)

// fataler is what testing and rapid have in common.
type fataler interface {
	Helper()
	Fatal(args ...any)
}

// send gives messages to h as the queue's trigger does, and gives the ids that it reports.
func send(ctx context.Context, t fataler, h faas.Handler, messages ...faas.Message) []string {
	t.Helper()
	event, err := faas.EncodeBatch(messages)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := h(ctx, event)
	if err != nil {
		t.Fatal(err)
	}
	failed, err := faas.DecodeFailures(answer, messages)
	if err != nil {
		t.Fatal(err)
	}
	return failed
}

func TestBatchBadEvents(t *testing.T) {
	t.Parallel()
	h := faas.Batch(func(context.Context, faas.Message) error {
		t.Error("got a call, want none")
		return nil
	}, quiet())
	for name, event := range map[string]string{
		"empty": ``, "no JSON": `{`, "another trigger": get, "records of a kind": `{"Records":{}}`,
		"no id": `{"Records":[{"messageId":"1","body":""},{"body":"x"}]}`,
	} {
		if answer, err := h(t.Context(), []byte(event)); !errors.Is(err, fault.Invalid) || answer != nil {
			t.Errorf("%s: got %q and error %v, want an invalid one", name, answer, err)
		}
	}
}

// TestBatchDecisions checks what becomes of one message for each error, and of the next one in its group.
func TestBatchDecisions(t *testing.T) {
	t.Parallel()
	later := fault.Later("", "", time.Minute)
	for name, tc := range map[string]struct {
		errs      []error // of the tries, the last one again and again
		parkFails bool
		noHook    bool
		failed    []string
		tries     int
		parked    int
		returned  []time.Duration
	}{
		"done":                    {errs: []error{nil}, tries: 1},
		"invalid":                 {errs: []error{fault.Invalid}, tries: 1, parked: 1},
		"denied":                  {errs: []error{fault.Denied}, tries: 1, parked: 1},
		"not found":               {errs: []error{fmt.Errorf("load: %w", fault.NotFound)}, tries: 1, parked: 1},
		"parking fails":           {errs: []error{fault.Invalid}, parkFails: true, tries: 1, parked: 1, failed: []string{"a", "b"}},
		"nowhere to park":         {errs: []error{fault.Invalid}, noHook: true, tries: 1},
		"conflict":                {errs: []error{fault.Conflict}, tries: 4, failed: []string{"a", "b"}, returned: []time.Duration{0}},
		"conflict that goes away": {errs: []error{fault.Conflict, fault.Conflict, fault.Conflict, nil}, tries: 4},
		"conflict, then invalid":  {errs: []error{fault.Conflict, fault.Invalid}, tries: 2, parked: 1},
		"exhausted":               {errs: []error{later}, tries: 1, failed: []string{"a", "b"}, returned: []time.Duration{time.Minute}},
		"exhausted, no hook":      {errs: []error{later}, noHook: true, tries: 1, failed: []string{"a", "b"}},
		"unavailable":             {errs: []error{fault.Unavailable}, tries: 1, failed: []string{"a", "b"}, returned: []time.Duration{0}},
		"internal":                {errs: []error{errors.New("who knows")}, tries: 1, failed: []string{"a", "b"}, returned: []time.Duration{0}},
		"deadline":                {errs: []error{context.DeadlineExceeded}, tries: 1, failed: []string{"a", "b"}, returned: []time.Duration{0}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tries, parked := 0, 0
			var returned []time.Duration
			options := []faas.Option{quiet()}
			if !tc.noHook {
				options = append(options, faas.Parked(func(_ context.Context, m faas.Message, cause error) error {
					if m.ID != "a" || !errors.Is(cause, tc.errs[len(tc.errs)-1]) {
						t.Errorf("parked: got %s for %v, want a for %v", m.ID, cause, tc.errs)
					}
					parked++
					if tc.parkFails {
						return fault.Unavailable
					}
					return nil
				}), faas.Returned(func(_ context.Context, m faas.Message, after time.Duration) error {
					if m.ID != "a" {
						t.Errorf("returned: got %s, want a", m.ID)
					}
					returned = append(returned, after)
					return fault.Unavailable // makes no difference
				}))
			}
			h := faas.Batch(func(_ context.Context, m faas.Message) error {
				if m.ID != "a" {
					return nil
				}
				tries++
				return tc.errs[min(tries, len(tc.errs))-1]
			}, options...)
			failed := send(t.Context(), t, h,
				faas.Message{ID: "a", Group: "g"}, faas.Message{ID: "b", Group: "g"}, faas.Message{ID: "c", Group: "h"})
			if diff := cmp.Diff(tc.failed, failed); diff != "" {
				t.Errorf("failed: want -, got +:\n%s", diff)
			}
			if tries != tc.tries || parked != tc.parked || !slices.Equal(returned, tc.returned) {
				t.Errorf("got %d tries, %d parked, returned %v; want %d, %d, %v", tries, parked, returned, tc.tries, tc.parked, tc.returned)
			}
		})
	}
}

func TestBatchPanic(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	h := faas.Batch(func(_ context.Context, m faas.Message) error {
		switch m.ID {
		case "2":
			panic("the customer wrote " + m.Body)
		case "5":
			return fault.Invalid
		}
		return nil
	}, faas.Workers(1), faas.Logger(slog.New(slog.NewJSONHandler(&log, nil))), faas.Name("ingest"),
		faas.Parked(func(context.Context, faas.Message, error) error { panic("no room") }))
	failed := send(t.Context(), t, h,
		faas.Message{ID: "1", Group: "g"}, faas.Message{ID: "2", Group: "g", Body: "4711"}, faas.Message{ID: "3", Group: "g"},
		faas.Message{ID: "4"}, faas.Message{ID: "5"}, faas.Message{ID: "6"})
	if want := []string{"2", "3", "5"}; !slices.Equal(failed, want) {
		t.Errorf("failed: got %v, want %v", failed, want)
	}
	if got := log.String(); strings.Contains(got, "4711") || !strings.Contains(got, "batch_test.go") {
		t.Errorf("got log %s\nwant the stack and no content", got)
	}
	lines := strings.Split(strings.TrimSpace(log.String()), "\n")
	var got map[string]any
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &got); err != nil {
		t.Fatal(err)
	}
	delete(got, "took_ms")
	delete(got, "time")
	want := map[string]any{
		"level": "WARN", "msg": "event", "function": "ingest", "request": "", "trigger": "batch", "kind": "internal",
		"n": 6.0, "failed": 3.0, "parked": 0.0,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("summary: want -, got +:\n%s", diff)
	}
}

// TestBatchConcurrency: groups run side by side up to the bound, a group's messages never do.
func TestBatchConcurrency(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var running, most atomic.Int32
		var mu sync.Mutex
		busy := map[string]bool{}
		h := faas.Batch(func(_ context.Context, m faas.Message) error {
			mu.Lock()
			if busy[m.Group] {
				t.Errorf("group %s: got two messages at once, want one", m.Group)
			}
			busy[m.Group] = true
			mu.Unlock()
			now := running.Add(1)
			for seen := most.Load(); now > seen && !most.CompareAndSwap(seen, now); seen = most.Load() {
			}
			time.Sleep(time.Second) // of the bubble's clock: lasts no time
			running.Add(-1)
			mu.Lock()
			busy[m.Group] = false
			mu.Unlock()
			return nil
		}, quiet(), faas.Workers(3))
		var messages []faas.Message
		for i := range 20 {
			messages = append(messages, faas.Message{ID: fmt.Sprint(i), Group: fmt.Sprint("g", i%5)})
		}
		start := time.Now()
		if failed := send(t.Context(), t, h, messages...); failed != nil {
			t.Errorf("failed: got %v, want none", failed)
		}
		if got := most.Load(); got != 3 {
			t.Errorf("groups at once: got %d, want 3", got)
		}
		if took, want := time.Since(start), 8*time.Second; took != want { // 5 groups of 4 s by 3 workers: 4 s, then 4 s
			t.Errorf("took %v, want %v", took, want)
		}
	})
}

// TestBatchDeadline: nothing starts within the margin, and the running one is told to end there.
func TestBatchDeadline(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		options []faas.Option
		ran     int
	}{
		"default margin": {nil, 3},                                         // ends at 0.9, 1.8 and 2.5 s: the third is cut
		"own margin":     {[]faas.Option{faas.Margin(2 * time.Second)}, 2}, // ends at 0.9 and 1.0 s
		"none":           {[]faas.Option{faas.Margin(0)}, 4},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
				defer cancel()
				ran := 0
				h := faas.Batch(func(ctx context.Context, _ faas.Message) error {
					ran++
					select {
					case <-time.After(900 * time.Millisecond):
						return nil
					case <-ctx.Done():
						return ctx.Err()
					}
				}, append(tc.options, quiet(), faas.Workers(1))...)
				failed := send(ctx, t, h, faas.Message{ID: "1"}, faas.Message{ID: "2"}, faas.Message{ID: "3"},
					faas.Message{ID: "4"}, faas.Message{ID: "5"}, faas.Message{ID: "6"})
				want := []string{"1", "2", "3", "4", "5", "6"}[tc.ran-1:]
				if ran != tc.ran || !slices.Equal(failed, want) {
					t.Errorf("got %d run and %v failed, want %d and %v", ran, failed, tc.ran, want)
				}
			})
		})
	}
}

func TestBatchExpired(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	h := faas.Batch(func(context.Context, faas.Message) error {
		t.Error("got a call, want none")
		return nil
	}, quiet())
	if got, want := send(ctx, t, h, faas.Message{ID: "1"}, faas.Message{ID: "2"}), []string{"1", "2"}; !slices.Equal(got, want) {
		t.Errorf("failed: got %v, want %v", got, want)
	}
}

// TestBatchModel compares random batches with the rule in its plainest form: walk through the list; skip what
// belongs to a group that has failed.
func TestBatchModel(t *testing.T) {
	t.Parallel()
	outcomes := []error{nil, nil, nil, nil, fault.Invalid, fault.Unavailable, errors.New("other"), fault.Exhausted}
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 30).Draw(t, "n")
		messages := make([]faas.Message, n)
		fate := make(map[string]error, n)
		for i := range messages {
			messages[i] = faas.Message{ID: fmt.Sprint(i), Group: rapid.SampledFrom([]string{"", "a", "b", "c"}).Draw(t, "group")}
			fate[messages[i].ID] = rapid.SampledFrom(outcomes).Draw(t, "outcome")
		}

		var wantFailed []string
		wantRun := map[string][]string{}
		broken := map[string]bool{}
		for _, m := range messages {
			group := m.Group
			if group == "" {
				group = "alone " + m.ID
			}
			if broken[group] {
				wantFailed = append(wantFailed, m.ID)
				continue
			}
			wantRun[group] = append(wantRun[group], m.ID)
			if err := fate[m.ID]; err != nil && !errors.Is(err, fault.Invalid) {
				broken[group] = true
				wantFailed = append(wantFailed, m.ID)
			}
		}

		var mu sync.Mutex
		gotRun := map[string][]string{}
		h := faas.Batch(func(_ context.Context, m faas.Message) error {
			mu.Lock()
			defer mu.Unlock()
			group := m.Group
			if group == "" {
				group = "alone " + m.ID
			}
			gotRun[group] = append(gotRun[group], m.ID)
			return fate[m.ID]
		}, quiet(), faas.Workers(rapid.IntRange(1, 5).Draw(t, "workers")))
		if diff := cmp.Diff(wantFailed, send(context.Background(), t, h, messages...)); diff != "" {
			t.Errorf("failed: want -, got +:\n%s", diff)
		}
		if diff := cmp.Diff(wantRun, gotRun); diff != "" {
			t.Errorf("run, in order: want -, got +:\n%s", diff)
		}
	})
}
