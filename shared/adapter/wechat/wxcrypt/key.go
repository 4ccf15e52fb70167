package wxcrypt

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"encoding/binary"
	"math"
)

const (
	keyText = 43 // characters of an EncodingAESKey
	keySize = 32 // AES-256
	// padBlock is the platform's padding block. It is not the cipher's: a padding
	// to 16 makes the platform drop a reply without a word.
	padBlock = 32
	// before counts what stands before the message: 16 random bytes and its length.
	before = 16 + 4
)

// Key is an EncodingAESKey, ready to use, also by several goroutines at once.
// It prints as stars. The zero value is no key: get one from [ParseKey].
type Key struct {
	block cipher.Block
	iv    [aes.BlockSize]byte
}

// ParseKey reads the EncodingAESKey of the platform's console: 43 characters of
// base64, which are 258 bits for a key of 256. The platform hands out keys whose
// two spare bits are set, so they are ignored here. The error is [ErrKey].
func ParseKey(encodingAESKey string) (*Key, error) {
	if len(encodingAESKey) != keyText {
		return nil, ErrKey
	}
	raw, err := base64.StdEncoding.DecodeString(encodingAESKey + "=")
	if err != nil || len(raw) != keySize { // line breaks decode to nothing
		return nil, ErrKey
	}
	block, err := aes.NewCipher(raw)
	if err != nil {
		return nil, ErrKey
	}
	k := &Key{block: block}
	copy(k.iv[:], raw)
	return k, nil
}

// String keeps the key out of logs.
func (k *Key) String() string { return "***" }

// GoString keeps the key out of %#v.
func (k *Key) GoString() string { return "***" }

// Decrypt opens the Encrypt of a push whose signature has been verified, and
// returns the message in a buffer of its own. appID must be the one at the end of
// the plaintext, exactly: the account's own, or the component's on a third-party
// platform. The error is [ErrBase64], [ErrLength], [ErrPadding] or an
// [AppIDError], which is [ErrAppID].
func (k *Key) Decrypt(encrypt []byte, appID string) ([]byte, error) {
	buf, err := decodeBase64(encrypt)
	if err != nil {
		return nil, err
	}
	// Padded to 32, so a length that only the cipher would take is wrong too.
	if len(buf) == 0 || len(buf)%padBlock != 0 {
		return nil, ErrLength
	}
	k.decryptCBC(buf)
	plain, err := unpad(buf)
	if err != nil {
		return nil, err
	}
	if len(plain) < before {
		return nil, ErrLength
	}
	size := uint64(binary.BigEndian.Uint32(plain[16:before]))
	if before+size > uint64(len(plain)) {
		return nil, ErrLength
	}
	end := before + int(size) //nolint:gosec // not larger than len(plain)
	if string(plain[end:]) != appID {
		return nil, &AppIDError{Found: string(plain[end:])}
	}
	return plain[before:end:end], nil
}

// decryptCBC decrypts whole blocks where they stand. cipher.NewCBCDecrypter does the
// same, but copies the expanded key for every push, which costs as much as half of the
// blocks of a usual one.
func (k *Key) decryptCBC(buf []byte) {
	le := binary.LittleEndian
	low, high := le.Uint64(k.iv[:]), le.Uint64(k.iv[8:]) // the ciphertext of the block before
	for len(buf) >= aes.BlockSize {
		nextLow, nextHigh := le.Uint64(buf), le.Uint64(buf[8:])
		k.block.Decrypt(buf[:aes.BlockSize], buf[:aes.BlockSize])
		le.PutUint64(buf, le.Uint64(buf)^low)
		le.PutUint64(buf[8:], le.Uint64(buf[8:])^high)
		low, high = nextLow, nextHigh
		buf = buf[aes.BlockSize:]
	}
}

// unpad takes the padding away. The official sample takes an impossible padding
// for none; then only the app id would be left to catch a wrong key.
func unpad(b []byte) ([]byte, error) {
	pad := int(b[len(b)-1])
	if pad < 1 || pad > padBlock || pad > len(b) {
		return nil, ErrPadding
	}
	for _, c := range b[len(b)-pad:] {
		if int(c) != pad {
			return nil, ErrPadding
		}
	}
	return b[:len(b)-pad], nil
}

// Encrypt makes the Encrypt of a reply: msg for appID, salted with random, which
// must come from a cryptographic source and serve once. A message of 4 GiB or
// more, which no reply is, gives the empty text.
func (k *Key) Encrypt(random [16]byte, msg []byte, appID string) string {
	if uint64(len(msg)) > math.MaxUint32 {
		return ""
	}
	size := before + len(msg) + len(appID)
	pad := padBlock - size%padBlock
	buf := make([]byte, 0, size+pad)
	buf = append(buf, random[:]...)
	buf = binary.BigEndian.AppendUint32(buf, uint32(len(msg))) //nolint:gosec // checked above
	buf = append(buf, msg...)
	buf = append(buf, appID...)
	for range pad {
		buf = append(buf, byte(pad))
	}
	cipher.NewCBCEncrypter(k.block, k.iv[:]).CryptBlocks(buf, buf)
	return base64.StdEncoding.EncodeToString(buf)
}
