package main

import (
	"context"
	"sync/atomic"
	"time"
)

// clock is the wall clock with an offset, so that 48 hours can pass while
// somebody looks on.
type clock struct{ offset atomic.Int64 }

// Now is the time by this clock, in UTC.
func (c *clock) Now() time.Time {
	return time.Now().Add(time.Duration(c.offset.Load())).UTC()
}

// Forward lets time pass at once.
func (c *clock) Forward(d time.Duration) { c.offset.Add(int64(d)) }

// pause waits for real time, however the clock is set.
func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
