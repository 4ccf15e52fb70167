package app

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"kefu/shared/core/account"
	"kefu/shared/core/fault"
)

// inCloud are complete settings of a cloud, without a local engine.
func inCloud(change map[string]string) func(string) string {
	all := map[string]string{
		"KEFU_ENGINE": "aws", "KEFU_TABLE": "kefu-dev", "KEFU_BUCKET": "b", "KEFU_KMS_KEY": "alias/kefu",
		"KEFU_QUEUE_INBOUND": "https://sqs/1/in.fifo", "KEFU_QUEUE_ROUTE": "https://sqs/1/r", "KEFU_QUEUE_OUTBOUND": "https://sqs/1/o",
		"KEFU_QUEUE_HOOKS":      "https://sqs/1/h.fifo",
		"KEFU_ADMIN_KEY_SHA256": strings.Repeat("ab", 32),
		"AWS_REGION":            "eu-central-1", "AWS_ACCESS_KEY_ID": "AKIA", "AWS_SECRET_ACCESS_KEY": "very-secret",
	}
	for k, v := range change {
		all[k] = v
	}
	return func(name string) string { return all[name] }
}

func TestCloudSettings(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		change map[string]string
		want   string // in the error; empty: none
	}{
		"complete":            {nil, ""},
		"engine":              {map[string]string{"KEFU_ENGINE": "gcp"}, "KEFU_ENGINE"},
		"no table":            {map[string]string{"KEFU_TABLE": ""}, ""}, // for the functions see TestNeeds
		"no region":           {map[string]string{"AWS_REGION": ""}, "AWS_REGION"},
		"no credentials":      {map[string]string{"AWS_ACCESS_KEY_ID": ""}, "AWS_ACCESS_KEY_ID"},
		"half credentials":    {map[string]string{"AWS_SECRET_ACCESS_KEY": ""}, "AWS_SECRET_ACCESS_KEY"},
		"hash of the key":     {map[string]string{"KEFU_ADMIN_KEY_SHA256": "abc"}, "KEFU_ADMIN_KEY_SHA256"},
		"key itself":          {map[string]string{"KEFU_ADMIN_KEY": "a-key-of-the-operator"}, "KEFU_ADMIN_KEY must not"},
		"secret key":          {map[string]string{"KEFU_SECRET_KEY": strings.Repeat("ab", 32)}, "KEFU_SECRET_KEY must not"},
		"clock":               {map[string]string{"KEFU_CLOCK_OFFSET": "48h"}, "KEFU_CLOCK_OFFSET"},
		"clock, no duration":  {map[string]string{"KEFU_CLOCK_OFFSET": "soon"}, "KEFU_CLOCK_OFFSET"},
		"local, clock":        {map[string]string{"KEFU_CLOCK_OFFSET": "48h", "AWS_ENDPOINT_URL_DYNAMODB": "http://127.0.0.1:8000"}, ""},
		"local, key itself":   {map[string]string{"KEFU_ADMIN_KEY": "a-key-of-the-operator", "AWS_ENDPOINT_URL": "http://localhost:8000"}, ""},
		"elsewhere, with key": {map[string]string{"KEFU_ADMIN_KEY": "a-key-of-the-operator", "AWS_ENDPOINT_URL": "http://10.0.0.1:8000"}, "KEFU_ADMIN_KEY must not"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := FromEnv(inCloud(tc.change))
			switch {
			case tc.want == "" && err != nil:
				t.Errorf("got %v; want no error", err)
			case tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)):
				t.Errorf("got %v; want one that names %s", err, tc.want)
			case err != nil && (strings.Contains(err.Error(), "very-secret") || strings.Contains(err.Error(), "operator")):
				t.Errorf("the error repeats a secret: %v", err)
			}
		})
	}
}

func TestNeeds(t *testing.T) {
	t.Parallel()
	for function, names := range needs {
		if c, err := FromEnv(inCloud(nil)); err != nil || c.need(function) != nil {
			t.Errorf("%s with all settings: %v, %v", function, err, c.need(function))
		}
		for _, name := range names {
			c, err := FromEnv(inCloud(map[string]string{name: ""}))
			if err != nil {
				t.Fatal(err)
			}
			if err := c.need(function); err == nil || !strings.Contains(err.Error(), name) {
				t.Errorf("%s without %s: got %v; want its name", function, name, err)
			}
		}
		if err := (Config{}).need(function); err != nil {
			t.Errorf("%s on the embedded engine needs none of that: %v", function, err)
		}
	}
}

// TestCloudClock: the offset moves the clock of a local engine.
func TestCloudClock(t *testing.T) {
	t.Parallel()
	c, err := FromEnv(inCloud(map[string]string{"KEFU_CLOCK_OFFSET": "48h", "AWS_ENDPOINT_URL": "http://127.0.0.1:1"}))
	if err != nil {
		t.Fatal(err)
	}
	if ahead := time.Until(c.Now()); ahead < 47*time.Hour || ahead > 49*time.Hour {
		t.Errorf("the clock is %v ahead; want 48h", ahead)
	}
}

// source counts how often an account is read.
type source struct {
	mu    sync.Mutex
	reads int
	token account.Secret
	err   error
}

func (s *source) Account(_ context.Context, id account.ID) (account.Account, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reads++
	return account.Account{ID: id, Token: s.token}, s.err
}

func TestAccountCache(t *testing.T) {
	t.Parallel()
	from := &source{token: "old"}
	clock := time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)
	c := newAccountCache(from, func() time.Time { return clock })
	read := func(from interface {
		Account(context.Context, account.ID) (account.Account, error)
	},
	) string {
		t.Helper()
		a, err := from.Account(t.Context(), "shop")
		if err != nil {
			return fault.CodeOf(err)
		}
		return a.Token.Reveal()
	}
	want := func(what, got, want string, reads int) {
		t.Helper()
		if got != want || from.reads != reads {
			t.Errorf("%s: got %s after %d reads; want %s after %d", what, got, from.reads, want, reads)
		}
	}
	want("first", read(c), "old", 1)
	from.token = "new"
	clock = clock.Add(accountAge - 1)
	want("within its age", read(c), "old", 1)
	want("asked for a fresh one", read(c.fresh()), "new", 2)
	want("and then for all", read(c), "new", 2)
	from.token = "newer"
	clock = clock.Add(freshAge - 1)
	want("fresh enough", read(c.fresh()), "new", 2)
	clock = clock.Add(accountAge)
	want("over its age", read(c), "newer", 3)
	from.err = fault.NotFound
	clock = clock.Add(accountAge)
	want("deleted", read(c), "not-found", 4)
	from.err = nil
	want("a fault isn't kept", read(c), "newer", 5)
	clock = clock.Add(-time.Hour)
	want("the clock went back", read(c), "newer", 6)
}

func TestAccountCacheAtOnce(t *testing.T) {
	t.Parallel()
	from := &source{token: "t"}
	c := newAccountCache(from, time.Now)
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			if _, err := c.Account(t.Context(), "shop"); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if from.reads != 1 {
		t.Errorf("50 at once made %d reads; want 1", from.reads)
	}
	for i := range 3 * accountsKept {
		if _, err := c.Account(t.Context(), account.ID(strings.Repeat("x", i%7)+time.Duration(i).String())); err != nil {
			t.Fatal(err)
		}
	}
	if len(c.kept) > accountsKept {
		t.Errorf("%d accounts are kept; want at most %d", len(c.kept), accountsKept)
	}
}

func TestRests(t *testing.T) {
	t.Parallel()
	last := time.Duration(0)
	for i := range 8 {
		d := rest(i)
		if d < last || d <= 0 {
			t.Errorf("delivery %d: got %v after %v; want growing pauses", i, d, last)
		}
		last = d
	}
	if first := rest(1); first > 5*time.Second {
		t.Errorf("a passing fault costs %v", first)
	}
}

// TestWarm: each endpoint is asked once, and one that doesn't answer holds nobody up.
func TestWarm(t *testing.T) {
	t.Parallel()
	var asked atomic.Int32
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		w.WriteHeader(http.StatusNotFound)
	}))
	defer web.Close()
	warm(t.Context(), web.Client(), []string{web.URL, "http://127.0.0.1:1", web.URL + "/x", ":"})
	if asked.Load() != 2 {
		t.Errorf("got %d requests; want 2", asked.Load())
	}
}

// TestCloudEndpoints: the China partition has a domain of its own.
func TestCloudEndpoints(t *testing.T) {
	t.Parallel()
	got, err := json.Marshal(append(Cloud{Region: "eu-west-1", KMSKey: "k"}.endpoints(), Cloud{Region: "cn-north-1", SQSURL: "http://x"}.endpoints()...))
	const want = `["https://dynamodb.eu-west-1.amazonaws.com/","https://sqs.eu-west-1.amazonaws.com/","https://kms.eu-west-1.amazonaws.com/",` +
		`"https://dynamodb.cn-north-1.amazonaws.com.cn/","http://x"]`
	if err != nil || string(got) != want {
		t.Errorf("got %s, %v\nwant %s", got, err, want)
	}
}
