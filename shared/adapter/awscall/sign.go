package awscall

import (
	"errors"
	"net/http"
	"time"
)

// Unsigned marks the errors of getting credentials: no request went out.
type Unsigned struct{ error }

// Unwrap returns the cause.
func (e Unsigned) Unwrap() error { return e.error }

var errNoCredentials = errors.New("AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not set")

// Sign adds the signature over method, path, headers and the body's sum.
func (c *Caller) Sign(req *http.Request, sum string, now time.Time) error {
	if c.creds == nil {
		return Unsigned{errNoCredentials}
	}
	creds, err := c.creds.Retrieve(req.Context())
	if err != nil {
		return Unsigned{err}
	}
	return c.signer.SignHTTP(req.Context(), creds, req, sum, c.service, c.region, now.UTC())
}
