package dynamo

import (
	"context"
	"strings"
	"time"

	"kefu/shared/core/message"
)

// PutMedia stores or replaces what is known of a file.
func (s *Store) PutMedia(ctx context.Context, m message.Media) error {
	body, err := pack(m)
	if err != nil {
		return err
	}
	it := mediaKey(m.ID).item()
	it[attrBody] = binary(body)
	if !m.ExpiresAt.IsZero() {
		it[attrTimeOf], it[attrTime] = text(dueMediaShard(m.ID)), text(mediaPlace(m))
		it[attrTTL] = lifetime(m.ExpiresAt)
	}
	_, _, err = s.put(ctx, it, condition{})
	return err
}

// Media returns what is known of a file.
func (s *Store) Media(ctx context.Context, id string) (message.Media, error) {
	it, err := s.get(ctx, mediaKey(id), true)
	if err != nil {
		return message.Media{}, err
	}
	if it == nil {
		return message.Media{}, missing("media", id)
	}
	return readMedia(it)
}

func readMedia(it item) (m message.Media, err error) {
	if err := unpack("media", readBinary(it[attrBody]), &m); err != nil {
		return message.Media{}, err
	}
	return m, nil
}

// mediaPlace is where a file stands in the index of time.
func mediaPlace(m message.Media) string { return instant(m.ExpiresAt) + "/" + short(m.ID) }

// DueMedia lists files whose time is over, earliest first. The index finds them and the table decides: a file whose
// time was put off a moment ago is not removed.
func (s *Store) DueMedia(ctx context.Context, before time.Time, limit int) (ids []string, err error) {
	var parts []part
	for i := range dueMediaShards {
		parts = append(parts, part{of: byTime, name: dueMediaShardAt(i), before: instant(before)})
	}
	limit = pageSize(limit)
	m, err := s.merge(ctx, parts, "", limit)
	if err != nil {
		return nil, err
	}
	places, err := m.take(ctx, limit)
	if err != nil {
		return nil, err
	}
	items, err := s.itemsAt(ctx, places, func(place string) key {
		_, name, _ := strings.Cut(place, "/")
		return mediaKey(name)
	})
	if err != nil {
		return nil, err
	}
	for _, it := range items {
		f, err := readMedia(it)
		if err != nil {
			return nil, err
		}
		if !f.ExpiresAt.IsZero() && f.ExpiresAt.Before(before) {
			ids = append(ids, f.ID)
		}
	}
	return ids, nil
}

// DeleteMedia removes the bytes and the record of a file, in this order: whatever a crash leaves is still listed as due
// and removed the next time.
func (s *Store) DeleteMedia(ctx context.Context, id string) error {
	if err := s.removeBlob(ctx, id); err != nil {
		return err
	}
	return s.remove(ctx, mediaKey(id), condition{})
}
