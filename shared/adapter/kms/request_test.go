package kms

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"

	"kefu/shared/core/fault"
)

// The requests are those of the manual, go to KMS, and carry a signature that whoever has the secret can verify.
func TestRequests(t *testing.T) {
	t.Parallel()
	fake := newFake()
	bodies := map[string]string{}
	v := func() *Vault {
		return New(config(direct{fake, func(r *http.Request) error {
			body, err := io.ReadAll(r.Body)
			r.Body = io.NopCloser(bytes.NewReader(body))
			checkRequest(t, r, body)
			bodies[r.Header.Get("X-Amz-Target")] = string(body)
			return err
		}}), Options{KeyID: keyID})
	}
	sealed := seal(t, v(), "o", "hunter2")
	wantOpen(t, v(), "o", sealed, "hunter2")
	if got, want := bodies["TrentService.GenerateDataKey"], `{"EncryptionContext":{"app":"kefu"},"KeyId":"`+keyID+`","KeySpec":"AES_256"}`; got != want {
		t.Errorf("GenerateDataKey: got %s, want %s", got, want)
	}
	got := bodies["TrentService.Decrypt"]
	if !strings.HasPrefix(got, `{"CiphertextBlob":"`) || !strings.HasSuffix(got, `","EncryptionContext":{"app":"kefu"},"KeyId":"`+keyID+`"}`) {
		t.Errorf("Decrypt: got %s, want blob, context and key", got)
	}
}

// checkRequest looks at what KMS would look at.
func checkRequest(t *testing.T, r *http.Request, body []byte) {
	t.Helper()
	for what, got := range map[string]struct{ got, want string }{
		"request":        {r.Method + " " + r.URL.String(), "POST https://kms.us-east-1.amazonaws.com/"},
		"content type":   {r.Header.Get("Content-Type"), "application/x-amz-json-1.1"},
		"session token":  {r.Header.Get("X-Amz-Security-Token"), "session-token"},
		"signed headers": {between(r.Header.Get("Authorization"), "SignedHeaders=", ","), "content-length;content-type;host;x-amz-date;x-amz-security-token;x-amz-target"},
		"authorization":  {r.Header.Get("Authorization"), authorization(r, body, "AKIDEXAMPLE", "very-secret")},
	} {
		if got.got != got.want {
			t.Errorf("%s:\ngot  %s\nwant %s", what, got.got, got.want)
		}
	}
}

// authorization signs a request by the manual, without the SDK.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
func authorization(r *http.Request, body []byte, id, secret string) string {
	at, headers := r.Header.Get("X-Amz-Date"), between(r.Header.Get("Authorization"), "SignedHeaders=", ",")
	canonical := r.Method + "\n" + r.URL.EscapedPath() + "\n\n"
	for name := range strings.SplitSeq(headers, ";") {
		value := r.Header.Get(name)
		switch name { // which Go keeps elsewhere
		case "host":
			value = r.URL.Host
		case "content-length":
			value = strconv.Itoa(len(body))
		}
		canonical += name + ":" + value + "\n"
	}
	sum := sha256.Sum256(body)
	canonical += "\n" + headers + "\n" + hex.EncodeToString(sum[:])
	sum = sha256.Sum256([]byte(canonical))
	scope := at[:8] + "/us-east-1/kms/aws4_request"
	key := []byte("AWS4" + secret)
	for _, part := range append(strings.Split(scope, "/"), "AWS4-HMAC-SHA256\n"+at+"\n"+scope+"\n"+hex.EncodeToString(sum[:])) {
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(part))
		key = mac.Sum(nil)
	}
	return "AWS4-HMAC-SHA256 Credential=" + id + "/" + scope + ", SignedHeaders=" + headers + ", Signature=" + hex.EncodeToString(key)
}

func between(s, before, after string) string {
	_, s, _ = strings.Cut(s, before)
	s, _, _ = strings.Cut(s, after)
	return s
}

func TestNoCredentials(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		creds aws.CredentialsProvider
		names string
	}{
		"none set":  {nil, "AWS_ACCESS_KEY_ID"},
		"none come": {aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) { return aws.Credentials{}, errReset }), errReset.Error()},
	} {
		fake := newFake()
		cfg := config(direct{handler: fake})
		cfg.Credentials = tc.creds
		_, err := New(cfg, Options{KeyID: keyID}).Seal(t.Context(), "o", []byte("hunter2"))
		wantFault(t, err, fault.Unavailable, "secrets-credentials", tc.names)
		if n := fake.Calls("GenerateDataKey"); n != 0 {
			t.Errorf("%s: got %d requests, want none", name, n)
		}
	}
}
