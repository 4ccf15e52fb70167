package bolt

import (
	"bytes"
	"context"
	"slices"
	"time"
)

// What stands in the expiry index.
const (
	expireSeen byte = 's'
	expireCall byte = 'c'
	expireRaw  byte = 'r'
	// expireSighting entries move with their record.
	expireSighting byte = 'v'
)

// expiryKey is the entry of a record that may go at end.
func expiryKey(end time.Time, kind byte, at key) key { return newKey().time(end).byte(kind).plus(at) }

// Clean removes up to limit records whose time is over at now: pushes seen, finished calls, pushes kept raw, sightings. It returns
// how many. It costs what it removes, so a sweep may call it every minute; calling again until it returns less
// than limit removes all. Files are not among them: see DueMedia.
func (s *Store) Clean(ctx context.Context, now time.Time, limit int) (removed int, err error) {
	limit = pageSize(limit)
	end := newKey().time(now)
	over := func(t *tx) (keys []key) {
		for k := range t.scan(expiry, nil, nil) {
			if len(keys) == limit || bytes.Compare(k[:timeLen], end) > 0 {
				break
			}
			keys = append(keys, slices.Clone(k))
		}
		return keys
	}
	// Most of the time there is nothing to do, which a reader finds out without an fsync.
	idle := false
	err = s.db.view(ctx, func(t *tx) error {
		idle = len(over(t)) == 0
		return nil
	})
	if err != nil || idle {
		return 0, err
	}
	err = s.db.relieve(ctx, func(t *tx) error {
		keys := over(t)
		for _, k := range keys {
			at := k[timeLen+1:]
			switch k[timeLen] {
			case expireSeen:
				t.delete(inSeen, at)
			case expireCall:
				t.delete(inCall, at)
			case expireSighting:
				t.delete(inSighting, at)
			case expireRaw:
				if place := t.get(rawByKey, at); place != nil {
					t.delete(inRaw, slices.Clone(place))
					t.delete(rawByKey, at)
				}
			}
			t.delete(expiry, k)
		}
		removed = len(keys)
		return nil
	})
	if err != nil {
		return 0, err
	}
	return removed, nil
}
