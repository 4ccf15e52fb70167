package kms

import "encoding/binary"

// A sealed secret is
//
//	version (1 byte) · length of the encrypted data key (2 bytes, big endian) · the encrypted data key ·
//	nonce (12 bytes) · AES-256-GCM of the secret, with its tag
//
// where all before the nonce, followed by the owner, is authenticated with it. Static has no data key: its length is 0.
const (
	version1     = 1
	headSize     = 1 + 2 // before the encrypted data key
	nonceSize    = 12
	tagSize      = 16
	maxEncrypted = 6144 // KMS takes no longer one
)

// envelope is a sealed secret taken apart. Its slices are parts of the whole.
type envelope struct {
	header    []byte // version, length and encrypted data key
	encrypted []byte // the data key as KMS encrypted it
	nonce     []byte
	text      []byte
}

// header writes the part before the nonce.
func header(encrypted []byte) []byte {
	h := make([]byte, 0, headSize+len(encrypted))
	h = append(h, version1)
	h = binary.BigEndian.AppendUint16(h, uint16(len(encrypted))) //nolint:gosec // at most maxEncrypted, see remote.generate
	return append(h, encrypted...)
}

// parse takes a sealed secret apart.
func parse(sealed []byte) (envelope, error) {
	if len(sealed) < headSize || sealed[0] != version1 {
		return envelope{}, errUnsealable
	}
	size := int(binary.BigEndian.Uint16(sealed[1:]))
	end := headSize + size
	if size > maxEncrypted || len(sealed) < end+nonceSize+tagSize {
		return envelope{}, errUnsealable
	}
	return envelope{
		header: sealed[:end], encrypted: sealed[headSize:end], nonce: sealed[end : end+nonceSize], text: sealed[end+nonceSize:],
	}, nil
}

// bind is what is authenticated beside the secret. The header tells its own length, so no other pair reads the same.
func bind(header []byte, owner string) []byte {
	b := make([]byte, 0, len(header)+len(owner))
	b = append(b, header...)
	return append(b, owner...)
}
