package app

import (
	"context"
	"log/slog"
)

// quiet is the log without the hosts' own summary of events that went well: each
// flow writes a line about the same event that says more.
func (s *System) quiet() *slog.Logger {
	return slog.New(above{s.cfg.Log.Handler()})
}

type above struct{ slog.Handler }

func (a above) Enabled(ctx context.Context, l slog.Level) bool {
	return l > slog.LevelInfo && a.Handler.Enabled(ctx, l)
}

func (a above) WithAttrs(attrs []slog.Attr) slog.Handler { return above{a.Handler.WithAttrs(attrs)} }
func (a above) WithGroup(name string) slog.Handler       { return above{a.Handler.WithGroup(name)} }
