package fault

// Kind says what went wrong in the only way that a caller can act on. A Kind is itself an error, so it can be
// returned as it is or wrapped with %w, and errors.Is finds it.
type Kind string

// The kinds. There is no other; a caller may switch over them with Internal as its default.
const (
	// Invalid: the input is wrong and stays wrong however often it is sent again.
	Invalid Kind = "invalid"
	// Denied: the caller is known, or unknown, and may not do this.
	Denied Kind = "denied"
	// NotFound: the thing does not exist, or the caller may not see that it does.
	NotFound Kind = "not-found"
	// Conflict: the state has moved on since it was read, or forbids this step.
	Conflict Kind = "conflict"
	// Exhausted: a quota or rate limit is used up; Later says when to come back.
	Exhausted Kind = "exhausted"
	// Unavailable: a dependency does not answer, or time ran out. The same call may work later.
	Unavailable Kind = "unavailable"
	// Internal: our own mistake, and every error that nobody classified.
	Internal Kind = "internal"
)

// Error makes a Kind usable as an error.
func (k Kind) Error() string { return string(k) }

// Is lets errors.Is(kind, Internal) hold for a Kind that is none of the constants.
func (k Kind) Is(target error) bool {
	t, ok := target.(Kind)
	return ok && known(k) == t
}

// known maps a Kind made from a stray string to Internal, so that no table needs a hole.
func known(k Kind) Kind {
	if _, ok := statuses[k]; ok {
		return k
	}
	return Internal
}
