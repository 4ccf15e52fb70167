package wechat

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"kefu/shared/core/account"
	"kefu/shared/core/message"
	"kefu/shared/core/session"
)

const okAnswer = `{"errcode":0,"errmsg":"ok"}`

var (
	clientNow  = time.Date(2026, 10, 1, 4, 0, 0, 0, time.UTC)
	clientMini = account.Account{ID: "shop", Channel: account.MiniProgram, AppID: "wx1", AppSecret: "app-secret-text"}
	clientHi   = message.Content{Type: message.TypeText, Text: &message.Text{Content: "hi"}}
)

// tokenScript gives a token for each call; it records what was called refused.
type tokenScript struct {
	mu      sync.Mutex
	tokens  []string // the last one repeats
	err     error
	refused []string
}

func (s *tokenScript) Token(_ context.Context, _ account.Account, refused string) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refused = append(s.refused, refused)
	if s.err != nil {
		return "", s.err
	}
	return s.tokens[min(len(s.refused), len(s.tokens))-1], nil
}

// clientFor returns a client of a server that runs h, and what it logs.
func clientFor(t *testing.T, h http.HandlerFunc) (*Client, *lockedBuffer) {
	t.Helper()
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	return clientAt(t, srv.URL)
}

func clientAt(t *testing.T, url string) (*Client, *lockedBuffer) {
	t.Helper()
	log := &lockedBuffer{}
	c := &Client{
		BaseURL: url, Tokens: &tokenScript{tokens: []string{"86_tok1", "86_tok2", "86_tok3"}},
		Now: func() time.Time { return clientNow },
		Log: slog.New(slog.NewJSONHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	t.Cleanup(func() {
		p, l := c.httpClients()
		p.CloseIdleConnections()
		l.CloseIdleConnections()
		if got := log.String(); strings.Contains(got, "86_tok") || strings.Contains(got, "app-secret-text") {
			t.Errorf("got a log with a secret in it: %s", got)
		}
	})
	return c, log
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

func answering(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

func TestSendReadsAnswers(t *testing.T) {
	t.Parallel()
	lost, sent := session.Outcome{Kind: session.Lost}, session.Outcome{Kind: session.Sent}
	for name, tc := range map[string]struct {
		status int
		body   string
		want   session.Outcome
	}{
		"ok":                         {200, okAnswer, sent},
		"errcode absent":             {200, `{"errmsg":"ok"}`, sent},
		"empty object":               {200, ` {} `, sent},
		"unexpected members":         {200, `{"errcode":0,"errmsg":{"a":1},"msgid":9007199254740993}`, sent},
		"refusal with another 2xx":   {201, `{"errcode":45015}`, session.Outcome{Kind: session.WindowClosed, Code: 45015}},
		"refusal with a 4xx":         {412, `{"errcode":45047}`, session.Outcome{Kind: session.QuotaUsedUp, Code: 45047}},
		"success with another 2xx":   {202, okAnswer, lost},
		"success with a 4xx":         {404, okAnswer, lost},
		"nothing":                    {200, "", lost},
		"no object":                  {200, "null", lost},
		"a list":                     {200, `[{"errcode":0}]`, lost},
		"a word":                     {200, "ok", lost},
		"cut JSON":                   {200, `{"errcode":0,"errm`, lost},
		"JSON and more":              {200, okAnswer + okAnswer, lost},
		"errcode of another type":    {200, `{"errcode":"zero"}`, lost},
		"errcode null":               {200, `{"errcode":null}`, sent},
		"html":                       {200, "<html><body>Bad Gateway</body></html>", lost},
		"500":                        {500, "", lost},
		"502 html":                   {502, "<html></html>", lost},
		"503 with a refusal in JSON": {503, `{"errcode":45015}`, lost},
		"redirect":                   {302, "", lost},
		"endless":                    {200, `{"errcode":0,"errmsg":"` + strings.Repeat("x", maxAnswer) + `"}`, lost},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			calls := atomic.Int32{}
			c, _ := clientFor(t, func(w http.ResponseWriter, r *http.Request) {
				calls.Add(1)
				w.Header().Set("Location", "/elsewhere")
				answering(tc.status, tc.body)(w, r)
			})
			if got := c.Send(t.Context(), clientMini, "o1", clientHi, nil); got != tc.want {
				t.Errorf("got %+v, want %+v", got, tc.want)
			}
			if got := calls.Load(); got != 1 {
				t.Errorf("got %d requests, want 1", got)
			}
		})
	}
}

func TestSendIsUnreached(t *testing.T) {
	t.Parallel()
	want := session.Outcome{Kind: session.Unreached}
	t.Run("nobody listens", func(t *testing.T) {
		t.Parallel()
		srv := httptest.NewServer(nil)
		srv.Close()
		c, _ := clientAt(t, srv.URL)
		if got := c.Send(t.Context(), clientMini, "o1", clientHi, nil); got != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
	})
	t.Run("certificate of a stranger", func(t *testing.T) {
		t.Parallel()
		srv := httptest.NewUnstartedServer(answering(200, okAnswer))
		srv.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
		srv.StartTLS()
		t.Cleanup(srv.Close)
		c, _ := clientAt(t, srv.URL)
		if got := c.Send(t.Context(), clientMini, "o1", clientHi, nil); got != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
	})
	t.Run("caller gone before the call", func(t *testing.T) {
		t.Parallel()
		c, _ := clientFor(t, answering(200, okAnswer))
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if got := c.Send(ctx, clientMini, "o1", clientHi, nil); got != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
	})
	t.Run("no address", func(t *testing.T) {
		t.Parallel()
		c, _ := clientAt(t, "http://[bad")
		if got := c.Send(t.Context(), clientMini, "o1", clientHi, nil); got != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
	})
}

func TestSendOverTLS(t *testing.T) {
	t.Parallel()
	srv := httptest.NewTLSServer(answering(200, okAnswer))
	t.Cleanup(srv.Close)
	pool := x509.NewCertPool()
	pool.AddCert(srv.Certificate())
	c, _ := clientAt(t, srv.URL)
	c.HTTP = newHTTPClient(&net.Dialer{}, &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12})
	for range 2 {
		if got, want := c.Send(t.Context(), clientMini, "o1", clientHi, nil), (session.Outcome{Kind: session.Sent}); got != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
	}
}

func TestDefaultClientKeepsConnectionsAndUsesNoProxy(t *testing.T) {
	t.Parallel()
	tr, ok := NewHTTPClient().Transport.(*http.Transport)
	if !ok || tr.Proxy != nil || tr.MaxIdleConnsPerHost < 2 || tr.IdleConnTimeout == 0 || tr.ForceAttemptHTTP2 {
		t.Errorf("got %+v, want no proxy, kept connections with an end, no HTTP/2", tr)
	}
}
