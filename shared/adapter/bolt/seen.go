package bolt

import (
	"context"
	"time"

	"kefu/shared/core/account"
	"kefu/shared/core/message"
)

// seenFor is how long a push is remembered: the platform's retries end after seconds, redeliveries that operators
// start from logs and backups come within the month.
const seenFor = 31 * 24 * time.Hour

func seenKey(a account.Scope, k string) key { return newKey().text(string(a)).bare(k) }

// Seen returns what is remembered of a push.
func (s *Store) Seen(ctx context.Context, a account.Scope, k string) (out message.Seen, err error) {
	err = s.db.view(ctx, func(t *tx) error {
		v, ok, err := load[message.Seen](t, inSeen, seenKey(a, k), "push memory")
		if err == nil && !ok {
			err = missing("push", k)
		}
		out = v
		return err
	})
	return out, err
}

// MarkSeen remembers a push, for 31 days at least.
func (s *Store) MarkSeen(ctx context.Context, a account.Scope, v message.Seen) error {
	raw, err := encode(v)
	if err != nil {
		return err
	}
	end := s.db.utcNow()
	if v.FirstAt.After(end) {
		end = v.FirstAt
	}
	end = end.Add(seenFor)
	at := seenKey(a, v.Key)
	return s.db.update(ctx, func(t *tx) error {
		if t.get(inSeen, at) != nil {
			return nil
		}
		t.put(inSeen, at, raw)
		t.put(expiry, expiryKey(end, expireSeen, at), present)
		return nil
	})
}

// RecordDrop counts a repeated delivery of a push that is remembered.
func (s *Store) RecordDrop(ctx context.Context, a account.Scope, k string, at time.Time) error {
	return s.db.update(ctx, func(t *tx) error {
		v, ok, err := load[message.Seen](t, inSeen, seenKey(a, k), "push memory")
		if err != nil {
			return err
		}
		if !ok {
			return missing("push", k)
		}
		v.Drops++
		if at.After(v.LastDropAt) {
			v.LastDropAt = at
		}
		raw, err := encode(v)
		if err != nil {
			return err
		}
		t.put(inSeen, seenKey(a, k), raw)
		return nil
	})
}
