package wxcrypt

import (
	"crypto/sha1"
	"crypto/subtle"
	"encoding/hex"
)

// Room for the parts of a usual request and of a usual push, so that signing
// allocates nothing. Longer ones cost one allocation.
const (
	someRoom = 192
	moreRoom = 1536
)

// Signature is the platform's signature over the parts, in any order: lower-case
// hex of the SHA-1 of their concatenation, sorted by byte value. Three parts
// (token, timestamp, nonce) sign a request, a fourth (Encrypt) signs a body.
func Signature(parts ...string) string {
	var room [moreRoom]byte
	sum := sign(room[:0], parts, nil)
	return string(sum[:])
}

// Verify reports in constant time whether got is the signature over the parts.
func Verify(got string, parts ...string) bool {
	var room [someRoom]byte
	sum := sign(room[:0], parts, nil)
	return same(got, &sum)
}

// VerifyPush reports in constant time whether got, the query's msg_signature, is
// the signature over token, timestamp, nonce and the body's Encrypt. It is
// [Verify] for a text that still lies in the body.
func VerifyPush(got, token, timestamp, nonce string, encrypt []byte) bool {
	var room [moreRoom]byte
	parts := [...]string{token, timestamp, nonce}
	sum := sign(room[:0], parts[:], encrypt)
	return same(got, &sum)
}

// same compares without telling by its time where a difference lies. That a
// signature has 40 characters is no secret, so another length may fail at once.
func same(got string, want *[2 * sha1.Size]byte) bool {
	if len(got) != len(want) {
		return false
	}
	var offered [2 * sha1.Size]byte
	copy(offered[:], got)
	return subtle.ConstantTimeCompare(offered[:], want[:]) == 1
}

// sign writes the sorted parts, and extra among them unless it is nil, into buf
// and gives the signature.
func sign(buf []byte, parts []string, extra []byte) [2 * sha1.Size]byte {
	var few [4]string
	sorted := append(few[:0], parts...)
	for i := range sorted { // a handful: insertion
		for j := i; j > 0 && sorted[j] < sorted[j-1]; j-- {
			sorted[j], sorted[j-1] = sorted[j-1], sorted[j]
		}
	}
	for _, p := range sorted {
		if extra != nil && string(extra) < p {
			buf = append(buf, extra...)
			extra = nil
		}
		buf = append(buf, p...)
	}
	buf = append(buf, extra...)
	sum := sha1.Sum(buf)
	var text [2 * sha1.Size]byte
	hex.Encode(text[:], sum[:])
	return text
}
