package wxcrypt_test

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha1"
	"encoding/base64"
	"encoding/hex"
	"testing"

	"kefu/shared/adapter/wechat/wxcrypt"
)

// BenchmarkCallbackCrypto is the part of a callback that this package does, for a
// message of 600 bytes; BenchmarkCallbackCryptoStdlib is the same primitives with
// nothing around them.
func BenchmarkCallbackCrypto(b *testing.B) {
	k := parse(b, testKey)
	encrypt := []byte(k.Encrypt([16]byte{}, bytes.Repeat([]byte("m"), 600), testApp))
	sig := wxcrypt.Signature("kfToken2026", "1700000000", "987654321", string(encrypt))
	b.ReportAllocs()
	for b.Loop() {
		if !wxcrypt.VerifyPush(sig, "kfToken2026", "1700000000", "987654321", encrypt) {
			b.Fatal("signature")
		}
		if _, err := k.Decrypt(encrypt, testApp); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCallbackCryptoStdlib(b *testing.B) {
	key, err := hex.DecodeString(testKeyHex)
	if err != nil {
		b.Fatal(err)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		b.Fatal(err)
	}
	encrypt := []byte(parse(b, testKey).Encrypt([16]byte{}, bytes.Repeat([]byte("m"), 600), testApp))
	signed := append([]byte("1700000000987654321kfToken2026"), encrypt...)
	b.ReportAllocs()
	for b.Loop() {
		sum := sha1.Sum(signed)
		var text [40]byte
		hex.Encode(text[:], sum[:])
		buf := make([]byte, base64.StdEncoding.DecodedLen(len(encrypt)))
		n, err := base64.StdEncoding.Decode(buf, encrypt)
		if err != nil {
			b.Fatal(err)
		}
		cipher.NewCBCDecrypter(block, key[:16]).CryptBlocks(buf[:n], buf[:n])
	}
}
