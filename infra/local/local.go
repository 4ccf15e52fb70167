package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

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
		return nil, fmt.Errorf("listen on %s: %w\nIs another one running? KEFU_ADDR sets another address, such as 127.0.0.1:8081", o.addr, err)
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

// keeper keeps what the simulator knows in a file, as the real platform forgets
// nothing while the system is down.
type keeper struct {
	platform *wxfake.Platform
	path     string
	log      *slog.Logger
	saved    uint64 // the platform's version in the file
	stop     context.CancelFunc
	ended    sync.WaitGroup
}

// keepEvery is the pause between two savings: what a kill loses at most.
const keepEvery = 5 * time.Second

// load takes up the file of an earlier run, if there is one. A file that can't be
// understood is put aside, and the platform begins without customers.
func (k *keeper) load() error {
	f, err := os.Open(filepath.Clean(k.path))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	damage := k.platform.Load(f)
	if err := f.Close(); err != nil {
		return err
	}
	if damage == nil {
		k.saved = k.platform.Version()
		return nil
	}
	aside := k.path + ".damaged"
	k.log.Warn("the simulator starts without its customers", "cause", damage.Error(), "file", k.path, "kept_as", aside)
	return os.Rename(k.path, aside)
}

// start saves from time to time until close. The end of ctx doesn't end it: then the
// last work is done, and that may take a while.
func (k *keeper) start(ctx context.Context) {
	ctx, k.stop = context.WithCancel(context.WithoutCancel(ctx))
	k.ended.Go(func() {
		for pause(ctx, keepEvery) == nil {
			if err := k.save(); err != nil {
				k.log.Warn("the simulator's customers are not saved", "cause", err.Error())
			}
		}
	})
}

// close saves for the last time.
func (k *keeper) close() error {
	k.stop()
	k.ended.Wait()
	return k.save()
}

// save writes the file anew if anything has changed. Whoever reads it sees the old
// one or the new one, whole.
func (k *keeper) save() error {
	version := k.platform.Version()
	if version == k.saved {
		return nil
	}
	// One name for all: a kill leaves at most one behind, and the next save takes it. The data file's lock keeps other
	// processes out of the folder.
	f, err := os.OpenFile(filepath.Clean(k.path+".tmp"), os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	err = k.platform.Save(f)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), k.path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	k.saved = version
	return nil
}
