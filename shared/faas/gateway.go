package faas

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"

	"kefu/shared/core/fault"
)

// Gateway stands for the platform's HTTP front on the local machine: it turns a request into the event of an HTTP
// API (payload format 2.0, stage $default, body in base64), calls h and writes the answer back, so that a local
// run goes through the same bytes as one in the cloud.
//
// A body over BodyLimit is answered with 413 without calling h, an error or panic of h, or an answer that is none,
// with 500. As in the cloud, a client that goes away does not cancel the call, and Timeout ends its context.
func Gateway(h Handler, options ...Option) http.Handler {
	return &gateway{settings: apply(options), handler: h}
}

type gateway struct {
	settings
	handler Handler
	calls   atomic.Uint64
}

// httpAnswer is the answer object of an HTTP function.
type httpAnswer struct {
	StatusCode        int               `json:"statusCode"`
	Headers           map[string]values `json:"headers"`
	MultiValueHeaders map[string]values `json:"multiValueHeaders"`
	Cookies           []string          `json:"cookies"`
	Body              string            `json:"body"`
	Base64            bool              `json:"isBase64Encoded"`
}

// ServeHTTP answers one request.
func (g *gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := readBody(w, r, g.bodyLimit)
	if err != nil {
		WriteProblem(w, err)
		return
	}
	id := "local-" + strconv.FormatUint(g.calls.Add(1), 10)
	ctx := withRequestID(context.WithoutCancel(r.Context()), id)
	if g.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, g.timeout)
		defer cancel()
	}
	payload, err := guard(ctx, g.log, g.handler, encodeHTTP(r, body, id))
	if err == nil {
		err = writeAnswer(w, r, payload)
	}
	if err != nil {
		g.log.LogAttrs(ctx, slog.LevelError, "gateway", slog.String("request", id), slog.String("error", err.Error()))
		WriteProblem(w, fault.Internal)
	}
}

// readBody reads up to limit bytes of the request's body.
func readBody(w http.ResponseWriter, r *http.Request, limit int) ([]byte, error) {
	if r.ContentLength == 0 || r.Body == nil {
		return nil, nil
	}
	if r.ContentLength > int64(limit) {
		return nil, tooLarge(limit)
	}
	in := http.MaxBytesReader(w, r.Body, int64(limit))
	var body []byte
	var err error
	if r.ContentLength > 0 { // and at most limit, so the claim costs no more than a true body
		body = make([]byte, r.ContentLength)
		_, err = io.ReadFull(in, body)
	} else {
		body, err = io.ReadAll(in)
	}
	var over *http.MaxBytesError
	switch {
	case errors.As(err, &over):
		return nil, tooLarge(limit)
	case err != nil:
		return nil, fault.WithDetail(fault.Wrap(fault.Invalid, "bad-body", err), "The body ended too soon.")
	}
	return body, nil
}

// encodeHTTP writes the event of r, by hand: it is the larger half of what Gateway costs.
func encodeHTTP(r *http.Request, body []byte, id string) []byte {
	path := r.URL.EscapedPath()
	if path == "" {
		path = "/"
	}
	b := make([]byte, 0, base64.StdEncoding.EncodedLen(len(body))+1536)
	b = append(b, `{"version":"2.0","routeKey":"$default","rawPath":`...)
	b = appendString(b, path)
	b = append(b, `,"rawQueryString":`...)
	b = appendString(b, r.URL.RawQuery)
	if cookies := r.Header["Cookie"]; len(cookies) > 0 {
		b = append(b, `,"cookies":`...)
		b = appendList(b, strings.Split(strings.Join(cookies, "; "), "; "))
	}
	b = append(b, `,"headers":{"host":`...)
	b = appendString(b, r.Host)
	for name, list := range r.Header {
		if name == "Cookie" || name == "Host" {
			continue
		}
		b = append(b, ',')
		b = appendString(b, strings.ToLower(name))
		b = append(b, ':')
		b = appendString(b, strings.Join(list, ","))
	}
	b = append(b, `},"requestContext":{"http":{"method":`...)
	b = appendString(b, r.Method)
	b = append(b, `,"path":`...)
	b = appendString(b, path)
	b = append(b, `,"protocol":`...)
	b = appendString(b, r.Proto)
	b = append(b, `,"sourceIp":`...)
	ip, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		ip = r.RemoteAddr
	}
	b = appendString(b, ip)
	b = append(b, `},"requestId":`...)
	b = appendString(b, id)
	b = append(b, `,"stage":"$default"},"body":`...)
	b = appendBase64(b, body)
	return append(b, `,"isBase64Encoded":true}`...)
}

// writeAnswer sends the function's answer. It returns an error, having written nothing, when that is none.
func writeAnswer(w http.ResponseWriter, r *http.Request, payload []byte) error {
	var a httpAnswer
	if err := json.Unmarshal(payload, &a); err != nil {
		return fmt.Errorf("read the function's answer: %w", err)
	}
	if a.StatusCode < 200 || a.StatusCode > 599 {
		return fmt.Errorf("the function's answer has status %d", a.StatusCode)
	}
	body := []byte(a.Body)
	if a.Base64 {
		var err error
		if body, err = base64.StdEncoding.DecodeString(a.Body); err != nil {
			return fmt.Errorf("read the body of the function's answer: %w", err)
		}
	}
	header := w.Header()
	for _, from := range []map[string]values{a.Headers, a.MultiValueHeaders} {
		for name, list := range from {
			header[http.CanonicalHeaderKey(name)] = list
		}
	}
	if len(a.Cookies) > 0 {
		header["Set-Cookie"] = append(header["Set-Cookie"], a.Cookies...)
	}
	// The front frames the answer itself; of a function's own length only the one of a HEAD can be true.
	header.Del("Transfer-Encoding")
	header.Del("Connection")
	bodiless := a.StatusCode == http.StatusNoContent || a.StatusCode == http.StatusNotModified
	switch {
	case bodiless:
		header.Del("Content-Length")
	case r.Method != http.MethodHead:
		header.Set("Content-Length", strconv.Itoa(len(body)))
	}
	w.WriteHeader(a.StatusCode)
	if !bodiless && r.Method != http.MethodHead {
		_, _ = w.Write(body) // the client has gone: nobody is left to tell
	}
	return nil
}
