package fault

import (
	"maps"
	"time"
)

// reading is what the chain of an error says down to, and including, its outermost verdict.
type reading struct {
	kind   Kind
	code   string
	detail string
	after  time.Duration
	status int
	extra  map[string]any
}

// read walks err from the outside in, depth first through joined errors, until the first verdict.
// Only the notes above that verdict count: what lies below it has been overruled.
func read(err error) reading {
	var r reading
	if !r.walk(err) {
		r.kind = unjudged(err)
	}
	return r
}

// walk reports whether it met a verdict.
func (r *reading) walk(err error) bool {
	switch e := err.(type) { //nolint:errorlint // the walk itself unwraps, one layer at a time
	case *verdict:
		r.add(e.detail, e.after, 0, nil)
		r.kind, r.code = e.kind, e.code
		return true
	case Kind:
		r.kind = known(e)
		return true
	case *note:
		r.add(e.detail, e.after, e.status, e.extra)
		return r.walk(e.err)
	case interface{ Unwrap() error }:
		return r.walk(e.Unwrap())
	case interface{ Unwrap() []error }:
		for _, branch := range e.Unwrap() {
			before := *r
			if r.walk(branch) {
				return true
			}
			*r = before // the notes of a branch that judges nothing belong to no verdict
		}
	}
	return false
}

// add takes over what a layer says; the layer further out, which came first, wins.
func (r *reading) add(detail string, after time.Duration, status int, extra map[string]any) {
	if r.detail == "" {
		r.detail = detail
	}
	if r.after == 0 {
		r.after = after
	}
	if r.status == 0 {
		r.status = status
	}
	if extra != nil {
		merged := maps.Clone(extra)
		maps.Copy(merged, r.extra)
		r.extra = merged
	}
}

// unjudged finds the kind of an error that nobody classified: Unavailable where time ran out or the caller left,
// else Internal.
func unjudged(err error) Kind {
	if timeUp(err) {
		return Unavailable
	}
	return Internal
}

// timeUp recognises context.DeadlineExceeded, network timeouts and context.Canceled without importing context,
// which core must not know: the first two by their Timeout method, the last, which has no method, by its text.
func timeUp(err error) bool {
	if t, ok := err.(interface{ Timeout() bool }); ok && t.Timeout() {
		return true
	}
	switch e := err.(type) { //nolint:errorlint // walks by itself
	case interface{ Unwrap() error }:
		return timeUp(e.Unwrap())
	case interface{ Unwrap() []error }:
		for _, branch := range e.Unwrap() {
			if timeUp(branch) {
				return true
			}
		}
		return false
	}
	return err != nil && err.Error() == "context canceled"
}

// KindOf gives the kind of the outermost verdict in err. Without a verdict it is Unavailable for a timeout or a
// cancelled context and Internal for everything else. It has no meaning for nil, which gives Internal.
func KindOf(err error) Kind { return read(err).kind }

// CodeOf gives the stable code of the outermost verdict, and where it has none the kind's own, such as
// "not-found". It is never empty.
func CodeOf(err error) string {
	r := read(err)
	if r.code == "" {
		return string(r.kind)
	}
	return r.code
}

// DetailOf gives the text that a user may see: the one given to New, Later or WithDetail, else the kind's own.
// It is never empty and never the text of a cause.
func DetailOf(err error) string {
	r := read(err)
	if r.detail == "" {
		return texts[r.kind]
	}
	return r.detail
}

// RetryAfter gives how long an Exhausted error asks to wait; zero when it doesn't say, and for all other kinds.
func RetryAfter(err error) time.Duration {
	if r := read(err); r.kind == Exhausted {
		return r.after
	}
	return 0
}

// Extra gives the members that With added, outer ones first where both have a name; nil when there are none.
// The map is the caller's own.
func Extra(err error) map[string]any { return read(err).extra }
