package agent

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"kefu/shared/core/fault"
	"kefu/shared/core/replay"
)

const (
	keepAnswers = 24 * time.Hour
	// callLease is how long a call may run before a repetition takes over: longer than callTime.
	callLease = 30 * time.Second
	maxRetry  = 128
)

// once makes a writing call, but not twice for one Idempotency-Key: a repetition
// within 24 h is given the first answer. Answers of which repeating might make a
// better one (5xx, 429) are not kept.
func (c *call) once(perform func() rendered) rendered {
	keys := c.r.Header.Values("Idempotency-Key")
	if len(keys) == 0 {
		return perform()
	}
	key := keys[0]
	if len(keys) > 1 || !validRetry(key) {
		return c.problem(fault.New(fault.Invalid, "idempotency-invalid",
			fmt.Sprintf("Idempotency-Key must be 1 to %d printable ASCII characters, once.", maxRetry)), nil)
	}
	mark := c.fingerprint()
	c.retry = fmt.Sprintf("idem:%s:%s:%s", c.id.Tenant, key, mark)
	mine := replay.Call{Key: key, Fingerprint: mark, LeaseUntil: c.now.Add(callLease), ExpiresAt: c.now.Add(keepAnswers)}
	first, began, err := c.Store.BeginCall(c.ctx(), c.id.Tenant, mine, c.now)
	if err != nil {
		return c.problem(fmt.Errorf("begin call: %w", err), nil)
	}
	if !began {
		return c.again(first, mark)
	}
	out := perform()
	c.keep(mine, out)
	return out
}

// again answers a repetition.
func (c *call) again(first replay.Call, mark string) rendered {
	switch {
	case first.Fingerprint != mark:
		return c.problem(fault.WithStatus(fault.New(fault.Invalid, "idempotency-mismatch",
			"This Idempotency-Key belongs to another call; use a new one for each."), http.StatusUnprocessableEntity), nil)
	case !first.Done:
		return c.problem(fault.New(fault.Conflict, "in-progress", "The first call with this Idempotency-Key is still running."),
			http.Header{"Retry-After": {"1"}})
	}
	out := rendered{status: first.Status, body: first.Body}
	switch {
	case first.Status >= http.StatusBadRequest:
		out.contentType = "application/problem+json"
		c.code = "replayed"
	case len(first.Body) > 0:
		out.contentType = jsonType
	}
	out.set("Idempotent-Replayed", "true")
	return out
}

// keep stores the answer. A failure to do so costs nothing but the repetition: what
// must not happen twice is also remembered by the conversation itself.
func (c *call) keep(mine replay.Call, out rendered) {
	var err error
	if out.retry {
		err = c.Store.AbandonCall(c.ctx(), c.id.Tenant, mine.Key)
	} else {
		mine.Done, mine.Status, mine.Body = true, out.status, out.body
		if c.route.secret && out.status < http.StatusBadRequest {
			shown := c.shownOnce(out.body)
			mine.Status, mine.Body = shown.status, shown.body
		}
		err = c.Store.FinishCall(c.ctx(), c.id.Tenant, mine)
	}
	if err != nil {
		c.Log.LogAttrs(c.ctx(), slog.LevelWarn, "answer not kept", slog.String("route", c.route.path), slog.Any("cause", err))
	}
}

// shownOnce is what a repetition of a call that made a key is told: the key is not
// kept anywhere, and another is not made.
func (c *call) shownOnce(body []byte) rendered {
	var k keyView
	if err := json.Unmarshal(body, &k); err != nil {
		k.ID = ""
	}
	code := c.code
	out := c.problem(fault.With(fault.New(fault.Conflict, "key-shown",
		"The first call made this key and showed it, which happens once. Delete it and make another if the answer was lost."),
		map[string]any{"id": k.ID}), nil)
	c.code = code // the call itself went well
	return out
}

// fingerprint names who asks for what.
func (c *call) fingerprint() string {
	digest := c.digest()
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %q %q %q %t %x", c.r.Method, c.r.URL.RequestURI(), c.id.Tenant, c.id.Agent, c.id.Operator, digest))
	return base64.RawURLEncoding.EncodeToString(sum[:18])
}

func validRetry(s string) bool {
	if s == "" || len(s) > maxRetry {
		return false
	}
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}
