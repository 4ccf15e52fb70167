package bolt

import (
	"context"

	"kefu/shared/core/account"
	"kefu/shared/core/message"
)

// KeepRaw keeps a push that has no place in a conversation, for Options.RawFor.
func (s *Store) KeepRaw(ctx context.Context, r message.RawPush) error {
	raw, err := encode(r)
	if err != nil {
		return err
	}
	of := string(r.Push.Scope())
	at := newKey().text(of).time(r.Push.ReceivedAt).bare(r.Push.Key)
	name := newKey().text(of).bare(r.Push.Key)
	end := s.db.utcNow()
	if r.Push.ReceivedAt.After(end) {
		end = r.Push.ReceivedAt
	}
	end = end.Add(s.db.rawFor)
	return s.db.update(ctx, func(t *tx) error {
		if t.get(rawByKey, name) != nil {
			return nil
		}
		t.put(inRaw, at, raw)
		t.put(rawByKey, name, at)
		t.put(expiry, expiryKey(end, expireRaw, name), present)
		return nil
	})
}

// RawPushes lists the kept pushes of an account, oldest first.
func (s *Store) RawPushes(ctx context.Context, a account.Scope, cursor string, limit int) ([]message.RawPush, string, error) {
	l := list[message.RawPush]{
		bucket: inRaw, scope: newKey().text("raw").text(string(a)), prefix: newKey().text(string(a)),
		read: func(_ *tx, _ key, v []byte) (message.RawPush, error) { return decode[message.RawPush]("kept push", v) },
	}
	return l.page(ctx, s.db, cursor, limit)
}
