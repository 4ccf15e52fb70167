package kmsfake_test

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/smithy-go"

	"kefu/shared/adapter/kms/kmsfake"
)

// dial returns the SDK's client of a fake, over a real connection and without repetitions.
func dial(t *testing.T, fake *kmsfake.Fake, region string) *kms.Client {
	t.Helper()
	srv := httptest.NewServer(fake)
	t.Cleanup(srv.Close)
	return kms.NewFromConfig(aws.Config{
		Region: region, BaseEndpoint: &srv.URL, HTTPClient: srv.Client(), RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider("AKIDEXAMPLE", "very-secret", ""),
	})
}

func generate(t *testing.T, c *kms.Client, key string, about map[string]string) *kms.GenerateDataKeyOutput {
	t.Helper()
	out, err := c.GenerateDataKey(t.Context(), &kms.GenerateDataKeyInput{KeyId: &key, KeySpec: types.DataKeySpecAes256, EncryptionContext: about})
	if err != nil {
		t.Fatalf("generate: got %v, want no error", err)
	}
	return out
}

func wantName(t *testing.T, err error, name string) {
	t.Helper()
	var api smithy.APIError
	if !errors.As(err, &api) || api.ErrorCode() != name {
		t.Errorf("got %v, want %s", err, name)
	}
}

func TestRoundTrip(t *testing.T) {
	t.Parallel()
	fake := kmsfake.New(kmsfake.Options{Keys: []string{"k", "alias/kefu"}})
	c := dial(t, fake, kmsfake.Region)
	about := map[string]string{"app": "kefu", "b": "c"}
	for _, id := range []string{"k", "alias/kefu"} {
		for _, name := range []string{id, fake.ARN(id)} {
			key := generate(t, c, name, about)
			if len(key.Plaintext) != 32 || bytes.Contains(key.CiphertextBlob, key.Plaintext) || aws.ToString(key.KeyId) != fake.ARN(id) {
				t.Errorf("%s: got %d bytes for %s, want 32 that are encrypted, for %s", name, len(key.Plaintext), *key.KeyId, fake.ARN(id))
			}
			for _, with := range []*string{nil, &id, aws.String(fake.ARN(id))} {
				out, err := c.Decrypt(t.Context(), &kms.DecryptInput{CiphertextBlob: key.CiphertextBlob, KeyId: with, EncryptionContext: about})
				if err != nil || !bytes.Equal(out.Plaintext, key.Plaintext) {
					t.Errorf("%s: got %v, want the key back", name, err)
				}
			}
		}
	}
	if g, d := fake.Calls("GenerateDataKey"), fake.Calls("Decrypt"); g != 4 || d != 12 {
		t.Errorf("got %d and %d calls, want 4 and 12", g, d)
	}
	out, err := c.GenerateDataKey(t.Context(), &kms.GenerateDataKeyInput{KeyId: aws.String("k"), NumberOfBytes: aws.Int32(64)})
	if err != nil || len(out.Plaintext) != 64 {
		t.Errorf("got %v, want 64 bytes", err)
	}
}

func TestDecryptRefuses(t *testing.T) {
	t.Parallel()
	fake := kmsfake.New(kmsfake.Options{Keys: []string{"k", "other"}})
	c := dial(t, fake, kmsfake.Region)
	about := map[string]string{"app": "kefu"}
	blob := generate(t, c, "k", about).CiphertextBlob
	for i := range blob {
		changed := bytes.Clone(blob)
		changed[i] ^= 1
		_, err := c.Decrypt(t.Context(), &kms.DecryptInput{CiphertextBlob: changed, EncryptionContext: about})
		wantName(t, err, "InvalidCiphertextException")
		_, err = c.Decrypt(t.Context(), &kms.DecryptInput{CiphertextBlob: blob[:max(i, 1)], EncryptionContext: about})
		wantName(t, err, "InvalidCiphertextException")
	}
	for name, in := range map[string]*kms.DecryptInput{
		"InvalidCiphertextException: no context":      {CiphertextBlob: blob},
		"InvalidCiphertextException: another context": {CiphertextBlob: blob, EncryptionContext: map[string]string{"app": "kefv"}},
		"InvalidCiphertextException: more context":    {CiphertextBlob: blob, EncryptionContext: map[string]string{"app": "kefu", "x": ""}},
		"InvalidCiphertextException: joined context":  {CiphertextBlob: blob, EncryptionContext: map[string]string{"appk": "efu"}},
		"IncorrectKeyException: another key":          {CiphertextBlob: blob, EncryptionContext: about, KeyId: aws.String("other")},
		"NotFoundException: no such key":              {CiphertextBlob: blob, EncryptionContext: about, KeyId: aws.String("none")},
		"ValidationException: too long":               {CiphertextBlob: make([]byte, 6145), EncryptionContext: about},
		"InvalidKeyUsageException: another algorithm": {CiphertextBlob: blob, EncryptionAlgorithm: types.EncryptionAlgorithmSpecRsaesOaepSha256},
	} {
		_, err := c.Decrypt(t.Context(), in)
		want, _, _ := strings.Cut(name, ":")
		wantName(t, err, want)
	}
}

// The same master is the same KMS after a restart; another one is another.
func TestMaster(t *testing.T) {
	t.Parallel()
	master := [32]byte{1}
	open := func(master [32]byte) *kms.Client {
		return dial(t, kmsfake.New(kmsfake.Options{Keys: []string{"k"}, Master: master}), kmsfake.Region)
	}
	key := generate(t, open(master), "k", nil)
	out, err := open(master).Decrypt(t.Context(), &kms.DecryptInput{CiphertextBlob: key.CiphertextBlob})
	if err != nil || !bytes.Equal(out.Plaintext, key.Plaintext) {
		t.Errorf("got %v, want the key back", err)
	}
	for _, other := range [][32]byte{{2}, {}} {
		_, err = open(other).Decrypt(t.Context(), &kms.DecryptInput{CiphertextBlob: key.CiphertextBlob})
		wantName(t, err, "InvalidCiphertextException")
	}
}

func TestKeyStates(t *testing.T) {
	t.Parallel()
	fake := kmsfake.New(kmsfake.Options{Keys: []string{"k"}, Region: "eu-west-1", Account: "123456789012"})
	if got, want := fake.ARN("k"), "arn:aws:kms:eu-west-1:123456789012:key/k"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	c := dial(t, fake, "eu-west-1")
	blob := generate(t, c, "k", nil).CiphertextBlob
	for state, name := range map[kmsfake.State]string{
		kmsfake.Disabled: "DisabledException", kmsfake.PendingDeletion: "KMSInvalidStateException",
	} {
		fake.SetState("k", state)
		_, err := c.GenerateDataKey(t.Context(), &kms.GenerateDataKeyInput{KeyId: aws.String("k"), KeySpec: types.DataKeySpecAes256})
		wantName(t, err, name)
		_, err = c.Decrypt(t.Context(), &kms.DecryptInput{CiphertextBlob: blob})
		wantName(t, err, name)
	}
	fake.SetState("k", kmsfake.Enabled)
	fake.SetState("new", kmsfake.Enabled)
	generate(t, c, "k", nil)
	generate(t, c, "new", nil)
	for _, stray := range []string{"none", "arn:aws:kms:us-east-1:123456789012:key/k", "arn:aws:kms:eu-west-1:123456789012:k", "arn:"} {
		_, err := c.GenerateDataKey(t.Context(), &kms.GenerateDataKeyInput{KeyId: &stray, KeySpec: types.DataKeySpecAes256})
		wantName(t, err, "NotFoundException")
	}
	for _, in := range []*kms.GenerateDataKeyInput{
		{KeyId: aws.String("k")},
		{KeyId: aws.String("k"), NumberOfBytes: aws.Int32(1025)},
		{KeyId: aws.String("k"), KeySpec: types.DataKeySpecAes128, NumberOfBytes: aws.Int32(16)},
	} {
		_, err := c.GenerateDataKey(t.Context(), in)
		wantName(t, err, "ValidationException")
	}
}

func TestFaults(t *testing.T) {
	t.Parallel()
	fake := kmsfake.New(kmsfake.Options{Keys: []string{"k"}})
	c := dial(t, fake, kmsfake.Region)
	blob := generate(t, c, "k", nil).CiphertextBlob
	decrypt := func() error {
		_, err := c.Decrypt(t.Context(), &kms.DecryptInput{CiphertextBlob: blob})
		return err
	}
	fake.Inject(kmsfake.Fault{Operation: "Decrypt", Error: "ThrottlingException", Times: 2})
	fake.Inject(kmsfake.Fault{Operation: "Decrypt", Lose: true, Times: 1})
	cancel := fake.Inject(kmsfake.Fault{Operation: "Decrypt", Error: "KMSInternalException"})
	generate(t, c, "k", nil)
	wantName(t, decrypt(), "ThrottlingException")
	wantName(t, decrypt(), "ThrottlingException")
	var api smithy.APIError
	if err := decrypt(); err == nil || errors.As(err, &api) {
		t.Errorf("got %v, want an error without an answer", err)
	}
	wantName(t, decrypt(), "KMSInternalException")
	wantName(t, decrypt(), "KMSInternalException")
	cancel()
	cancel()
	if err := decrypt(); err != nil {
		t.Errorf("got %v, want no error", err)
	}
	if got := fake.Calls("Decrypt"); got != 6 {
		t.Errorf("got %d calls, want 6", got)
	}
}

func TestSignature(t *testing.T) {
	t.Parallel()
	fake := kmsfake.New(kmsfake.Options{Keys: []string{"k"}})
	_, err := dial(t, fake, "eu-west-1").Decrypt(t.Context(), &kms.DecryptInput{CiphertextBlob: []byte{1}})
	wantName(t, err, "InvalidSignatureException")
	for name, tc := range map[string]struct {
		method, target, kind, auth, body string
	}{
		"MissingAuthenticationToken":             {"POST", "TrentService.Decrypt", "application/x-amz-json-1.1", "", "{}"},
		"IncompleteSignature":                    {"POST", "TrentService.Decrypt", "application/x-amz-json-1.1", "Basic x", "{}"},
		"UnknownOperationException: no target":   {"POST", "", "application/x-amz-json-1.1", good, "{}"},
		"UnknownOperationException: other API":   {"POST", "DynamoDB_20120810.GetItem", "application/x-amz-json-1.1", good, "{}"},
		"UnknownOperationException: not built":   {"POST", "TrentService.Encrypt", "application/x-amz-json-1.1", good, "{}"},
		"UnknownOperationException: GET":         {"GET", "TrentService.Decrypt", "application/x-amz-json-1.1", good, ""},
		"UnknownOperationException: other form":  {"POST", "TrentService.Decrypt", "application/x-amz-json-1.0", good, "{}"},
		"SerializationException: no JSON":        {"POST", "TrentService.Decrypt", "application/x-amz-json-1.1", good, "<"},
		"SerializationException: other types":    {"POST", "TrentService.GenerateDataKey", "application/x-amz-json-1.1", good, `{"KeyId":1}`},
		"SerializationException: cut by the max": {"POST", "TrentService.Decrypt", "application/x-amz-json-1.1", good, `{"CiphertextBlob":"` + strings.Repeat("A", 1<<17) + `"}`},
	} {
		r := httptest.NewRequestWithContext(t.Context(), tc.method, "/", strings.NewReader(tc.body))
		r.Header.Set("X-Amz-Target", tc.target)
		r.Header.Set("Content-Type", tc.kind)
		r.Header.Set("Authorization", tc.auth)
		r.Header.Set("X-Amz-Date", "20261122T080000Z")
		w := httptest.NewRecorder()
		fake.ServeHTTP(w, r)
		want, _, _ := strings.Cut(name, ":")
		if w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), `"__type":"`+want) {
			t.Errorf("%s: got %d %s, want 400 and that name", name, w.Code, w.Body)
		}
	}
}

const good = "AWS4-HMAC-SHA256 Credential=A/20261122/us-east-1/kms/aws4_request, SignedHeaders=host, Signature=00"

func TestManyAtOnce(t *testing.T) {
	t.Parallel()
	fake := kmsfake.New(kmsfake.Options{Keys: []string{"k"}})
	c := dial(t, fake, kmsfake.Region)
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			key, err := c.GenerateDataKey(context.WithoutCancel(t.Context()), &kms.GenerateDataKeyInput{KeyId: aws.String("k"), KeySpec: types.DataKeySpecAes128})
			if err != nil {
				t.Error(err)
				return
			}
			out, err := c.Decrypt(t.Context(), &kms.DecryptInput{CiphertextBlob: key.CiphertextBlob})
			if err != nil || !bytes.Equal(out.Plaintext, key.Plaintext) || len(out.Plaintext) != 16 {
				t.Errorf("got %v, want the 16 bytes back", err)
			}
		})
		wg.Go(func() { fake.SetState("other", kmsfake.Disabled) })
	}
	wg.Wait()
}
