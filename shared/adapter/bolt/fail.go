package bolt

import (
	"errors"
	"fmt"

	berrors "go.etcd.io/bbolt/errors"

	"kefu/shared/core/fault"
)

var (
	errClosed = fault.Wrap(fault.Unavailable, "store-closed", berrors.ErrDatabaseNotOpen)
	errCursor = fault.New(fault.Invalid, "bad-cursor", "The cursor is not one that a list returned.")
)

// cancelled says that the caller left before anything was done.
func cancelled(cause error) error {
	return fault.Wrap(fault.Unavailable, "cancelled", cause)
}

// unavailable says that the file could not be read or written.
func unavailable(err error) error {
	if errors.Is(err, berrors.ErrDatabaseNotOpen) {
		return errClosed
	}
	return fault.Wrap(fault.Unavailable, "store-unavailable", err)
}

// missing says that there is no such thing. The id is for logs.
func missing(what, id string) error {
	return fault.Wrap(fault.NotFound, "", fmt.Errorf("no %s %q", what, id))
}

// broken says that a stored value can't be read, which is never the caller's doing.
func broken(what string, err error) error {
	return fault.Wrap(fault.Internal, "store-corrupt", fmt.Errorf("stored %s: %w", what, err))
}

// unfit says that a value can't be stored, such as a text that is no JSON where JSON belongs.
func unfit(err error) error {
	return fault.Wrap(fault.Invalid, "not-storable", err)
}
