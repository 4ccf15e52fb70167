package bolt

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"errors"
	"fmt"

	"kefu/shared/core/fault"
)

// sealer encrypts secrets at rest: AES-256-GCM, a random nonce each time, bound to what the secret belongs to, so
// that a sealed value copied to another account doesn't open there.
type sealer struct{ aead cipher.AEAD }

func newSealer(k [32]byte) (sealer, error) {
	block, err := aes.NewCipher(k[:])
	if err != nil {
		return sealer{}, fmt.Errorf("sealing secrets: %w", err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return sealer{}, fmt.Errorf("sealing secrets: %w", err)
	}
	return sealer{aead: aead}, nil
}

// seal encrypts a secret for its owner, such as "account:shop".
func (s sealer) seal(owner string, plain []byte) ([]byte, error) {
	nonce := make([]byte, s.aead.NonceSize(), s.aead.NonceSize()+len(plain)+s.aead.Overhead())
	if _, err := rand.Read(nonce); err != nil {
		return nil, fault.Wrap(fault.Unavailable, "no-randomness", err)
	}
	return s.aead.Seal(nonce, nonce, plain, []byte(owner)), nil
}

var errWrongKey = errors.New("the secrets can't be opened: the key is not the one they were sealed with, or the file was changed")

// open decrypts what seal made for the same owner.
func (s sealer) open(owner string, sealed []byte) ([]byte, error) {
	n := s.aead.NonceSize()
	if len(sealed) < n {
		return nil, fault.Wrap(fault.Internal, "wrong-key", errWrongKey)
	}
	plain, err := s.aead.Open(nil, sealed[:n], sealed[n:], []byte(owner))
	if err != nil {
		return nil, fault.Wrap(fault.Internal, "wrong-key", errWrongKey)
	}
	return plain, nil
}
