package bolt

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
)

// macLen is how much of the digest a cursor carries: enough that no slip of the keyboard passes. A cursor protects
// nothing, it is only a place within a range that the caller may read anyway.
const macLen = 8

// cursors makes and reads the places where lists go on.
type cursors struct{ secret [32]byte }

func newCursors(k [32]byte) cursors {
	return cursors{secret: sha256.Sum256(append([]byte("kefu cursor\x00"), k[:]...))}
}

// wrap makes a cursor from a place in the list that scope names.
func (c cursors) wrap(scope, place key) string {
	return base64.RawURLEncoding.EncodeToString(append(c.mac(scope, place), place...))
}

// open returns the place that a cursor stands for; none for the empty one, which is the beginning.
func (c cursors) open(scope key, cursor string) (key, error) {
	if cursor == "" {
		return nil, nil
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(cursor)
	if err != nil || len(b) <= macLen || !hmac.Equal(b[:macLen], c.mac(scope, b[macLen:])) {
		return nil, errCursor
	}
	return b[macLen:], nil
}

func (c cursors) mac(scope, place key) []byte {
	h := hmac.New(sha256.New, c.secret[:])
	h.Write(newKey().text(string(scope)))
	h.Write(place)
	return h.Sum(nil)[:macLen]
}

// Limits of a page.
const (
	defaultPage = 50
	maxPage     = 1000
)

func pageSize(limit int) int {
	if limit <= 0 {
		return defaultPage
	}
	return min(limit, maxPage)
}
