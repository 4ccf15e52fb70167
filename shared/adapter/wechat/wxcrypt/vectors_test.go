package wxcrypt_test

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"slices"
	"testing"

	"kefu/shared/adapter/wechat/wxcrypt"
)

// vector is one entry of testdata/vectors/open-platform-crypto.json.
type vector struct {
	ID      string            `json:"id"`
	Token   string            `json:"token"`
	AESKey  string            `json:"encoding_aes_key"`
	KeyHex  string            `json:"aes_key_hex"`
	AppID   string            `json:"appid"`
	Query   map[string]string `json:"query"`
	Encrypt string            `json:"encrypt"`
	Input   *struct {
		Random    string `json:"random_16"`
		Msg       string `json:"msg"`
		Timestamp string `json:"timestamp"`
		Nonce     string `json:"nonce"`
	} `json:"input"`
	Expected struct {
		Signature    string `json:"signature"`
		MsgSignature string `json:"msg_signature"`
		Encrypt      string `json:"encrypt"`
		Msg          string `json:"msg"`
	} `json:"expected"`
	CanonicalKey string `json:"canonical_encoding_aes_key"`
	FailWith     string `json:"must_fail_with"`
}

type vectors struct {
	Vectors  []vector `json:"vectors"`
	Negative []vector `json:"negative"`
	Rotation struct {
		Current  string            `json:"current_encoding_aes_key"`
		Previous string            `json:"previous_encoding_aes_key"`
		Token    string            `json:"token"`
		AppID    string            `json:"appid"`
		Query    map[string]string `json:"query"`
		Encrypt  string            `json:"encrypt"`
	} `json:"key_rotation"`
}

func load(t testing.TB) vectors {
	t.Helper()
	raw, err := os.ReadFile("testdata/vectors/open-platform-crypto.json")
	if err != nil {
		t.Fatal(err)
	}
	var v vectors
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatal(err)
	}
	if len(v.Vectors) != 13 || len(v.Negative) != 7 {
		t.Fatalf("the file has %d and %d vectors; want 13 and 7", len(v.Vectors), len(v.Negative))
	}
	return v
}

func parse(t testing.TB, key string) *wxcrypt.Key {
	t.Helper()
	k, err := wxcrypt.ParseKey(key)
	if err != nil {
		t.Fatalf("ParseKey: %v", err)
	}
	return k
}

func TestVectors(t *testing.T) {
	t.Parallel()
	for _, v := range load(t).Vectors {
		t.Run(v.ID, func(t *testing.T) {
			t.Parallel()
			checked := 0
			if want := v.Query["signature"]; want != "" {
				checked++
				checkSignature(t, want, v.Token, v.Query["timestamp"], v.Query["nonce"])
			}
			if v.Expected.Signature != "" {
				checked++
				checkSignature(t, v.Expected.Signature, v.Token, v.Query["timestamp"], v.Query["nonce"])
			}
			if v.Input == nil && v.Encrypt != "" {
				checked++
				checkPush(t, v)
			}
			if v.Input != nil {
				checked++
				checkReply(t, v)
			}
			if checked == 0 {
				t.Error("nothing in this vector was checked")
			}
		})
	}
}

func checkSignature(t *testing.T, want string, parts ...string) {
	t.Helper()
	for range parts { // in whatever order
		if got := wxcrypt.Signature(parts...); got != want {
			t.Errorf("Signature: got %s, want %s", got, want)
		}
		if !wxcrypt.Verify(want, parts...) {
			t.Error("Verify: got false, want true")
		}
		parts = append(slices.Clone(parts[1:]), parts[0])
	}
}

func checkPush(t *testing.T, v vector) {
	t.Helper()
	ts, nonce := v.Query["timestamp"], v.Query["nonce"]
	checkSignature(t, v.Query["msg_signature"], v.Token, ts, nonce, v.Encrypt)
	if !wxcrypt.VerifyPush(v.Query["msg_signature"], v.Token, ts, nonce, []byte(v.Encrypt)) {
		t.Error("VerifyPush: got false, want true")
	}
	for _, key := range []string{v.AESKey, v.CanonicalKey} {
		if key == "" {
			continue
		}
		msg, err := parse(t, key).Decrypt([]byte(v.Encrypt), v.AppID)
		if err != nil || string(msg) != v.Expected.Msg {
			t.Errorf("Decrypt: got %q, %v; want %q", msg, err, v.Expected.Msg)
		}
	}
}

func checkReply(t *testing.T, v vector) {
	t.Helper()
	k := parse(t, v.AESKey)
	got := k.Encrypt([16]byte([]byte(v.Input.Random)), []byte(v.Input.Msg), v.AppID)
	if got != v.Expected.Encrypt {
		t.Errorf("Encrypt: got %s, want %s", got, v.Expected.Encrypt)
	}
	if v.Expected.MsgSignature != "" {
		checkSignature(t, v.Expected.MsgSignature, v.Token, v.Input.Timestamp, v.Input.Nonce, got)
	}
	back, err := k.Decrypt([]byte(got), v.AppID)
	if err != nil || string(back) != v.Input.Msg {
		t.Errorf("Decrypt of it: got %q, %v; want %q", back, err, v.Input.Msg)
	}
}

// TestKeyBytes tells the key from the IV: official vectors use a key of zeros,
// under which a wrong IV goes unnoticed.
func TestKeyBytes(t *testing.T) {
	t.Parallel()
	for _, v := range load(t).Vectors {
		if v.AESKey == "" {
			continue
		}
		raw, err := hex.DecodeString(v.KeyHex)
		if err != nil {
			t.Fatal(err)
		}
		if got := wxcrypt.IVOf(parse(t, v.AESKey)); got != [16]byte(raw[:16]) {
			t.Errorf("%s: IV is %x, want %x", v.ID, got, raw[:16])
		}
	}
}

func TestNegativeVectors(t *testing.T) {
	t.Parallel()
	classes := map[string][]error{
		"signature_mismatch":   {wxcrypt.ErrSignature},
		"appid_mismatch":       {wxcrypt.ErrAppID},
		"decrypt_or_appid":     {wxcrypt.ErrPadding, wxcrypt.ErrLength, wxcrypt.ErrAppID},
		"bad_length":           {wxcrypt.ErrLength},
		"bad_padding_or_appid": {wxcrypt.ErrPadding},
		"bad_base64":           {wxcrypt.ErrBase64},
	}
	for _, v := range load(t).Negative {
		t.Run(v.ID, func(t *testing.T) {
			t.Parallel()
			want, ok := classes[v.FailWith]
			if !ok {
				t.Fatalf("class %q is not known to this test", v.FailWith)
			}
			err := open(t, v)
			if !slices.ContainsFunc(want, func(w error) bool { return errors.Is(err, w) }) {
				t.Errorf("got %v, want one of %v", err, want)
			}
		})
	}
}

// open does what a callback does.
func open(t *testing.T, v vector) error {
	t.Helper()
	if !wxcrypt.VerifyPush(v.Query["msg_signature"], v.Token, v.Query["timestamp"], v.Query["nonce"], []byte(v.Encrypt)) {
		return wxcrypt.ErrSignature
	}
	_, err := parse(t, v.AESKey).Decrypt([]byte(v.Encrypt), v.AppID)
	return err
}

func TestKeyRotation(t *testing.T) {
	t.Parallel()
	r := load(t).Rotation
	if !wxcrypt.VerifyPush(r.Query["msg_signature"], r.Token, r.Query["timestamp"], r.Query["nonce"], []byte(r.Encrypt)) {
		t.Error("the signature, which no key takes part in, does not hold")
	}
	if _, err := parse(t, r.Current).Decrypt([]byte(r.Encrypt), r.AppID); err == nil {
		t.Error("current key: got no error")
	}
	if _, err := parse(t, r.Previous).Decrypt([]byte(r.Encrypt), r.AppID); err != nil {
		t.Errorf("previous key: got %v", err)
	}
}
