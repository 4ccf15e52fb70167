package awscall

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
)

// TestPauses: they grow up to a bound, however often was tried.
func TestPauses(t *testing.T) {
	t.Parallel()
	for tried, want := range map[int]time.Duration{1: FirstPause, 2: 2 * FirstPause, 5: 16 * FirstPause, 6: LongestPause, 40: LongestPause, 1000: LongestPause} {
		if got := longest(tried); got != want {
			t.Errorf("after %d tries: got %v, want %v", tried, got, want)
		}
	}
}

// down is a service that is out of order.
type down struct{ asked int }

func (d *down) Do(*http.Request) (*http.Response, error) {
	d.asked++
	return nil, errors.New("no route")
}

// TestManyTries: who asks for many tries gets them, within his time.
func TestManyTries(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := &down{}
		c := New(aws.Config{Region: "eu-west-1", HTTPClient: d, RetryMaxAttempts: 60, Credentials: credentials.NewStaticCredentialsProvider("a", "b", "")}, "x", time.Second)
		call := Call[int]{
			Build: func(ctx context.Context) (*http.Request, string, error) {
				req, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://x.example/", http.NoBody)
				return req, "", err
			},
			Passing: func(error) bool { return true },
		}
		if _, err := Do(t.Context(), c, call); err == nil || d.asked != 60 {
			t.Errorf("asked %d times (%v), want 60", d.asked, err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		begin := time.Now()
		if _, err := Do(ctx, c, call); err == nil || time.Since(begin) > 5*time.Second {
			t.Errorf("took %v (%v), want at most 5 s", time.Since(begin), err)
		}
	})
}

// TestRedirect: a signed request follows nobody.
func TestRedirect(t *testing.T) {
	t.Parallel()
	followed := false
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { followed = true }))
	t.Cleanup(other.Close)
	web := httptest.NewServer(http.RedirectHandler(other.URL, http.StatusTemporaryRedirect))
	t.Cleanup(web.Close)
	c := New(aws.Config{Region: "eu-west-1", HTTPClient: &http.Client{}, Credentials: credentials.NewStaticCredentialsProvider("a", "b", "")}, "x", time.Second)
	status, err := Do(t.Context(), c, Call[int]{
		Build: func(ctx context.Context) (*http.Request, string, error) {
			req, err := http.NewRequestWithContext(ctx, http.MethodGet, web.URL, http.NoBody)
			return req, "", err
		},
		Read:    func(resp *http.Response) (int, error) { return resp.StatusCode, nil },
		Passing: func(error) bool { return false },
	})
	if err != nil || status != http.StatusTemporaryRedirect || followed {
		t.Errorf("got status %d, followed %v (%v), want 307 and nobody asked", status, followed, err)
	}
}

func TestHost(t *testing.T) {
	t.Parallel()
	for region, want := range map[string]string{"eu-west-1": "kms.eu-west-1.amazonaws.com", "cn-north-1": "kms.cn-north-1.amazonaws.com.cn", "": "", "a/b": "", "-x": ""} {
		got, err := Host("kms", region)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%q: got %q, %v, want %q", region, got, err, want)
		}
	}
}
