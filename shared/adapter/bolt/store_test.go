package bolt_test

import (
	"path/filepath"
	"testing"
	"time"

	"kefu/shared/adapter/bolt"
	"kefu/shared/porttest"
)

// open makes a file of the test's own.
func open(t *testing.T, o bolt.Options) *bolt.DB {
	t.Helper()
	if o.Path == "" {
		o.Path = filepath.Join(t.TempDir(), "kefu.db")
	}
	o.Key = [32]byte{1, 2, 3}
	db, err := bolt.Open(o)
	if err != nil {
		t.Fatalf("open: got error %v; want none", err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Errorf("close: got error %v; want none", err)
		}
	})
	return db
}

func TestStore(t *testing.T) {
	t.Parallel()
	porttest.TestStore(t, porttest.Stores{
		Open: func(t *testing.T) porttest.Store { return open(t, bolt.Options{}).Store() },
	})
}

// The clock of fixtures is in the past; retention must not depend on that.
var start = time.Date(2025, 3, 1, 8, 0, 0, 0, time.UTC)
