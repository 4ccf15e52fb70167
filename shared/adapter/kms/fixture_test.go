package kms

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"kefu/shared/adapter/kms/kmsfake"
	"kefu/shared/core/fault"
)

const keyID = "1234abcd-12ab-34cd-56ef-1234567890ab"

// direct is a transport that calls a handler without a network, so that it works in a testing/synctest bubble, where
// pauses take no time. A handler that cuts the connection is an answer that was lost.
type direct struct {
	handler http.Handler
	before  func(*http.Request) error // nil, or asked before each request
}

func (d direct) Do(r *http.Request) (resp *http.Response, err error) {
	if d.before != nil {
		if err := d.before(r); err != nil {
			return nil, err
		}
	}
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	defer func() {
		if p := recover(); p == http.ErrAbortHandler { //nolint:errorlint // the very value
			resp, err = nil, io.ErrUnexpectedEOF
		} else if p != nil {
			panic(p)
		}
	}()
	w := httptest.NewRecorder()
	d.handler.ServeHTTP(w, r)
	return w.Result(), nil
}

// clock is a time that the test moves.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func newClock() *clock { return &clock{at: time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)} }

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

func config(c aws.HTTPClient) aws.Config {
	return aws.Config{
		Region: kmsfake.Region, HTTPClient: c,
		Credentials: credentials.NewStaticCredentialsProvider("AKIDEXAMPLE", "very-secret", "session-token"),
	}
}

func newFake() *kmsfake.Fake { return kmsfake.New(kmsfake.Options{Keys: []string{keyID}}) }

// newVault returns the vault of one more process.
func newVault(fake http.Handler, now func() time.Time) *Vault {
	return New(config(direct{handler: fake}), Options{KeyID: keyID, Now: now})
}

func seal(t testing.TB, v *Vault, owner, plain string) []byte {
	t.Helper()
	sealed, err := v.Seal(t.Context(), owner, []byte(plain))
	if err != nil {
		t.Fatalf("seal: got %v, want no error", err)
	}
	return sealed
}

func wantOpen(t testing.TB, v *Vault, owner string, sealed []byte, want string) {
	t.Helper()
	got, err := v.Open(t.Context(), owner, sealed)
	if err != nil || string(got) != want {
		t.Errorf("open: got %q, %v; want %q", got, err, want)
	}
}

func wantCalls(t testing.TB, fake *kmsfake.Fake, generate, decrypt int) {
	t.Helper()
	if g, d := fake.Calls("GenerateDataKey"), fake.Calls("Decrypt"); g != generate || d != decrypt {
		t.Errorf("got %d GenerateDataKey and %d Decrypt, want %d and %d", g, d, generate, decrypt)
	}
}

func wantFault(t testing.TB, err error, kind fault.Kind, code, names string) {
	t.Helper()
	if err == nil {
		t.Errorf("got no error, want %s %s", kind, code)
		return
	}
	if k, c := fault.KindOf(err), fault.CodeOf(err); k != kind || c != code {
		t.Errorf("got %s %s (%v), want %s %s", k, c, err, kind, code)
	}
	if !strings.Contains(err.Error(), names) {
		t.Errorf("got %q, want a text that names %q", err, names)
	}
	for _, secret := range []string{"session-token", "very-secret", "hunter2", "aHVudGVyMg", "Signature=", "\n"} {
		if strings.Contains(fmt.Sprintf("%v %+v", err, err), secret) {
			t.Errorf("got %q, want nothing of %q in it", err, secret)
		}
	}
}

func wantUnsealable(t testing.TB, err error) {
	t.Helper()
	if !errors.Is(err, errUnsealable) {
		t.Errorf("got %v, want %v", err, errUnsealable)
	}
	wantFault(t, err, fault.Internal, "unsealable", "")
}
