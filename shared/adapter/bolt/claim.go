package bolt

import (
	"slices"

	"kefu/shared/core/account"
	"kefu/shared/core/tenant"
)

// claim says whose an app id is. It is there as long as the tenant has an account of it.
type claim struct {
	Tenant   tenant.ID    `json:"tenant"`
	Accounts []account.ID `json:"accounts"`
}

func claimKey(appID string) key { return newKey().text(appID) }

// claim makes the account's app id its tenant's, unless it is another's.
func (t *tx) claim(a account.Account) error {
	c, ok, err := load[claim](t, inClaim, claimKey(a.AppID), "claim of an app id")
	switch {
	case err != nil:
		return err
	case ok && c.Tenant != a.Tenant:
		return account.ErrAppTaken
	case slices.Contains(c.Accounts, a.ID):
		return nil
	}
	return t.putClaim(a.AppID, claim{a.Tenant, append(c.Accounts, a.ID)})
}

// unclaim gives up an account's part in an app id, and with the last one the app id itself. An account that an earlier
// version stored may have none.
func (t *tx) unclaim(id account.ID, appID string) error {
	c, ok, err := load[claim](t, inClaim, claimKey(appID), "claim of an app id")
	i := slices.Index(c.Accounts, id)
	if err != nil || !ok || i < 0 {
		return err
	}
	if c.Accounts = slices.Delete(c.Accounts, i, i+1); len(c.Accounts) == 0 {
		t.delete(inClaim, claimKey(appID))
		return nil
	}
	return t.putClaim(appID, c)
}

func (t *tx) putClaim(appID string, c claim) error {
	raw, err := encode(c)
	if err != nil {
		return err
	}
	t.put(inClaim, claimKey(appID), raw)
	return nil
}
