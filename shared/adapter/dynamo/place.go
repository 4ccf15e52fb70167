package dynamo

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
)

// Limits of a page.
const (
	defaultPage = 50
	maxPage     = 200
)

func pageSize(limit int) int {
	if limit <= 0 {
		return defaultPage
	}
	return min(limit, maxPage)
}

// sumLen is how much of the digest a cursor carries: enough that no slip of the keyboard passes. A cursor protects
// nothing, it is only a place within a range that the caller may read anyway.
const sumLen = 8

// cursorAt makes a cursor from a place in the list that scope names. No scope has a zero byte in it.
func cursorAt(scope, place string) string {
	return base64.RawURLEncoding.EncodeToString(append(placeSum(scope, place), place...))
}

// placeAt returns the place that a cursor stands for; "" for the empty one, which is the beginning.
func placeAt(scope, cursor string) (string, error) {
	if cursor == "" {
		return "", nil
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(cursor)
	if err != nil || len(b) <= sumLen {
		return "", errCursor
	}
	place := string(b[sumLen:])
	if subtle.ConstantTimeCompare(b[:sumLen], placeSum(scope, place)) != 1 {
		return "", errCursor
	}
	return place, nil
}

func placeSum(scope, place string) []byte {
	sum := sha256.Sum256([]byte("kefu cursor\x00" + scope + "\x00" + place))
	return sum[:sumLen:sumLen]
}
