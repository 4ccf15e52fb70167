package app

import (
	"crypto/rand"
	"encoding/base32"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"kefu/shared/core/account"
)

// adminKey returns the operator's key: the one that was set, or the one that was
// generated at the first start and kept.
func adminKey(c Config) (account.Secret, error) {
	if c.AdminKey != "" {
		return c.AdminKey, nil
	}
	text, err := keep(filepath.Join(c.Data, "admin.key"), func() string {
		return "kfadmin_" + strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(random()))
	})
	return account.Secret(text), err
}

// secretKey returns the key that seals secrets.
func secretKey(c Config) (key [32]byte, err error) {
	text := c.SecretKey.Reveal()
	if text == "" {
		if text, err = keep(filepath.Join(c.Data, "secret.key"), func() string { return hex.EncodeToString(random()) }); err != nil {
			return key, err
		}
	}
	b, err := hex.DecodeString(text)
	if err != nil || len(b) != len(key) {
		return key, fmt.Errorf("the secret key (KEFU_SECRET_KEY or %s) must be 64 hexadecimal digits", filepath.Join(c.Data, "secret.key"))
	}
	copy(key[:], b)
	return key, nil
}

func random() []byte {
	b := make([]byte, 32)
	_, _ = rand.Read(b) // never fails: it ends the process instead
	return b
}

// keep returns the text of a file that only its owner may read, making it at the
// first call.
func keep(path string, fresh func() string) (string, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return "", fmt.Errorf("make the data folder (KEFU_DATA): %w", err)
	}
	b, err := os.ReadFile(filepath.Clean(path))
	if err == nil {
		return strings.TrimSpace(string(b)), nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("read a key in the data folder (KEFU_DATA): %w", err)
	}
	text := fresh()
	// Written aside and renamed, so that a crash leaves no half of a key behind.
	aside := path + ".new"
	if err := os.WriteFile(aside, []byte(text+"\n"), 0o600); err != nil {
		return "", fmt.Errorf("keep a key in the data folder (KEFU_DATA): %w", err)
	}
	return text, os.Rename(aside, path)
}
