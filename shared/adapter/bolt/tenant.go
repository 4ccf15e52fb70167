package bolt

import (
	"context"

	"kefu/shared/core/tenant"
)

// Tenant returns a tenant.
func (s *Store) Tenant(ctx context.Context, id tenant.ID) (out tenant.Tenant, err error) {
	err = s.db.view(ctx, func(t *tx) error {
		v, ok, err := load[tenant.Tenant](t, inTenant, newKey().text(string(id)), "tenant")
		if err == nil && !ok {
			err = missing("tenant", string(id))
		}
		out = v
		return err
	})
	return out, err
}

// PutTenant makes or replaces a tenant.
func (s *Store) PutTenant(ctx context.Context, in tenant.Tenant) (created bool, err error) {
	k := newKey().text(string(in.ID))
	err = s.db.update(ctx, func(t *tx) error {
		v := in
		old, ok, err := load[tenant.Tenant](t, inTenant, k, "tenant")
		if err != nil {
			return err
		}
		if created = !ok; ok {
			v.CreatedAt = old.CreatedAt
		}
		raw, err := encode(v)
		if err != nil {
			return err
		}
		t.put(inTenant, k, raw)
		return nil
	})
	return created && err == nil, err
}
