package wxcrypt_test

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"testing"

	"kefu/shared/adapter/wechat/wxcrypt"
)

const (
	testKey    = "aozyxq4R650BCa5DxPYsLsBF2fPPCyUnOo8Ni0Whbc0"
	testKeyHex = "6a8cf2c6ae11eb9d0109ae43c4f62c2ec045d9f3cf0b25273a8f0d8b45a16dcd"
	testApp    = "wx0123456789abcdef"
)

// seal encrypts plaintext as it stands, so that tests can break every rule of it.
func seal(t testing.TB, plaintext []byte) []byte {
	t.Helper()
	key, err := hex.DecodeString(testKeyHex)
	if err != nil {
		t.Fatal(err)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		t.Fatal(err)
	}
	out := make([]byte, len(plaintext))
	cipher.NewCBCEncrypter(block, key[:16]).CryptBlocks(out, plaintext)
	return []byte(base64.StdEncoding.EncodeToString(out))
}

// layout lays a message out, claiming that it has size bytes, and pads it to 32
// with bytes of value pad (0: the right one).
func layout(msg string, size uint32, appID string, pad byte) []byte {
	b := append(bytes.Repeat([]byte("r"), 16), binary.BigEndian.AppendUint32(nil, size)...)
	b = append(append(b, msg...), appID...)
	n := 32 - len(b)%32
	if pad == 0 {
		pad = byte(n)
	}
	return append(b, bytes.Repeat([]byte{pad}, n)...)
}

func TestDecryptRefuses(t *testing.T) {
	t.Parallel()
	good := layout("hello", 5, testApp, 0)
	lastBlock := bytes.Clone(good)
	lastBlock[len(lastBlock)-2]++ // one pad byte differs from the last
	sixteen := append(bytes.Repeat([]byte("r"), 16), 0, 0, 0, 5)
	sixteen = append(append(sixteen, "hello"...), testApp...) // 43 bytes
	sixteen = append(sixteen, 5, 5, 5, 5, 5)                  // padded to 48
	noApp := append(bytes.Repeat([]byte("r"), 16), 0, 0, 0, 0)
	noApp = append(noApp, bytes.Repeat([]byte{12}, 12)...)
	tests := []struct {
		name    string
		encrypt []byte
		want    error
	}{
		{"empty", nil, wxcrypt.ErrLength},
		{"not base64", []byte("***"), wxcrypt.ErrBase64},
		{"url-safe base64", []byte(strings.Repeat("-_-_", 16)), wxcrypt.ErrBase64},
		{"missing padding character", bytes.TrimRight(seal(t, good), "="), wxcrypt.ErrBase64},
		{"line break inside", append([]byte("\n"), seal(t, good)...), wxcrypt.ErrBase64},
		{"line break at the end", append(seal(t, good), '\r', '\n'), wxcrypt.ErrBase64},
		{"four line breaks", append(seal(t, good), "\n\n\n\n"...), wxcrypt.ErrBase64},
		{"stray bits", []byte("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAG="), wxcrypt.ErrBase64},
		{"not whole blocks", []byte(base64.StdEncoding.EncodeToString(make([]byte, 33))), wxcrypt.ErrLength},
		{"padded to 16", seal(t, sixteen), wxcrypt.ErrLength},
		{"pad 0", seal(t, append(bytes.Clone(good[:len(good)-1]), 0)), wxcrypt.ErrPadding},
		{"pad 33", seal(t, bytes.Repeat([]byte{33}, 64)), wxcrypt.ErrPadding},
		{"pad bytes differ", seal(t, lastBlock), wxcrypt.ErrPadding},
		{"nothing but padding", seal(t, bytes.Repeat([]byte{32}, 32)), wxcrypt.ErrLength},
		{"shorter than its head", seal(t, append(bytes.Repeat([]byte("r"), 13), bytes.Repeat([]byte{19}, 19)...)), wxcrypt.ErrLength},
		{"message length one too long", seal(t, layout("hello", uint32(5+len(testApp)+1), testApp, 0)), wxcrypt.ErrLength},
		{"message length 2^31", seal(t, layout("hello", 1<<31, testApp, 0)), wxcrypt.ErrLength},
		{"message length 2^32-1", seal(t, layout("hello", 1<<32-1, testApp, 0)), wxcrypt.ErrLength},
		{"message length swallows the app id", seal(t, layout("hello", uint32(5+len(testApp)), testApp, 0)), wxcrypt.ErrAppID},
		{"no app id", seal(t, noApp), wxcrypt.ErrAppID},
		{"app id longer", seal(t, layout("hello", 5, testApp+"0", 0)), wxcrypt.ErrAppID},
		{"app id in upper case", seal(t, layout("hello", 5, strings.ToUpper(testApp), 0)), wxcrypt.ErrAppID},
	}
	k := parse(t, testKey)
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			if msg, err := k.Decrypt(tc.encrypt, testApp); !errors.Is(err, tc.want) || msg != nil {
				t.Errorf("got %q, %v; want %v", msg, err, tc.want)
			}
		})
	}
	if msg, err := k.Decrypt(seal(t, good), testApp); err != nil || string(msg) != "hello" {
		t.Errorf("the one that is right: got %q, %v; want hello", msg, err)
	}
}

// TestEncryptEveryLength crosses every padding, the whole block among them.
func TestEncryptEveryLength(t *testing.T) {
	t.Parallel()
	k := parse(t, testKey)
	for n := range 200 {
		msg := strings.Repeat("m", n)
		e := k.Encrypt([16]byte{}, []byte(msg), testApp)
		if raw, err := base64.StdEncoding.DecodeString(e); err != nil || len(raw)%32 != 0 {
			t.Fatalf("%d bytes: ciphertext of %d bytes, %v; want a multiple of 32", n, len(raw), err)
		}
		if got, err := k.Decrypt([]byte(e), testApp); err != nil || string(got) != msg {
			t.Fatalf("%d bytes: got %q, %v", n, got, err)
		}
	}
}

func TestParseKey(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{
		"", testKey[:42], testKey + "=", testKey + "0", strings.Repeat("A", 44), testKey[:42] + "-", testKey[:42] + "=",
		"\n" + testKey[1:], testKey[:20] + "\r\n" + testKey[22:], strings.Repeat("我", 14) + "A",
	} {
		if _, err := wxcrypt.ParseKey(bad); !errors.Is(err, wxcrypt.ErrKey) {
			t.Errorf("ParseKey(%q): got %v, want ErrKey", bad, err)
		}
	}
	// The last character's two low bits are spare: these four are one key.
	e := parse(t, testKey).Encrypt([16]byte{}, []byte("hello"), testApp)
	for _, last := range "0123" {
		k := parse(t, testKey[:42]+string(last))
		if got := k.Encrypt([16]byte{}, []byte("hello"), testApp); got != e {
			t.Errorf("last character %c: got %s, want %s", last, got, e)
		}
	}
	if got := parse(t, testKey[:42]+"4").Encrypt([16]byte{}, []byte("hello"), testApp); got == e {
		t.Error("last character 4: the key is the same; want another")
	}
}

func TestKeyPrintsAsStars(t *testing.T) {
	t.Parallel()
	k := parse(t, testKey)
	if got := fmt.Sprintf("%v %+v %#v %s", k, k, k, k); got != "*** *** *** ***" {
		t.Errorf("got %s, want stars only", got)
	}
}

func TestVerifyRefuses(t *testing.T) {
	t.Parallel()
	parts := []string{"AAAAA", "1714036504", "1514711492"}
	good := wxcrypt.Signature(parts...)
	for _, bad := range []string{
		"", good[:39], good + "0", strings.ToUpper(good), " " + good[1:], "0" + good[1:], strings.Repeat("0", 40), good + good,
	} {
		if wxcrypt.Verify(bad, parts...) {
			t.Errorf("Verify(%q): got true", bad)
		}
		if wxcrypt.VerifyPush(bad, parts[0], parts[1], parts[2], []byte("e")) {
			t.Errorf("VerifyPush(%q): got true", bad)
		}
	}
	if wxcrypt.VerifyPush(good, parts[0], parts[1], parts[2], []byte("e")) {
		t.Error("a signature of three parts passed for one of four")
	}
}

func FuzzDecrypt(f *testing.F) {
	for _, v := range append(load(f).Vectors, load(f).Negative...) {
		f.Add([]byte(v.Encrypt))
	}
	k := parse(f, testKey)
	f.Fuzz(func(t *testing.T, encrypt []byte) {
		msg, err := k.Decrypt(encrypt, testApp)
		if err == nil && len(msg) > len(encrypt) {
			t.Errorf("%d bytes out of %d", len(msg), len(encrypt))
		}
		// The same bytes as a plaintext: everything behind the cipher.
		whole := encrypt[:len(encrypt)/32*32]
		if msg, err = k.Decrypt(seal(t, whole), testApp); err != nil {
			return
		}
		if again, err := k.Decrypt([]byte(k.Encrypt([16]byte(whole), msg, testApp)), testApp); err != nil || !bytes.Equal(again, msg) {
			t.Errorf("got %q, %v; want %q", again, err, msg)
		}
	})
}

// FuzzSignature: the signature over a text in the body is the one over strings.
func FuzzSignature(f *testing.F) {
	f.Add("token", "1", "2", []byte("encrypt"))
	f.Add("", "", "", []byte(nil))
	f.Add("b", "a", "c", []byte("b"))
	f.Fuzz(func(t *testing.T, token, ts, nonce string, encrypt []byte) {
		want := wxcrypt.Signature(token, ts, nonce, string(encrypt))
		if !wxcrypt.VerifyPush(want, token, ts, nonce, encrypt) || !wxcrypt.Verify(want, nonce, string(encrypt), ts, token) {
			t.Errorf("%s does not hold over its own parts", want)
		}
	})
}

func TestAllocations(t *testing.T) { //nolint:paralleltest // counts allocations of the whole process
	encrypt := parse(t, testKey).Encrypt([16]byte{}, bytes.Repeat([]byte("m"), 600), testApp)
	sig := wxcrypt.Signature("token", "1700000000", "12345", encrypt)
	body := []byte(encrypt)
	got := testing.AllocsPerRun(100, func() {
		if !wxcrypt.VerifyPush(sig, "token", "1700000000", "12345", body) {
			t.Error("the signature does not hold")
		}
	})
	if got > 0 {
		t.Errorf("VerifyPush: got %v allocations, want 0", got)
	}
}
