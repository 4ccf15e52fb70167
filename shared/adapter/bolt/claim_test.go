package bolt_test

import (
	"errors"
	"path/filepath"
	"testing"

	"go.etcd.io/bbolt"

	"kefu/shared/adapter/bolt"
	"kefu/shared/core/account"
)

// An account that was stored before app ids were claimed claims its own at its next PutAccount, and can be deleted before.
func TestClaimsOfEarlierAccounts(t *testing.T) {
	t.Parallel()
	o := bolt.Options{Path: filepath.Join(t.TempDir(), "kefu.db"), Key: [32]byte{1, 2, 3}}
	db := open(t, o)
	shop := account.Account{ID: "shop", Tenant: "t", AppID: "wx1"}
	twin := account.Account{ID: "twin", Tenant: "t", AppID: "wx2"}
	for _, a := range []account.Account{shop, twin} {
		if _, err := db.Store().PutAccount(t.Context(), a); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	edit(t, o.Path, func(tx *bbolt.Tx) error { return tx.DeleteBucket([]byte("account.app")) })
	s := open(t, o).Store()
	if back, err := s.Account(t.Context(), "shop"); err != nil || back.AppID != "wx1" {
		t.Fatalf("got %+v, %v; want the account as it was", back, err)
	}
	if _, err := s.PutAccount(t.Context(), shop); err != nil {
		t.Fatal(err)
	}
	if _, err := s.PutAccount(t.Context(), account.Account{ID: "stolen", Tenant: "u", AppID: "wx1"}); !errors.Is(err, account.ErrAppTaken) {
		t.Errorf("got %v; want %v", err, account.ErrAppTaken)
	}
	if err := s.DeleteAccount(t.Context(), "twin"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.PutAccount(t.Context(), account.Account{ID: "other", Tenant: "u", AppID: "wx2"}); err != nil {
		t.Errorf("got %v; want the app id of the account that has gone", err)
	}
}
