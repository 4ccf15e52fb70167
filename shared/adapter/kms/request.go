package kms

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
)

// question is what both operations ask. Empty members stay away.
type question struct {
	CiphertextBlob    []byte            `json:",omitempty"`
	EncryptionContext map[string]string // authenticated with the data key
	KeyID             string            `json:"KeyId"`
	KeySpec           string            `json:",omitempty"`
}

// build makes the HTTP request of an operation, and tells its body's sum, which is signed with it.
// https://docs.aws.amazon.com/kms/latest/APIReference/API_GenerateDataKey.html
func (r *remote) build(ctx context.Context, operation string, body []byte) (*http.Request, string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, r.address, bytes.NewReader(body))
	if err != nil {
		return nil, "", err
	}
	req.Header.Set("Content-Type", "application/x-amz-json-1.1")
	req.Header.Set("X-Amz-Target", "TrentService."+operation)
	sum := sha256.Sum256(body)
	return req, hex.EncodeToString(sum[:]), nil
}
