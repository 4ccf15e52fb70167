package faas

import (
	"context"
	"fmt"
	"log/slog"
	"runtime"
	"runtime/debug"

	"kefu/shared/core/fault"
)

// panicked turns the value of a recover, called in the deferred func that calls panicked, into an error and logs
// where it came from. The value itself may hold a customer's text and is shown nowhere, except for the runtime's
// own errors, which speak of indexes and types.
func panicked(ctx context.Context, log *slog.Logger, value any) error {
	what := fmt.Sprintf("%T", value)
	if own, ok := value.(runtime.Error); ok {
		what = own.Error()
	}
	log.LogAttrs(ctx, slog.LevelError, "panic",
		slog.String("request", RequestID(ctx)),
		slog.String("panic", what),
		slog.String("stack", string(debug.Stack())),
	)
	return fault.Wrap(fault.Internal, "panic", fmt.Errorf("panic: %s", what))
}

// guard calls h and gives a panic back as an error: the process keeps its warm connections and, where the host
// runs several events in it, its neighbours.
func guard(ctx context.Context, log *slog.Logger, h Handler, payload []byte) (answer []byte, err error) {
	defer func() {
		if v := recover(); v != nil {
			answer, err = nil, panicked(ctx, log, v)
		}
	}()
	return h(ctx, payload)
}
