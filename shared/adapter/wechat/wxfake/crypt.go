package wxfake

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha1" //nolint:gosec // the platform signs with SHA-1
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"math"
	"sort"
	"strings"
)

// padBlock is the platform's PKCS#7 block: 32 bytes, although AES has 16.
const padBlock = 32

// signature is the platform's digest: the parts sorted by byte value, joined without a separator, SHA-1, hex.
// Three parts (token, timestamp, nonce) make signature, a fourth (the base64 text) makes msg_signature.
func signature(parts ...string) string {
	sorted := append([]string(nil), parts...)
	sort.Strings(sorted)
	sum := sha1.Sum([]byte(strings.Join(sorted, ""))) //nolint:gosec // the platform signs with SHA-1
	return hex.EncodeToString(sum[:])
}

// encrypt makes the Encrypt text: AES-256-CBC over random16, length, message and appid, in base64.
func encrypt(key []byte, random16 string, msg []byte, appID string) (string, error) {
	if len(random16) != 16 || len(msg) > math.MaxInt32 {
		return "", errors.New("16 random bytes and a message under 2 GiB are needed")
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return "", err
	}
	plain := make([]byte, 0, 16+4+len(msg)+len(appID)+padBlock)
	plain = append(plain, random16...)
	plain = binary.BigEndian.AppendUint32(plain, uint32(len(msg))) //nolint:gosec // bounded above
	plain = append(plain, msg...)
	plain = append(plain, appID...)
	pad := padBlock - len(plain)%padBlock
	plain = append(plain, bytes.Repeat([]byte{byte(pad)}, pad)...)
	cipher.NewCBCEncrypter(block, key[:aes.BlockSize]).CryptBlocks(plain, plain)
	return base64.StdEncoding.EncodeToString(plain), nil
}

// errDecrypt is every reason why a ciphertext is not what the platform expects.
var errDecrypt = errors.New("the reply can't be decrypted")

// decrypt undoes encrypt and checks padding, length and appid.
func decrypt(key []byte, text, appID string) ([]byte, error) {
	data, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(data) < padBlock || len(data)%padBlock != 0 {
		return nil, errDecrypt
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	cipher.NewCBCDecrypter(block, key[:aes.BlockSize]).CryptBlocks(data, data)
	pad := int(data[len(data)-1])
	if pad < 1 || pad > padBlock {
		return nil, errDecrypt
	}
	body, tail := data[:len(data)-pad], data[len(data)-pad:]
	if !bytes.Equal(tail, bytes.Repeat([]byte{byte(pad)}, pad)) || len(body) < 20 {
		return nil, errDecrypt
	}
	n := int64(binary.BigEndian.Uint32(body[16:20]))
	if n > int64(len(body)-20) || string(body[20+n:]) != appID {
		return nil, errDecrypt
	}
	return body[20 : 20+n], nil
}
