package account

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"

	"kefu/shared/core/fault"
)

// Credential stands for an id of the platform together with the secret that proves it: an app id, or a corp id. What
// is fetched with a secret is kept under its credential, so that only accounts that hold the same secret share it: an
// app id alone is public and proves nothing. It is made by [NewCredential] alone and can be compared.
type Credential struct{ id, proof string }

// proofLen is how many bytes of the digest a credential carries: none has the same by chance, and the secret can't be
// read back from it, since the platform makes secrets of 128 random bits.
const proofLen = 16

// NewCredential binds an id to its secret. Without a secret it is Invalid with code "secret-missing".
func NewCredential(id string, secret Secret) (Credential, error) {
	if secret == "" {
		return Credential{}, errNoSecret
	}
	// The length keeps an id and a secret from being read as another pair.
	sum := sha256.Sum256([]byte("kefu credential\x00" + strconv.Itoa(len(id)) + "\x00" + id + secret.Reveal()))
	return Credential{id, hex.EncodeToString(sum[:proofLen])}, nil
}

var errNoSecret = fault.New(fault.Invalid, "secret-missing", "the account has no app secret: without it Kefu can receive and not send")

// Credential is what the account calls the platform with.
func (a Account) Credential() (Credential, error) { return NewCredential(a.AppID, a.AppSecret) }

// ID is the app id, or corp id.
func (c Credential) ID() string { return c.id }

// Key names what is kept under the credential. It doesn't show the secret, and no two credentials have the same.
func (c Credential) Key() string { return c.id + "/" + c.proof }
