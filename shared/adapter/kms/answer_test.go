package kms

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"kefu/shared/adapter/awscall"
	"kefu/shared/core/fault"
)

var errReset = errors.New("connection reset by peer")

// KMS's words of an error, as they may come, and what is left of them.
func TestRefusals(t *testing.T) {
	t.Parallel()
	const canonical = `{"__type":"InvalidSignatureException","message":"The request signature we calculated does not match.` +
		`\n\nThe Canonical String for this request should have been\n'POST\n/\n\nx-amz-security-token:session-token\n'"}`
	const late = "Signature expired: 20261122T080000Z is now earlier than 20261122T081000Z"
	for name, tc := range map[string]struct {
		status       int
		header, body string
		code         string
		text         string // what the error tells
	}{
		"namespace":       {400, "", `{"__type":"com.amazonaws.kms#DisabledException","message":"k is disabled."}`, "secrets-key-disabled", "DisabledException (status 400, request 7c94d0f2-1): k is disabled."},
		"address behind":  {400, "DisabledException:http://internal.amazon.com/coral/", `{"Message":"k is disabled."}`, "secrets-key-disabled", "DisabledException (status 400, request 7c94d0f2-1): k is disabled."},
		"header, no body": {400, "NotFoundException", "", "secrets-no-key", "NotFoundException (status 400, request 7c94d0f2-1)"},
		"code":            {400, "", `{"code":"ThrottlingException"}`, "secrets-busy", "ThrottlingException"},
		"what was signed": {400, "", canonical, "secrets-credentials", "The request signature we calculated does not match."},
		"signature":       {400, "", `{"__type":"IncompleteSignatureException","message":"Authorization=AWS4-HMAC-SHA256 Signature=00"}`, "secrets-credentials", "IncompleteSignatureException (status 400, request 7c94d0f2-1)"},
		"slow clock":      {400, "", `{"__type":"InvalidSignatureException","message":"` + late + `"}`, "secrets-credentials", "look at the machine's clock"},
		"fast clock":      {400, "", `{"__type":"InvalidSignatureException","message":"Signature not yet current: …"}`, "secrets-credentials", "look at the machine's clock"},
		"expired":         {400, "", `{"__type":"RequestExpired"}`, "secrets-credentials", "look at the machine's clock"},
		"wrong secret":    {403, "", `{"__type":"InvalidSignatureException","message":"no"}`, "secrets-credentials", "the credentials of the environment"},
		"too many":        {429, "", "", "secrets-busy", "Too Many Requests"},
		"a long sentence": {400, "", `{"__type":"TagException","message":"` + strings.Repeat("梅", 500) + `"}`, "secrets-refused", "梅…"},
		"a strange name":  {400, "", `{"__type":"<b>hunter2</b>"}`, "secrets-refused", "Bad Request"},
		"a web page":      {403, "", "<html>hunter2</html>", "secrets-refused", "Forbidden"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				sealed := seal(t, newVault(newFake(), nil), "o", "hunter2")
				refuse := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
					w.Header().Set("X-Amzn-RequestId", "7c94d0f2-1")
					if tc.header != "" {
						w.Header().Set("X-Amzn-ErrorType", tc.header)
					}
					w.WriteHeader(tc.status)
					_, _ = io.WriteString(w, tc.body)
				})
				for _, err := range both(t.Context(), t, sealed, func() *Vault { return newVault(refuse, nil) }) {
					wantFault(t, err, fault.Unavailable, tc.code, tc.text)
					wantFault(t, err, fault.Unavailable, tc.code, "7c94d0f2-1")
				}
			})
		})
	}
}

// Over real connections: an answer that is cut, a redirect, which nobody follows with a signature in hand, and more bytes
// than any answer has.
func TestBadPeers(t *testing.T) {
	t.Parallel()
	elsewhere := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("got %s %s at the address of a redirect, want nobody to go there", r.Method, r.URL)
	}))
	t.Cleanup(elsewhere.Close)
	sealed := seal(t, newVault(newFake(), nil), "o", "hunter2")
	for name, tc := range map[string]struct {
		answer string // its head and body
		code   string
		names  string
		tries  int32
	}{
		"cut":       {"200 OK\r\nContent-Length: 1000\r\n\r\n{\"Plaintext\":\"aHVudGVyMg", "secrets-unreachable", "unexpected EOF", 2},
		"moved":     {"307 Temporary Redirect\r\nContent-Length: 0\r\nLocation: " + elsewhere.URL + "\r\n\r\n", "secrets-refused", "status 307", 1},
		"too long":  {"200 OK\r\n\r\n" + strings.Repeat(" ", maxAnswer+1), "secrets-refused", "no data key", 1},
		"long page": {"404 Not Found\r\n\r\n" + strings.Repeat("<p>", maxAnswer), "secrets-refused", "status 404", 1},
		"nothing":   {"", "secrets-unreachable", "EOF", 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for what, c := range map[string]*http.Client{"own client": {Transport: &http.Transport{}}, "default client": nil} {
				var asked atomic.Int32
				srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
					asked.Add(1)
					hangUp(t, w, tc.answer)
				}))
				t.Cleanup(srv.Close)
				cfg := config(nil)
				if c != nil {
					cfg.HTTPClient = c
					t.Cleanup(c.CloseIdleConnections)
				}
				cfg.BaseEndpoint, cfg.RetryMaxAttempts = &srv.URL, 2
				_, err := New(cfg, Options{KeyID: keyID}).Open(t.Context(), "o", sealed)
				wantFault(t, err, fault.Unavailable, tc.code, tc.names)
				if got := asked.Load(); got != tc.tries {
					t.Errorf("%s: got %d requests, want %d", what, got, tc.tries)
				}
			}
		})
	}
}

// hangUp writes an answer and closes the connection.
func hangUp(t *testing.T, w http.ResponseWriter, answer string) {
	t.Helper()
	conn, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		t.Error(err)
		return
	}
	if answer != "" {
		out := bufio.NewWriter(conn)
		_, _ = out.WriteString("HTTP/1.1 " + answer)
		_ = out.Flush()
	}
	_ = conn.Close()
}

// A peer that says nothing, or stops in the middle, takes a part of the call's time, not all of it.
func TestSilentPeerOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		silent := true
		v := New(config(direct{newFake(), func(r *http.Request) error {
			if silent {
				silent = false
				<-r.Context().Done()
			}
			return r.Context().Err()
		}}), Options{KeyID: keyID})
		begin := time.Now()
		if _, err := v.Seal(t.Context(), "o", []byte("hunter2")); err != nil {
			t.Errorf("got %v, want nothing of it to be seen", err)
		}
		if took := time.Since(begin); took < tryTime || took > tryTime+awscall.FirstPause {
			t.Errorf("took %v, want %v and a pause", took, tryTime)
		}
	})
}

// spy remembers the memory that it wrote to.
type spy struct {
	io.Reader
	seen [][]byte
}

func (s *spy) Read(p []byte) (int, error) {
	n, err := s.Reader.Read(p)
	s.seen = append(s.seen, p[:n])
	return n, err
}

// What an answer was read into is overwritten, be it good or not.
func TestAnswersAreOverwritten(t *testing.T) {
	t.Parallel()
	key := bytes.Repeat([]byte{0xA5}, keySize)
	good := `{"Plaintext":"` + base64.StdEncoding.EncodeToString(key) + `"}`
	for name, body := range map[string]io.Reader{
		"good": strings.NewReader(good), "cut": io.MultiReader(strings.NewReader(good[:40]), errorReader{}), "no JSON": strings.NewReader(good + "}"),
		"too long": strings.NewReader(good + strings.Repeat(" ", maxAnswer)),
	} {
		from := &spy{Reader: body}
		a, err := read(&http.Response{Body: io.NopCloser(from)})
		if (err == nil) != (name == "good") || err == nil && !bytes.Equal(a.Plaintext, key) {
			t.Errorf("%s: got %d bytes and %v", name, len(a.Plaintext), err)
		}
		for _, p := range from.seen {
			if !bytes.Equal(p, make([]byte, len(p))) {
				t.Errorf("%s: got %q left in memory, want zeros", name, p)
			}
		}
	}
}

type errorReader struct{}

func (errorReader) Read([]byte) (int, error) { return 0, errReset }
