package kms

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"time"
)

// question is what both operations ask. Empty members stay away.
type question struct {
	CiphertextBlob    []byte            `json:",omitempty"`
	EncryptionContext map[string]string // authenticated with the data key
	KeyID             string            `json:"KeyId"`
	KeySpec           string            `json:",omitempty"`
}

var errNoCredentials = errors.New("AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not set")

// unsigned marks the errors of getting credentials: no request went out.
type unsigned struct{ error }

func (e unsigned) Unwrap() error { return e.error }

// build makes a signed HTTP request of an operation. Each try has one of its own, because a signature carries the time.
// https://docs.aws.amazon.com/kms/latest/APIReference/API_GenerateDataKey.html
func (r *remote) build(ctx context.Context, operation string, body []byte) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, r.address, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/x-amz-json-1.1")
	req.Header.Set("X-Amz-Target", "TrentService."+operation)
	// The clock is the machine's own, even where the product's is moved: KMS compares it with its own.
	return req, r.sign(req, body, time.Now())
}

// sign adds the signature over method, path, headers and body.
func (r *remote) sign(req *http.Request, body []byte, now time.Time) error {
	if r.creds == nil {
		return unsigned{errNoCredentials}
	}
	creds, err := r.creds.Retrieve(req.Context())
	if err != nil {
		return unsigned{err}
	}
	sum := sha256.Sum256(body)
	return r.signer.SignHTTP(req.Context(), creds, req, hex.EncodeToString(sum[:]), "kms", r.region, now.UTC())
}
