package bolt

import (
	"bytes"
	"context"
	"time"

	"kefu/shared/core/message"
)

func mediaKey(id string) key { return newKey().text(id) }

func mediaExpiryKey(m message.Media) key { return newKey().time(m.ExpiresAt).bare(m.ID) }

// PutMedia stores or replaces what is known of a file.
func (s *Store) PutMedia(ctx context.Context, m message.Media) error {
	raw, err := encode(m)
	if err != nil {
		return err
	}
	return s.db.update(ctx, func(t *tx) error {
		old, ok, err := load[message.Media](t, inMedia, mediaKey(m.ID), "media")
		if err != nil {
			return err
		}
		t.put(inMedia, mediaKey(m.ID), raw)
		if ok && old.ExpiresAt.Equal(m.ExpiresAt) {
			return nil
		}
		if ok && !old.ExpiresAt.IsZero() {
			t.delete(mediaExpiry, mediaExpiryKey(old))
		}
		if !m.ExpiresAt.IsZero() {
			t.put(mediaExpiry, mediaExpiryKey(m), present)
		}
		return nil
	})
}

// Media returns what is known of a file.
func (s *Store) Media(ctx context.Context, id string) (out message.Media, err error) {
	err = s.db.view(ctx, func(t *tx) error {
		m, ok, err := load[message.Media](t, inMedia, mediaKey(id), "media")
		if err == nil && !ok {
			err = missing("media", id)
		}
		out = m
		return err
	})
	return out, err
}

// DueMedia lists files whose time is over, earliest first.
func (s *Store) DueMedia(ctx context.Context, before time.Time, limit int) (ids []string, err error) {
	end := newKey().time(before)
	limit = pageSize(limit)
	err = s.db.view(ctx, func(t *tx) error {
		for k := range t.scan(mediaExpiry, nil, nil) {
			if len(ids) == limit || bytes.Compare(k[:timeLen], end) >= 0 {
				break
			}
			ids = append(ids, string(k[timeLen:]))
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return ids, nil
}

// DeleteMedia removes the bytes and the record of a file, in this order: whatever a crash leaves is still listed as due
// and removed the next time.
func (s *Store) DeleteMedia(ctx context.Context, id string) error {
	if err := ctx.Err(); err != nil {
		return cancelled(err)
	}
	if err := s.db.removeBlob(id); err != nil {
		return err
	}
	return s.db.relieve(ctx, func(t *tx) error {
		m, ok, err := load[message.Media](t, inMedia, mediaKey(id), "media")
		if err != nil || !ok {
			return err
		}
		t.delete(inMedia, mediaKey(id))
		if !m.ExpiresAt.IsZero() {
			t.delete(mediaExpiry, mediaExpiryKey(m))
		}
		return nil
	})
}
