// Package client speaks Kefu's HTTP interface. Read an address with [ParseBase], make a [Client], then call Do for one
// call, or List for a list with all its pages. What went wrong is a [*Refusal], when Kefu itself said no, or an
// [*Unreachable], when nobody answered or somebody else did.
package client

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

const (
	defaultTries = 3
	// maxAnswer is more than a page of 200 of the longest messages.
	maxAnswer = 64 << 20
)

// Client makes calls with one key. It may be used concurrently.
type Client struct {
	Base  string       // of [ParseBase]
	Key   string       // never shown, never in an error
	HTTP  *http.Client // use [NewHTTP]; its Timeout bounds each try
	Tries int          // of a call that may be repeated; 0 means 3
	// Wait lets a time pass, or returns ctx's error if that ends first.
	Wait  func(ctx context.Context, d time.Duration) error
	Trace func(Trace) // is told of each try; may be nil
}

// NewHTTP is an HTTP client that doesn't follow redirects: the key is for the one address it was given for.
func NewHTTP(timeout time.Duration) *http.Client {
	return &http.Client{
		Timeout:       timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// Trace is one try.
type Trace struct {
	Method, Path string
	Status       int // 0: no answer
	Took         time.Duration
}

// Call is one call of the interface.
type Call struct {
	Method string // empty means GET
	Path   string // from /v1 on; make it with [Path]
	Query  url.Values
	Body   []byte // JSON, or nothing
	// Repeat is the Idempotency-Key of a call that writes; empty means a new one, so that it is done once however often
	// it is tried.
	Repeat string
	Open   bool // takes no key, so none is shown
}

// Path joins the parts of an address below /v1, each escaped.
func Path(parts ...string) string {
	var b strings.Builder
	b.WriteString("/v1")
	for _, p := range parts {
		b.WriteByte('/')
		b.WriteString(url.PathEscape(p))
	}
	return b.String()
}

// ParseBase reads the address of a deployment, such as https://desk.example.com/prod. The /v1 that `make run` shows with
// it may be there. An error says what is wrong.
func ParseBase(s string) (string, error) {
	u, err := url.Parse(s)
	switch {
	case err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https"):
		return "", errors.New("the address must be like http://127.0.0.1:8080 or https://desk.example.com/prod")
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return "", errors.New("the address takes no user, no ? and no #; the key goes into KEFU_KEY or --key-file")
	}
	return strings.TrimSuffix(strings.TrimRight(s, "/"), "/v1"), nil
}

// Do makes a call and returns the JSON that was answered, nil for an answer without. A call that failed before Kefu took
// it (no connection, 429, 502 to 504, or its own first try still running) is tried again, which is safe: it reads, or it
// has an Idempotency-Key.
func (c *Client) Do(ctx context.Context, call Call) (json.RawMessage, error) {
	call.Method = cmp.Or(call.Method, http.MethodGet)
	if call.Method != http.MethodGet && call.Repeat == "" {
		call.Repeat = rand.Text()
	}
	for try := 1; ; try++ {
		body, err := c.once(ctx, call)
		if err == nil {
			return body, nil
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		wait, again := pause(err, try)
		if !again || try >= cmp.Or(c.Tries, defaultTries) {
			return nil, err
		}
		if err := c.Wait(ctx, wait); err != nil {
			return nil, err
		}
	}
}

// once is one try.
func (c *Client) once(ctx context.Context, call Call) (json.RawMessage, error) {
	req, err := c.request(ctx, call)
	if err != nil {
		return nil, err
	}
	began := time.Now()
	resp, err := c.HTTP.Do(req)
	trace := Trace{Method: call.Method, Path: req.URL.RequestURI()}
	var body []byte
	if err == nil {
		defer func() { _ = resp.Body.Close() }() // it has been read
		trace.Status = resp.StatusCode
		body, err = io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	}
	if trace.Took = time.Since(began); c.Trace != nil {
		c.Trace(trace)
	}
	if err != nil {
		return nil, &Unreachable{Base: c.Base, cause: err}
	}
	return c.judge(resp, body)
}

func (c *Client) request(ctx context.Context, call Call) (*http.Request, error) {
	address := c.Base + call.Path
	if len(call.Query) > 0 {
		address += "?" + call.Query.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, call.Method, address, bytes.NewReader(call.Body))
	if err != nil {
		return nil, fmt.Errorf("the address can't be called: %w", err)
	}
	req.Header.Set("Accept", "application/json, application/problem+json")
	req.Header.Set("User-Agent", "kefu")
	if !call.Open {
		req.Header.Set("Authorization", "Bearer "+c.Key)
	}
	if len(call.Body) > 0 {
		req.Header.Set("Content-Type", "application/json")
	}
	if call.Repeat != "" {
		req.Header.Set("Idempotency-Key", call.Repeat)
	}
	return req, nil
}

// judge tells Kefu's answers from those of whatever else may stand at the address.
func (c *Client) judge(resp *http.Response, body []byte) (json.RawMessage, error) {
	kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type")) // an unreadable one is none of ours
	foreign := &Unreachable{Base: c.Base, Status: resp.StatusCode, Type: kind, after: retryAfter(resp.Header)}
	switch {
	case len(body) > maxAnswer:
		return nil, foreign
	case resp.StatusCode >= http.StatusBadRequest:
		r := &Refusal{RetryAfter: foreign.after}
		if kind != "application/problem+json" || json.Unmarshal(body, r) != nil || r.Code == "" {
			return nil, foreign
		}
		r.Status = resp.StatusCode
		return nil, r
	case resp.StatusCode >= http.StatusMultipleChoices:
		foreign.Location = resp.Header.Get("Location")
		return nil, foreign
	case resp.StatusCode == http.StatusNoContent:
		return nil, nil
	case kind != "application/json" || !json.Valid(body):
		return nil, foreign
	}
	return json.RawMessage(bytes.TrimSpace(body)), nil
}

// retryAfter reads the header in seconds, the only form that Kefu and the gateways before it use.
func retryAfter(h http.Header) time.Duration {
	n, err := strconv.Atoi(h.Get("Retry-After"))
	if err != nil || n < 0 {
		return 0
	}
	return time.Duration(n) * time.Second
}
