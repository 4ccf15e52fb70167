package kmsfake_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"kefu/shared/adapter/kms/kmsfake"
)

const jsonType = "application/x-amz-json-1.1"

// client asks a fake over a real connection, once.
type client struct {
	t    *testing.T
	url  string
	auth string
	web  *http.Client
}

// input and output are those of both operations, by KMS's own names.
type input struct {
	KeyId               string            `json:",omitempty"` //nolint:revive,staticcheck // KMS's own name
	KeySpec             string            `json:",omitempty"`
	NumberOfBytes       int               `json:",omitempty"`
	CiphertextBlob      []byte            `json:",omitempty"`
	EncryptionAlgorithm string            `json:",omitempty"`
	EncryptionContext   map[string]string `json:",omitempty"`
}

type output struct {
	CiphertextBlob, Plaintext []byte
	KeyId                     string //nolint:revive,staticcheck // KMS's own name
}

// named is an error that KMS answers with.
type named string

func (n named) Error() string { return string(n) }

func dial(t *testing.T, fake *kmsfake.Fake, region string) *client {
	t.Helper()
	srv := httptest.NewServer(fake)
	t.Cleanup(srv.Close)
	return &client{t: t, url: srv.URL, auth: strings.Replace(good, kmsfake.Region, region, 1), web: srv.Client()}
}

func (c *client) ask(operation string, in input) (*output, error) {
	c.t.Helper()
	body, err := json.Marshal(in)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(c.t.Context(), http.MethodPost, c.url, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	sign(req, operation, jsonType, c.auth)
	resp, err := c.web.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	if got := resp.Header.Get("Content-Type"); got != jsonType {
		c.t.Errorf("%s: got an answer of type %q, want %s", operation, got, jsonType)
	}
	var fail struct {
		Type string `json:"__type"`
	}
	if resp.StatusCode != http.StatusOK {
		err := json.Unmarshal(raw, &fail)
		return nil, errors.Join(named(fail.Type), err)
	}
	out := &output{}
	return out, json.Unmarshal(raw, out)
}

func (c *client) decrypt(in input) (*output, error) { return c.ask("TrentService.Decrypt", in) }
func (c *client) generate(in input) (*output, error) {
	return c.ask("TrentService.GenerateDataKey", in)
}

func sign(r *http.Request, target, kind, auth string) {
	r.Header.Set("X-Amz-Target", target)
	r.Header.Set("Content-Type", kind)
	r.Header.Set("Authorization", auth)
	r.Header.Set("X-Amz-Date", "20261122T080000Z")
}

func generate(t *testing.T, c *client, key string, about map[string]string) *output {
	t.Helper()
	out, err := c.generate(input{KeyId: key, KeySpec: "AES_256", EncryptionContext: about})
	if err != nil {
		t.Fatalf("generate: got %v, want no error", err)
	}
	return out
}

func wantName(t *testing.T, err error, name string) {
	t.Helper()
	var got named
	if !errors.As(err, &got) || string(got) != name {
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
			if len(key.Plaintext) != 32 || bytes.Contains(key.CiphertextBlob, key.Plaintext) || key.KeyId != fake.ARN(id) {
				t.Errorf("%s: got %d bytes for %s, want 32 that are encrypted, for %s", name, len(key.Plaintext), key.KeyId, fake.ARN(id))
			}
			for _, with := range []string{"", id, fake.ARN(id)} {
				out, err := c.decrypt(input{CiphertextBlob: key.CiphertextBlob, KeyId: with, EncryptionContext: about})
				if err != nil || !bytes.Equal(out.Plaintext, key.Plaintext) {
					t.Errorf("%s: got %v, want the key back", name, err)
				}
			}
		}
	}
	if g, d := fake.Calls("GenerateDataKey"), fake.Calls("Decrypt"); g != 4 || d != 12 {
		t.Errorf("got %d and %d calls, want 4 and 12", g, d)
	}
	out, err := c.generate(input{KeyId: "k", NumberOfBytes: 64})
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
		_, err := c.decrypt(input{CiphertextBlob: changed, EncryptionContext: about})
		wantName(t, err, "InvalidCiphertextException")
		_, err = c.decrypt(input{CiphertextBlob: blob[:max(i, 1)], EncryptionContext: about})
		wantName(t, err, "InvalidCiphertextException")
	}
	for name, in := range map[string]input{
		"InvalidCiphertextException: no context":      {CiphertextBlob: blob},
		"InvalidCiphertextException: another context": {CiphertextBlob: blob, EncryptionContext: map[string]string{"app": "kefv"}},
		"InvalidCiphertextException: more context":    {CiphertextBlob: blob, EncryptionContext: map[string]string{"app": "kefu", "x": ""}},
		"InvalidCiphertextException: joined context":  {CiphertextBlob: blob, EncryptionContext: map[string]string{"appk": "efu"}},
		"IncorrectKeyException: another key":          {CiphertextBlob: blob, EncryptionContext: about, KeyId: "other"},
		"NotFoundException: no such key":              {CiphertextBlob: blob, EncryptionContext: about, KeyId: "none"},
		"ValidationException: too long":               {CiphertextBlob: make([]byte, 6145), EncryptionContext: about},
		"InvalidKeyUsageException: another algorithm": {CiphertextBlob: blob, EncryptionAlgorithm: "RSAES_OAEP_SHA_256"},
	} {
		_, err := c.decrypt(in)
		want, _, _ := strings.Cut(name, ":")
		wantName(t, err, want)
	}
}

// The same master is the same KMS after a restart; another one is another.
func TestMaster(t *testing.T) {
	t.Parallel()
	master := [32]byte{1}
	open := func(master [32]byte) *client {
		return dial(t, kmsfake.New(kmsfake.Options{Keys: []string{"k"}, Master: master}), kmsfake.Region)
	}
	key := generate(t, open(master), "k", nil)
	out, err := open(master).decrypt(input{CiphertextBlob: key.CiphertextBlob})
	if err != nil || !bytes.Equal(out.Plaintext, key.Plaintext) {
		t.Errorf("got %v, want the key back", err)
	}
	for _, other := range [][32]byte{{2}, {}} {
		_, err = open(other).decrypt(input{CiphertextBlob: key.CiphertextBlob})
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
		_, err := c.generate(input{KeyId: "k", KeySpec: "AES_256"})
		wantName(t, err, name)
		_, err = c.decrypt(input{CiphertextBlob: blob})
		wantName(t, err, name)
	}
	fake.SetState("k", kmsfake.Enabled)
	fake.SetState("new", kmsfake.Enabled)
	generate(t, c, "k", nil)
	generate(t, c, "new", nil)
	for _, stray := range []string{"none", "arn:aws:kms:us-east-1:123456789012:key/k", "arn:aws:kms:eu-west-1:123456789012:k", "arn:"} {
		_, err := c.generate(input{KeyId: stray, KeySpec: "AES_256"})
		wantName(t, err, "NotFoundException")
	}
	for _, in := range []input{
		{KeyId: "k"},
		{KeyId: "k", NumberOfBytes: 1025},
		{KeyId: "k", KeySpec: "AES_128", NumberOfBytes: 16},
	} {
		_, err := c.generate(in)
		wantName(t, err, "ValidationException")
	}
}

func TestFaults(t *testing.T) {
	t.Parallel()
	fake := kmsfake.New(kmsfake.Options{Keys: []string{"k"}})
	c := dial(t, fake, kmsfake.Region)
	blob := generate(t, c, "k", nil).CiphertextBlob
	decrypt := func() error {
		_, err := c.decrypt(input{CiphertextBlob: blob})
		return err
	}
	fake.Inject(kmsfake.Fault{Operation: "Decrypt", Error: "ThrottlingException", Times: 2})
	fake.Inject(kmsfake.Fault{Operation: "Decrypt", Lose: true, Times: 1})
	cancel := fake.Inject(kmsfake.Fault{Operation: "Decrypt", Error: "KMSInternalException"})
	generate(t, c, "k", nil)
	wantName(t, decrypt(), "ThrottlingException")
	wantName(t, decrypt(), "ThrottlingException")
	if err := decrypt(); err == nil || errors.As(err, new(named)) {
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
	_, err := dial(t, fake, "eu-west-1").decrypt(input{CiphertextBlob: []byte{1}})
	wantName(t, err, "InvalidSignatureException")
	for name, tc := range map[string]struct {
		method, target, kind, auth, body string
	}{
		"MissingAuthenticationToken":             {"POST", "TrentService.Decrypt", jsonType, "", "{}"},
		"IncompleteSignature":                    {"POST", "TrentService.Decrypt", jsonType, "Basic x", "{}"},
		"UnknownOperationException: no target":   {"POST", "", jsonType, good, "{}"},
		"UnknownOperationException: other API":   {"POST", "DynamoDB_20120810.GetItem", jsonType, good, "{}"},
		"UnknownOperationException: not built":   {"POST", "TrentService.Encrypt", jsonType, good, "{}"},
		"UnknownOperationException: GET":         {"GET", "TrentService.Decrypt", jsonType, good, ""},
		"UnknownOperationException: other form":  {"POST", "TrentService.Decrypt", "application/x-amz-json-1.0", good, "{}"},
		"SerializationException: no JSON":        {"POST", "TrentService.Decrypt", jsonType, good, "<"},
		"SerializationException: other types":    {"POST", "TrentService.GenerateDataKey", jsonType, good, `{"KeyId":1}`},
		"SerializationException: cut by the max": {"POST", "TrentService.Decrypt", jsonType, good, `{"CiphertextBlob":"` + strings.Repeat("A", 1<<17) + `"}`},
	} {
		r := httptest.NewRequestWithContext(t.Context(), tc.method, "/", strings.NewReader(tc.body))
		sign(r, tc.target, tc.kind, tc.auth)
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
			key, err := c.generate(input{KeyId: "k", KeySpec: "AES_128"})
			if err != nil {
				t.Error(err)
				return
			}
			out, err := c.decrypt(input{CiphertextBlob: key.CiphertextBlob})
			if err != nil || !bytes.Equal(out.Plaintext, key.Plaintext) || len(out.Plaintext) != 16 {
				t.Errorf("got %v, want the 16 bytes back", err)
			}
		})
		wg.Go(func() { fake.SetState("other", kmsfake.Disabled) })
	}
	wg.Wait()
}
