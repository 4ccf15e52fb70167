package client

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Refusal is Kefu's own no: a problem document (RFC 9457).
type Refusal struct {
	Status     int           `json:"status"`
	Title      string        `json:"title"`
	Code       string        `json:"code"` // stable
	Detail     string        `json:"detail"`
	RetryAfter time.Duration `json:"-"`
	// More are the document's further members that are one word or number, as "name value", sorted: what was refused by.
	More []string `json:"-"`
}

// UnmarshalJSON reads a problem document with members of any name.
func (r *Refusal) UnmarshalJSON(b []byte) error {
	type plain Refusal
	if err := json.Unmarshal(b, (*plain)(r)); err != nil {
		return err
	}
	var all map[string]any
	if err := json.Unmarshal(b, &all); err != nil {
		return err
	}
	for _, name := range []string{"type", "title", "status", "code", "detail"} {
		delete(all, name)
	}
	for name, value := range all {
		switch value.(type) {
		case string, float64, bool:
			r.More = append(r.More, fmt.Sprintf("%s %v", name, value))
		}
	}
	slices.Sort(r.More)
	return nil
}

// Error is the document in one line: what it says, and its status and code.
func (r *Refusal) Error() string {
	text := strings.TrimSuffix(r.Detail, ".")
	if text == "" {
		text = "refused"
	}
	marks := append([]string{fmt.Sprintf("%d %s", r.Status, cmp.Or(r.Title, http.StatusText(r.Status))), r.Code}, r.More...)
	return text + " (" + strings.Join(marks, ", ") + ")"
}

// Unreachable says that Kefu didn't answer: nobody did, or something else.
type Unreachable struct {
	Base     string
	Status   int    // of a foreign answer; 0: there was none
	Type     string // its media type
	Location string // where it points, if it is a redirect
	after    time.Duration
	cause    error
}

// Error says who answered, and what to look at.
func (u *Unreachable) Error() string {
	switch {
	case u.Status == 0:
		return fmt.Sprintf("%s can't be reached: %s; is Kefu running there? KEFU_URL or --url names the address", u.Base, u.reason())
	case u.Location != "":
		return fmt.Sprintf("%s answers with a redirect to %s; set KEFU_URL to Kefu's own address", u.Base, u.Location)
	case u.Status >= http.StatusInternalServerError || u.Status == http.StatusTooManyRequests:
		return fmt.Sprintf("something before Kefu answers %d %s with %s; Kefu behind it may be down or overloaded, try again later",
			u.Status, http.StatusText(u.Status), u.kind())
	}
	return fmt.Sprintf("what answers at %s is not Kefu: %d %s with %s; is KEFU_URL right, or is there a proxy or login page before it?",
		u.Base, u.Status, http.StatusText(u.Status), u.kind())
}

// reason leaves out the address that the standard library repeats.
func (u *Unreachable) reason() string {
	var e *url.Error
	switch {
	case errors.As(u.cause, &e) && e.Timeout():
		return "no answer in time"
	case e != nil:
		return e.Err.Error()
	}
	return u.cause.Error()
}

func (u *Unreachable) kind() string {
	if u.Type == "" {
		return "no type"
	}
	return u.Type
}

// Unwrap gives what went wrong on the way.
func (u *Unreachable) Unwrap() error { return u.cause }

// longestWait is how long a call that was put off waits by itself; whoever is told a longer time comes back himself.
const longestWait = 30 * time.Second

// pause tells whether a call that failed is worth another try, and after how long: what the answer asks for, or a
// quarter of a second that doubles.
func pause(err error, try int) (time.Duration, bool) {
	wait := 250 * time.Millisecond << (try - 1)
	var after time.Duration
	var status int
	switch e := err.(type) { //nolint:errorlint // straight from once
	case *Unreachable:
		if e.Status == 0 {
			return wait, true
		}
		status, after = e.Status, e.after
	case *Refusal:
		if e.Code == "in-progress" {
			return max(wait, e.RetryAfter), true
		}
		status, after = e.Status, e.RetryAfter
	default:
		return 0, false
	}
	switch status {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return max(wait, after), after <= longestWait
	}
	return 0, false
}
