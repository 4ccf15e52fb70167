package bolt

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"kefu/shared/core/fault"
)

// maxBlob is the most bytes of one file, above every limit of the platform (10 MB for a video).
const maxBlob = 16 << 20

// tempDir holds files that are being written. What is in it when the engine opens was never acknowledged.
const tempDir = "tmp"

// blobPath is where the bytes of an id are. The name is a digest, so no id can name a place outside the folder.
func (d *DB) blobPath(id string) string {
	sum := sha256.Sum256([]byte(id))
	name := hex.EncodeToString(sum[:])
	return filepath.Join(d.media, name[:2], name[2:])
}

// prepareMedia makes the folder and clears what a crash left half written.
func (d *DB) prepareMedia() error {
	temp := filepath.Join(d.media, tempDir)
	if err := errors.Join(os.RemoveAll(temp), os.MkdirAll(temp, 0o700)); err != nil {
		return unavailable(err)
	}
	return nil
}

// PutBlob stores the bytes of a file: written aside, synced, then moved to their place in one step.
func (s *Store) PutBlob(ctx context.Context, id string, b []byte) error {
	if len(b) > maxBlob {
		return fault.WithStatus(fault.New(fault.Invalid, "file-too-large", "The file is larger than 16 MiB."), 413)
	}
	if err := ctx.Err(); err != nil {
		return cancelled(err)
	}
	if err := s.db.writeBlob(s.db.blobPath(id), b); err != nil {
		return unavailable(fmt.Errorf("storing the bytes of %q: %w", id, err))
	}
	return nil
}

func (d *DB) writeBlob(path string, b []byte) error {
	f, err := os.CreateTemp(filepath.Join(d.media, tempDir), "*")
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = moveBlob(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, removeIfThere(f.Name()))
	}
	return nil
}

// moveBlob gives a written file its name, durably, making its folder if it is the first there.
func moveBlob(from, to string) error {
	dir := filepath.Dir(to)
	switch err := os.Mkdir(dir, 0o700); {
	case err == nil:
		if err := syncDir(filepath.Dir(dir)); err != nil {
			return err
		}
	case !errors.Is(err, fs.ErrExist):
		return err
	}
	if err := os.Rename(from, to); err != nil {
		return err
	}
	return syncDir(dir)
}

func removeIfThere(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// Blob returns the bytes of a file.
func (s *Store) Blob(ctx context.Context, id string) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, cancelled(err)
	}
	// The name is a digest: no id leads out of the folder.
	b, err := os.ReadFile(s.db.blobPath(id))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, missing("bytes of", id)
	case err != nil:
		return nil, unavailable(fmt.Errorf("reading the bytes of %q: %w", id, err))
	}
	return b, nil
}

func (d *DB) removeBlob(id string) error {
	path := d.blobPath(id)
	err := os.Remove(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return unavailable(fmt.Errorf("removing the bytes of %q: %w", id, err))
	}
	return syncDir(filepath.Dir(path))
}
