package s3

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"kefu/shared/adapter/awscall"
	"kefu/shared/core/fault"
)

// trip is all three calls, with a name for each.
func trip(ctx context.Context, b *Bucket) map[string]error {
	_, got := b.Get(ctx, "media/a")
	return map[string]error{"put": b.Put(ctx, "media/a", []byte("hello")), "get": got, "delete": b.Delete(ctx, "media/a")}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	type row struct {
		status int
		body   string
		header map[string]string
		code   string
		names  string
		tries  int
	}
	malformed := "AuthorizationHeaderMalformed"
	for name, tc := range map[string]row{
		"no bucket":        {404, document("NoSuchBucket", ""), nil, "storage-no-bucket", `KEFU_BUCKET "kefu-test"`, 1},
		"denied":           {403, document("AccessDenied", ""), nil, "storage-denied", "s3:ListBucket", 1},
		"moved for good":   {301, document("PermanentRedirect", ""), map[string]string{"X-Amz-Bucket-Region": "us-east-2"}, "storage-wrong-region", "us-east-2", 1},
		"moved for now":    {307, document("TemporaryRedirect", ""), nil, "storage-wrong-region", `AWS_REGION "eu-west-1"`, 1},
		"moved, no text":   {301, "", map[string]string{"X-Amz-Bucket-Region": "us-east-2"}, "storage-wrong-region", "us-east-2", 1},
		"signed elsewhere": {400, document(malformed, "<Region>us-east-2</Region>"), nil, "storage-wrong-region", "us-east-2", 1},
		"malformed":        {400, document(malformed, ""), nil, "storage-credentials", malformed, 1},
		"no such key id":   {403, document("InvalidAccessKeyId", ""), nil, "storage-credentials", "InvalidAccessKeyId", 1},
		"expired token":    {400, document("ExpiredToken", ""), nil, "storage-credentials", "ExpiredToken", 1},
		"bad signature":    {403, document("SignatureDoesNotMatch", ""), nil, "storage-credentials", "SignatureDoesNotMatch", 1},
		"bucket's key":     {400, document("KMS.DisabledException", ""), nil, "storage-encryption", "KMS.DisabledException", 1},
		"slow down":        {503, document("SlowDown", ""), nil, "storage-busy", "SlowDown", 4},
		"too many":         {429, "", nil, "storage-busy", "Too Many Requests", 4},
		"timed out":        {400, document("RequestTimeout", ""), nil, "storage-busy", "RequestTimeout", 4},
		"internal":         {500, document("InternalError", ""), nil, "storage-unavailable", "4442587FB7D0A2F9", 4},
		"gateway":          {502, "<html>Bad gateway</html>", nil, "storage-unavailable", "Bad Gateway", 4},
		"bad digest":       {400, document("BadDigest", ""), nil, "storage-damaged", "BadDigest", 4},
		"not S3":           {404, "<html>not here</html>", nil, "storage-refused", "KEFU_BUCKET", 1},
		"half a document":  {403, "<Error><Code>AccessDen", nil, "storage-refused", "status 403", 1},
		"unknown":          {400, document("MethodNotAllowed", ""), nil, "storage-refused", "MethodNotAllowed", 1},
		"strange code":     {400, document("<b> "+strings.Repeat("x", 500), ""), nil, "storage-refused", "Bad Request", 1},
		"other success":    {206, "part", nil, "storage-refused", "Partial Content", 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := &wire{t: t, fault: func(int, *http.Request, func() *http.Response) (*http.Response, error) {
					resp := answer(tc.status, tc.body)
					for k, v := range tc.header {
						resp.Header.Set(k, v)
					}
					return resp, nil
				}}
				for op, err := range trip(t.Context(), New(config(w), Options{Bucket: "kefu-test"})) {
					wantFault(t, err, fault.Unavailable, tc.code, tc.names)
					if err != nil && !strings.Contains(err.Error(), op+` "media/a"`) {
						t.Errorf("got %q, want it to name %s and the key", err, op)
					}
					var ref *awscall.Refusal
					if !errors.As(err, &ref) || ref.Status != tc.status {
						t.Errorf("%s: got %v, want S3's answer as its cause", op, err)
					}
				}
				if got, want := w.calls(), 3*tc.tries; got != want {
					t.Errorf("got %d requests for three calls, want %d", got, want)
				}
			})
		})
	}
}

// S3 fails n times and then works: up to three failures nobody notices.
func TestPassingFaults(t *testing.T) {
	t.Parallel()
	for name, fail := range map[string]func(work func() *http.Response) (*http.Response, error){
		"slow down":     func(func() *http.Response) (*http.Response, error) { return answer(503, document("SlowDown", "")), nil },
		"no connection": func(func() *http.Response) (*http.Response, error) { return nil, errReset },
		"answer lost": func(work func() *http.Response) (*http.Response, error) {
			work()
			return nil, io.ErrUnexpectedEOF
		},
	} {
		for n := 1; n <= 5; n++ {
			t.Run(fmt.Sprintf("%s %d times", name, n), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					testPassing(t, n, fail)
				})
			})
		}
	}
}

func testPassing(t *testing.T, n int, fail func(func() *http.Response) (*http.Response, error)) {
	t.Helper()
	left := n
	w := &wire{t: t, fault: func(_ int, _ *http.Request, work func() *http.Response) (*http.Response, error) {
		if left--; left >= 0 {
			return fail(work)
		}
		return work(), nil
	}}
	b := New(config(w), Options{Bucket: "kefu-test"})
	for op, call := range map[string]func() error{
		"put": func() error { return b.Put(t.Context(), "k", []byte("hello")) },
		"get": func() error {
			left = 0
			if err := b.Put(t.Context(), "k", []byte("hello")); err != nil {
				return err
			}
			left = n
			got, err := b.Get(t.Context(), "k")
			if err == nil {
				wantBytes(t, got, []byte("hello"))
			}
			return err
		},
		"delete": func() error { return b.Delete(t.Context(), "k") },
	} {
		left = n
		err := call()
		if n < awscall.DefaultTries && err != nil {
			t.Errorf("%s: got %v, want nothing of it to be seen", op, err)
		}
		if n >= awscall.DefaultTries && fault.KindOf(err) != fault.Unavailable {
			t.Errorf("%s: got %v, want Unavailable", op, err)
		}
	}
	for i, at := range w.started[1:] {
		if d := at.Sub(w.started[i]); d > awscall.LongestPause {
			t.Errorf("got a pause of %v, want at most %v", d, awscall.LongestPause)
		}
	}
}

// A lost answer leaves the new bytes, whole, whatever the caller was told.
func TestAnswerOfPutLost(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := &wire{t: t, fault: func(_ int, _ *http.Request, work func() *http.Response) (*http.Response, error) {
			work()
			return nil, errReset
		}}
		err := New(config(w), Options{Bucket: "kefu-test"}).Put(t.Context(), "k", []byte("hello"))
		wantFault(t, err, fault.Unavailable, "storage-unreachable", "AWS_ENDPOINT_URL_S3")
		if !errors.Is(err, errReset) {
			t.Errorf("got %v, want the cause kept", err)
		}
		wantBytes(t, w.object("/k"), []byte("hello"))
	})
}

// The end of ctx ends a call at once, and a call does not start to sleep into it.
func TestContextEnds(t *testing.T) {
	t.Parallel()
	t.Run("before", func(t *testing.T) {
		t.Parallel()
		w := &wire{t: t}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		for _, err := range trip(ctx, New(config(w), Options{Bucket: "kefu-test"})) {
			wantFault(t, err, fault.Unavailable, "cancelled", "media/a")
			if !errors.Is(err, context.Canceled) {
				t.Errorf("got %v, want context.Canceled in it", err)
			}
		}
		if n := w.calls(); n != 0 {
			t.Errorf("got %d requests, want none", n)
		}
	})
	t.Run("during", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			w := &wire{t: t, fault: func(_ int, r *http.Request, _ func() *http.Response) (*http.Response, error) {
				cancel()
				<-r.Context().Done()
				return nil, r.Context().Err()
			}}
			_, err := New(config(w), Options{Bucket: "kefu-test"}).Get(ctx, "k")
			wantFault(t, err, fault.Unavailable, "cancelled", "")
			if n := w.calls(); n != 1 {
				t.Errorf("got %d requests, want 1", n)
			}
		})
	})
	t.Run("in a pause", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			w := &wire{t: t, fault: func(int, *http.Request, func() *http.Response) (*http.Response, error) {
				return answer(503, document("SlowDown", "")), nil
			}}
			done := make(chan error)
			go func() {
				_, err := New(config(w), Options{Bucket: "kefu-test"}).Get(ctx, "k")
				done <- err
			}()
			synctest.Wait() // it pauses, and time does not move
			begin := time.Now()
			cancel()
			wantFault(t, <-done, fault.Unavailable, "storage-busy", "SlowDown")
			if took := time.Since(begin); took != 0 {
				t.Errorf("got an answer after %v, want at once", took)
			}
			if n := w.calls(); n != 1 {
				t.Errorf("got %d requests, want 1", n)
			}
		})
	})
	t.Run("before a pause would", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			w := &wire{t: t, fault: func(int, *http.Request, func() *http.Response) (*http.Response, error) {
				return answer(503, document("SlowDown", "")), nil
			}}
			ctx, cancel := context.WithTimeout(t.Context(), time.Nanosecond)
			defer cancel()
			begin := time.Now()
			_, err := New(config(w), Options{Bucket: "kefu-test"}).Get(ctx, "k")
			wantFault(t, err, fault.Unavailable, "storage-busy", "SlowDown") // the reason, not only that time is up
			if took := time.Since(begin); took != 0 {
				t.Errorf("got an answer after %v, want at once", took)
			}
		})
	})
}

// A peer that says nothing takes a bounded time from a caller without a deadline.
func TestSilentPeer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := &wire{t: t, fault: func(_ int, r *http.Request, _ func() *http.Response) (*http.Response, error) {
			<-r.Context().Done()
			return nil, r.Context().Err()
		}}
		begin := time.Now()
		_, err := New(config(w), Options{Bucket: "kefu-test"}).Get(context.Background(), "k")
		wantFault(t, err, fault.Unavailable, "storage-unreachable", "AWS_REGION")
		if took, most := time.Since(begin), awscall.DefaultTries*(tryTime+awscall.LongestPause); took > most {
			t.Errorf("took %v, want at most %v", took, most)
		}
	})
}

// What comes back is whole or an error, and one that passes is not seen.
func TestDamagedAnswers(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		spoil func(*http.Response)
		code  string
	}{
		"cut":          {func(r *http.Response) { r.Body = io.NopCloser(strings.NewReader("hel")) }, "storage-unreachable"},
		"empty":        {func(r *http.Response) { r.Body = http.NoBody }, "storage-unreachable"},
		"changed":      {func(r *http.Response) { r.Body = io.NopCloser(strings.NewReader("hellO")) }, "storage-damaged"},
		"shorter":      {func(r *http.Response) { r.Body, r.ContentLength = io.NopCloser(strings.NewReader("hel")), 3 }, "storage-damaged"},
		"without end":  {func(r *http.Response) { r.ContentLength = -1; r.Header.Del("X-Amz-Checksum-Sha256") }, "storage-unreachable"},
		"breaks chunk": {func(r *http.Response) { r.ContentLength = -1; r.Body = io.NopCloser(brokenReader{}) }, "storage-unreachable"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				always := false
				w := &wire{t: t}
				b := New(config(w), Options{Bucket: "kefu-test"})
				if err := b.Put(t.Context(), "k", []byte("hello")); err != nil {
					t.Fatal(err)
				}
				w.fault = func(n int, _ *http.Request, work func() *http.Response) (*http.Response, error) {
					resp := work()
					if n == 2 || always {
						tc.spoil(resp)
					}
					return resp, nil
				}
				got, err := b.Get(t.Context(), "k")
				if err != nil {
					t.Errorf("once: got %v, want nothing of it to be seen", err)
				}
				wantBytes(t, got, []byte("hello"))
				always = true
				got, err = b.Get(t.Context(), "k")
				wantFault(t, err, fault.Unavailable, tc.code, "KEFU_BUCKET")
				if got != nil {
					t.Errorf("got %q with an error, want nothing", got)
				}
			})
		})
	}
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, errReset }

// Neither a length that is claimed nor one that comes makes the process take more memory than an object may have.
func TestTooLarge(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(*http.Response){
		"claimed": func(r *http.Response) { r.ContentLength = 1 << 50 },
		"by one":  func(r *http.Response) { r.ContentLength = MaxBytes + 1 },
		"endless": func(r *http.Response) { r.ContentLength, r.Body = -1, io.NopCloser(zeros{}) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := &wire{t: t, fault: func(int, *http.Request, func() *http.Response) (*http.Response, error) {
				resp := answer(200, "x")
				resp.TransferEncoding = []string{"chunked"}
				spoil(resp)
				return resp, nil
			}}
			b := New(config(w), Options{Bucket: "kefu-test"})
			_, err := b.Get(t.Context(), "k")
			wantFault(t, err, fault.Internal, "object-too-large", `get "k"`)
			if n := w.calls(); n != 1 {
				t.Errorf("got %d requests, want 1: it will not shrink", n)
			}
		})
	}
	w := &wire{t: t}
	err := New(config(w), Options{Bucket: "kefu-test"}).Put(t.Context(), "k", make([]byte, MaxBytes+1))
	wantFault(t, err, fault.Invalid, "file-too-large", "")
	if got := fault.Status(err); got != http.StatusRequestEntityTooLarge {
		t.Errorf("got status %d, want 413", got)
	}
	if n := w.calls(); n != 0 {
		t.Errorf("got %d requests, want none", n)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func TestNoCredentials(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		creds aws.CredentialsProvider
		names string
	}{
		"none set":  {nil, "AWS_ACCESS_KEY_ID"},
		"none come": {aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) { return aws.Credentials{}, errReset }), errReset.Error()},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := &wire{t: t}
			cfg := config(w)
			cfg.Credentials = tc.creds
			for _, err := range trip(t.Context(), New(cfg, Options{Bucket: "kefu-test"})) {
				wantFault(t, err, fault.Unavailable, "storage-credentials", tc.names)
			}
			if n := w.calls(); n != 0 {
				t.Errorf("got %d requests, want none", n)
			}
		})
	}
}

// An engine that says 404 to a DELETE means that its work is done; one that says it to a PUT means nothing known.
func TestNoSuchKeyElsewhere(t *testing.T) {
	t.Parallel()
	w := &wire{t: t, fault: func(int, *http.Request, func() *http.Response) (*http.Response, error) {
		return answer(http.StatusNotFound, document("NoSuchKey", "")), nil
	}}
	errs := trip(t.Context(), New(config(w), Options{Bucket: "kefu-test"}))
	if errs["delete"] != nil {
		t.Errorf("delete: got %v, want no error", errs["delete"])
	}
	wantFault(t, errs["get"], fault.NotFound, "not-found", "NoSuchKey")
	wantFault(t, errs["put"], fault.Unavailable, "storage-refused", "NoSuchKey")
}

// Over a real connection: the body stops short, and a redirect is an answer, not a way to go with a signature in hand.
func TestOverTCP(t *testing.T) {
	t.Parallel()
	other := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("got %s %s at the address of a redirect, want nobody to go there", r.Method, r.URL)
	}))
	t.Cleanup(other.Close)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/moved") {
			http.Redirect(w, r, other.URL, http.StatusTemporaryRedirect)
			return
		}
		conn, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		out := bufio.NewWriter(conn)
		_, _ = out.WriteString("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhello")
		_ = out.Flush()
		_ = conn.Close()
	}))
	t.Cleanup(srv.Close)
	for name, c := range map[string]*http.Client{"own client": {Transport: &http.Transport{}}, "default client": nil} {
		cfg := config(nil)
		if c != nil {
			cfg.HTTPClient = c
			t.Cleanup(c.CloseIdleConnections)
		}
		cfg.RetryMaxAttempts, cfg.BaseEndpoint = 2, &srv.URL
		b := New(cfg, Options{Bucket: "kefu-test"})
		got, err := b.Get(t.Context(), "cut")
		wantFault(t, err, fault.Unavailable, "storage-unreachable", "1000 bytes")
		if got != nil || !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%s: got %q and %v, want nothing and io.ErrUnexpectedEOF", name, got, err)
		}
		_, err = b.Get(t.Context(), "moved")
		wantFault(t, err, fault.Unavailable, "storage-wrong-region", "KEFU_BUCKET")
	}
}

// A large body is refused before it travels, so that the reason arrives instead of a broken connection.
func TestLargeBodyWaitsForLeave(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if got := r.Header.Get("Expect"); got != "100-continue" {
			t.Errorf("got Expect %q for %d bytes, want 100-continue", got, r.ContentLength)
		}
		w.WriteHeader(http.StatusForbidden)
		_, _ = io.WriteString(w, document("AccessDenied", ""))
	}))
	t.Cleanup(srv.Close)
	transport := &http.Transport{ExpectContinueTimeout: time.Minute}
	t.Cleanup(transport.CloseIdleConnections)
	cfg := config(&http.Client{Transport: transport})
	cfg.BaseEndpoint = &srv.URL
	err := New(cfg, Options{Bucket: "kefu-test"}).Put(t.Context(), "k", make([]byte, MaxBytes))
	wantFault(t, err, fault.Unavailable, "storage-denied", "AccessDenied")
}
