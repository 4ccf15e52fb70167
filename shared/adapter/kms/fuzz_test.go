package kms

import (
	"bytes"
	"testing"

	"kefu/shared/adapter/kms/kmsfake"
	"kefu/shared/core/fault"
)

// FuzzOpen: whatever is stored, opening it never panics, and what opens was sealed so.
func FuzzOpen(f *testing.F) {
	// The fuzzer's processes share a corpus, so they share the keys.
	fake := kmsfake.New(kmsfake.Options{Keys: []string{keyID}, Master: [32]byte{1}})
	remote, static := newVault(fake, nil), Static([32]byte{1})
	for _, v := range []*Vault{remote, static} {
		for _, plain := range []string{"", "hunter2"} {
			sealed := seal(f, v, "account:shop", plain)
			f.Add("account:shop", sealed)
			f.Add("account:shoq", sealed)
			f.Add("account:shop", sealed[:len(sealed)-1])
		}
	}
	f.Add("", []byte{version1, 0xff, 0xff})
	f.Add("", append([]byte{version1, 0, 5}, bytes.Repeat([]byte{0}, 64)...))
	f.Fuzz(func(t *testing.T, owner string, sealed []byte) {
		for _, v := range []*Vault{remote, static} {
			got, err := v.Open(t.Context(), owner, sealed)
			if err != nil {
				if got != nil {
					t.Errorf("got %q with %v, want nothing", got, err)
				}
				if k := fault.KindOf(err); k != fault.Internal && k != fault.Unavailable {
					t.Errorf("got kind %s, want Internal or Unavailable", k)
				}
				continue
			}
			if owner != "account:shop" || string(got) != "" && string(got) != "hunter2" {
				t.Errorf("got %q for owner %q from bytes that nobody sealed so", got, owner)
			}
		}
	})
}
