package porttest

import (
	"testing"

	"kefu/shared/core/fault"
	"kefu/shared/core/tenant"
)

var tenantClauses = []storeClause{
	{"PutTenant makes, then replaces but for CreatedAt", func(t *testing.T, s storeCase) {
		ctx := t.Context()
		first := tenant.Tenant{ID: "t", Name: "一", CreatedAt: sec(1)}
		if created := got[bool](t)(s.PutTenant(ctx, first)); !created {
			t.Error("first PutTenant: got created false; want true")
		}
		wantEqual(t, "tenant", got[tenant.Tenant](t)(s.Tenant(ctx, "t")), first)
		if created := got[bool](t)(s.PutTenant(ctx, tenant.Tenant{ID: "t", Name: "二", CreatedAt: sec(9)})); created {
			t.Error("second PutTenant: got created true; want false")
		}
		wantEqual(t, "tenant", got[tenant.Tenant](t)(s.Tenant(ctx, "t")), tenant.Tenant{ID: "t", Name: "二", CreatedAt: sec(1)})
		_, err := s.Tenant(ctx, "t2")
		wantKind(t, "another tenant", err, fault.NotFound)
	}},
	{"of many that make one tenant one is told so", func(t *testing.T, s storeCase) {
		made := tried(20, func(int) bool {
			created, err := s.PutTenant(t.Context(), tenant.Tenant{ID: "t", CreatedAt: sec(1)})
			return created && err == nil
		})
		if n := count(made, func(b bool) bool { return b }); n != 1 {
			t.Errorf("got %d that made it; want 1", n)
		}
	}},
}
