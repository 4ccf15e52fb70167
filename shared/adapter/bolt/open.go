package bolt

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"sync"
	"time"

	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"

	"kefu/shared/core/fault"
)

// Options say where the engine keeps its data. Path and Key are needed.
type Options struct {
	// Path is the file; its folder is made if need be.
	Path string
	// Key seals the secrets of accounts and the access tokens (AES-256-GCM). A file opens only with the key
	// that it was made with.
	Key [32]byte
	// MediaDir holds the bytes of files; default: Path with ".media" at its end.
	MediaDir string
	// Now is the clock; default time.Now.
	Now func() time.Time
	// MaxBytes bounds the file, 0 doesn't. A change that would need more is refused as Unavailable. Reading goes on,
	// and so does removing, and working off queues, which may take the file a little beyond.
	MaxBytes int
	// RawFor is how long pushes without a conversation are kept; default 90 days.
	RawFor time.Duration
	// Log receives failed commits; default: nobody.
	Log *slog.Logger
}

// schema is the version of the layout. A file of a newer one is refused; an older one would be converted by Open.
const schema = 1

// lockWait is how long Open waits for another process to let go of the file.
const lockWait = 500 * time.Millisecond

var (
	keySchema = key("schema")
	keyCheck  = key("key-check")
)

// DB is an open file. It is safe for concurrent use.
type DB struct {
	bolt    *bbolt.DB
	writer  *writer
	now     func() time.Time
	seal    sealer
	cursors cursors
	media   string
	rawFor  time.Duration

	mu     sync.Mutex // guards queues
	queues map[string]*Queue
}

// Open opens the file, or makes it. It fails within a second, with a fault of kind Unavailable and code "in-use", if
// another process has it; with kind Invalid if it is of a newer version ("newer-schema"), was made with another key
// ("wrong-key") or is no such file ("not-ours").
func Open(o Options) (*DB, error) {
	if o.Path == "" {
		return nil, fault.New(fault.Invalid, "no-path", "The path of the data file is missing.")
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.MediaDir == "" {
		o.MediaDir = o.Path + ".media"
	}
	if o.RawFor <= 0 {
		o.RawFor = 90 * 24 * time.Hour
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	seal, err := newSealer(o.Key)
	if err != nil {
		return nil, err
	}
	file, err := openFile(o)
	if err != nil {
		return nil, err
	}
	d := &DB{
		bolt: file, now: o.Now, seal: seal, cursors: newCursors(o.Key), media: o.MediaDir, rawFor: o.RawFor,
		queues: map[string]*Queue{},
	}
	if err := errors.Join(d.prepare(), d.prepareMedia()); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	d.writer = startWriter(file, o.Log)
	if err := d.release(context.Background()); err != nil {
		return nil, errors.Join(err, d.Close())
	}
	return d, nil
}

func openFile(o Options) (*bbolt.DB, error) {
	if err := os.MkdirAll(filepath.Dir(o.Path), 0o700); err != nil {
		return nil, unavailable(err)
	}
	file, err := bbolt.Open(o.Path, 0o600, &bbolt.Options{
		Timeout:      lockWait,
		MaxSize:      o.MaxBytes,
		FreelistType: bbolt.FreelistMapType,
		NoStatistics: true,
	})
	switch {
	case errors.Is(err, berrors.ErrTimeout):
		return nil, fault.Wrap(fault.Unavailable, "in-use",
			fmt.Errorf("%s is in use by another process (or opened twice in this one)", o.Path))
	case errors.Is(err, berrors.ErrInvalid), errors.Is(err, berrors.ErrVersionMismatch), errors.Is(err, berrors.ErrChecksum):
		return nil, fault.Wrap(fault.Invalid, "not-ours", fmt.Errorf("%s is no data file: %w", o.Path, err))
	case err != nil:
		return nil, unavailable(fmt.Errorf("open %s: %w", o.Path, err))
	}
	return file, nil
}

// prepare checks what the file is, and gives an empty one our layout.
func (d *DB) prepare() error {
	fresh, complete := true, true
	err := d.bolt.View(func(t *bbolt.Tx) error {
		if err := t.ForEach(func([]byte, *bbolt.Bucket) error { fresh = false; return nil }); err != nil {
			return unavailable(err)
		}
		for _, b := range allBuckets {
			complete = complete && t.Bucket(b) != nil
		}
		if fresh {
			return nil
		}
		return d.check(t)
	})
	if err != nil || complete {
		return err
	}
	check, err := d.seal.seal("file", keyCheck)
	if err != nil {
		return err
	}
	err = d.bolt.Update(func(t *bbolt.Tx) error {
		for _, b := range allBuckets {
			if _, err := t.CreateBucketIfNotExists(b); err != nil {
				return err
			}
		}
		if !fresh {
			return nil
		}
		meta := t.Bucket(inMeta)
		return errors.Join(meta.Put(keySchema, []byte(strconv.Itoa(schema))), meta.Put(keyCheck, check))
	})
	if err != nil {
		return unavailable(err)
	}
	return syncDir(filepath.Dir(d.bolt.Path()))
}

// check refuses files that this program can't work with.
func (d *DB) check(t *bbolt.Tx) error {
	meta := t.Bucket(inMeta)
	if meta == nil {
		return fault.Wrap(fault.Invalid, "not-ours", fmt.Errorf("%s is a bbolt file of another program", d.bolt.Path()))
	}
	version, err := strconv.Atoi(string(meta.Get(keySchema)))
	if err != nil {
		return fault.Wrap(fault.Invalid, "not-ours", fmt.Errorf("%s has no schema version: %w", d.bolt.Path(), err))
	}
	if version > schema {
		return fault.Wrap(fault.Invalid, "newer-schema", fmt.Errorf(
			"%s has schema version %d and this program knows up to %d: use the newer program", d.bolt.Path(), version, schema))
	}
	plain, err := d.seal.open("file", meta.Get(keyCheck))
	if err != nil || !bytes.Equal(plain, keyCheck) {
		return fault.Wrap(fault.Invalid, "wrong-key", fmt.Errorf("%s: %w", d.bolt.Path(), errWrongKey))
	}
	return nil
}

// Close writes what was accepted, waits for running reads and lets go of the file. Calls that come later fail with
// kind Unavailable. Closing again is no error.
func (d *DB) Close() error {
	d.writer.close()
	return d.bolt.Close()
}

// update makes a change durable; see writer.do for what a closure must keep to.
func (d *DB) update(ctx context.Context, fn func(*tx) error) error {
	return d.writer.do(ctx, false, fn)
}

// relieve is update for changes that remove something, or without which nothing could be removed.
func (d *DB) relieve(ctx context.Context, fn func(*tx) error) error {
	return d.writer.do(ctx, true, fn)
}

// view reads in a transaction of its own, which sees everything that was acknowledged before.
func (d *DB) view(ctx context.Context, fn func(*tx) error) error {
	if err := ctx.Err(); err != nil {
		return cancelled(err)
	}
	var verdict error
	err := d.bolt.View(func(t *bbolt.Tx) error {
		verdict = fn(&tx{Tx: t})
		return nil
	})
	if err != nil {
		return unavailable(err)
	}
	return verdict
}

// utcNow reads the clock.
func (d *DB) utcNow() time.Time { return d.now().UTC() }

// syncDir makes new names in a folder durable. Windows has no such call, and keeps names by itself.
func syncDir(dir string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	f, err := os.Open(filepath.Clean(dir))
	if err != nil {
		return unavailable(err)
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return unavailable(err)
	}
	return nil
}
