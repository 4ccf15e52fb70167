package kms

import (
	"context"
	"crypto/rand"
	"io"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// defaultMaxAge is how long a data key serves unless Options says otherwise.
const defaultMaxAge = 5 * time.Minute

// Options says which key, and for how long data keys may be kept.
type Options struct {
	// KeyID is the id, ARN or alias of the key that encrypts the data keys (KEFU_KMS_KEY).
	KeyID string
	// MaxAge is how long a data key may serve, to seal and to open. Zero: 5 minutes.
	MaxAge time.Duration
	// Now is the clock for MaxAge. Nil: time.Now.
	Now func() time.Time
	// Rand gives the nonces. Nil: crypto/rand.Reader, and nothing else will do outside tests: two secrets under one
	// nonce give both away.
	Rand io.Reader
}

// Vault seals and opens. Its methods may be called at the same time. Printed, it shows nothing of its keys.
type Vault struct {
	keys source
	rand io.Reader
	name string
}

// source gives data keys.
type source interface {
	// sealing returns the key for the next secret.
	sealing(ctx context.Context) (*dataKey, error)
	// opening returns the key that stands encrypted in a sealed secret.
	opening(ctx context.Context, encrypted []byte) (*dataKey, error)
}

// New returns a vault whose data keys KMS encrypts. It makes no call: settings that can't be right show at the first.
//
// Of cfg it takes Region, Credentials, HTTPClient, RetryMaxAttempts (tries of one call in all, 4 if zero) and
// BaseEndpoint, the address of another KMS, such as a local one (AWS_ENDPOINT_URL_KMS). A call takes at most 10 seconds
// with all its tries and the growing, random pauses between them. Nothing is logged: what travels are keys.
func New(cfg aws.Config, o Options) *Vault {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.MaxAge <= 0 {
		o.MaxAge = defaultMaxAge
	}
	if o.Rand == nil {
		o.Rand = rand.Reader
	}
	return &Vault{keys: newKeyring(newRemote(cfg, o), o.Now, o.MaxAge), rand: o.Rand, name: "kms.Vault(KEFU_KMS_KEY " + o.KeyID + ")"}
}

// Static returns a vault with one key for good and no KMS, for a local engine. It writes the same format, with no data
// key in front, and makes no calls.
func Static(key [32]byte) *Vault {
	k, err := newDataKey(key[:], nil, time.Time{})
	return &Vault{keys: fixed{k, err}, rand: rand.Reader, name: "kms.Vault(KEFU_SECRET_KEY)"}
}

// Seal encrypts a secret for its owner. The result is longer than the secret by 31 bytes and the data key as KMS
// encrypts it, some 180 bytes, and is another one each time.
//
// Errors: Unavailable, with KEFU_KMS_KEY and the reason in its text, when KMS gives no data key.
func (v *Vault) Seal(ctx context.Context, owner string, plain []byte) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, cancelled("seal", err)
	}
	k, err := v.keys.sealing(ctx)
	if err != nil {
		return nil, err
	}
	return k.seal(v.rand, owner, plain)
}

// Open decrypts what Seal made for the same owner, in this process or another. The result is the caller's own.
//
// Errors: Internal, code "unsealable", when the bytes are not that; Unavailable, with KEFU_KMS_KEY and the reason in
// its text, when KMS does not decrypt the data key, be it that it is out of reach or that it refuses.
func (v *Vault) Open(ctx context.Context, owner string, sealed []byte) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, cancelled("open", err)
	}
	e, err := parse(sealed)
	if err != nil {
		return nil, err
	}
	k, err := v.keys.opening(ctx, e.encrypted)
	if err != nil {
		return nil, err
	}
	return k.open(owner, e)
}

// String names the vault and keeps its inside out of logs.
func (v *Vault) String() string { return v.name }

// GoString does the same for %#v.
func (v *Vault) GoString() string { return v.name }

// fixed is the source of Static.
type fixed struct {
	key *dataKey
	err error
}

func (f fixed) sealing(context.Context) (*dataKey, error) { return f.key, f.err }

func (f fixed) opening(_ context.Context, encrypted []byte) (*dataKey, error) {
	if len(encrypted) != 0 {
		return nil, errUnsealable // a vault with KMS sealed it
	}
	return f.key, f.err
}
