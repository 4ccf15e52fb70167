package hook

import (
	"crypto/tls"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"kefu/shared/core/account"
	"kefu/shared/core/fault"
	"kefu/shared/core/hook"
)

var now = time.Unix(1614265330, 0)

const secret account.Secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

// receiver is the business's software for one test, and an account that points at it.
func receiver(t *testing.T, h http.HandlerFunc) account.Account {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return pointing(s.URL + "/hooks?key=p4ssw0rd")
}

func pointing(to string) account.Account {
	a := account.Account{ID: "shop", Webhook: account.Webhook{URL: to}, Signing: account.Signing{Secret: secret}}
	a.Settings.Routing.Bot.Responder.URL = to
	return a
}

func client() *Client {
	return New(Options{Private: true, Now: func() time.Time { return now }})
}

// TestTellRequest: what the receiver gets is what the reference libraries sign.
func TestTellRequest(t *testing.T) {
	t.Parallel()
	var got *http.Request
	var body []byte
	a := receiver(t, func(_ http.ResponseWriter, r *http.Request) {
		got = r
		body, _ = io.ReadAll(r.Body)
	})
	o := client().Tell(t.Context(), a, "msg_p5jXN8AQM9LWM0D4loKWxJek", []byte(`{"test": 2432232314}`))
	if o.Kind != hook.Delivered || o.Status != 200 || o.Reason != "" {
		t.Fatalf("got %+v, want it delivered", o)
	}
	if got.Method != http.MethodPost || got.RequestURI != "/hooks?key=p4ssw0rd" || string(body) != `{"test": 2432232314}` {
		t.Errorf("got %s %s with %s, want a POST with the body", got.Method, got.RequestURI, body)
	}
	for name, want := range map[string]string{
		"webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek", "webhook-timestamp": "1614265330",
		"webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
		"Content-Type":      "application/json", "User-Agent": "kefu",
	} {
		if v := got.Header.Get(name); v != want {
			t.Errorf("header %s: got %q, want %q", name, v, want)
		}
	}
	if _, sent := got.Header["Idempotency-Key"]; sent {
		t.Error("got a header Idempotency-Key, want none")
	}
}

// TestTellRotation: within the overlap both secrets sign.
func TestTellRotation(t *testing.T) {
	t.Parallel()
	var got string
	a := receiver(t, func(_ http.ResponseWriter, r *http.Request) { got = r.Header.Get("webhook-signature") })
	a.Signing = account.Signing{Secret: "whsec_" + account.Secret(strings.Repeat("B", 32)), Previous: secret, ChangedAt: now.Add(-time.Hour)}
	client().Tell(t.Context(), a, "msg_p5jXN8AQM9LWM0D4loKWxJek", []byte(`{"test": 2432232314}`))
	if one, two, ok := strings.Cut(got, " "); !ok || one == two || two != "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=" {
		t.Errorf("got %q, want the signature of the new secret, then of the former", got)
	}
	a.Signing.ChangedAt = now.Add(-account.SigningOverlap)
	client().Tell(t.Context(), a, "msg_p5jXN8AQM9LWM0D4loKWxJek", []byte(`{"test": 2432232314}`))
	if strings.Contains(got, " ") {
		t.Errorf("after the overlap: got %q, want one signature", got)
	}
}

func TestTellOutcomes(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name   string
		status int
		header string // Retry-After
		want   hook.Outcome
	}{
		{"done", 200, "", hook.Outcome{Kind: hook.Delivered, Status: 200}},
		{"without content", 204, "", hook.Outcome{Kind: hook.Delivered, Status: 204}},
		{"done, and asks for a pause that means nothing", 202, "60", hook.Outcome{Kind: hook.Delivered, Status: 202}},
		{"wants no more", 410, "60", hook.Outcome{Kind: hook.Gone, Reason: "gone", Status: 410}},
		{"not found", 404, "", hook.Outcome{Kind: hook.Failed, Reason: "http-404", Status: 404}},
		{"refuses", 401, "", hook.Outcome{Kind: hook.Failed, Reason: "http-401", Status: 401}},
		{"broken", 500, "60", hook.Outcome{Kind: hook.Failed, Reason: "http-500", Status: 500}},
		{"too many", 429, "90", hook.Outcome{Kind: hook.Failed, Reason: "http-429", Status: 429, After: 90 * time.Second}},
		{"too many, until a time", 429, now.Add(10 * time.Minute).UTC().Format(http.TimeFormat), hook.Outcome{Kind: hook.Failed, Reason: "http-429", Status: 429, After: 10 * time.Minute}},
		{"until a time that is over", 503, now.Add(-time.Minute).UTC().Format(http.TimeFormat), hook.Outcome{Kind: hook.Failed, Reason: "http-503", Status: 503}},
		{"for a day", 503, "86400", hook.Outcome{Kind: hook.Failed, Reason: "http-503", Status: 503, After: time.Hour}},
		{"for longer than numbers go", 503, "9223372036854775807", hook.Outcome{Kind: hook.Failed, Reason: "http-503", Status: 503, After: time.Hour}},
		{"for less than nothing", 503, "-5", hook.Outcome{Kind: hook.Failed, Reason: "http-503", Status: 503}},
		{"for something", 503, "a while", hook.Outcome{Kind: hook.Failed, Reason: "http-503", Status: 503}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			a := receiver(t, func(w http.ResponseWriter, _ *http.Request) {
				if tc.header != "" {
					w.Header().Set("Retry-After", tc.header)
				}
				w.WriteHeader(tc.status)
			})
			if got := client().Tell(t.Context(), a, "evt", nil); got != tc.want {
				t.Errorf("got %+v, want %+v", got, tc.want)
			}
		})
	}
}

// TestTellFailures: whatever goes wrong has a word of its own, and none tells the address.
func TestTellFailures(t *testing.T) {
	t.Parallel()
	up := receiver(t, func(http.ResponseWriter, *http.Request) {})
	secure := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(secure.Close)
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	cut := receiver(t, func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := w.(http.Hijacker).Hijack()
		if err == nil {
			_ = conn.Close()
		}
	})
	unsigned, garbled := up, up
	unsigned.Signing, garbled.Signing = account.Signing{}, account.Signing{Secret: "sesame-open"}
	public := New(Options{Now: func() time.Time { return now }})
	for name, tc := range map[string]struct {
		c    *Client
		a    account.Account
		want string
	}{
		"nobody listens":               {client(), pointing(gone.URL + "/p4ssw0rd"), "unreachable"},
		"hangs up":                     {client(), cut, "unreachable"},
		"a certificate of its own":     {client(), pointing(secure.URL + "/p4ssw0rd"), "tls"},
		"no http address":              {client(), pointing("ftp://127.0.0.1/p4ssw0rd"), "bad-address"},
		"no address":                   {client(), pointing("http://\x7f/p4ssw0rd"), "bad-address"},
		"no host":                      {client(), pointing("https:///p4ssw0rd"), "bad-address"},
		"no secret":                    {client(), unsigned, "no-signing-secret"},
		"no good secret":               {client(), garbled, "bad-signing-secret"},
		"plain http, where that isn't": {public, up, "bad-address"},
		"this machine":                 {public, pointing(secure.URL + "/p4ssw0rd"), "refused-address"},
		"this machine, by name":        {public, pointing(strings.Replace(secure.URL, "127.0.0.1", "localhost", 1) + "/p4ssw0rd"), "refused-address"},
		"this machine, as IPv6":        {public, pointing(strings.Replace(secure.URL, "127.0.0.1", "[::ffff:127.0.0.1]", 1) + "/p4ssw0rd"), "refused-address"},
		"metadata":                     {public, pointing("https://169.254.169.254/latest/meta-data/p4ssw0rd"), "refused-address"},
	} {
		o := tc.c.Tell(t.Context(), tc.a, "evt", nil)
		if o.Kind != hook.Failed || o.Reason != tc.want || o.Cause == nil {
			t.Errorf("%s: got %+v, want failed for %s, with a cause", name, o, tc.want)
			continue
		}
		if text := o.Cause.Error(); strings.Contains(text, "p4ssw0rd") || strings.Contains(text, "sesame") {
			t.Errorf("%s: the cause tells the address or the secret: %s", name, text)
		}
	}
}

// TestSlow: a receiver that doesn't answer in time, and one that answers and then never ends.
func TestSlow(t *testing.T) {
	t.Parallel()
	c := client()
	c.Timeout = 50 * time.Millisecond
	silent := receiver(t, func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // so that the server sees the caller leave
		<-r.Context().Done()
	})
	if o := c.Tell(t.Context(), silent, "evt", []byte("{}")); o.Kind != hook.Failed || o.Reason != "timeout" {
		t.Errorf("silent: got %+v, want a timeout", o)
	}
	endless := receiver(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.WriteHeader(http.StatusOK)
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	})
	if o := c.Tell(t.Context(), endless, "evt", []byte("{}")); o.Kind != hook.Delivered {
		t.Errorf("endless: got %+v, want it delivered: it had said so", o)
	}
	silent.Settings.Routing.Bot.Responder.Timeout = account.Duration(50 * time.Millisecond)
	if _, err := c.Ask(t.Context(), silent, hook.Ask{ID: "ask"}); !errors.Is(err, fault.Unavailable) || !errors.Is(err, errTimeout) {
		t.Errorf("a responder that is silent: got %v, want a timeout, Unavailable", err)
	}
}

// TestRedirect: nobody is followed, not even from one place to another of the same receiver.
func TestRedirect(t *testing.T) {
	t.Parallel()
	var calls atomic.Int32
	a := receiver(t, func(w http.ResponseWriter, r *http.Request) {
		calls.Add(1)
		http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
	})
	if o := client().Tell(t.Context(), a, "evt", []byte("{}")); o.Kind != hook.Failed || o.Reason != "http-307" || calls.Load() != 1 {
		t.Errorf("got %+v after %d calls, want http-307 after one", o, calls.Load())
	}
}

// TestKeptConnection: one that the receiver has closed meanwhile costs no try, and a huge answer is not read.
func TestKeptConnection(t *testing.T) {
	t.Parallel()
	var calls atomic.Int32
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		calls.Add(1)
	}))
	t.Cleanup(s.Close)
	c := client()
	for i := range 3 {
		if o := c.Tell(t.Context(), pointing(s.URL), "evt", []byte("{}")); o.Kind != hook.Delivered {
			t.Fatalf("call %d: got %+v, want it delivered", i, o)
		}
		s.CloseClientConnections()
	}
	if calls.Load() != 3 {
		t.Errorf("got %d calls, want 3", calls.Load())
	}
	wrote := make(chan int, 1)
	huge := receiver(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		chunk, n := make([]byte, 1<<20), 0
		for n < 1<<10 {
			if _, err := w.Write(chunk); err != nil {
				break // the caller has heard enough
			}
			n++
		}
		wrote <- n
	})
	if o := c.Tell(t.Context(), huge, "evt", nil); o.Kind != hook.Delivered {
		t.Errorf("a huge answer: got %+v, want it delivered", o)
	}
	if n := <-wrote; n > 64 {
		t.Errorf("a huge answer: got %d MiB of it taken, want no more than what is under way", n)
	}
}

// TestTLS: with a certificate that is known all is well; old TLS is refused.
func TestTLS(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		most uint16
		want hook.Kind
	}{"1.3": {tls.VersionTLS13, hook.Delivered}, "1.2": {tls.VersionTLS12, hook.Delivered}, "1.1": {tls.VersionTLS11, hook.Failed}} {
		s := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
		s.TLS = &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tc.most}
		s.StartTLS()
		t.Cleanup(s.Close)
		c := client()
		c.web.Transport.(*http.Transport).TLSClientConfig.RootCAs = s.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
		if o := c.Tell(t.Context(), pointing(s.URL), "evt", nil); o.Kind != tc.want {
			t.Errorf("TLS %s: got %+v, want %s", name, o, tc.want)
		}
	}
}
