package faas

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"kefu/shared/core/fault"
)

// conflictRetries is how often a message is handled again at once after a Conflict, before the queue gets it back.
const conflictRetries = 3

// Batch makes a Handler that gives each message of a queue's event to fn and reports the ids of those that failed
// (Lambda's ReportBatchItemFailures must be on).
//
// Groups run at the same time, as many as Workers says; within a group fn gets the messages in order and one by
// one, and after the first failure the rest of the group is reported as failed without running. What an error of
// fn means is decided by fault.Decide:
//
//   - Park: the message goes to the hook Parked, is acknowledged, and its group goes on.
//   - RetryNow: fn is called again at once, up to 3 times; then as Redeliver.
//   - RetryLater, Redeliver: it goes to the hook Returned and counts as failed; the queue counts its deliveries.
//
// A panic fails its message like an Internal error. The context of fn ends Margin before the host's deadline; from
// then on no message is started, and what is left is reported as failed. An event that is no queue event is an
// Invalid error, which fails the batch as a whole.
//
// The queue delivers at least once: fn must be idempotent and safe to call in parallel for different groups.
func Batch(fn func(ctx context.Context, m Message) error, options ...Option) Handler {
	b := &batch{settings: apply(options), fn: fn}
	return b.invoke
}

type batch struct {
	settings
	fn func(context.Context, Message) error
}

// fate is what became of one message.
type fate struct {
	done   bool  // to be acknowledged; false until it is
	parked bool  // acknowledged without having been done
	err    error // of the last try; nil also when it never ran
}

func (b *batch) invoke(ctx context.Context, payload []byte) ([]byte, error) {
	start := time.Now()
	messages, err := decodeBatch(payload)
	if err != nil {
		err = badEvent(err)
		b.summarise(ctx, summary{trigger: "batch", kind: kindText(err), took: time.Since(start), n: 1, failed: 1})
		return nil, err
	}
	inner, cancel := b.early(ctx)
	fates := b.run(inner, messages)
	cancel()

	failed, parked, kind := tally(messages, fates)
	b.summarise(ctx, summary{
		trigger: "batch", kind: kind, took: time.Since(start), n: len(messages), failed: len(failed),
		more: []slog.Attr{slog.Int("parked", parked)},
	})
	return encodeFailures(failed), nil
}

// tally sums the fates up: the ids to report, how many were parked, and the worst kind of those that failed.
func tally(messages []Message, fates []fate) (failed []string, parked int, kind string) {
	kind = kindOK
	for i, f := range fates {
		switch {
		case f.parked:
			parked++
		case f.done:
		case f.err == nil && kind == kindOK: // never started: time ran out, or its group had failed
			kind = string(fault.Unavailable)
		case f.err != nil && kind != string(fault.Internal):
			kind = kindText(f.err)
		}
		if !f.done {
			failed = append(failed, messages[i].ID)
		}
	}
	return failed, parked, kind
}

// run handles all messages and gives their fates, in the same order.
func (b *batch) run(ctx context.Context, messages []Message) []fate {
	fates := make([]fate, len(messages))
	groups := split(messages)
	var next atomic.Int32
	var workers sync.WaitGroup
	for range min(b.workers, len(groups)) {
		workers.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= len(groups) {
					return
				}
				b.runGroup(ctx, messages, groups[i], fates)
			}
		})
	}
	workers.Wait()
	return fates
}

// split gives the indexes of each group's messages, groups in the order of their first message.
func split(messages []Message) [][]int {
	groups := make([][]int, 0, len(messages))
	seen := make(map[string]int, len(messages))
	for i, m := range messages {
		at, ok := seen[m.Group]
		if !ok || m.Group == "" {
			at = len(groups)
			groups = append(groups, nil)
			seen[m.Group] = at
		}
		groups[at] = append(groups[at], i)
	}
	return groups
}

// runGroup handles one group up to its first failure. Each worker writes to the fates of its own messages only.
func (b *batch) runGroup(ctx context.Context, messages []Message, group []int, fates []fate) {
	for _, i := range group {
		if over(ctx) {
			return
		}
		fates[i] = b.handle(ctx, messages[i])
		if !fates[i].done {
			return
		}
	}
}

// over reports that no further message may start. It looks at the clock too: a context's own timer may be late.
func over(ctx context.Context) bool {
	deadline, ok := ctx.Deadline()
	return ctx.Err() != nil || (ok && !time.Now().Before(deadline))
}

// handle brings one message to its fate.
func (b *batch) handle(ctx context.Context, m Message) fate {
	err := b.try(ctx, m)
	for range conflictRetries {
		if fault.Decide(err).Action != fault.RetryNow || over(ctx) {
			break
		}
		err = b.try(ctx, m)
	}
	decision := fault.Decide(err)
	f := fate{done: decision.Action == fault.Done, err: err}
	switch decision.Action {
	case fault.Park:
		f.parked = b.hook(ctx, m, func() error {
			if b.parked == nil {
				return nil
			}
			return b.parked(ctx, m, err)
		})
		f.done = f.parked
	case fault.RetryNow, fault.RetryLater, fault.Redeliver:
		if b.returned != nil {
			b.hook(ctx, m, func() error { return b.returned(ctx, m, decision.After) })
		}
	}
	if err != nil {
		b.logItem(ctx, m, decision.Action, err)
	}
	return f
}

// try calls fn once; a panic is an error.
func (b *batch) try(ctx context.Context, m Message) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = panicked(ctx, b.log, v)
		}
	}()
	return b.fn(ctx, m)
}

// hook calls a hook and reports whether it did its work. A panic in it is a failure.
func (b *batch) hook(ctx context.Context, m Message, call func() error) bool {
	err := func() (err error) {
		defer func() {
			if v := recover(); v != nil {
				err = panicked(ctx, b.log, v)
			}
		}()
		return call()
	}()
	if err != nil {
		b.logItem(ctx, m, "hook", err)
	}
	return err == nil
}

// logItem says which message was not done, and why; ids and reasons, no body.
func (b *batch) logItem(ctx context.Context, m Message, action fault.Action, err error) {
	b.log.LogAttrs(ctx, slog.LevelWarn, "message",
		slog.String("request", RequestID(ctx)),
		slog.String("id", m.ID),
		slog.Int("receives", m.Receives),
		slog.String("action", string(action)),
		slog.String("kind", kindText(err)),
		slog.String("code", fault.CodeOf(err)),
		slog.String("error", err.Error()),
	)
}
