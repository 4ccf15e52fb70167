package kms

import (
	"context"
	"sync"
	"time"
)

const (
	// maxKeys bounds the data keys in memory. Every process that sealed something lately has one of its own.
	maxKeys = 256
	// maxSeals is from how many secrets on a data key is replaced. Random nonces of 12 bytes are safe up to 2³².
	maxSeals = 1 << 20
)

// keyring holds the data keys in use: the one that seals, and those that opened something lately.
type keyring struct {
	remote   *remote
	now      func() time.Time
	maxAge   time.Duration
	maxKeys  int
	maxSeals int64

	mu      sync.Mutex
	current *dataKey          // seals; nil before the first
	kept    map[string]*entry // open; by what KMS made of them
	uses    uint64            // a clock for which was used last
	flights map[string]*flight
}

// entry is a data key and when it was used last, by keyring.uses.
type entry struct {
	key  *dataKey
	used uint64
}

// flight is a call to KMS that others wait for.
type flight struct {
	done     chan struct{} // closed when the rest is set
	key      *dataKey
	err      error
	deserted bool // it failed because its caller left, which is nobody else's failure
}

func newKeyring(r *remote, now func() time.Time, maxAge time.Duration) *keyring {
	return &keyring{
		remote: r, now: now, maxAge: maxAge, maxKeys: maxKeys, maxSeals: maxSeals,
		kept: map[string]*entry{}, flights: map[string]*flight{},
	}
}

func (r *keyring) sealing(ctx context.Context) (*dataKey, error) {
	return r.fetch(ctx, "", r.remote.generate)
}

func (r *keyring) opening(ctx context.Context, encrypted []byte) (*dataKey, error) {
	if len(encrypted) == 0 {
		return nil, errUnsealable // a vault without KMS sealed it
	}
	return r.fetch(ctx, string(encrypted), func(ctx context.Context, born time.Time) (*dataKey, error) {
		return r.remote.decrypt(ctx, encrypted, born)
	})
}

// fetch returns a key from memory, or asks for it. Id is the encrypted key; "" stands for the one that seals. Of those
// who want the same key at the same time one asks, with its own ctx, and the rest wait; when that one leaves, another
// asks. So no call outlives its caller, and nobody fails because somebody else left.
func (r *keyring) fetch(ctx context.Context, id string, ask func(context.Context, time.Time) (*dataKey, error)) (*dataKey, error) {
	for {
		now := r.now()
		r.mu.Lock()
		key := r.have(id, now)
		f, flying := r.flights[id]
		if key == nil && !flying {
			f = &flight{done: make(chan struct{}), deserted: true}
			r.flights[id] = f
		}
		r.mu.Unlock()
		switch {
		case key != nil:
			return key, nil
		case !flying:
			return r.fly(ctx, id, f, func() (*dataKey, error) { return ask(ctx, now) })
		}
		select {
		case <-f.done:
			if !f.deserted {
				return f.key, f.err
			}
		case <-ctx.Done():
			return nil, cancelled("wait for a data key", ctx.Err())
		}
	}
}

// fly makes the call of a flight, and lands it even if the call panics: those who wait must not wait forever.
func (r *keyring) fly(ctx context.Context, id string, f *flight, ask func() (*dataKey, error)) (*dataKey, error) {
	defer func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		delete(r.flights, id)
		if f.key != nil {
			r.keep(id, f.key)
		}
		close(f.done)
	}()
	f.key, f.err = ask()
	f.deserted = f.err != nil && ctx.Err() != nil
	return f.key, f.err
}

// have returns a key that may be used, nil if there is none. The caller holds the lock.
func (r *keyring) have(id string, now time.Time) *dataKey {
	if id == "" {
		if k := r.current; k != nil && k.fresh(now, r.maxAge) && k.seals.Load() < r.maxSeals {
			return k
		}
		return nil
	}
	e := r.kept[id]
	if e == nil || !e.key.fresh(now, r.maxAge) {
		return nil
	}
	r.uses++
	e.used = r.uses
	return e.key
}

// keep puts a key that KMS gave into memory, and takes out the old ones and, when it is full, the one that was not used
// for longest. To look at all of them is nothing beside the call that has just been made. The caller holds the lock.
func (r *keyring) keep(id string, k *dataKey) {
	if id == "" {
		r.current = k // its own process opens with it, too
		id = string(k.header[headSize:])
	}
	now := r.now()
	if r.current != nil && !r.current.fresh(now, r.maxAge) {
		r.current = nil
	}
	oldest := ""
	for other, e := range r.kept {
		if !e.key.fresh(now, r.maxAge) {
			delete(r.kept, other)
		} else if oldest == "" || e.used < r.kept[oldest].used {
			oldest = other
		}
	}
	if _, there := r.kept[id]; !there && len(r.kept) >= r.maxKeys {
		delete(r.kept, oldest)
	}
	r.uses++
	r.kept[id] = &entry{key: k, used: r.uses}
}
