// Package wxcrypt is the cryptography of the open platform's callback: the
// signatures of requests and the encryption of bodies. It is pure: no clock, no
// randomness, no I/O.
//
// For a push call [VerifyPush] first and, only if it holds, [Key.Decrypt]. For
// the address check (GET) call [Verify]. For an encrypted reply call
// [Key.Encrypt], then [Signature] over token, time stamp, nonce and its result.
//
// The rules are the platform's pages "Message push" (消息推送) and "Message
// encryption and decryption" (消息加解密说明): SHA-1 over the sorted parts,
// AES-256-CBC whose IV is the head of the key, PKCS#7 padding to blocks of 32.
package wxcrypt

import "errors"

// What can be wrong with an encrypted text, in the order in which it is checked.
// They are for logs: a caller of the callback is never told which one it was.
var (
	// ErrSignature: the signature doesn't belong to these parts and this token.
	ErrSignature = errors.New("wxcrypt: signature does not hold")
	// ErrBase64: the text is not canonical standard base64.
	ErrBase64 = errors.New("wxcrypt: not base64")
	// ErrLength: the ciphertext is no whole number of blocks, or the length that
	// it holds of the message points outside of it.
	ErrLength = errors.New("wxcrypt: impossible length")
	// ErrPadding: the padding is not 1 to 32 equal bytes. Mostly a wrong key.
	ErrPadding = errors.New("wxcrypt: bad padding")
	// ErrAppID: the text was encrypted for another account. See [AppIDError].
	ErrAppID = errors.New("wxcrypt: app id does not match")
	// ErrKey: the EncodingAESKey is not 43 characters of base64.
	ErrKey = errors.New("wxcrypt: bad EncodingAESKey")
)

// AppIDError is [ErrAppID] with what stood in the app id's place.
type AppIDError struct {
	// Found may be anything: decrypted with a wrong key, noise passes for a text now and then.
	Found string
}

// Error leaves out what was found, which may be unfit for a log.
func (*AppIDError) Error() string { return ErrAppID.Error() }

// Is makes it an [ErrAppID].
func (*AppIDError) Is(target error) bool { return target == ErrAppID }
