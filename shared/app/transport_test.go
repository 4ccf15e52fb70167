package app

import (
	"bytes"
	"io"
	"net/http"
	"testing"
)

// next is a transport that is looked at.
type next func(*http.Request) (*http.Response, error)

func (n next) RoundTrip(r *http.Request) (*http.Response, error) { return n(r) }

// TestSteady: a body that has an end of its own besides Read's costs connections, so the transport sees only that.
func TestSteady(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		body   io.Reader
		length int64
	}{
		"a body":  {bytes.NewReader([]byte("what is sent")), 12},
		"no body": {http.NoBody, 0},
		"nothing": {nil, 0},
	} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://localhost/", tc.body)
		if err != nil {
			t.Fatal(err)
		}
		before := r.Body
		resp, err := steady{next(func(r *http.Request) (*http.Response, error) {
			if _, ok := r.Body.(io.WriterTo); ok && tc.length > 0 {
				t.Errorf("%s: got a body of type %T, want one without WriteTo", name, r.Body)
			}
			if tc.length == 0 && r.Body != before {
				t.Errorf("%s: got a body of type %T, want none still", name, r.Body)
			}
			if r.ContentLength != tc.length {
				t.Errorf("%s: got a length of %d, want %d", name, r.ContentLength, tc.length)
			}
			return &http.Response{Body: http.NoBody}, nil
		})}.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		if err := resp.Body.Close(); err != nil {
			t.Error(err)
		}
		if r.Body != before {
			t.Errorf("%s: got the caller's request changed, to a body of type %T", name, r.Body)
		}
	}
}
