package wechat

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"time"

	"kefu/shared/core/account"
	"kefu/shared/core/fault"
)

// maxAnswer bounds what is read of an answer that should be a small JSON object.
const maxAnswer = 1 << 20

// request is one call of the platform, without its token.
type request struct {
	op          string // for errors and logs: the end of the path
	method      string
	path        string // begins with /; may have a query of its own
	query       url.Values
	contentType string
	body        []byte
	limit       int64 // of the answer, in bytes
	timeout     time.Duration
}

// post makes the request of a call that takes JSON and answers with JSON.
func (c *Client) post(op, path string, body []byte) request {
	return request{
		op: op, method: http.MethodPost, path: path, contentType: "application/json; charset=utf-8", body: body,
		limit: maxAnswer, timeout: c.callTimeout(),
	}
}

// answer is what came back, read to its end.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// exchangeError is an exchange without a usable answer.
type exchangeError struct {
	op   string
	lost bool // the request went out whole: the platform may have acted on it
	err  error
}

func (e *exchangeError) Error() string {
	if e.lost {
		return e.op + ": answer lost: " + e.err.Error()
	}
	return e.op + ": not reached: " + e.err.Error()
}

func (e *exchangeError) Unwrap() error { return e.err }

// tokenError is a failure to get a token: the call itself was not made.
type tokenError struct{ err error }

func (e *tokenError) Error() string { return "access token: " + e.err.Error() }
func (e *tokenError) Unwrap() error { return e.err }

// withToken makes a call with a token. A token that the platform refuses is replaced once and the call made once
// more, which is safe: a refused call has done nothing. Read turns an answer into an error, or nil.
func (c *Client) withToken(ctx context.Context, a account.Account, r request, read func(answer) error) error {
	refused := ""
	for {
		token, err := c.Tokens.Token(ctx, a, refused)
		if err != nil {
			return &tokenError{err}
		}
		ans, err := c.exchange(ctx, r, token)
		if err != nil {
			return err
		}
		err = read(ans)
		var no *Refusal
		if refused != "" || !errors.As(err, &no) || !no.row.renew {
			return err
		}
		c.log().LogAttrs(ctx, slog.LevelInfo, "access token refused, asking for another", append([]slog.Attr{
			slog.String("account", string(a.ID)), slog.String("app_id", a.AppID), slog.String("op", r.op),
		}, no.attrs()...)...)
		refused = token
	}
}

// exchange makes one HTTP exchange. Its error is an *exchangeError, or one of kind Internal for a request that can't be made.
func (c *Client) exchange(ctx context.Context, r request, token string) (answer, error) {
	ctx, cancel := context.WithTimeout(ctx, r.timeout)
	defer cancel()
	var t trip
	req, err := r.build(httptrace.WithClientTrace(ctx, t.hooks()), c.baseURL(), token)
	if err != nil {
		return answer{}, fault.Wrap(fault.Internal, "bad-address", fmt.Errorf("%s: %w", r.op, bare(err)))
	}
	client, _ := c.httpClients()
	t.silent = reportsNothing(client)
	res, err := client.Do(req)
	if err != nil {
		return answer{}, &exchangeError{r.op, t.mayHaveArrived(), bare(err)}
	}
	defer func() { _ = res.Body.Close() }() // nothing is lost: the body was read, or given up
	body, err := readAll(res.Body, r.limit)
	if err != nil {
		return answer{}, &exchangeError{r.op, true, err}
	}
	return answer{res.StatusCode, res.Header, body}, nil
}

func (r request) build(ctx context.Context, base, token string) (*http.Request, error) {
	u, err := url.Parse(base + r.path)
	if err != nil {
		return nil, err
	}
	query := u.Query()
	for name, values := range r.query {
		query[name] = values
	}
	if token != "" {
		query.Set("access_token", token)
	}
	u.RawQuery, u.Fragment = query.Encode(), ""
	var body io.Reader
	if r.body != nil {
		body = bytes.NewReader(r.body)
	}
	req, err := http.NewRequestWithContext(ctx, r.method, u.String(), body)
	if err != nil {
		return nil, err
	}
	if r.contentType != "" {
		req.Header.Set("Content-Type", r.contentType)
	}
	// Without it the transport can't send the body a second time by itself: whether a call is made again is
	// decided by the outcome, in one place, and never below.
	req.GetBody = nil
	return req, nil
}

var errTooLong = errors.New("the answer is too long")

// readAll reads to the end, which must come before limit, or it is errTooLong.
func readAll(r io.Reader, limit int64) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err == nil && int64(len(b)) > limit {
		err = errTooLong
	}
	return b, err
}

// bare takes the address off an HTTP error: there is a token in it.
func bare(err error) error {
	var ue *url.Error
	if errors.As(err, &ue) {
		return ue.Err
	}
	return err
}

// readJSON checks an answer that should be a JSON object, and reads it into a struct, which may be nil. A call
// has succeeded when the status is 200 and errcode is 0 or absent, as many successful calls leave it out.
func readJSON(op string, issuing bool, ans answer, into any) error {
	code, text, err := errcode(ans.body)
	switch {
	case ans.status >= http.StatusInternalServerError:
		return &exchangeError{op, true, fmt.Errorf("status %d", ans.status)}
	case err != nil:
		return &exchangeError{op, true, fmt.Errorf("status %d: %w", ans.status, err)}
	case code != 0:
		return newRefusal(op, code, text, issuing)
	case ans.status != http.StatusOK:
		return &exchangeError{op, true, fmt.Errorf("status %d", ans.status)}
	case into == nil:
		return nil
	}
	if err := json.Unmarshal(ans.body, into); err != nil {
		return &exchangeError{op, true, errors.New("the answer's fields have unexpected types")}
	}
	return nil
}

// errcode finds errcode and errmsg in a JSON object. Its errors never quote the answer.
func errcode(body []byte) (code int, text string, err error) {
	if b := bytes.TrimLeft(body, " \t\r\n"); len(b) == 0 || b[0] != '{' {
		return 0, "", errors.New("no JSON object in the answer")
	}
	var head struct {
		Code int `json:"errcode"`
		Text any `json:"errmsg"`
	}
	if json.Unmarshal(body, &head) != nil {
		return 0, "", errors.New("the answer is no valid JSON")
	}
	text, _ = head.Text.(string) // anything else tells nothing
	return head.Code, text, nil
}
