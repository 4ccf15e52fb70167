// Package lambda plays AWS Lambda with the functions' real binaries: processes under a fake Runtime API, one event at a
// time each, made when they are needed and replaced when they die.
//
// Build the binaries, then make each Function and Invoke it:
//
//	err := lambda.Build(ctx, folder, "kefu/functions/callback")
//	f := lambda.New(lambda.Options{Name: "callback", Binary: filepath.Join(folder, "callback"), Limit: 10 * time.Second})
//	defer f.Close()
//	answer, err := f.Invoke(ctx, event)
//
// It has no throttling, no limit of memory or processor time, and freezes nobody between events.
package lambda

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"
)

// ErrTimeout is what Invoke returns when the function's time was over. Its process was killed.
var ErrTimeout = errors.New("the function's time is over")

// Options are a function's settings.
type Options struct {
	// Name is the function's, for errors and for the function itself (AWS_LAMBDA_FUNCTION_NAME).
	Name string
	// Binary is the path of what Build made.
	Binary string
	// Env is all that the processes find in their environment, "NAME=value" each, besides what Lambda itself sets.
	Env []string
	// Limit is how long one event may take; the start of a process doesn't count. Default 30 s.
	Limit time.Duration
	// Max is how many processes there may be; more events wait. Default 4.
	Max int
	// Log gets what the processes write; nil: nobody does.
	Log *os.File
}

// Function is one function with its processes. All methods may be called concurrently, but for Drain and Resume.
type Function struct {
	o     Options
	slots chan struct{} // one for each event under way

	mu   sync.Mutex
	idle []*environment // who worked last works next, as on Lambda
	live map[*environment]bool
}

// Defaults of [Options].
const (
	defaultLimit = 30 * time.Second
	defaultMax   = 4
)

// New returns a function that has no process yet.
func New(o Options) *Function {
	if o.Limit <= 0 {
		o.Limit = defaultLimit
	}
	if o.Max <= 0 {
		o.Max = defaultMax
	}
	return &Function{o: o, slots: make(chan struct{}, o.Max), live: map[*environment]bool{}}
}

// Invoke gives one event to a process that has none, which is started if need be, and waits for the answer. The error
// is a *faastest.FunctionError when the function reported one, faastest.ErrExited when its process died on the event,
// ErrTimeout, or the context's. As on Lambda, the event goes on when the caller has left.
func (f *Function) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	select {
	case f.slots <- struct{}{}:
	case <-ctx.Done():
		return nil, fmt.Errorf("%s: no process was free: %w", f.o.Name, ctx.Err())
	}
	type result struct {
		answer []byte
		err    error
	}
	done := make(chan result, 1)
	go func() {
		defer func() { <-f.slots }()
		answer, err := f.invoke(context.WithoutCancel(ctx), payload)
		done <- result{answer, err}
	}()
	select {
	case r := <-done:
		return r.answer, r.err
	case <-ctx.Done():
		return nil, fmt.Errorf("%s: %w", f.o.Name, ctx.Err())
	}
}

func (f *Function) invoke(ctx context.Context, payload []byte) ([]byte, error) {
	e, err := f.take(ctx)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.o.Name, err)
	}
	answer, err := e.invoke(ctx, f.o.Limit, payload)
	f.put(e)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.o.Name, err)
	}
	return answer, nil
}

// Warm starts n processes ahead, of the Max there may be, and returns when they wait for events.
func (f *Function) Warm(ctx context.Context, n int) error {
	n = min(n, f.o.Max)
	errs := make([]error, n)
	var all sync.WaitGroup
	for i := range n {
		f.slots <- struct{}{}
		all.Go(func() {
			defer func() { <-f.slots }()
			e, err := f.start(ctx)
			if err == nil {
				f.put(e)
			}
			errs[i] = err
		})
	}
	all.Wait()
	return errors.Join(errs...)
}

// Running is how many processes there are.
func (f *Function) Running() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.live)
}

// Kill ends all processes with SIGKILL, in the middle of their events, and returns when they are gone. Events to come
// find new ones.
func (f *Function) Kill() {
	f.mu.Lock()
	f.idle = nil
	doomed := f.live
	f.live = map[*environment]bool{}
	f.mu.Unlock()
	var all sync.WaitGroup
	for e := range doomed {
		all.Go(e.kill)
	}
	all.Wait()
}

// Drain lets no event begin, waits for those under way and ends all processes. If it returns nil, Resume must follow.
func (f *Function) Drain(ctx context.Context) error {
	for held := range f.o.Max {
		select {
		case f.slots <- struct{}{}:
		case <-ctx.Done():
			f.free(held)
			return fmt.Errorf("%s: wait for its events: %w", f.o.Name, ctx.Err())
		}
	}
	f.Kill()
	return nil
}

// Resume ends what Drain began. The next processes start with the environment env.
func (f *Function) Resume(env []string) {
	f.o.Env = env // nobody reads it now: all slots are held
	f.free(f.o.Max)
}

func (f *Function) free(slots int) {
	for range slots {
		<-f.slots
	}
}

// Close kills all processes. The function must not be used any more.
func (f *Function) Close() { f.Kill() }

// take gives an idle process, or starts one. The caller holds a slot.
func (f *Function) take(ctx context.Context) (*environment, error) {
	for {
		e := f.lastIdle()
		if e == nil {
			return f.start(ctx)
		}
		if !e.dead() {
			return e, nil
		}
		f.bury(e)
	}
}

func (f *Function) lastIdle() *environment {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.idle) == 0 {
		return nil
	}
	e := f.idle[len(f.idle)-1]
	f.idle = f.idle[:len(f.idle)-1]
	return e
}

// start makes a process and waits until it asks for its first event.
func (f *Function) start(ctx context.Context) (*environment, error) {
	e, err := launch(f.o)
	if err != nil {
		return nil, err
	}
	f.mu.Lock()
	f.live[e] = true // from here on Kill finds it
	f.mu.Unlock()
	if err := e.ready(ctx); err != nil {
		f.bury(e)
		return nil, err
	}
	return e, nil
}

// put takes a process back. One that is dead, or was killed while it worked, is forgotten.
func (f *Function) put(e *environment) {
	if e.dead() {
		f.bury(e)
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.live[e] {
		f.idle = append(f.idle, e)
	}
}

func (f *Function) bury(e *environment) {
	f.mu.Lock()
	delete(f.live, e)
	f.mu.Unlock()
	e.kill()
}
