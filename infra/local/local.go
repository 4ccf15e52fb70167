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

	"kefu/shared/adapter/wechat/wxfake"
	"kefu/shared/app"
)

// local is the whole system in one process: the six functions on the embedded
// engine, and the simulator unless another platform is named.
type local struct {
	system   *app.System
	host     *host
	platform *wxfake.Platform // nil when another platform is named
	clock    *clock
	base     string // http://127.0.0.1:8080
	demo     demoData
	keeper   *keeper // of the platform; nil without one
	admin    client
	done     chan error
	stop     context.CancelFunc
}

// localOptions are what run, demo and bench set differently.
type localOptions struct {
	addr   string
	config app.Config
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
	o.config.Now, o.config.Log = o.clock.Now, o.log
	if l.system, err = app.Open(o.config); err != nil {
		return nil, errors.Join(err, ln.Close())
	}
	l.host = newHost(l.system, o.clock, o.log)
	if simulated {
		// The platform is whole before anything runs: answers that wait from an earlier run are sent at once.
		if err := l.simulate(o); err != nil {
			return nil, errors.Join(err, ln.Close(), l.system.Close())
		}
	}
	ctx, l.stop = context.WithCancel(ctx)
	go func() { l.done <- l.host.serve(ctx, ln) }()
	l.admin = client{base: l.base + "/v1", key: l.system.AdminKey().Reveal()}
	if !simulated {
		return l, nil
	}
	l.keeper.start(ctx)
	if err := l.demo.seed(ctx, l.admin, o.config.Data); err != nil {
		return nil, errors.Join(err, l.close())
	}
	return l, nil
}

// simulate makes the platform, with its accounts and with what it knew in an earlier run.
func (l *local) simulate(o localOptions) (err error) {
	if l.demo, err = loadDemo(o.config.Data); err != nil {
		return err
	}
	o.sim.Now, o.sim.Log, o.sim.BaseURL = o.clock.Now, o.log, l.base+"/simulator"
	l.platform = wxfake.New(o.sim)
	l.keeper = &keeper{platform: l.platform, path: filepath.Join(o.config.Data, "simulator.json"), log: o.log}
	if err := errors.Join(l.demo.register(l.platform, l.base), l.keeper.load()); err != nil {
		l.platform.Close()
		return err
	}
	l.host.extra["/simulator/"] = http.StripPrefix("/simulator", l.platform.Handler())
	l.host.extra["/{$}"] = http.RedirectHandler("/simulator/", http.StatusFound)
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
		err = errors.Join(err, l.keeper.close())
	}
	return errors.Join(err, l.system.Close())
}
