package bolt_test

import (
	"errors"
	"path/filepath"
	"testing"

	"go.etcd.io/bbolt"

	"kefu/shared/adapter/bolt"
	"kefu/shared/core/account"
	"kefu/shared/core/session"
)

// The id of a deleted account is anybody's when the last of its conversations has gone.
func TestAReservationEndsWithItsData(t *testing.T) {
	t.Parallel()
	o := bolt.Options{Path: filepath.Join(t.TempDir(), "kefu.db"), Key: [32]byte{1, 2, 3}}
	db := open(t, o)
	other := account.Account{ID: "shop", Tenant: "u", AppID: "wx2"}
	s := db.Store()
	_, err := s.PutAccount(t.Context(), account.Account{ID: "shop", Tenant: "t", AppID: "wx1"})
	if err == nil {
		err = s.SaveSession(t.Context(), session.Session{ID: "s1", Tenant: "t", Account: "shop", Customer: "mei", State: session.Closed}, 0)
	}
	if err == nil {
		err = s.DeleteAccount(t.Context(), "shop")
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.PutAccount(t.Context(), other); !errors.Is(err, account.ErrTaken) {
		t.Errorf("got %v; want %v", err, account.ErrTaken)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	edit(t, o.Path, func(tx *bbolt.Tx) error {
		for _, name := range []string{"session", "session.id", "session.list", "session.due"} {
			if err := tx.DeleteBucket([]byte(name)); err != nil {
				return err
			}
		}
		return nil
	})
	s = open(t, o).Store()
	if created, err := s.PutAccount(t.Context(), other); err != nil || !created {
		t.Errorf("with nothing left: got %t, %v; want it made", created, err)
	}
}
