package faas

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"time"

	"kefu/shared/core/fault"
)

// timerEvent has the fields by which the two clouds' timers are known: EventBridge sends "detail-type"
// "Scheduled Event", SCF sends "Type" "Timer".
type timerEvent struct {
	DetailType string `json:"detail-type"`
	Type       string `json:"Type"`
}

var errNotTimer = errors.New("neither an EventBridge scheduled event nor an SCF timer event")

// Timer makes a Handler that calls fn at each tick of EventBridge or of SCF's timer trigger. An empty payload is a
// tick too, for runs by hand; anything else is Invalid and fn is not called. The answer is {}.
//
// Timers are delivered at least once and may overlap: fn must be idempotent. Its context ends Margin before the
// host's deadline. A panic in fn is logged and becomes an Internal error.
func Timer(fn func(ctx context.Context) error, options ...Option) Handler {
	s := apply(options)
	return func(ctx context.Context, payload []byte) ([]byte, error) {
		start := time.Now()
		err := checkTick(payload)
		if err == nil {
			inner, cancel := s.early(ctx)
			defer cancel()
			_, err = guard(inner, s.log, func(ctx context.Context, _ []byte) ([]byte, error) { return nil, fn(ctx) }, nil)
		}
		sum := summary{trigger: "timer", kind: kindText(err), took: time.Since(start), n: 1}
		if err != nil {
			sum.failed = 1
		}
		s.summarise(ctx, sum)
		if err != nil {
			return nil, err
		}
		return []byte("{}"), nil
	}
}

func checkTick(payload []byte) error {
	payload = bytes.TrimSpace(payload)
	switch string(payload) {
	case "", "null", "{}":
		return nil
	}
	var e timerEvent
	if err := json.Unmarshal(payload, &e); err != nil {
		return badEvent(err)
	}
	if e.DetailType != "Scheduled Event" && e.Type != "Timer" {
		return badEvent(errNotTimer)
	}
	return nil
}

// badEvent is the error of an event that is not what the wrapper handles: a trigger wired to the wrong function.
func badEvent(err error) error { return fault.Wrap(fault.Invalid, "bad-event", err) }

// early gives the context that ends Margin before ctx does.
func (s *settings) early(ctx context.Context) (context.Context, context.CancelFunc) {
	deadline, ok := ctx.Deadline()
	if !ok || s.margin == 0 {
		return context.WithCancel(ctx)
	}
	return context.WithDeadline(ctx, deadline.Add(-s.margin))
}
