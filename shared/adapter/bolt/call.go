package bolt

import (
	"context"
	"time"

	"kefu/shared/core/replay"
	"kefu/shared/core/tenant"
)

func callKey(of tenant.ID, k string) key { return newKey().text(string(of)).bare(k) }

// BeginCall stores the record of a first call, unless another stands in the way.
func (s *Store) BeginCall(ctx context.Context, of tenant.ID, c replay.Call, now time.Time) (found replay.Call, begun bool, err error) {
	raw, err := encode(c)
	if err != nil {
		return replay.Call{}, false, err
	}
	err = s.db.update(ctx, func(t *tx) error {
		found, begun = replay.Call{}, false
		old, ok, err := load[replay.Call](t, inCall, callKey(of, c.Key), "call")
		if err != nil {
			return err
		}
		if ok && old.Blocks(now) {
			found = old
			return nil
		}
		putCall(t, of, c, raw, old)
		begun = true
		return nil
	})
	if err != nil {
		return replay.Call{}, false, err
	}
	if begun {
		c.Body = append([]byte(nil), c.Body...)
		return c, true, nil
	}
	return found, false, nil
}

// FinishCall replaces the record of a call.
func (s *Store) FinishCall(ctx context.Context, of tenant.ID, c replay.Call) error {
	raw, err := encode(c)
	if err != nil {
		return err
	}
	return s.db.update(ctx, func(t *tx) error {
		old, _, err := load[replay.Call](t, inCall, callKey(of, c.Key), "call")
		if err != nil {
			return err
		}
		putCall(t, of, c, raw, old)
		return nil
	})
}

// putCall writes a record and moves it in the expiry index; a zero old has no entry there.
func putCall(t *tx, of tenant.ID, c replay.Call, raw []byte, old replay.Call) {
	at := callKey(of, c.Key)
	t.put(inCall, at, raw)
	if old.Key != "" && !old.ExpiresAt.Equal(c.ExpiresAt) {
		t.delete(expiry, expiryKey(old.ExpiresAt, expireCall, at))
	}
	t.put(expiry, expiryKey(c.ExpiresAt, expireCall, at), present)
}

// AbandonCall removes the record of a call.
func (s *Store) AbandonCall(ctx context.Context, of tenant.ID, k string) error {
	return s.db.relieve(ctx, func(t *tx) error {
		old, ok, err := load[replay.Call](t, inCall, callKey(of, k), "call")
		if err != nil || !ok {
			return err
		}
		t.delete(inCall, callKey(of, k))
		t.delete(expiry, expiryKey(old.ExpiresAt, expireCall, callKey(of, k)))
		return nil
	})
}
