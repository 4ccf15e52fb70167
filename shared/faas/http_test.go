package faas_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kefu/shared/core/fault"
	"kefu/shared/faas"
)

func sample(t testing.TB, path ...string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(append([]string{"testdata"}, path...)...))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func quiet() faas.Option { return faas.Logger(slog.New(slog.DiscardHandler)) }

// seen is what an http.Handler can tell of a request.
type seen struct {
	Method, Path, RawPath, Query, URI, Host, Remote, RequestID string
	Header                                                     http.Header
	Body                                                       string
	Length                                                     int64
}

func look(r *http.Request) (seen, error) {
	body, err := io.ReadAll(r.Body)
	return seen{
		r.Method, r.URL.Path, r.URL.RawPath, r.URL.RawQuery, r.RequestURI, r.Host, r.RemoteAddr,
		faas.RequestID(r.Context()), r.Header, string(body), r.ContentLength,
	}, err
}

func TestHTTPEvents(t *testing.T) {
	t.Parallel()
	for file, want := range map[string]seen{
		"aws-http-api.json": {
			Method: "POST", Path: "/callback/shop", Query: "signature=9f0c&timestamp=1587481701&nonce=a%20b&nonce=%2B",
			URI:    "/callback/shop?signature=9f0c&timestamp=1587481701&nonce=a%20b&nonce=%2B",
			Host:   "aaaaaaaaaa.execute-api.us-west-2.amazonaws.com",
			Remote: "192.0.2.1:0", RequestID: "LV7fzho-PHcEJPw=", Body: "<xml>你好！</xml>\n", Length: 21,
			Header: http.Header{
				"Accept": {"*/*"}, "Content-Length": {"21"}, "Content-Type": {"text/xml"}, "User-Agent": {"Mozilla/4.0"},
				"X-Forwarded-For": {"192.0.2.1, 192.0.2.9"}, "X-Forwarded-Proto": {"https"}, "Cookie": {"theme=dark; lang=zh"},
			},
		},
		"aws-http-api-stage.json": {
			Method: "GET", Path: "/v1/sessions/a/b", RawPath: "/v1/sessions/a%2Fb", URI: "/v1/sessions/a%2Fb",
			Host:   "aaaaaaaaaa.execute-api.us-west-2.amazonaws.com",
			Remote: "[2001:db8::1]:0", RequestID: "id-2", Header: http.Header{},
		},
		"aws-custom-domain.json": {
			Method: "GET", Path: "/v1/health", URI: "/v1/health", Host: "kefu.example.com",
			Remote: "192.0.2.1:0", RequestID: "id-3", Header: http.Header{},
		},
		"aws-function-url.json": {
			Method: "POST", Path: "/my/path", Query: "parameter1=value1&parameter1=value2&parameter2=value",
			URI:    "/my/path?parameter1=value1&parameter1=value2&parameter2=value",
			Remote: "192.0.2.7:0", RequestID: "id", Body: "Hello from client!", Length: 18,
			Header: http.Header{"Header1": {"value1"}, "Header2": {"value1,value2"}, "Cookie": {"cookie1; cookie2"}},
		},
		"scf-function-url.json": {
			Method: "POST", Path: "/", Query: "a=1&b=2", URI: "/?a=1&b=2", Host: "1250000000-abc.ap-guangzhou.tencentscf.com",
			Remote: "192.0.2.145:0", Body: `{"test":"hello world"}`, Length: 22,
			Header: http.Header{
				"Accept": {"*/*"}, "Accept-Encoding": {"gzip, deflate, br"}, "Content-Length": {"22"},
				"X-Scf-Remote-Addr": {"192.0.2.145"},
			},
		},
		"scf-api-gateway.json": {
			Method: "POST", Path: "/test/value", Query: "a=b&a=c&i=&x=y+z", URI: "/test/value?a=b&a=c&i=&x=y+z",
			Host:   "service-xxx-125000000.ap-shanghai.apigateway.myqcloud.com",
			Remote: "192.0.2.8:0", RequestID: "c6af9ac6-7b61-11e6-9a41-93e8deadbeef", Body: "\xff\xef\x00", Length: 3,
			Header: http.Header{"Accept": {"text/html,application/xml"}, "User-Agent": {`User Agent "String"`}},
		},
	} {
		t.Run(file, func(t *testing.T) {
			t.Parallel()
			var got seen
			h := faas.HTTP(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				var err error
				if got, err = look(r); err != nil {
					t.Error(err)
				}
				w.WriteHeader(http.StatusNoContent)
			}), quiet())
			answer, err := h(t.Context(), sample(t, "http", file))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("request: want -, got +:\n%s", diff)
			}
			if want := `{"statusCode":204,"headers":{},"isBase64Encoded":false,"body":""}`; string(answer) != want {
				t.Errorf("answer: got %s, want %s", answer, want)
			}
		})
	}
}

func TestHTTPPaths(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		raw, stage, domain string
		want               string
	}{
		{"/a", "", "", "/a"},
		{"", "", "", "/"},
		{"a", "", "", "/a"},
		{"/50% off", "", "", "/50% off"}, // unescaped by the front
		{"/%E4%BD%A0", "", "", "/你"},
		{"/你好", "", "", "/你好"},
		{"/prod", "prod", "", "/"},
		{"/prod/", "prod", "", "/"},
		{"/prod/a", "prod", "x.execute-api.cn-north-1.amazonaws.com.cn", "/a"},
		{"/production/a", "prod", "", "/production/a"},
		{"/a/prod", "prod", "", "/a/prod"},
		{"/prod/prod/a", "prod", "", "/prod/a"},
		{"/prod/a", "prod", "kefu.example.com", "/prod/a"},
		{"/$default/a", "$default", "", "/$default/a"},
	} {
		var got string
		h := faas.HTTP(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = r.URL.Path }), quiet())
		event, err := json.Marshal(map[string]any{
			"rawPath": tc.raw,
			"requestContext": map[string]any{
				"stage": tc.stage, "domainName": tc.domain, "http": map[string]string{"method": "GET"},
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := h(t.Context(), event); err != nil || got != tc.want {
			t.Errorf("path %q at stage %q of %q: got %q, %v, want %q", tc.raw, tc.stage, tc.domain, got, err, tc.want)
		}
	}
}

func TestHTTPBadEvents(t *testing.T) {
	t.Parallel()
	for name, event := range map[string]string{
		"empty":            ``,
		"no JSON":          `{"version":`,
		"another trigger":  `{"Records":[]}`,
		"format 1.0":       string(sample(t, "http", "aws-rest-api.json")),
		"headers of kinds": `{"httpMethod":"GET","path":"/","headers":{"a":{"b":1}}}`,
		"bad base64":       `{"httpMethod":"GET","path":"/","body":"%","isBase64Encoded":true}`,
		"body of a kind":   `{"httpMethod":"GET","path":"/","body":{}}`,
		"list":             `[]`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := faas.HTTP(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("got a call, want none") }), quiet())
			answer, err := h(t.Context(), []byte(event))
			if !errors.Is(err, fault.Invalid) || fault.CodeOf(err) != "bad-event" || answer != nil {
				t.Errorf("got %q and error %v, want an invalid bad-event", answer, err)
			}
		})
	}
}

const get = `{"rawPath":"/","requestContext":{"http":{"method":"GET"}}}`

// TestHTTPAnswers checks the answer object for each way of writing one.
func TestHTTPAnswers(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		event string
		h     http.HandlerFunc
		want  string
	}{
		"nothing": {get, func(http.ResponseWriter, *http.Request) {}, `{"statusCode":200,"headers":{},"isBase64Encoded":false,"body":""}`},
		"json": {get, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(201)
			_, _ = io.WriteString(w, "{\"a\":\"<你>\\n\"}\n\x01")
		}, `{"statusCode":201,"headers":{"Content-Type":"application/json"},"isBase64Encoded":false,"body":"{\"a\":\"<你>\\n\"}\n\u0001"}`},
		"sniffed": {get, func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, "<html>")
		}, `{"statusCode":200,"headers":{"Content-Type":"text/html; charset=utf-8"},"isBase64Encoded":false,"body":"<html>"}`},
		"text that is none": {get, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/plain")
			_, _ = w.Write([]byte{0xff})
		}, `{"statusCode":200,"headers":{"Content-Type":"text/plain"},"isBase64Encoded":true,"body":"/w=="}`},
		"media": {get, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "image/png")
			_, _ = io.WriteString(w, "png")
		}, `{"statusCode":200,"headers":{"Content-Type":"image/png"},"isBase64Encoded":true,"body":"cG5n"}`},
		"compressed": {get, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/css")
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = io.WriteString(w, "zip")
		}, `{"statusCode":200,"headers":{"Content-Encoding":"gzip","Content-Type":"text/css"},"isBase64Encoded":true,"body":"emlw"}`},
		"several values": {get, severalValues, `{"statusCode":200,"headers":{"Vary":"A, B"},"cookies":["a=1; Path=/","b=2"],"isBase64Encoded":false,"body":""}`},
		"several values on SCF": {
			`{"httpMethod":"GET","path":"/"}`, severalValues,
			`{"statusCode":200,"headers":{"Set-Cookie":["a=1; Path=/","b=2"],"Vary":["A","B"]},"isBase64Encoded":false,"body":""}`,
		},
		"headers after the first byte don't count": {get, func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(102)
			w.WriteHeader(404)
			w.Header().Set("X-Late", "1")
			w.WriteHeader(200)
		}, `{"statusCode":404,"headers":{},"isBase64Encoded":false,"body":""}`},
		"head": {`{"rawPath":"/","requestContext":{"http":{"method":"HEAD"}}}`, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "5")
			_, _ = io.WriteString(w, "hello")
		}, `{"statusCode":200,"headers":{"Content-Length":"5"},"isBase64Encoded":false,"body":""}`},
		"no body allowed": {get, func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(204)
			if _, err := io.WriteString(w, "x"); !errors.Is(err, http.ErrBodyNotAllowed) {
				panic("want an error")
			}
		}, `{"statusCode":204,"headers":{},"isBase64Encoded":false,"body":""}`},
		"status out of range": {get, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(42) }, `{"statusCode":500,"headers":{},"isBase64Encoded":false,"body":""}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			answer, err := faas.HTTP(tc.h, quiet())(t.Context(), []byte(tc.event))
			if err != nil || string(answer) != tc.want {
				t.Errorf("got  %s, %v\nwant %s", answer, err, tc.want)
			}
			if !json.Valid(answer) {
				t.Error("got an answer that is no JSON")
			}
		})
	}
}

func severalValues(w http.ResponseWriter, _ *http.Request) {
	w.Header().Add("Set-Cookie", "a=1; Path=/")
	w.Header().Add("Set-Cookie", "b=2")
	w.Header()["Vary"] = []string{"A", "B"}
}

func TestHTTPBodyLimit(t *testing.T) {
	t.Parallel()
	for _, size := range []int{9, 10, 11, 12, 13, 200} {
		for _, coded := range []bool{false, true} {
			body := strings.Repeat("x", size)
			sent := body
			if coded {
				sent = base64.StdEncoding.EncodeToString([]byte(body))
			}
			event, err := json.Marshal(map[string]any{"httpMethod": "POST", "path": "/", "body": sent, "isBase64Encoded": coded})
			if err != nil {
				t.Fatal(err)
			}
			called := false
			h := faas.HTTP(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { called = true }), quiet(), faas.BodyLimit(10))
			answer, err := h(t.Context(), event)
			if err != nil {
				t.Fatal(err)
			}
			fits := size <= 10
			if called != fits {
				t.Errorf("%d bytes, base64 %t: got called %t, want %t", size, coded, called, fits)
			}
			if !fits && !strings.Contains(string(answer), `"statusCode":413`) || !fits && !strings.Contains(string(answer), `too-large`) {
				t.Errorf("%d bytes, base64 %t: got %s, want a 413 too-large", size, coded, answer)
			}
		}
	}
}

func TestHTTPPanic(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		value any
		log   string // part of it; none when empty
		list  []int
	}{
		"text":          {value: "the customer wrote 4711", log: `"panic":"string"`},
		"error":         {value: errors.New("the customer wrote 4711"), log: `"panic":"*errors.errorString"`},
		"runtime error": {value: nil, log: `slice bounds out of range`},
		"abort":         {value: http.ErrAbortHandler},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var log bytes.Buffer
			h := faas.HTTP(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("X-Half-Done", "1")
				w.WriteHeader(200)
				_, _ = io.WriteString(w, "half")
				if tc.value == nil {
					clear(tc.list[:cap(tc.list)+1]) // out of range
				}
				panic(tc.value)
			}), faas.Logger(slog.New(slog.NewJSONHandler(&log, nil))))
			answer, err := h(t.Context(), []byte(get))
			if err != nil {
				t.Fatal(err)
			}
			want := `{"statusCode":500,"headers":{"Content-Type":"application/problem+json"},"isBase64Encoded":false,"body":"` +
				`{\"code\":\"internal\",\"detail\":\"Something went wrong on our side.\",\"status\":500,\"title\":\"Internal Server Error\",\"type\":\"about:blank\"}"}`
			if string(answer) != want {
				t.Errorf("got  %s\nwant %s", answer, want)
			}
			got := log.String()
			if strings.Contains(got, "4711") || !strings.Contains(got, tc.log) {
				t.Errorf("got log %s\nwant %q and no content", got, tc.log)
			}
			if hasStack := strings.Contains(got, "http_test.go"); hasStack != (tc.log != "") {
				t.Errorf("got log %s\nwant a stack: %t", got, tc.log != "")
			}
		})
	}
}

func TestHTTPSummary(t *testing.T) {
	t.Parallel()
	for status, want := range map[int]map[string]any{
		200: {"level": "INFO", "kind": "ok", "failed": 0.0},
		400: {"level": "INFO", "kind": "invalid", "failed": 0.0},
		401: {"level": "INFO", "kind": "denied", "failed": 0.0},
		403: {"level": "INFO", "kind": "denied", "failed": 0.0},
		404: {"level": "INFO", "kind": "not-found", "failed": 0.0},
		409: {"level": "INFO", "kind": "conflict", "failed": 0.0},
		413: {"level": "INFO", "kind": "invalid", "failed": 0.0},
		429: {"level": "INFO", "kind": "exhausted", "failed": 0.0},
		500: {"level": "ERROR", "kind": "internal", "failed": 1.0},
		503: {"level": "ERROR", "kind": "unavailable", "failed": 1.0},
	} {
		var log bytes.Buffer
		h := faas.HTTP(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }),
			faas.Logger(slog.New(slog.NewJSONHandler(&log, nil))), faas.Name("api"))
		if _, err := h(t.Context(), sample(t, "http", "aws-http-api.json")); err != nil {
			t.Fatal(err)
		}
		var got map[string]any
		if err := json.Unmarshal(log.Bytes(), &got); err != nil {
			t.Fatalf("got log %q, want one line of JSON: %v", log.String(), err)
		}
		if _, ok := got["took_ms"].(float64); !ok {
			t.Errorf("got took_ms %v, want a number", got["took_ms"])
		}
		delete(got, "took_ms")
		delete(got, "time")
		want["msg"], want["function"], want["trigger"], want["n"] = "event", "api", "http", 1.0
		want["request"], want["method"], want["status"] = "LV7fzho-PHcEJPw=", "POST", float64(status)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%d: want -, got +:\n%s", status, diff)
		}
	}
}

func TestHTTPParallel(t *testing.T) {
	t.Parallel()
	h := faas.HTTP(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(w, r.Body) }), quiet())
	var calls sync.WaitGroup
	for i := range 50 {
		calls.Go(func() {
			body := strings.Repeat(string(rune('a'+i%26)), 100+i)
			answer, err := h(context.Background(), []byte(`{"httpMethod":"POST","path":"/","body":"`+body+`"}`))
			if err != nil || !strings.Contains(string(answer), `"`+body+`"`) {
				t.Errorf("got %s, %v, want the body back", answer, err)
			}
		})
	}
	calls.Wait()
}
