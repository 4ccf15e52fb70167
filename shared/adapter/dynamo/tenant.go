package dynamo

import (
	"bytes"
	"context"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"kefu/shared/core/tenant"
)

// Tenant returns a tenant.
func (s *Store) Tenant(ctx context.Context, id tenant.ID) (tenant.Tenant, error) {
	it, err := s.get(ctx, tenantKey(id), true)
	if err != nil {
		return tenant.Tenant{}, err
	}
	if it == nil {
		return tenant.Tenant{}, missing("tenant", string(id))
	}
	var out tenant.Tenant
	if err := unpack("tenant", readBinary(it[attrBody]), &out); err != nil {
		return tenant.Tenant{}, err
	}
	out.CreatedAt = readMoment(it[attrCreated])
	return out, nil
}

// PutTenant makes or replaces a tenant.
func (s *Store) PutTenant(ctx context.Context, t tenant.Tenant) (created bool, err error) {
	body, err := pack(tenant.Tenant{ID: t.ID, Name: t.Name})
	if err != nil {
		return false, err
	}
	by := nonce()
	e := editIf("", nil)
	e.attr(attrBody, binary(body))
	e.first(attrCreated, moment(t.CreatedAt))
	e.first(attrMaker, by)
	now, _, _, err := s.update(ctx, tenantKey(t.ID), e.change())
	if err != nil {
		return false, err
	}
	return madeBy(now, by), nil
}

// madeBy reports that the write of this nonce made the item, however often it was sent: of all that put one thing, one
// is told that it made it.
func madeBy(it item, nonce types.AttributeValue) bool {
	return bytes.Equal(readBinary(it[attrMaker]), readBinary(nonce))
}
