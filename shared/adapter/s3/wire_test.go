package s3

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"kefu/shared/core/fault"
)

// wire is a small S3 at the other end of a transport that can be made to fail. It stores what is signed and matches its
// sums, and nothing else. It works inside a testing/synctest bubble, where pauses take no time.
type wire struct {
	t     *testing.T
	fault func(n int, r *http.Request, work func() *http.Response) (*http.Response, error) // n counts from 1

	mu      sync.Mutex
	n       int
	started []time.Time
	objects map[string][]byte
}

func config(c aws.HTTPClient) aws.Config {
	return aws.Config{
		Region:      "eu-west-1",
		HTTPClient:  c,
		Credentials: credentials.NewStaticCredentialsProvider("AKIDEXAMPLE", "very-secret", "session-token"),
	}
}

func (w *wire) calls() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.n
}

func (w *wire) object(key string) []byte {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.objects[key]
}

func (w *wire) Do(r *http.Request) (*http.Response, error) {
	w.mu.Lock()
	w.n++
	n := w.n
	w.started = append(w.started, time.Now())
	w.mu.Unlock()
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	work := func() *http.Response { return w.serve(r) }
	if w.fault != nil {
		return w.fault(n, r, work)
	}
	return work(), nil
}

func (w *wire) serve(r *http.Request) *http.Response {
	var body []byte
	if r.Body != nil {
		var err error
		if body, err = io.ReadAll(r.Body); err != nil {
			w.t.Errorf("got a body that ends in %v, want all of it", err)
		}
	}
	w.check(r, body)
	w.mu.Lock()
	defer w.mu.Unlock()
	key := r.URL.Path
	old, there := w.objects[key]
	switch {
	case r.Method == http.MethodPut:
		if w.objects == nil {
			w.objects = map[string][]byte{}
		}
		w.objects[key] = body
		return answer(http.StatusOK, "")
	case r.Method == http.MethodDelete:
		delete(w.objects, key)
		return answer(http.StatusNoContent, "")
	case !there:
		return answer(http.StatusNotFound, document("NoSuchKey", ""))
	default:
		resp := answer(http.StatusOK, string(old))
		sum := sha256.Sum256(old)
		resp.Header.Set("X-Amz-Checksum-Sha256", base64.StdEncoding.EncodeToString(sum[:]))
		return resp
	}
}

// check looks at what S3 would look at.
func (w *wire) check(r *http.Request, body []byte) {
	sum := sha256.Sum256(body)
	auth := r.Header.Get("Authorization")
	for what, ok := range map[string]bool{
		"signature":       strings.HasPrefix(auth, "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/") && strings.Contains(auth, "/eu-west-1/s3/aws4_request"),
		"signed sum":      r.Header.Get("X-Amz-Content-Sha256") == hex.EncodeToString(sum[:]) && strings.Contains(auth, "x-amz-content-sha256"),
		"date":            r.Header.Get("X-Amz-Date") != "" && strings.Contains(auth, "x-amz-date"),
		"session token":   r.Header.Get("X-Amz-Security-Token") == "session-token" && strings.Contains(auth, "x-amz-security-token"),
		"content length":  r.ContentLength == int64(len(body)),
		"stored checksum": r.Method != http.MethodPut || r.Header.Get("X-Amz-Checksum-Sha256") == base64.StdEncoding.EncodeToString(sum[:]),
		"checksum mode":   r.Method != http.MethodGet || r.Header.Get("X-Amz-Checksum-Mode") == "ENABLED",
	} {
		if !ok {
			w.t.Errorf("%s %s: got a request without its %s: %v", r.Method, r.URL.Path, what, r.Header)
		}
	}
}

func answer(status int, body string) *http.Response {
	return &http.Response{
		StatusCode: status, ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{"X-Amz-Request-Id": {"4442587FB7D0A2F9"}},
		Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)),
	}
}

// document is an error as S3 writes it, with the parts that must never reach a log.
func document(code, more string) string {
	return `<?xml version="1.0" encoding="UTF-8"?>` + "\n<Error><Code>" + code + "</Code><Message>A sentence about\n" + code + ".</Message>" + more +
		"<Token-0>session-token</Token-0><SignatureProvided>sig-provided</SignatureProvided><RequestId>4442587FB7D0A2F9</RequestId></Error>"
}

var errReset = errors.New("connection reset by peer")

func wantFault(t *testing.T, err error, kind fault.Kind, code, names string) {
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
	for _, secret := range []string{"session-token", "very-secret", "sig-provided", "Signature=", "\n"} {
		if strings.Contains(fmt.Sprintf("%v %+v", err, err), secret) {
			t.Errorf("got %q, want nothing of %q in it", err, secret)
		}
	}
}

func wantBytes(t *testing.T, got, want []byte) {
	t.Helper()
	if !bytes.Equal(got, want) {
		t.Errorf("got %d bytes %.40q, want %d bytes %.40q", len(got), got, len(want), want)
	}
}
