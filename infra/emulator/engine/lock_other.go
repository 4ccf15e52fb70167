//go:build !unix

package engine

import (
	"context"
	"errors"
	"fmt"
)

var errLocked = errors.New("locked")

func tryLock(string) (unlock func(), err error) {
	return nil, fmt.Errorf("%w: not on this operating system", ErrUnavailable)
}

func lock(_ context.Context, path string) (unlock func(), err error) {
	return tryLock(path)
}
