// Package fault holds the error kinds of the whole system and what each one means for a caller.
//
// To fail, call New (our own verdict), Wrap (a verdict on somebody else's error) or Later (come back at a time).
// To react, call KindOf, or one of the two tables: Status for an HTTP answer, Decide for a queue message.
//
// The outermost verdict in a chain counts: KindOf, CodeOf, DetailOf, Status, RetryAfter and Extra stop at it, and
// plain fmt.Errorf("load %s: %w", id, err) around it changes nothing. errors.Is(err, fault.NotFound) asks less
// strictly: it also finds a kind that a later Wrap has overruled.
//
// DetailOf and Extra are for users; Error is for logs and may name causes, so it never goes into an answer.
package fault

import (
	"maps"
	"time"
)

// verdict is one classified error.
type verdict struct {
	kind   Kind
	code   string // stable, for programs; empty means the kind's own
	detail string // for users; empty means the kind's own text
	cause  error  // for logs only; nil when the verdict is our own
	after  time.Duration
}

// New returns an error of the given kind. Code is a stable word for programs such as "already-taken", detail one
// sentence that a user may read; either may be empty, then the kind's own stand in. Detail must hold nothing secret.
func New(kind Kind, code, detail string) error {
	return &verdict{kind: known(kind), code: code, detail: detail}
}

// Wrap classifies err, which stays reachable by errors.Is and errors.As but is never shown to a user.
// A nil err gives nil. Add a text for users with WithDetail.
func Wrap(kind Kind, code string, err error) error {
	if err == nil {
		return nil
	}
	return &verdict{kind: known(kind), code: code, cause: err}
}

// Later returns an Exhausted error that carries how long the caller should wait. A negative wait counts as zero.
func Later(code, detail string, after time.Duration) error {
	return &verdict{kind: Exhausted, code: code, detail: detail, after: max(after, 0)}
}

// Error gives kind, code, detail and cause: everything a log line should have.
func (v *verdict) Error() string {
	s := string(v.kind)
	if v.code != "" && v.code != s {
		s += " " + v.code
	}
	if v.detail != "" {
		s += ": " + v.detail
	}
	if v.cause != nil {
		s += ": " + v.cause.Error()
	}
	return s
}

// Unwrap gives the cause of a Wrap.
func (v *verdict) Unwrap() error { return v.cause }

// Is matches the verdict's own kind; errors.Is goes on with the cause by itself.
func (v *verdict) Is(target error) bool { return target == error(v.kind) }

// note adds something to an error without judging it anew.
type note struct {
	err    error
	status int
	detail string
	after  time.Duration
	extra  map[string]any
}

func (n *note) Error() string { return n.err.Error() }
func (n *note) Unwrap() error { return n.err }

// WithStatus gives err an HTTP status of its own, such as 401, 413 or 422, in place of its kind's. Its kind, and
// with it the queue decision, stays. A status that is no error (below 400 or above 599) is ignored. Nil stays nil.
func WithStatus(err error, status int) error {
	if err == nil || status < 400 || status > 599 {
		return err
	}
	return &note{err: err, status: status}
}

// WithDetail gives err the text that users see. Nil stays nil.
func WithDetail(err error, detail string) error {
	if err == nil || detail == "" {
		return err
	}
	return &note{err: err, detail: detail}
}

// WithAfter gives err the time to wait that Later gives, for an Exhausted error with a cause. Nil stays nil.
func WithAfter(err error, after time.Duration) error {
	if err == nil || after <= 0 {
		return err
	}
	return &note{err: err, after: after}
}

// With gives err extra members for its problem document (RFC 9457, section 3.2), such as the window that is
// closed. The map is copied, its values are not: they must be JSON-able and must not change. Nil stays nil.
func With(err error, members map[string]any) error {
	if err == nil || len(members) == 0 {
		return err
	}
	return &note{err: err, extra: maps.Clone(members)}
}
