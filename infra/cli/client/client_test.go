package client_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"kefu/infra/cli/client"
)

const secret = "kf_aaaaaaaaaaaaaaaa_secret"

// answer is what the server says to one try.
type answer struct {
	status int
	header string // "Name: value", or none
	kind   string
	body   string
}

const problem = "application/problem+json"

func refusal(status int, code string) answer {
	return answer{status, "", problem, `{"type":"about:blank","title":"T","status":400,"code":"` + code + `","detail":"Said why."}`}
}

// script is a server that gives answers in turn, the last again and again.
type script struct {
	*httptest.Server
	answers []answer
	got     []*http.Request
}

func play(t *testing.T, answers ...answer) *script {
	t.Helper()
	s := &script{answers: answers}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.got = append(s.got, r)
		a := s.answers[min(len(s.got), len(s.answers))-1]
		if name, value, ok := strings.Cut(a.header, ": "); ok {
			w.Header().Set(name, value)
		}
		w.Header()["Content-Type"] = []string{a.kind}
		w.WriteHeader(a.status)
		_, _ = w.Write([]byte(a.body))
	}))
	t.Cleanup(s.Close)
	return s
}

// patient is a client whose waits take no time and are noted.
func patient(s *script) (c *client.Client, waits *[]time.Duration) {
	waits = &[]time.Duration{}
	return &client.Client{
		Base: s.URL, Key: secret, HTTP: client.NewHTTP(10 * time.Second),
		Wait: func(ctx context.Context, d time.Duration) error {
			*waits = append(*waits, d)
			return ctx.Err()
		},
	}, waits
}

func TestParseBase(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"http://127.0.0.1:8080":         "http://127.0.0.1:8080",
		"http://127.0.0.1:8080/":        "http://127.0.0.1:8080",
		"http://127.0.0.1:8080/v1":      "http://127.0.0.1:8080",
		"https://x.example.com/prod/v1": "https://x.example.com/prod",
		"https://x.example.com/prod//":  "https://x.example.com/prod",
		"127.0.0.1:8080":                "",
		"localhost":                     "",
		"ftp://x.example.com":           "",
		"http://":                       "",
		"http://me:secret@x.example":    "",
		"http://x.example?key=secret":   "",
		"":                              "",
	} {
		got, err := client.ParseBase(in)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("ParseBase(%q): got %q, %v; want %q", in, got, err, want)
		}
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("ParseBase(%q) shows what may be a key: %v", in, err)
		}
	}
}

// TestAnswers: what each answer is taken for, and that no error shows the key.
func TestAnswers(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		answer answer
		want   string // of the error; empty: none
	}{
		{"an object", answer{200, "", "application/json", `{"a":1}` + "\n"}, ""},
		{"an object, with a charset", answer{200, "", "application/json; charset=utf-8", `{"a":1}`}, ""},
		{"nothing", answer{204, "", "", ""}, ""},
		{"a refusal", refusal(409, "already-taken"), "Said why (409 T, already-taken)"},
		{
			"with more members",
			answer{400, "", problem, `{"code":"x","detail":"D.","field":"name","n":3,"window":{"limit":5}}`},
			"D (400 Bad Request, x, field name, n 3)",
		},
		{"a login page", answer{200, "", "text/html; charset=utf-8", "<html>secret"}, "is not Kefu: 200 OK with text/html"},
		{"a wrong address", answer{404, "", "text/html", "<html>"}, "is not Kefu: 404 Not Found with text/html"},
		{"JSON of another", answer{403, "", "application/json", `{"message":"Forbidden"}`}, "is not Kefu: 403 Forbidden with application/json"},
		{"no code", answer{404, "", problem, `{"detail":"x"}`}, "is not Kefu: 404"},
		{"broken JSON", answer{200, "", "application/json", `{"a":`}, "is not Kefu: 200"},
		{"a gateway's page", answer{502, "", "text/html", "<html>"}, "something before Kefu answers 502 Bad Gateway with text/html"},
		{"a redirect", answer{302, "Location: https://login.example.com/", "text/html", ""}, "redirect to https://login.example.com/; set KEFU_URL"},
		{"no type", answer{200, "", "", `{"a":1}`}, "is not Kefu: 200 OK with no type"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c, _ := patient(play(t, tt.answer))
			body, err := c.Do(t.Context(), client.Call{Path: client.Path("accounts")})
			switch {
			case tt.want == "" && err != nil:
				t.Fatalf("got error %v, want none", err)
			case tt.want == "":
				if got := string(body); got != strings.TrimSpace(tt.answer.body) {
					t.Errorf("got body %q, want %q", got, tt.answer.body)
				}
			case err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "secret"):
				t.Errorf("got %v, want %q and no secret", err, tt.want)
			}
		})
	}
}

// TestTries: what is tried again, how often, and after which waits.
func TestTries(t *testing.T) {
	t.Parallel()
	good := answer{200, "", "application/json", `{}`}
	busy := refusal(429, "too-many-waiting")
	busy.header = "Retry-After: 7"
	long := refusal(429, "exhausted")
	long.header = "Retry-After: 3600"
	running := refusal(409, "in-progress")
	running.header = "Retry-After: 1"
	const quarter = 250 * time.Millisecond
	for _, tt := range []struct {
		name    string
		answers []answer
		tries   int
		waits   []time.Duration
		ok      bool
	}{
		{"good", []answer{good}, 1, nil, true},
		{"unavailable once", []answer{refusal(503, "unavailable"), good}, 2, []time.Duration{quarter}, true},
		{"unavailable for long", []answer{refusal(503, "unavailable")}, 3, []time.Duration{quarter, 2 * quarter}, false},
		{"a gateway's 504", []answer{{504, "", "text/html", ""}, good}, 2, []time.Duration{quarter}, true},
		{"too many", []answer{busy, good}, 2, []time.Duration{7 * time.Second}, true},
		{"too many for an hour", []answer{long}, 1, nil, false},
		{"its own first try runs", []answer{{503, "", "text/html", ""}, running, good}, 3, []time.Duration{quarter, time.Second}, true},
		{"internal", []answer{refusal(500, "internal")}, 1, nil, false},
		{"conflict", []answer{refusal(409, "already-taken")}, 1, nil, false},
		{"a page", []answer{{200, "", "text/html", ""}}, 1, nil, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := play(t, tt.answers...)
			c, waits := patient(s)
			_, err := c.Do(t.Context(), client.Call{Method: "POST", Path: "/v1/x"})
			if (err == nil) != tt.ok || len(s.got) != tt.tries || !slices.Equal(*waits, tt.waits) {
				t.Errorf("got %d tries, waits %v, error %v; want %d, %v, ok %t", len(s.got), *waits, err, tt.tries, tt.waits, tt.ok)
			}
			for _, r := range s.got {
				if k := r.Header.Get("Idempotency-Key"); k == "" || k != s.got[0].Header.Get("Idempotency-Key") {
					t.Errorf("a try has the Idempotency-Key %q, the first has %q", k, s.got[0].Header.Get("Idempotency-Key"))
				}
			}
		})
	}
}

// TestHeaders: what a call carries.
func TestHeaders(t *testing.T) {
	t.Parallel()
	s := play(t, answer{200, "", "application/json", `{}`})
	c, _ := patient(s)
	for _, call := range []client.Call{
		{Path: client.Path("sessions", "a/b?c", "messages")},
		{Path: client.Path("health"), Open: true},
		{Method: "PUT", Path: client.Path("x"), Body: []byte(`{}`)},
		{Method: "PUT", Path: client.Path("x"), Body: []byte(`{}`)},
		{Method: "PUT", Path: client.Path("x"), Body: []byte(`{}`), Repeat: "mine"},
	} {
		if _, err := c.Do(t.Context(), call); err != nil {
			t.Fatal(err)
		}
	}
	header := func(i int, name string) string { return s.got[i].Header.Get(name) }
	if got := s.got[0].RequestURI; got != "/v1/sessions/a%2Fb%3Fc/messages" {
		t.Errorf("got address %s, want the id escaped", got)
	}
	if header(0, "Authorization") != "Bearer "+secret || header(0, "Idempotency-Key") != "" {
		t.Errorf("a GET carries %v, want the key and no Idempotency-Key", s.got[0].Header)
	}
	if header(1, "Authorization") != "" {
		t.Error("an open call carries the key")
	}
	if header(2, "Idempotency-Key") == header(3, "Idempotency-Key") {
		t.Error("two calls carry one Idempotency-Key")
	}
	if header(4, "Idempotency-Key") != "mine" || header(4, "Content-Type") != "application/json" {
		t.Errorf("got %v, want the Idempotency-Key that was given, and JSON", s.got[4].Header)
	}
}

// TestNobodyThere: a dead address is tried three times; a slow one is told as such; who gives up waits no longer.
func TestNobodyThere(t *testing.T) {
	t.Parallel()
	s := play(t, answer{200, "", "application/json", `{}`})
	c, waits := patient(s)
	s.Close()
	_, err := c.Do(t.Context(), client.Call{Path: "/v1/x"})
	var away *client.Unreachable
	if !errors.As(err, &away) || len(*waits) != 2 || !strings.Contains(err.Error(), "is Kefu running there?") {
		t.Errorf("got %v after %d waits, want unreachable after 2", err, len(*waits))
	}

	hang := make(chan struct{})
	slow := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-hang }))
	t.Cleanup(slow.Close)
	t.Cleanup(func() { close(hang) })
	c.Base, c.HTTP = slow.URL, client.NewHTTP(time.Millisecond)
	if _, err := c.Do(t.Context(), client.Call{Path: "/v1/x"}); err == nil || !strings.Contains(err.Error(), "no answer in time") {
		t.Errorf("got %v, want no answer in time", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Do(ctx, client.Call{Path: "/v1/x"}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
}

// TestRedirect: the key isn't carried to where a redirect points.
func TestRedirect(t *testing.T) {
	t.Parallel()
	other := play(t, answer{200, "", "application/json", `{}`})
	c, _ := patient(play(t, answer{307, "Location: " + other.URL, "", ""}))
	if _, err := c.Do(t.Context(), client.Call{Path: "/v1/x"}); err == nil || len(other.got) != 0 {
		t.Errorf("got %v and %d calls elsewhere, want an error and none", err, len(other.got))
	}
}
