package bolt_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"kefu/shared/adapter/bolt"
	"kefu/shared/core/account"
	"kefu/shared/core/fault"
	"kefu/shared/core/tenant"
)

// wantRefused fails unless opening fails with the code, and says why.
func wantRefused(t *testing.T, o bolt.Options, kind fault.Kind, code, why string) {
	t.Helper()
	db, err := bolt.Open(o)
	if err == nil {
		_ = db.Close() // the test fails anyway
	}
	if err == nil || fault.KindOf(err) != kind || fault.CodeOf(err) != code || !strings.Contains(err.Error(), why) {
		t.Fatalf("open: got error %v; want %s %s with %q", err, kind, code, why)
	}
}

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	t.Run("no path", func(t *testing.T) {
		t.Parallel()
		wantRefused(t, bolt.Options{}, fault.Invalid, "no-path", "")
	})
	t.Run("a file that is open", func(t *testing.T) {
		t.Parallel()
		path := filepath.Join(t.TempDir(), "kefu.db")
		open(t, bolt.Options{Path: path})
		begun := time.Now()
		wantRefused(t, bolt.Options{Path: path, Key: [32]byte{1, 2, 3}}, fault.Unavailable, "in-use", "in use by another process")
		if took := time.Since(begun); took > 5*time.Second {
			t.Errorf("took %s; want about half a second", took)
		}
	})
	t.Run("another key", func(t *testing.T) {
		t.Parallel()
		path := made(t, nil)
		wantRefused(t, bolt.Options{Path: path, Key: [32]byte{9}}, fault.Invalid, "wrong-key", "the key is not the one")
	})
	t.Run("a newer version", func(t *testing.T) {
		t.Parallel()
		path := made(t, func(tx *bbolt.Tx) error { return tx.Bucket([]byte("meta")).Put([]byte("schema"), []byte("2")) })
		wantRefused(t, bolt.Options{Path: path, Key: [32]byte{1, 2, 3}}, fault.Invalid, "newer-schema", "schema version 2")
	})
	t.Run("another program's file", func(t *testing.T) {
		t.Parallel()
		path := filepath.Join(t.TempDir(), "other.db")
		edit(t, path, func(tx *bbolt.Tx) error {
			_, err := tx.CreateBucket([]byte("something"))
			return err
		})
		wantRefused(t, bolt.Options{Path: path}, fault.Invalid, "not-ours", "another program")
	})
	t.Run("no bbolt file", func(t *testing.T) {
		t.Parallel()
		path := filepath.Join(t.TempDir(), "text")
		if err := os.WriteFile(path, bytes.Repeat([]byte("text"), 20_000), 0o600); err != nil {
			t.Fatalf("write: got error %v; want none", err)
		}
		wantRefused(t, bolt.Options{Path: path}, fault.Invalid, "not-ours", "no data file")
	})
}

// made makes a file of the engine's and changes it from outside.
func made(t *testing.T, change func(*bbolt.Tx) error) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "kefu.db")
	db, err := bolt.Open(bolt.Options{Path: path, Key: [32]byte{1, 2, 3}})
	if err == nil {
		err = db.Close()
	}
	if err != nil {
		t.Fatalf("make: got error %v; want none", err)
	}
	if change != nil {
		edit(t, path, change)
	}
	return path
}

func edit(t *testing.T, path string, change func(*bbolt.Tx) error) {
	t.Helper()
	file, err := bbolt.Open(path, 0o600, &bbolt.Options{Timeout: time.Second})
	if err != nil {
		t.Fatalf("edit: got error %v; want none", err)
	}
	if err := file.Update(change); err != nil {
		t.Fatalf("edit: got error %v; want none", err)
	}
	if err := file.Close(); err != nil {
		t.Fatalf("edit: got error %v; want none", err)
	}
}

// What was stored is there after closing and opening, and calls on a closed file fail.
func TestReopen(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	path := filepath.Join(t.TempDir(), "deep", "er", "kefu.db")
	o := bolt.Options{Path: path, Key: [32]byte{1, 2, 3}}
	db, err := bolt.Open(o)
	if err != nil {
		t.Fatalf("open: got error %v; want none", err)
	}
	if _, err := db.Store().PutTenant(ctx, tenant.Tenant{ID: "t", Name: "n"}); err != nil {
		t.Fatalf("PutTenant: got error %v; want none", err)
	}
	if err := db.Queue("q", bolt.QueueOptions{}).Send(ctx, "g", 0, []byte("body")); err != nil {
		t.Fatalf("Send: got error %v; want none", err)
	}
	for range 2 {
		if err := db.Close(); err != nil {
			t.Fatalf("Close: got error %v; want none", err)
		}
	}
	_, errRead := db.Store().Tenant(ctx, "t")
	_, errWrite := db.Store().PutTenant(ctx, tenant.Tenant{ID: "t"})
	for _, err := range []error{errRead, errWrite} {
		if err == nil || fault.KindOf(err) != fault.Unavailable || fault.CodeOf(err) != "store-closed" {
			t.Errorf("call on a closed file: got error %v; want unavailable store-closed", err)
		}
	}
	db = open(t, o)
	if v, err := db.Store().Tenant(ctx, "t"); err != nil || v.Name != "n" {
		t.Errorf("tenant: got %+v, error %v; want it", v, err)
	}
	list, err := db.Queue("q", bolt.QueueOptions{}).Receive(ctx, 1)
	if err != nil || len(list) != 1 || string(list[0].Body) != "body" {
		t.Errorf("queue: got %d messages, error %v; want the one", len(list), err)
	}
}

// No secret can be read in the files, under whatever encoding of the engine's.
func TestSecretsAreSealed(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	dir := t.TempDir()
	db, err := bolt.Open(bolt.Options{Path: filepath.Join(dir, "kefu.db"), Key: [32]byte{1, 2, 3}})
	if err != nil {
		t.Fatalf("open: got error %v; want none", err)
	}
	secrets := []string{
		"push-token-1", "aes-key-2", "old-aes-key-3", "app-secret-4", "access-token-5", "signing-secret-6", "old-signing-secret-7",
		"signing-secret-8", "old-signing-secret-9",
	}
	a := account.Account{
		ID: "shop", Tenant: "t", Token: account.Secret(secrets[0]), AESKey: account.Secret(secrets[1]),
		AESKeyPrevious: account.Secret(secrets[2]), AppSecret: account.Secret(secrets[3]),
		Signing: account.Signing{Secret: account.Secret(secrets[5]), Previous: account.Secret(secrets[6])},
	}
	if _, err := db.Store().PutAccount(ctx, a); err != nil {
		t.Fatalf("PutAccount: got error %v; want none", err)
	}
	signing := account.Signing{Secret: account.Secret(secrets[7]), Previous: account.Secret(secrets[8])}
	if err := db.Store().SetWebhook(ctx, a.ID, account.Webhook{URL: "https://shop.example"}, signing); err != nil {
		t.Fatalf("SetWebhook: got error %v; want none", err)
	}
	by, err := account.NewCredential("wx1", account.Secret(secrets[4]))
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Store().SaveToken(ctx, by, account.AccessToken{Value: account.Secret(secrets[4])}); err != nil {
		t.Fatalf("SaveToken: got error %v; want none", err)
	}
	if err := db.Close(); err != nil {
		t.Fatalf("Close: got error %v; want none", err)
	}
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		raw, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, secret := range secrets {
			asJSON, err := json.Marshal([]byte(secret)) // base64
			if err != nil {
				return err
			}
			if bytes.Contains(raw, []byte(secret)) || bytes.Contains(raw, bytes.Trim(asJSON, `"=`)) {
				return fmt.Errorf("%s has %s", filepath.Base(path), secret)
			}
		}
		if !bytes.Contains(raw, []byte("shop")) {
			return fmt.Errorf("%s has no account at all: the search is blind", filepath.Base(path))
		}
		return nil
	})
	if err != nil {
		t.Errorf("got %v; want no secret in any file", err)
	}
}
