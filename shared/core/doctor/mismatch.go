package doctor

// Mismatch is the cause of a refusal for another id than the account's. It says which,
// so that a person can see what to put right; neither kind of id is a secret.
type Mismatch struct {
	// Found is the id, or empty if what stood there is none. Make it with [ID].
	Found string
}

// Error says nothing of the id: it may stand in a log.
func (*Mismatch) Error() string { return "meant for another id" }

// ID is text if it has the shape of an app id or an original id, else empty: what comes
// out of a body may be anything.
func ID(text []byte) string {
	if len(text) > 64 {
		return ""
	}
	for _, c := range text {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '_', c == '-':
		default:
			return ""
		}
	}
	return string(text)
}
