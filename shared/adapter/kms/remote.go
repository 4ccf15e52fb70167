package kms

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"kefu/shared/adapter/awscall"
)

// purpose is authenticated by KMS with every data key: a policy can ask for it, and the audit log shows it.
func purpose() map[string]string { return map[string]string{"app": "kefu"} }

// remote is KMS.
type remote struct {
	keyID   string
	region  string
	address string
	wrong   error // why there is no address, nil if there is one; every call returns it
	caller  *awscall.Caller
}

func newRemote(cfg aws.Config, o Options) *remote {
	r := &remote{keyID: o.KeyID, region: cfg.Region, caller: awscall.New(cfg, "kms", tryTime)}
	r.address, r.wrong = locate(aws.ToString(cfg.BaseEndpoint), cfg.Region)
	return r
}

// misset marks what is wrong with a setting: no request went out.
type misset struct{ error }

func (e misset) Unwrap() error { return e.error }

var errNoKey = misset{errors.New("KEFU_KMS_KEY is not set")}

// generate makes a data key.
func (r *remote) generate(ctx context.Context, born time.Time) (*dataKey, error) {
	a, err := r.call(ctx, "GenerateDataKey", question{KeyID: r.keyID, KeySpec: "AES_256", EncryptionContext: purpose()})
	if err == nil && (len(a.CiphertextBlob) == 0 || len(a.CiphertextBlob) > maxEncrypted) {
		clear(a.Plaintext)
		err = errNotAKey
	}
	if err != nil {
		return nil, r.judge(ctx, "generate a data key", err)
	}
	return newDataKey(a.Plaintext, a.CiphertextBlob, born)
}

// decrypt has KMS decrypt a data key.
func (r *remote) decrypt(ctx context.Context, encrypted []byte, born time.Time) (*dataKey, error) {
	// Without the key's name KMS would take any key that encrypted it, also a stranger's.
	a, err := r.call(ctx, "Decrypt", question{KeyID: r.keyID, CiphertextBlob: encrypted, EncryptionContext: purpose()})
	if err != nil {
		return nil, r.judge(ctx, "decrypt a data key", err)
	}
	return newDataKey(a.Plaintext, encrypted, born)
}

// judge classifies the error of a call: see reasons.
func (r *remote) judge(ctx context.Context, op string, err error) error {
	why := reasonOf(err)
	if why == unreachable && ctx.Err() != nil {
		return cancelled(op, err)
	}
	return unavailable(why, fmt.Errorf("%s: %s (KEFU_KMS_KEY %q, AWS_REGION %q): %w", op, why.hint, r.keyID, r.region, err))
}
