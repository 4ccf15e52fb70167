package wxcrypt_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"testing"

	"kefu/shared/adapter/wechat/wxcrypt"
)

// checkBase64 compares with the standard library, which differs in one thing: it
// skips line breaks.
func checkBase64(t *testing.T, text []byte) {
	t.Helper()
	want, wantErr := base64.StdEncoding.Strict().DecodeString(string(text))
	if bytes.ContainsAny(text, "\r\n") {
		wantErr = errors.New("line break")
	}
	got, err := wxcrypt.DecodeBase64(text)
	if (err == nil) != (wantErr == nil) || (err == nil && !bytes.Equal(got, want)) {
		t.Errorf("%q: got %x, %v; want %x, %v", text, got, err, want, wantErr)
	}
	if err != nil && !errors.Is(err, wxcrypt.ErrBase64) {
		t.Errorf("%q: got %v, want ErrBase64", text, err)
	}
}

// TestBase64EveryByteEverywhere puts every byte at every place of texts that end in
// each of the three ways.
func TestBase64EveryByteEverywhere(t *testing.T) {
	t.Parallel()
	for n := 30; n < 33; n++ {
		raw := make([]byte, n)
		for i := range raw {
			raw[i] = byte(i * 37)
		}
		good := []byte(base64.StdEncoding.EncodeToString(raw))
		for at := range good {
			for c := range 256 {
				text := bytes.Clone(good)
				text[at] = byte(c)
				checkBase64(t, text)
			}
			checkBase64(t, good[:at])
			checkBase64(t, append(append(bytes.Clone(good[:at]), '\n'), good[at:]...))
		}
	}
}

func FuzzBase64(f *testing.F) {
	for _, v := range load(f).Vectors {
		f.Add([]byte(v.Encrypt))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		checkBase64(t, data)
		checkBase64(t, []byte(base64.StdEncoding.EncodeToString(data)))
	})
}
