package wxfake

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
)

// vector is one entry of the fact sheet's file; missing fields are empty.
type vector struct {
	ID       string            `json:"id"`
	Method   string            `json:"method"`
	Token    string            `json:"token"`
	Key      string            `json:"encoding_aes_key"`
	AppID    string            `json:"appid"`
	Query    map[string]string `json:"query"`
	Encrypt  string            `json:"encrypt"`
	MustFail string            `json:"must_fail_with"`
	Input    struct {
		Random    string `json:"random_16"`
		Msg       string `json:"msg"`
		Timestamp string `json:"timestamp"`
		Nonce     string `json:"nonce"`
	} `json:"input"`
	Expected struct {
		Random       string `json:"random_16"`
		Msg          string `json:"msg"`
		Encrypt      string `json:"encrypt"`
		Signature    string `json:"signature"`
		MsgSignature string `json:"msg_signature"`
	} `json:"expected"`
}

func vectors(t *testing.T) (good, bad []vector) {
	t.Helper()
	raw, err := os.ReadFile("testdata/open-platform-crypto.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Vectors  []vector `json:"vectors"`
		Negative []vector `json:"negative"`
	}
	if err := json.Unmarshal(raw, &file); err != nil {
		t.Fatal(err)
	}
	if len(file.Vectors) != 13 || len(file.Negative) != 7 {
		t.Fatalf("got %d and %d vectors, want 13 and 7", len(file.Vectors), len(file.Negative))
	}
	return file.Vectors, file.Negative
}

func TestVectors(t *testing.T) {
	t.Parallel()
	good, _ := vectors(t)
	checked := 0
	for _, v := range good {
		if v.Expected.Signature != "" {
			checked++
			if got := signature(v.Token, v.Query["timestamp"], v.Query["nonce"]); got != v.Expected.Signature {
				t.Errorf("%s: signature: got %s, want %s", v.ID, got, v.Expected.Signature)
			}
		}
		if v.Key == "" {
			continue
		}
		key, err := aesKey(v.Key)
		if err != nil {
			t.Errorf("%s: key: %v", v.ID, err)
			continue
		}
		msg, random, want := v.Input.Msg, v.Input.Random, v.Expected.Encrypt
		timestamp, nonce := v.Input.Timestamp, v.Input.Nonce
		if msg == "" {
			msg, random, want = v.Expected.Msg, v.Expected.Random, v.Encrypt
			timestamp, nonce = v.Query["timestamp"], v.Query["nonce"]
		}
		got, err := encrypt(key, random, []byte(msg), v.AppID)
		if err != nil || got != want {
			t.Errorf("%s: encrypt: got %q, %v, want %q", v.ID, got, err, want)
		}
		plain, err := decrypt(key, want, v.AppID)
		if err != nil || string(plain) != msg {
			t.Errorf("%s: decrypt: got %q, %v, want %q", v.ID, plain, err, msg)
		}
		if s := signature(v.Token, timestamp, nonce, want); v.Expected.MsgSignature != "" && s != v.Expected.MsgSignature {
			t.Errorf("%s: msg_signature: got %s, want %s", v.ID, s, v.Expected.MsgSignature)
		}
		checked++
	}
	if checked < 13 {
		t.Errorf("got %d checks, want at least one for each of the 13 vectors", checked)
	}
}

func TestBadVectorsAreRefused(t *testing.T) {
	t.Parallel()
	_, bad := vectors(t)
	for _, v := range bad {
		key, err := aesKey(v.Key)
		if err != nil {
			t.Fatalf("%s: %v", v.ID, err)
		}
		signed := signature(v.Token, v.Query["timestamp"], v.Query["nonce"], v.Encrypt) == v.Query["msg_signature"]
		if strings.HasPrefix(v.MustFail, "signature") {
			if signed {
				t.Errorf("%s: the signature holds, want a mismatch", v.ID)
			}
			continue
		}
		if plain, err := decrypt(key, v.Encrypt, v.AppID); err == nil {
			t.Errorf("%s: got %q, want %s", v.ID, plain, v.MustFail)
		}
	}
}

func TestKeyNeeds43Characters(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", testKey[:42], testKey + "A", strings.Repeat("!", 43)} {
		if _, err := aesKey(text); err == nil {
			t.Errorf("aesKey(%q): got no error", text)
		}
	}
}
