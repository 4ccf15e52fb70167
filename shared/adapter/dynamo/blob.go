package dynamo

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"

	"kefu/shared/core/fault"
)

// maxBlob is the most bytes of one file, above every limit of the platform (10 MB for a video).
const maxBlob = 16 << 20

// blobName is where the bytes of an id are. It is made of a digest, so no id can name a place outside media/.
func blobName(id string) string {
	sum := sha256.Sum256([]byte(id))
	return "media/" + hex.EncodeToString(sum[:])
}

// PutBlob stores the bytes of a file. The bucket shows a file whole, the old or the new one.
func (s *Store) PutBlob(ctx context.Context, id string, b []byte) error {
	if len(b) > maxBlob {
		return fault.WithStatus(fault.New(fault.Invalid, "file-too-large", "The file is larger than 16 MiB."), 413)
	}
	if s.bucket == nil {
		return errNoBucket
	}
	if err := s.bucket.Put(ctx, blobName(id), b); err != nil {
		return fmt.Errorf("storing the bytes of %q: %w", id, err)
	}
	return nil
}

// Blob returns the bytes of a file.
func (s *Store) Blob(ctx context.Context, id string) ([]byte, error) {
	if s.bucket == nil {
		return nil, errNoBucket
	}
	b, err := s.bucket.Get(ctx, blobName(id))
	if errors.Is(err, fault.NotFound) {
		return nil, missing("bytes of", id)
	}
	if err != nil {
		return nil, fmt.Errorf("reading the bytes of %q: %w", id, err)
	}
	return b, nil
}

func (s *Store) removeBlob(ctx context.Context, id string) error {
	if s.bucket == nil {
		return errNoBucket
	}
	if err := s.bucket.Delete(ctx, blobName(id)); err != nil {
		return fmt.Errorf("removing the bytes of %q: %w", id, err)
	}
	return nil
}
