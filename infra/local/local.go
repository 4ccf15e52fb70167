package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"syscall"
	"time"

	"kefu/shared/adapter/wechat/wxfake"
	"kefu/shared/app"
)

// local is the whole system on this machine: the functions, and the simulator unless another platform is named.
type local struct {
	functions
	platform *wxfake.Platform // nil when another platform is named
	clock    *clock
	base     string // http://127.0.0.1:8080
	demo     demoData
	keeper   *keeper // of the platform; nil without one
	admin    client
	done     chan error
	stop     context.CancelFunc
}

// functions are all functions on one of the engines, behind one address: a host or a cloud.
type functions interface {
	// handle serves more at the same address, until the work begins.
	handle(pattern string, h http.Handler)
	// serve works until ctx ends, then finishes what has begun.
	serve(ctx context.Context, ln net.Listener) error
	// pass lets time pass at once.
	pass(ctx context.Context, d time.Duration) error
	// handled is how many messages of a queue have been worked on.
	handled(queue string) int64
	adminKey() string
	// about says what runs, in a sentence; empty for what one expects.
	about() string
	// close lets go of everything, after serve has returned.
	close() error
}

// localOptions are what run, demo and bench set differently.
type localOptions struct {
	addr   string
	config app.Config    // Data is empty where nothing is kept
	cloud  *cloudOptions // nil: the embedded engine
	clock  *clock
	sim    wxfake.Options
	log    *slog.Logger
}

// start opens the system and serves it; it returns when the interface answers
// and the demo's data are in place.
func start(ctx context.Context, o localOptions) (*local, error) {
	var lc net.ListenConfig
	ln, err := lc.Listen(ctx, "tcp", o.addr)
	if err != nil {
		if errors.Is(err, syscall.EADDRINUSE) {
			err = fmt.Errorf("%w; is another one running?", err)
		}
		return nil, fmt.Errorf("listen on %q: %w\nKEFU_ADDR sets another address, such as 127.0.0.1:8081", o.addr, err)
	}
	l := &local{clock: o.clock, base: "http://" + ln.Addr().String(), done: make(chan error, 1)}
	simulated := o.config.WeChatURL == ""
	if simulated {
		o.config.WeChatURL = l.base + "/simulator"
	}
	if l.functions, err = open(ctx, o); err != nil {
		return nil, errors.Join(err, ln.Close())
	}
	if simulated {
		// The platform is whole before anything runs: answers that wait from an earlier run are sent at once.
		if err := l.simulate(o); err != nil {
			return nil, errors.Join(err, ln.Close(), l.functions.close())
		}
	}
	ctx, l.stop = context.WithCancel(ctx)
	go func() { l.done <- l.serve(ctx, ln) }()
	l.admin = client{base: l.base + "/v1", key: l.adminKey()}
	if !simulated {
		return l, nil
	}
	if l.keeper != nil {
		l.keeper.start(ctx)
	}
	if err := l.demo.seed(ctx, l.admin, o.config.Data); err != nil {
		return nil, errors.Join(err, l.close())
	}
	return l, nil
}

// open opens the engine that the options name.
func open(ctx context.Context, o localOptions) (functions, error) {
	if o.cloud != nil {
		return openCloud(ctx, o)
	}
	return openHost(o)
}

// simulate makes the platform, with its accounts and with what it knew in an earlier run.
func (l *local) simulate(o localOptions) (err error) {
	if l.demo, err = loadDemo(o.config.Data); err != nil {
		return err
	}
	o.sim.Now, o.sim.Log, o.sim.BaseURL = o.clock.Now, o.log, l.base+"/simulator"
	l.platform = wxfake.New(o.sim)
	err = l.demo.register(l.platform, l.base)
	if o.config.Data != "" {
		l.keeper = &keeper{platform: l.platform, path: filepath.Join(o.config.Data, "simulator.json"), log: o.log}
		err = errors.Join(err, l.keeper.load())
	}
	if err != nil {
		l.platform.Close()
		return err
	}
	l.handle("/simulator/", http.StripPrefix("/simulator", l.platform.Handler()))
	l.handle("/{$}", http.RedirectHandler("/simulator/", http.StatusFound))
	return nil
}

// as is the interface with an agent's key.
func (l *local) as(agent string) client { return client{base: l.base + "/v1", key: l.demo.Keys[agent]} }

// close ends the system cleanly: no more requests, then no more work, then the data.
func (l *local) close() error {
	l.stop()
	err := <-l.done
	if l.platform != nil {
		l.platform.Close()
	}
	if l.keeper != nil {
		err = errors.Join(err, l.keeper.close())
	}
	return errors.Join(err, l.functions.close())
}
