package faas

import (
	"context"
	"log/slog"
	"time"

	"kefu/shared/core/fault"
)

const kindOK = "ok"

// summary is the one log line of an event. It holds counts and ids, never content.
type summary struct {
	trigger string // http, batch or timer
	request string
	kind    string // a fault.Kind or "ok"
	took    time.Duration
	n       int // messages or requests in the event
	failed  int // of them, not done
	more    []slog.Attr
}

// log writes the line: an error when everything failed, a warning when a part did.
func (s *settings) summarise(ctx context.Context, sum summary) {
	level := slog.LevelInfo
	switch {
	case sum.failed > 0 && sum.failed >= sum.n:
		level = slog.LevelError
	case sum.failed > 0:
		level = slog.LevelWarn
	}
	if !s.log.Enabled(ctx, level) {
		return
	}
	name := s.name
	if name == "" {
		name = functionName(ctx)
	}
	if sum.request == "" {
		sum.request = RequestID(ctx)
	}
	attrs := append(make([]slog.Attr, 0, 12),
		slog.String("function", name),
		slog.String("request", sum.request),
		slog.String("trigger", sum.trigger),
		slog.String("kind", sum.kind),
		slog.Float64("took_ms", float64(sum.took.Microseconds())/1000),
		slog.Int("n", sum.n),
		slog.Int("failed", sum.failed),
	)
	s.log.LogAttrs(ctx, level, "event", append(attrs, sum.more...)...)
}

// kindText names the outcome err for a summary.
func kindText(err error) string {
	if err == nil {
		return kindOK
	}
	return string(fault.KindOf(err))
}
