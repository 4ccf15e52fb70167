package kmsfake

import "crypto/rand"

// maxBlob is the longest ciphertext that KMS takes.
const maxBlob = 6144

type generateInput struct {
	KeyId             string //nolint:revive,staticcheck // KMS's own name
	KeySpec           string
	NumberOfBytes     int
	EncryptionContext map[string]string
}

type generateOutput struct {
	CiphertextBlob []byte
	Plaintext      []byte
	KeyId          string //nolint:revive,staticcheck // KMS's own name
}

// generate makes a data key, and gives it both open and encrypted.
func (f *Fake) generate(in generateInput) (*generateOutput, error) {
	size := in.NumberOfBytes
	switch {
	case in.KeySpec == "AES_256" && size == 0:
		size = 32
	case in.KeySpec == "AES_128" && size == 0:
		size = 16
	case in.KeySpec != "" || size < 1 || size > 1024:
		return nil, &failure{Name: "ValidationException", Message: "Please specify either number of bytes or key spec."}
	}
	id, err := f.resolve(in.KeyId)
	if err != nil {
		return nil, err
	}
	plain := make([]byte, size)
	_, _ = rand.Read(plain) // never fails, by its documentation
	blob, err := f.encrypt(id, plain, in.EncryptionContext)
	if err != nil {
		return nil, err
	}
	return &generateOutput{CiphertextBlob: blob, Plaintext: plain, KeyId: f.ARN(id)}, nil
}

type decryptInput struct {
	CiphertextBlob      []byte
	KeyId               string //nolint:revive,staticcheck // KMS's own name
	EncryptionAlgorithm string
	EncryptionContext   map[string]string
}

type decryptOutput struct {
	Plaintext           []byte
	KeyId               string //nolint:revive,staticcheck // KMS's own name
	EncryptionAlgorithm string
}

// decrypt opens what generate encrypted.
func (f *Fake) decrypt(in decryptInput) (*decryptOutput, error) {
	const symmetric = "SYMMETRIC_DEFAULT"
	if len(in.CiphertextBlob) == 0 || len(in.CiphertextBlob) > maxBlob {
		return nil, &failure{Name: "ValidationException", Message: "1 validation error detected: 'ciphertextBlob'"}
	}
	if in.EncryptionAlgorithm != "" && in.EncryptionAlgorithm != symmetric {
		return nil, &failure{Name: "InvalidKeyUsageException"}
	}
	id, sealed, err := f.keyOf(in.CiphertextBlob)
	if err != nil {
		return nil, err
	}
	if in.KeyId != "" {
		switch asked, err := f.resolve(in.KeyId); {
		case err != nil:
			return nil, err
		case asked != id:
			return nil, &failure{Name: "IncorrectKeyException", Message: "The key ID in the request does not identify a CMK that can perform this operation."}
		}
	}
	if _, err := f.resolve(id); err != nil {
		return nil, err
	}
	plain, err := f.open(id, sealed, in.EncryptionContext)
	if err != nil {
		return nil, err
	}
	return &decryptOutput{Plaintext: plain, KeyId: f.ARN(id), EncryptionAlgorithm: symmetric}, nil
}
