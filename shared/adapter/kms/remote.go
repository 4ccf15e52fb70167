package kms

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
)

const (
	callTime     = 10 * time.Second // for one call with all its tries
	defaultTries = 4
	// The pause before try n+1 is drawn from 0 to firstPause·2ⁿ⁻¹, at most longestPause: processes that failed together
	// don't come back together.
	firstPause   = 100 * time.Millisecond
	longestPause = 2 * time.Second
)

// purpose is authenticated by KMS with every data key: a policy can ask for it, and the audit log shows it.
func purpose() map[string]string { return map[string]string{"app": "kefu"} }

// remote is KMS.
type remote struct {
	client *kms.Client
	keyID  string
	region string
}

func newRemote(cfg aws.Config, o Options) *remote {
	client := kms.NewFromConfig(cfg, func(k *kms.Options) {
		k.ClientLogMode = 0 // what travels here are keys
		if cfg.Retryer == nil {
			k.Retryer = retryer(cfg.RetryMaxAttempts)
		}
	})
	return &remote{client: client, keyID: o.KeyID, region: cfg.Region}
}

// retryer is the SDK's own with shorter pauses: somebody waits for the answer.
func retryer(tries int) aws.Retryer {
	if tries <= 0 {
		tries = defaultTries
	}
	return retry.NewStandard(func(o *retry.StandardOptions) {
		o.MaxAttempts = tries
		o.Backoff = retry.BackoffDelayerFunc(func(tried int, _ error) (time.Duration, error) {
			return rand.N(min(firstPause<<min(max(tried-1, 0), 10), longestPause)), nil //nolint:gosec // a pause need not be unpredictable
		})
	})
}

var (
	errNoKey   = errors.New("KEFU_KMS_KEY is not set")
	errNotAKey = errors.New("the answer holds no data key of 256 bits")
)

// generate makes a data key.
func (r *remote) generate(ctx context.Context, born time.Time) (*dataKey, error) {
	if r.keyID == "" {
		return nil, r.judge(ctx, "generate a data key", errNoKey)
	}
	within, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	out, err := r.client.GenerateDataKey(within, &kms.GenerateDataKeyInput{
		KeyId: &r.keyID, KeySpec: types.DataKeySpecAes256, EncryptionContext: purpose(),
	})
	if err == nil && (len(out.Plaintext) != 32 || len(out.CiphertextBlob) == 0 || len(out.CiphertextBlob) > maxEncrypted) {
		err = errNotAKey
	}
	if err != nil {
		return nil, r.judge(ctx, "generate a data key", err)
	}
	return newDataKey(out.Plaintext, out.CiphertextBlob, born)
}

// decrypt has KMS decrypt a data key.
func (r *remote) decrypt(ctx context.Context, encrypted []byte, born time.Time) (*dataKey, error) {
	if r.keyID == "" {
		return nil, r.judge(ctx, "decrypt a data key", errNoKey)
	}
	within, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	out, err := r.client.Decrypt(within, &kms.DecryptInput{
		// Without the key's name KMS would take any key that encrypted it, also a stranger's.
		KeyId: &r.keyID, CiphertextBlob: encrypted, EncryptionContext: purpose(),
	})
	if err == nil && len(out.Plaintext) != 32 {
		err = errNotAKey
	}
	if err != nil {
		return nil, r.judge(ctx, "decrypt a data key", err)
	}
	return newDataKey(out.Plaintext, encrypted, born)
}

// judge classifies the error of a call: see reasons.
func (r *remote) judge(ctx context.Context, op string, err error) error {
	why := reasonOf(err)
	if why == unreachable && ctx.Err() != nil {
		return cancelled(op, err)
	}
	return unavailable(why, fmt.Errorf("%s: %s (KEFU_KMS_KEY %q, AWS_REGION %q): %w", op, why.hint, r.keyID, r.region, err))
}
