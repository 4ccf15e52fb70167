package main

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"kefu/shared/core/fault"
	"kefu/shared/faas"
)

// How an end goes, from the moment it is asked for. Together they stay below the 10 s after which container hosts kill,
// and far below the 15 s within which the platform delivers a push three times.
const (
	// graceLimit is how long what has begun may go on; then it is cut.
	graceLimit = 4 * time.Second
	// recordLimit is how long what was cut has to write down how far it came.
	recordLimit = 1500 * time.Millisecond
	// closeLimit is how long requests that came meanwhile have once the door is closed.
	closeLimit = time.Second
)

// end finishes what has begun, with the door open: pushes are still queued, for the next start to work on, and agents'
// calls are answered. Calls to a peer that hangs are cut after graceLimit. Only then does the listener close.
func (s *server) end(door *http.Server, workers *sync.WaitGroup) error {
	begin := time.Now()
	cutting := time.AfterFunc(graceLimit, s.cut)
	defer cutting.Stop()
	within := begin.Add(graceLimit + recordLimit)
	if !await(workers.Wait, within) {
		s.log.Warn("stopped before all work was finished; the next start takes it up")
	}
	await(s.calls.end, within)
	down, cancel := context.WithTimeout(context.Background(), closeLimit)
	defer cancel()
	err := door.Shutdown(down)
	if errors.Is(err, context.DeadlineExceeded) {
		err = door.Close() // somebody holds a connection open; nothing is lost by cutting it
	}
	s.cut()
	return err
}

// await reports whether wait returned before the time was over.
func await(wait func(), until time.Time) bool {
	done := make(chan struct{})
	go func() {
		wait()
		close(done)
	}()
	late := time.NewTimer(time.Until(until))
	defer late.Stop()
	select {
	case <-done:
		return true
	case <-late.C:
		return false
	}
}

// within ends the context of h's invocations when life ends: a call to a peer that hangs returns then, and what it came
// to can still be recorded.
func within(life context.Context, h faas.Handler) faas.Handler {
	return func(ctx context.Context, payload []byte) ([]byte, error) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		defer context.AfterFunc(life, cancel)()
		return h(ctx, payload)
	}
}

// calls are the requests in flight, and whether the end has begun. Its zero value is ready.
type calls struct {
	mu     sync.RWMutex
	ending bool
	begun  sync.WaitGroup // those from before the end
}

// track counts the requests that h serves, until the end: those that come later can't hold it up.
func (c *calls) track(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c.mu.RLock()
		ending := c.ending
		if !ending {
			c.begun.Add(1)
			defer c.begun.Done()
		}
		c.mu.RUnlock()
		if ending {
			w.Header().Set("Connection", "close") // the client's next request goes to whoever follows
		}
		if ending && r.URL.Path == "/v1/health" {
			faas.WriteProblem(w, errStopping)
			return
		}
		h.ServeHTTP(w, r)
	})
}

// errStopping tells a load balancer that asks for health to send its requests elsewhere. All other calls are answered.
var errStopping = fault.WithAfter(fault.New(fault.Unavailable, "stopping",
	"This process is stopping; it answers calls until it has ended. Try again in a few seconds."), graceLimit)

// stop begins the end: requests that come from now on are not waited for.
func (c *calls) stop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ending = true
}

// end waits for the requests from before the end.
func (c *calls) end() { c.begun.Wait() }
