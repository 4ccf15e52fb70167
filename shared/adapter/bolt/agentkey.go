package bolt

import (
	"context"
	"fmt"

	"kefu/shared/core/agent"
	"kefu/shared/core/fault"
	"kefu/shared/core/tenant"
)

func keyOf(k agent.Key) key {
	return newKey().text(string(k.Tenant)).text(string(k.Agent)).bare(k.ID)
}

// PutKey stores a new key.
func (s *Store) PutKey(ctx context.Context, k agent.Key) error {
	raw, err := encode(k)
	if err != nil {
		return err
	}
	return s.db.update(ctx, func(t *tx) error {
		if t.get(inKey, newKey().text(k.ID)) != nil {
			return fault.Wrap(fault.Conflict, "key-exists", fmt.Errorf("key %q exists", k.ID))
		}
		t.put(inKey, newKey().text(k.ID), raw)
		t.put(keysOf, keyOf(k), present)
		return nil
	})
}

// Key returns a key by its public part.
func (s *Store) Key(ctx context.Context, id string) (out agent.Key, err error) {
	err = s.db.view(ctx, func(t *tx) error {
		k, ok, err := load[agent.Key](t, inKey, newKey().text(id), "key")
		if err == nil && !ok {
			err = missing("key", id)
		}
		out = k
		return err
	})
	return out, err
}

// DeleteKey removes a key of the named agent; agent "" has the keys of the tenant itself.
func (s *Store) DeleteKey(ctx context.Context, of tenant.ID, a agent.ID, id string) error {
	return s.db.relieve(ctx, func(t *tx) error {
		at := keyOf(agent.Key{ID: id, Tenant: of, Agent: a})
		if t.get(keysOf, at) == nil {
			return missing("key", id)
		}
		t.delete(keysOf, at)
		t.delete(inKey, newKey().text(id))
		return nil
	})
}
