//go:build unix

package engine

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// lockEvery is how often a held lock is tried again.
const lockEvery = 100 * time.Millisecond

// errLocked says that another process holds the lock.
var errLocked = errors.New("locked")

// tryLock takes the lock of that name for this process. The kernel frees it when the process ends, however it ends.
func tryLock(path string) (unlock func(), err error) {
	f, err := os.OpenFile(filepath.Clean(path), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		err = errLocked
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return func() { _ = f.Close() }, nil
}

// lock waits for the lock until ctx ends.
func lock(ctx context.Context, path string) (unlock func(), err error) {
	again := time.NewTicker(lockEvery)
	defer again.Stop()
	for {
		unlock, err := tryLock(path)
		if !errors.Is(err, errLocked) {
			return unlock, err
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}
