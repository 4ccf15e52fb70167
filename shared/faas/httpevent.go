package faas

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// httpEvent holds what is read of an HTTP event, in any of its shapes:
//
//   - AWS payload format 2.0 of HTTP APIs and function URLs: rawPath, rawQueryString, cookies, requestContext.http
//     (docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html);
//   - Tencent SCF function URL: path, httpMethod, headers, queryString, body and nothing else
//     (www.tencentcloud.com/document/product/583/69491);
//   - Tencent API Gateway, being shut down: the same with requestContext and isBase64Encoded
//     (www.tencentcloud.com/document/product/583/12513).
type httpEvent struct {
	RawPath        string `json:"rawPath"`
	RawQueryString string `json:"rawQueryString"`

	Path        string            `json:"path"`
	HTTPMethod  string            `json:"httpMethod"`
	QueryString map[string]values `json:"queryString"`

	Headers        map[string]values `json:"headers"`
	Cookies        []string          `json:"cookies"`
	Body           string            `json:"body"`
	Base64         bool              `json:"isBase64Encoded"`
	RequestContext struct {
		RequestID  string `json:"requestId"`
		Stage      string `json:"stage"`
		DomainName string `json:"domainName"`
		SourceIP   string `json:"sourceIp"`
		HTTP       struct {
			Method   string `json:"method"`
			SourceIP string `json:"sourceIp"`
		} `json:"http"`
	} `json:"requestContext"`

	// Resource tells AWS payload format 1.0, which has path and httpMethod too but its query elsewhere.
	Resource string `json:"resource"`
}

// values is a header or a query parameter: a string, a list, or true for a parameter without a value.
type values []string

// UnmarshalJSON accepts what the platforms send in place of a string.
func (v *values) UnmarshalJSON(data []byte) error {
	switch {
	case data[0] == '"':
		// Most values need no unquoting, and this runs for every header of every request.
		if bytes.IndexByte(data, '\\') < 0 && utf8.Valid(data) {
			*v = values{string(data[1 : len(data)-1])}
			return nil
		}
		var s string
		if err := json.Unmarshal(data, &s); err != nil {
			return err
		}
		*v = values{s}
	case data[0] == '[':
		var list []string
		if err := json.Unmarshal(data, &list); err != nil {
			return err
		}
		*v = list
	case string(data) == "true":
		*v = values{""}
	case string(data) == "false", string(data) == "null":
		*v = nil
	case data[0] == '{':
		return errNotText
	default: // a number, which an encoder on the way took for one
		*v = values{string(data)}
	}
	return nil
}

var (
	errNotText  = errors.New("a header or query value is neither text nor a list")
	errNotHTTP  = errors.New("not an HTTP event: it has no method")
	errFormat1  = errors.New("payload format 1.0 is not supported: set payloadFormatVersion to 2.0")
	errBadBody  = errors.New("the body is not the base64 that isBase64Encoded promises")
	errTooLarge = errors.New("body too large")
)

// call is one decoded HTTP event.
type call struct {
	request   *http.Request
	requestID string
	tencent   bool // the answer takes lists as header values instead of a cookies member
}

// decodeHTTP reads an event. It returns errTooLarge, with the call but no body in it, for a body over limit;
// any other error means that the event is not an HTTP event.
func decodeHTTP(ctx context.Context, payload []byte, limit int) (call, error) {
	var e httpEvent
	if err := json.Unmarshal(payload, &e); err != nil {
		return call{}, err
	}
	method, path, query := e.RequestContext.HTTP.Method, e.RawPath, e.RawQueryString
	tencent := method == ""
	switch {
	case tencent && e.Resource != "":
		return call{}, errFormat1
	case tencent && e.HTTPMethod == "":
		return call{}, errNotHTTP
	case tencent:
		method, path, query = e.HTTPMethod, e.Path, encodeQuery(e.QueryString)
	default:
		path = e.withoutStage(path)
	}
	body, err := e.body(limit)
	if err != nil && !errors.Is(err, errTooLarge) {
		return call{}, err
	}
	r := e.request(method, path, query, body)
	return call{request: r.WithContext(ctx), requestID: e.RequestContext.RequestID, tencent: tencent}, err
}

// request puts the parts together as net/http's server would.
func (e *httpEvent) request(method, path, query string, body []byte) *http.Request {
	r := &http.Request{
		Method:        method,
		URL:           location(path, query),
		Proto:         "HTTP/1.1",
		ProtoMajor:    1,
		ProtoMinor:    1,
		Header:        make(http.Header, len(e.Headers)+1),
		Body:          http.NoBody,
		ContentLength: int64(len(body)),
	}
	for name, list := range e.Headers {
		name = http.CanonicalHeaderKey(name)
		r.Header[name] = append(r.Header[name], list...)
	}
	if len(e.Cookies) > 0 {
		r.Header.Set("Cookie", strings.Join(e.Cookies, "; "))
	}
	r.Host = r.Header.Get("Host")
	r.Header.Del("Host")
	if r.Header.Get("Content-Length") != "" {
		r.Header.Set("Content-Length", strconv.Itoa(len(body))) // it counted other bytes where body is base64
	}
	if len(body) > 0 {
		r.Body = io.NopCloser(bytes.NewReader(body))
	}
	r.RequestURI = r.URL.RequestURI()
	if ip := e.source(r.Header); ip != "" {
		r.RemoteAddr = net.JoinHostPort(ip, "0")
	}
	return r
}

// source gives the caller's address. SCF's function URL tells it in a header, which it sets itself.
func (e *httpEvent) source(h http.Header) string {
	for _, ip := range []string{e.RequestContext.HTTP.SourceIP, e.RequestContext.SourceIP, h.Get("X-Scf-Remote-Addr")} {
		if ip != "" {
			return ip
		}
	}
	return ""
}

// withoutStage cuts the stage off the path, which an HTTP API puts there for every stage but $default, on its own
// domain only: behind a custom domain a first segment of that name is the caller's.
func (e *httpEvent) withoutStage(path string) string {
	stage, domain := e.RequestContext.Stage, e.RequestContext.DomainName
	if stage == "" || stage == "$default" || (domain != "" && !strings.Contains(domain, ".execute-api.")) {
		return path
	}
	rest, ok := strings.CutPrefix(path, "/"+stage)
	if !ok || (rest != "" && rest[0] != '/') {
		return path
	}
	return rest
}

// body decodes the body, whose size it checks before it allocates.
func (e *httpEvent) body(limit int) ([]byte, error) {
	if !e.Base64 {
		if len(e.Body) > limit {
			return nil, errTooLarge
		}
		return []byte(e.Body), nil
	}
	if base64.StdEncoding.DecodedLen(len(e.Body)) > limit+2 { // up to 2 of them are padding
		return nil, errTooLarge
	}
	body, err := base64.StdEncoding.DecodeString(e.Body)
	switch {
	case err != nil:
		return nil, errBadBody
	case len(body) > limit:
		return nil, errTooLarge
	}
	return body, nil
}

// location makes the URL. The query goes in verbatim: signatures are computed over it. A path that is not validly
// escaped is one that the front has already unescaped (an HTTP API does), and is taken literally.
func location(path, query string) *url.URL {
	if !strings.HasPrefix(path, "/") {
		path = "/" + path
	}
	u := &url.URL{Path: path, RawQuery: query}
	if plain, err := url.PathUnescape(path); err == nil && plain != path {
		u.Path, u.RawPath = plain, path
	}
	return u
}

// encodeQuery writes a query that the platform has already parsed, its names in order and the values of one name
// in theirs.
func encodeQuery(query map[string]values) string {
	if len(query) == 0 {
		return ""
	}
	names := make([]string, 0, len(query))
	for name := range query {
		names = append(names, name)
	}
	slices.Sort(names)
	var b strings.Builder
	for _, name := range names {
		for _, value := range query[name] {
			if b.Len() > 0 {
				b.WriteByte('&')
			}
			b.WriteString(url.QueryEscape(name))
			b.WriteByte('=')
			b.WriteString(url.QueryEscape(value))
		}
	}
	return b.String()
}
