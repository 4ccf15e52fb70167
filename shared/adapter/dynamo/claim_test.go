package dynamo

import (
	"errors"
	"testing"

	"kefu/shared/core/account"
	"kefu/shared/core/tenant"
)

// An account that was stored before app ids were claimed claims its own at its next PutAccount, and can be deleted before.
func TestClaimsOfEarlierAccounts(t *testing.T) {
	t.Parallel()
	s, ctx := newStore(t), t.Context()
	put := func(of, id, appID string, want error) {
		t.Helper()
		a := anAccount("t", account.ID(id))
		a.Tenant, a.AppID = tenant.ID(of), appID
		if _, err := s.PutAccount(ctx, a); !errors.Is(err, want) {
			t.Fatalf("%s: got %v; want %v", id, err, want)
		}
	}
	for id, appID := range map[account.ID]string{"shop": "wx1", "twin": "wx2", "moved": "wx3"} {
		put("t", string(id), appID, nil)
		it, err := s.get(ctx, accountKey(id), true)
		must(t, err)
		delete(it, attrApp)
		_, _, err = s.put(ctx, it, condition{})
		must(t, err)
		must(t, s.remove(ctx, claimKey(appID), condition{}))
	}
	back, err := s.Account(ctx, "shop")
	must(t, err)
	if back.AppID != "wx1" {
		t.Fatalf("got %+v; want the account as it was", back)
	}
	put("t", "shop", "wx1", nil)
	put("u", "stolen", "wx1", account.ErrAppTaken)
	must(t, s.DeleteAccount(ctx, "twin"))
	put("t", "moved", "wx4", nil)
	put("u", "other", "wx2", nil)
	put("u", "other", "wx3", nil)
	for _, it := range scan(t, s) {
		if it[attrHolders] == nil && readText(it[attrPK])[0] == 'N' {
			t.Errorf("got a claim of nobody's: %v", it)
		}
	}
}
