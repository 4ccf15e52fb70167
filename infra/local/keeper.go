package main

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"kefu/shared/adapter/wechat/wxfake"
)

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
