package dynamo

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"testing"

	"kefu/shared/core/fault"
)

// testVault seals with AES-256-GCM under a key of its own.
type testVault struct{ aead cipher.AEAD }

func newTestVault(t testing.TB) testVault {
	t.Helper()
	block, err := aes.NewCipher(bytes32(7))
	if err != nil {
		t.Fatal(err)
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		t.Fatal(err)
	}
	return testVault{aead}
}

func bytes32(b byte) []byte { return append(make([]byte, 31), b) }

func (v testVault) Seal(ctx context.Context, owner string, plain []byte) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, fault.Wrap(fault.Unavailable, "cancelled", err)
	}
	return v.aead.Seal(nil, nil, plain, []byte(owner)), nil
}

func (v testVault) Open(ctx context.Context, owner string, sealed []byte) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, fault.Wrap(fault.Unavailable, "cancelled", err)
	}
	plain, err := v.aead.Open(nil, nil, sealed, []byte(owner))
	if err != nil {
		return nil, fault.Wrap(fault.Internal, "unsealable", err)
	}
	return plain, nil
}
