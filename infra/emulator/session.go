package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"kefu/infra/emulator/engine"
)

const (
	lookEvery  = 50 * time.Millisecond
	upWithin   = time.Minute // more than an engine has to get ready
	downWithin = 10 * time.Second
)

// up leaves a keeper running in the background, unless there is one, and shows the addresses.
func up(ctx context.Context) error {
	o := engine.Options{Log: os.Stderr}
	e, err := engine.Find(ctx, o)
	if e == nil && err == nil {
		// Here, where one sees that it takes a while.
		if err = engine.Fetch(ctx, o); err == nil {
			e, err = background(ctx, o)
		}
	}
	if err != nil {
		return err
	}
	return show(e)
}

// background starts `keep` and waits for its engines.
func background(ctx context.Context, o engine.Options) (*engine.Engines, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	path := filepath.Join(filepath.FromSlash(engine.DefaultCache), "keeper.log")
	log, err := os.Create(path) //nolint:gosec // a constant
	if err != nil {
		return nil, err
	}
	defer log.Close()                                                    //nolint:errcheck // the keeper writes by a handle of its own
	cmd := exec.CommandContext(context.WithoutCancel(ctx), self, "keep") //nolint:gosec // this program
	cmd.Stdout, cmd.Stderr = log, log
	detach(cmd)
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()

	ctx, cancel := context.WithTimeoutCause(ctx, upWithin, fmt.Errorf("no engines within %v: see %s", upWithin, path))
	defer cancel()
	again := time.NewTicker(lookEvery)
	defer again.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil, errors.Join(context.Cause(ctx), cmd.Process.Kill())
		case err := <-ended:
			if err != nil {
				said, _ := os.ReadFile(path) //nolint:gosec // a constant; without the file there is no reason to show
				return nil, fmt.Errorf("the keeper ended (%w): %s", err, bytes.TrimSpace(said))
			}
			ended = nil // another keeper was quicker: wait for its engines
		case <-again.C:
		}
		if e, err := engine.Find(ctx, o); e != nil || err != nil {
			return e, err
		}
	}
}

// keep is the keeper.
func keep(ctx context.Context) error {
	return engine.Keep(ctx, engine.Options{Log: os.Stderr})
}

func status(ctx context.Context) error {
	e, err := engine.Find(ctx, engine.Options{})
	if err != nil {
		return err
	}
	return show(e)
}

func down(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, downWithin)
	defer cancel()
	found, err := engine.Down(ctx, engine.Options{})
	if err == nil && !found {
		err = errNotUp
	}
	return err
}

// show prints what a shell can take over with eval.
func show(e *engine.Engines) error {
	if e == nil {
		return errNotUp
	}
	for _, variable := range e.Env() {
		if _, err := fmt.Println("export", variable); err != nil {
			return err
		}
	}
	return nil
}
