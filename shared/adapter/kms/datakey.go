package kms

import (
	"crypto/aes"
	"crypto/cipher"
	"fmt"
	"io"
	"sync/atomic"
	"time"

	"kefu/shared/core/fault"
)

// dataKey encrypts secrets: AES-256-GCM with a random nonce each time.
type dataKey struct {
	header []byte // what stands in front of all that it seals
	aead   cipher.AEAD
	born   time.Time
	seals  atomic.Int64 // how many secrets it sealed
}

// newDataKey makes a cipher of a key and overwrites the key. Encrypted is the key as KMS encrypted it.
func newDataKey(key, encrypted []byte, born time.Time) (*dataKey, error) {
	defer clear(key)
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fault.Wrap(fault.Internal, "secrets-cipher", err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, fault.Wrap(fault.Internal, "secrets-cipher", err)
	}
	return &dataKey{header: header(encrypted), aead: aead, born: born}, nil
}

// seal encrypts a secret.
func (k *dataKey) seal(random io.Reader, owner string, plain []byte) ([]byte, error) {
	k.seals.Add(1)
	n := len(k.header) + nonceSize
	sealed := make([]byte, n, n+len(plain)+k.aead.Overhead())
	copy(sealed, k.header)
	nonce := sealed[len(k.header):]
	if _, err := io.ReadFull(random, nonce); err != nil {
		return nil, fault.Wrap(fault.Unavailable, "no-randomness", fmt.Errorf("seal: %w", err))
	}
	return k.aead.Seal(sealed, nonce, plain, bind(k.header, owner)), nil
}

// open decrypts a secret.
func (k *dataKey) open(owner string, e envelope) ([]byte, error) {
	plain, err := k.aead.Open(nil, e.nonce, e.text, bind(e.header, owner))
	if err != nil {
		return nil, errUnsealable
	}
	return plain, nil
}

// fresh tells whether the key may still be used. A clock that went back makes it old, too.
func (k *dataKey) fresh(now time.Time, maxAge time.Duration) bool {
	age := now.Sub(k.born)
	return age >= 0 && age < maxAge
}
