package kmsfake

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// State is a key's.
type State string

// The states. A key that does not exist has none.
const (
	Enabled         State = "Enabled"
	Disabled        State = "Disabled"
	PendingDeletion State = "PendingDeletion"
)

// SetState changes a key's state; it makes the key if there is none.
func (f *Fake) SetState(id string, s State) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.states[id] = s
}

// ARN returns the full name of a key.
func (f *Fake) ARN(id string) string {
	if !strings.HasPrefix(id, "alias/") {
		id = "key/" + id
	}
	return f.place() + id
}

// place is what all ARNs begin with.
func (f *Fake) place() string { return "arn:aws:kms:" + f.region + ":" + f.account + ":" }

// resolve finds the key that a request means, by id or ARN, and wants it usable.
func (f *Fake) resolve(name string) (string, error) {
	id := name
	if strings.HasPrefix(name, "arn:") {
		id = strings.TrimPrefix(strings.TrimPrefix(name, f.place()), "key/")
		if name != f.ARN(id) {
			return "", &failure{Name: "NotFoundException", Message: "Invalid arn"}
		}
	}
	f.mu.Lock()
	state := f.states[id]
	f.mu.Unlock()
	switch state {
	case Enabled:
		return id, nil
	case "":
		return "", &failure{Name: "NotFoundException", Message: fmt.Sprintf("Key '%s' does not exist", f.ARN(id))}
	case Disabled:
		return "", &failure{Name: "DisabledException", Message: f.ARN(id) + " is disabled."}
	default:
		return "", &failure{Name: "KMSInvalidStateException", Message: fmt.Sprintf("%s is %s.", f.ARN(id), state)}
	}
}

// aead is a key's own cipher, derived from the master.
func (f *Fake) aead(id string) (cipher.AEAD, error) {
	mac := hmac.New(sha256.New, f.master[:])
	mac.Write([]byte(id))
	block, err := aes.NewCipher(mac.Sum(nil))
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

const formatVersion = 1

// encrypt makes a ciphertext blob: version, length of the key's id, the id, nonce, AES-GCM.
func (f *Fake) encrypt(id string, plain []byte, encryptionContext map[string]string) ([]byte, error) {
	aead, err := f.aead(id)
	if err != nil {
		return nil, err
	}
	blob := append(binary.AppendUvarint([]byte{formatVersion}, uint64(len(id))), id...)
	nonce := make([]byte, aead.NonceSize())
	_, _ = rand.Read(nonce) // never fails, by its documentation
	return append(blob, aead.Seal(nonce, nonce, plain, bind(encryptionContext))...), nil
}

var errBlob = &failure{Name: "InvalidCiphertextException"} // KMS says no more either

// keyOf reads which key a blob was encrypted with. A key that does not exist can't have been.
func (f *Fake) keyOf(blob []byte) (id string, sealed []byte, err error) {
	if len(blob) == 0 || blob[0] != formatVersion {
		return "", nil, errBlob
	}
	size, n := binary.Uvarint(blob[1:])
	rest := blob[1+max(n, 0):]
	if n <= 0 || size > uint64(len(rest)) {
		return "", nil, errBlob
	}
	id, sealed = string(rest[:size]), rest[size:]
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.states[id] == "" {
		return "", nil, errBlob
	}
	return id, sealed, nil
}

// open is the opposite of encrypt.
func (f *Fake) open(id string, sealed []byte, encryptionContext map[string]string) ([]byte, error) {
	aead, err := f.aead(id)
	if err != nil {
		return nil, err
	}
	n := aead.NonceSize()
	if len(sealed) < n {
		return nil, errBlob
	}
	plain, err := aead.Open(nil, sealed[:n], sealed[n:], bind(encryptionContext))
	if err != nil {
		return nil, errBlob
	}
	return plain, nil
}

// bind writes an encryption context so that no two look alike.
func bind(encryptionContext map[string]string) []byte {
	var b []byte
	for _, name := range slices.Sorted(maps.Keys(encryptionContext)) {
		for _, s := range []string{name, encryptionContext[name]} {
			b = binary.AppendUvarint(b, uint64(len(s)))
			b = append(b, s...)
		}
	}
	return b
}
