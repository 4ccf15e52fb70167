package wxcrypt

// IVOf shows tests the part of a key that the zero key of the official samples hides.
func IVOf(k *Key) [16]byte { return k.iv }

// DecodeBase64 lets tests compare it with the standard library's.
var DecodeBase64 = decodeBase64
