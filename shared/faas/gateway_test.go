package faas_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"kefu/shared/core/fault"
	"kefu/shared/faas"
)

// TestGatewayTransparent sends the same requests to a handler by itself and through the event and back: both must
// see, and answer, the same.
func TestGatewayTransparent(t *testing.T) {
	t.Parallel()
	binary := bytes.Repeat([]byte{0, 0xff, '"', '\\', '\n'}, 1000)
	for name, tc := range map[string]struct {
		method, target string
		header         http.Header
		body           []byte
	}{
		"get":       {method: "GET", target: "/v1/health"},
		"query":     {method: "GET", target: "/callback/a?signature=x%2By&nonce=1&nonce=%20&echostr=a+b&&=&timestamp"},
		"escaped":   {method: "GET", target: "/a%2Fb/%E4%BD%A0/c%20d"},
		"slashes":   {method: "GET", target: "/a//b/../c/"},
		"post":      {method: "POST", target: "/x", body: []byte("<xml>你好</xml>"), header: http.Header{"Content-Type": {"text/xml"}}},
		"binary":    {method: "PUT", target: "/x", body: binary, header: http.Header{"Content-Type": {"image/png"}}},
		"cookies":   {method: "GET", target: "/", header: http.Header{"Cookie": {"a=1; b=2"}}},
		"head":      {method: "HEAD", target: "/"},
		"delete":    {method: "DELETE", target: "/x"},
		"not UTF-8": {method: "GET", target: "/%ff?%ff", header: http.Header{"X-Odd": {"a\tb"}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var requests [2]seen
			var answers [2]*http.Response
			var bodies [2]string
			for i, wrap := range []func(http.Handler) http.Handler{
				func(h http.Handler) http.Handler { return h },
				func(h http.Handler) http.Handler { return faas.Gateway(faas.HTTP(h, quiet()), quiet()) },
			} {
				server := httptest.NewServer(wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					got, err := look(r)
					if err != nil {
						t.Error(err)
					}
					got.Host, got.Remote, got.RequestID = "", "", ""
					requests[i] = got
					http.SetCookie(w, &http.Cookie{Name: "a", Value: "1"})
					http.SetCookie(w, &http.Cookie{Name: "b", Value: "2"})
					w.Header().Set("Content-Type", r.Header.Get("Content-Type"))
					w.Header().Set("Date", "fixed")
					w.WriteHeader(http.StatusAccepted)
					_, _ = io.WriteString(w, got.Body)
				})))
				t.Cleanup(server.Close)
				r, err := http.NewRequestWithContext(t.Context(), tc.method, server.URL+tc.target, bytes.NewReader(tc.body))
				if err != nil {
					t.Fatal(err)
				}
				for name, list := range tc.header {
					r.Header[name] = list
				}
				answer, err := server.Client().Do(r)
				if err != nil {
					t.Fatal(err)
				}
				body, err := io.ReadAll(answer.Body)
				if err != nil {
					t.Fatal(err)
				}
				answers[i], bodies[i] = answer, string(body)
				if err := answer.Body.Close(); err != nil {
					t.Fatal(err)
				}
			}
			if diff := cmp.Diff(requests[0], requests[1]); diff != "" {
				t.Errorf("request: direct -, through the event +:\n%s", diff)
			}
			if answers[0].StatusCode != answers[1].StatusCode || bodies[0] != bodies[1] || bodies[0] != string(tc.body) {
				t.Errorf("answer: direct %d %q, through the event %d %q", answers[0].StatusCode, bodies[0], answers[1].StatusCode, bodies[1])
			}
			for _, a := range answers {
				a.Header.Del("Content-Length") // where one is chunked and the other not
			}
			if diff := cmp.Diff(answers[0].Header, answers[1].Header); diff != "" {
				t.Errorf("headers: direct -, through the event +:\n%s", diff)
			}
		})
	}
}

func TestGatewayBodyLimit(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		body   io.Reader
		status int
	}{
		"just fits":           {strings.NewReader("0123456789"), 200},
		"one more":            {strings.NewReader("0123456789a"), 413},
		"fits, no length":     {io.MultiReader(strings.NewReader("0123456789")), 200},
		"one more, no length": {io.MultiReader(strings.NewReader("0123456789a")), 413},
		"none":                {http.NoBody, 200},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			called := false
			h := faas.Gateway(faas.HTTP(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { called = true }), quiet()),
				quiet(), faas.BodyLimit(10))
			w := httptest.NewRecorder()
			h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), "POST", "/", tc.body))
			if w.Code != tc.status || called != (tc.status == 200) {
				t.Errorf("got %d, called %t, want %d", w.Code, called, tc.status)
			}
			if tc.status == 413 && w.Header().Get("Content-Type") != "application/problem+json" {
				t.Errorf("got type %q, want a problem document", w.Header().Get("Content-Type"))
			}
		})
	}
}

func TestGatewayShortBody(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(faas.Gateway(func(context.Context, []byte) ([]byte, error) {
		t.Error("got a call, want none")
		return nil, nil
	}, quiet()))
	defer server.Close()
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if _, err := io.WriteString(conn, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc"); err != nil {
		t.Fatal(err)
	}
	if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode != http.StatusBadRequest {
		t.Errorf("got %d, want 400", answer.StatusCode)
	}
}

// TestGatewayBadAnswers: whatever the function does, the client gets a 500 without detail and the log the reason.
func TestGatewayBadAnswers(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		answer string
		err    error
		panics bool
		log    string
	}{
		"error":      {err: fault.New(fault.Conflict, "secret-reason", ""), log: "secret-reason"},
		"panic":      {panics: true, log: "gateway_test.go"},
		"no JSON":    {answer: "ok", log: "read the function's answer"},
		"no status":  {answer: "{}", log: "has status 0"},
		"bad status": {answer: `{"statusCode":101}`, log: "has status 101"},
		"bad base64": {answer: `{"statusCode":200,"headers":{"X-A":"1"},"isBase64Encoded":true,"body":"%"}`, log: "read the body"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var log bytes.Buffer
			h := faas.Gateway(func(context.Context, []byte) ([]byte, error) {
				if tc.panics {
					panic("x")
				}
				return []byte(tc.answer), tc.err
			}, faas.Logger(slog.New(slog.NewJSONHandler(&log, nil))))
			w := httptest.NewRecorder()
			h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), "GET", "/", nil))
			want := `{"code":"internal","detail":"Something went wrong on our side.","status":500,"title":"Internal Server Error","type":"about:blank"}`
			if w.Code != 500 || w.Body.String() != want || w.Header().Get("X-A") != "" {
				t.Errorf("got %d %s, want 500 %s", w.Code, w.Body.String(), want)
			}
			if !strings.Contains(log.String(), tc.log) {
				t.Errorf("got log %s, want %q in it", log.String(), tc.log)
			}
		})
	}
}

func TestGatewayContext(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		options []faas.Option
		want    time.Duration // zero: no deadline
	}{
		"default": {nil, 30 * time.Second},
		"own":     {[]faas.Option{faas.Timeout(4 * time.Second)}, 4 * time.Second},
		"none":    {[]faas.Option{faas.Timeout(0)}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				ids := map[string]bool{}
				h := faas.Gateway(func(ctx context.Context, _ []byte) ([]byte, error) {
					ids[faas.RequestID(ctx)] = true
					if err := ctx.Err(); err != nil {
						t.Errorf("got %v, want a call that the client can't cancel", err)
					}
					if deadline, ok := ctx.Deadline(); ok != (tc.want > 0) || ok && time.Until(deadline) != tc.want {
						t.Errorf("got deadline in %v (%t), want %v", time.Until(deadline), ok, tc.want)
					}
					return []byte(`{"statusCode":204}`), nil
				}, append(tc.options, quiet())...)
				gone, cancel := context.WithCancel(t.Context())
				cancel()
				for range 2 {
					h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(gone, "GET", "/", nil))
				}
				if len(ids) != 2 || ids[""] {
					t.Errorf("request ids: got %v, want two", ids)
				}
			})
		})
	}
}

func TestWriteProblem(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		err    error
		status int
		retry  string
		body   string
	}{
		"kind": {fault.NotFound, 404, "", `{"code":"not-found","detail":"There is no such thing.","status":404,"title":"Not Found","type":"about:blank"}`},
		"cause stays inside": {
			fault.Wrap(fault.Unavailable, "", errors.New("dial 10.0.0.1")), 503, "",
			`{"code":"unavailable","detail":"A service that this needs does not answer. Try again later.","status":503,"title":"Service Unavailable","type":"about:blank"}`,
		},
		"later": {
			fault.Later("", "Slow down.", 1001*time.Millisecond), 429, "2",
			`{"code":"exhausted","detail":"Slow down.","status":429,"title":"Too Many Requests","type":"about:blank"}`,
		},
		"members": {
			fault.With(fault.New(fault.Conflict, "window-closed", "Closed."), map[string]any{"window": map[string]int{"limit": 5}, "status": 1}), 409, "",
			`{"code":"window-closed","detail":"Closed.","status":409,"title":"Conflict","type":"about:blank","window":{"limit":5}}`,
		},
		"a member that is no JSON": {
			fault.With(fault.New(fault.Conflict, "x", "Y."), map[string]any{"f": func() {}}), 409, "",
			`{"code":"x","detail":"Y.","status":409,"title":"Conflict","type":"about:blank"}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := httptest.NewRecorder()
			faas.WriteProblem(w, tc.err)
			if w.Code != tc.status || w.Header().Get("Retry-After") != tc.retry || w.Header().Get("Content-Type") != "application/problem+json" {
				t.Errorf("got %d %v, want %d with Retry-After %q", w.Code, w.Header(), tc.status, tc.retry)
			}
			if diff := cmp.Diff(tc.body, w.Body.String()); diff != "" {
				t.Errorf("want -, got +:\n%s", diff)
			}
		})
	}
}

// BenchmarkGateway is the price of going through the event and back for a POST of 1 KB, as a callback is.
func BenchmarkGateway(b *testing.B) {
	answer := []byte("success")
	h := faas.Gateway(faas.HTTP(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			b.Error(err)
		}
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = w.Write(answer)
	}), faas.Logger(slog.New(slog.NewJSONHandler(io.Discard, nil))), faas.Name("callback")))
	body := bytes.Repeat([]byte("0123456789abcde\n"), 64)
	r := httptest.NewRequestWithContext(b.Context(), "POST",
		"/callback/shop?signature=0f1e2d3c4b5a69788796a5b4c3d2e1f001020304&timestamp=1587481701&nonce=486452656&encrypt_type=aes&msg_signature=0f1e2d3c4b5a69788796a5b4c3d2e1f001020304", nil)
	for name, value := range map[string]string{
		"Accept": "*/*", "Content-Type": "text/xml", "User-Agent": "Mozilla/4.0", "Pragma": "no-cache", "Connection": "Keep-Alive",
	} {
		r.Header.Set(name, value)
	}
	b.ReportAllocs()
	for b.Loop() {
		r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != http.StatusOK {
			b.Fatalf("got %d", w.Code)
		}
	}
}
