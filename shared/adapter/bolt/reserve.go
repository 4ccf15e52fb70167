package bolt

import (
	"kefu/shared/core/account"
	"kefu/shared/core/tenant"
)

// reservation keeps a deleted account's id for its tenant, as long as anything is left of it.
type reservation struct {
	Tenant tenant.ID `json:"tenant"`
}

// reserve keeps the id of an account that is being deleted.
func (t *tx) reserve(id account.ID, of tenant.ID) error {
	raw, err := encode(reservation{of})
	if err != nil {
		return err
	}
	t.put(inReserved, accountKey(id), raw)
	return nil
}

// occupy takes the id for a new account, unless it is reserved for another tenant of which something is left.
func (t *tx) occupy(a account.Account) error {
	r, ok, err := load[reservation](t, inReserved, accountKey(a.ID), "reservation")
	switch {
	case err != nil || !ok:
		return err
	case r.Tenant != a.Tenant && t.left(r.Tenant, a.ID):
		return account.ErrTaken
	}
	t.delete(inReserved, accountKey(a.ID))
	return nil
}

// left reports whether conversations are left that the tenant had under the account's id.
func (t *tx) left(of tenant.ID, id account.ID) bool {
	for range t.scan(sessionLists, listOf(listAccount, string(of), string(id)), nil) {
		return true
	}
	return false
}
