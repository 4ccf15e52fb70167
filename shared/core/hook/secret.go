package hook

import (
	"encoding/base64"
	"fmt"
	"io"
	"strings"
	"time"

	"kefu/shared/core/account"
	"kefu/shared/core/fault"
)

// A secret is written as the prefix and base64; Standard Webhooks wants 24 to 64 bytes.
const (
	secretPrefix = "whsec_"
	secretBytes  = 32
	minSecret    = 24
	maxSecret    = 64
)

// NewSecret makes a secret of 32 random bytes. Random is crypto/rand's Reader; when it fails the error is Unavailable.
func NewSecret(random io.Reader) (account.Secret, error) {
	b := make([]byte, secretBytes)
	if _, err := io.ReadFull(random, b); err != nil {
		return "", fault.Wrap(fault.Unavailable, "no-randomness", err)
	}
	return account.Secret(secretPrefix + base64.StdEncoding.EncodeToString(b)), nil
}

// Rotate gives an account a new secret. The former one, if there is one, signs too for [account.SigningOverlap]; the
// one before that no more.
func Rotate(s account.Signing, random io.Reader, now time.Time) (account.Signing, error) {
	next, err := NewSecret(random)
	if err != nil {
		return s, err
	}
	return account.Signing{Secret: next, Previous: s.Secret, ChangedAt: now}, nil
}

// signers are the secrets that sign at a time, the present one first.
func signers(s account.Signing, at time.Time) []account.Secret {
	list := []account.Secret{s.Secret}
	if s.Previous != "" && at.Before(s.ChangedAt.Add(account.SigningOverlap)) {
		list = append(list, s.Previous)
	}
	return list
}

// keyOf reads a secret.
func keyOf(s account.Secret) ([]byte, error) {
	if s == "" {
		return nil, fault.New(fault.Invalid, "no-signing-secret", "the account has no secret to sign with; set its webhook anew")
	}
	coded, ok := strings.CutPrefix(s.Reveal(), secretPrefix)
	key, err := base64.StdEncoding.DecodeString(coded)
	if !ok || err != nil || len(key) < minSecret || len(key) > maxSecret {
		// The cause would tell of the secret.
		return nil, fault.New(fault.Invalid, "bad-signing-secret",
			fmt.Sprintf("a signing secret is %s and %d to %d bytes in base64", secretPrefix, minSecret, maxSecret))
	}
	return key, nil
}
