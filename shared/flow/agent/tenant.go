package agent

import (
	"cmp"
	"errors"
	"fmt"
	"strings"

	"kefu/shared/core/account"
	"kefu/shared/core/fault"
	"kefu/shared/core/tenant"
)

// tenant finds the tenant of the path. The operator's own is always there.
func (c *call) tenant() (tenant.Tenant, error) {
	id, valid := c.tenantID()
	if !valid {
		return tenant.Tenant{}, missing("tenant")
	}
	t, err := c.Store.Tenant(c.ctx(), id)
	if errors.Is(err, fault.NotFound) && id == tenant.Default {
		return tenant.Tenant{ID: id, Name: string(id)}, nil
	}
	return t, named(err, "tenant")
}

func (c *call) tenantID() (tenant.ID, bool) {
	s := c.r.PathValue("tenant")
	return tenant.ID(s), account.ValidID(s) && s == strings.ToLower(s)
}

func (c *call) getTenant() (answer, error) {
	t, err := c.tenant()
	if err != nil {
		return answer{}, err
	}
	return ok(viewTenant(t)), nil
}

// putTenant makes a business or renames one.
func (c *call) putTenant() (answer, error) {
	id, valid := c.tenantID()
	if !valid {
		return answer{}, fault.New(fault.Invalid, "id-invalid", "A tenant's id is 1 to 64 of a-z, 0-9, - and _, beginning with a letter or digit.")
	}
	var body struct {
		Name string `json:"name"`
	}
	if err := c.decode(&body); err != nil {
		return answer{}, err
	}
	body.Name = cmp.Or(body.Name, string(id))
	if len(body.Name) > 200 {
		return answer{}, wrongField("tenant-invalid", "name", "name is longer than 200 bytes.")
	}
	isNew, err := c.Store.PutTenant(c.ctx(), tenant.Tenant{ID: id, Name: body.Name, CreatedAt: c.now})
	if err != nil {
		return answer{}, fmt.Errorf("put tenant: %w", err)
	}
	t, err := c.Store.Tenant(c.ctx(), id)
	if err != nil {
		return answer{}, fmt.Errorf("read tenant: %w", err)
	}
	return made(isNew, viewTenant(t)), nil
}
