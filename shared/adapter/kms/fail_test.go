package kms

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"kefu/shared/adapter/awscall"
	"kefu/shared/adapter/kms/kmsfake"
	"kefu/shared/core/fault"
)

var deny = kmsfake.Fault{Error: "AccessDeniedException"}

// both calls Seal and Open with nothing in memory, and returns their errors.
func both(ctx context.Context, t *testing.T, sealed []byte, vault func() *Vault) map[string]error {
	t.Helper()
	_, sealing := vault().Seal(ctx, "o", []byte("hunter2"))
	got, opening := vault().Open(ctx, "o", sealed)
	if opening == nil && string(got) != "hunter2" {
		t.Errorf("got %q, want the secret", got)
	}
	return map[string]error{"generate": sealing, "decrypt": opening}
}

func TestReasons(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		code  string
		tries int
	}{
		"AccessDeniedException":               {"secrets-denied", 1},
		"NotFoundException":                   {"secrets-no-key", 1},
		"InvalidArnException":                 {"secrets-no-key", 1},
		"DisabledException":                   {"secrets-key-disabled", 1},
		"KMSInvalidStateException":            {"secrets-key-disabled", 1},
		"KeyUnavailableException":             {"secrets-key-disabled", 4},
		"InvalidKeyUsageException":            {"secrets-key-kind", 1},
		"IncorrectKeyException":               {"secrets-other-key", 1},
		"InvalidCiphertextException":          {"secrets-unreadable", 1},
		"UnrecognizedClientException":         {"secrets-credentials", 1},
		"InvalidSignatureException":           {"secrets-credentials", 1},
		"MissingAuthenticationTokenException": {"secrets-credentials", 1},
		"ExpiredTokenException":               {"secrets-credentials", 1},
		"ValidationException":                 {"secrets-settings", 1},
		"RequestExpired":                      {"secrets-credentials", 1},
		"ThrottlingException":                 {"secrets-busy", 4},
		"RequestTimeout":                      {"secrets-busy", 4},
		"LimitExceededException":              {"secrets-busy", 4},
		"KMSInternalException":                {"secrets-unavailable", 4},
		"DependencyTimeoutException":          {"secrets-unavailable", 4},
		"InternalFailure":                     {"secrets-unavailable", 4},
		"TagException":                        {"secrets-refused", 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				fake := newFake()
				sealed := seal(t, newVault(fake, nil), "o", "hunter2")
				fake.Inject(kmsfake.Fault{Error: name})
				for op, err := range both(t.Context(), t, sealed, func() *Vault { return newVault(fake, nil) }) {
					wantFault(t, err, fault.Unavailable, tc.code, fmt.Sprintf("%s a data key", op))
					wantFault(t, err, fault.Unavailable, tc.code, fmt.Sprintf("KEFU_KMS_KEY %q, AWS_REGION %q", keyID, kmsfake.Region))
					var answered *awscall.Refusal
					if !errors.As(err, &answered) || answered.Code != name {
						t.Errorf("got %v, want %s as its cause", err, name)
					}
				}
				wantCalls(t, fake, 1+tc.tries, tc.tries)
			})
		})
	}
}

// What really goes wrong with keys, as KMS itself says it.
func TestKeysThatDoNotServe(t *testing.T) {
	t.Parallel()
	fake := kmsfake.New(kmsfake.Options{Keys: []string{keyID, "another"}})
	sealed := seal(t, newVault(fake, nil), "o", "hunter2")
	abroad := kmsfake.New(kmsfake.Options{Keys: []string{keyID}, Region: "eu-west-1"})
	for name, tc := range map[string]struct {
		fake     *kmsfake.Fake
		keyID    string
		prepare  func(*kmsfake.Fake)
		generate string // codes, empty for success
		decrypt  string
	}{
		"by id":            {fake, keyID, nil, "", ""},
		"by ARN":           {fake, fake.ARN(keyID), nil, "", ""},
		"none set":         {fake, "", nil, "secrets-settings", "secrets-settings"},
		"no such key":      {fake, "none", nil, "secrets-no-key", "secrets-no-key"},
		"of another place": {fake, abroad.ARN(keyID), nil, "secrets-no-key", "secrets-no-key"},
		"replaced":         {fake, "another", nil, "", "secrets-other-key"},
		"wrong region":     {abroad, keyID, nil, "secrets-credentials", "secrets-credentials"},
		"stranger's KMS":   {kmsfake.New(kmsfake.Options{Keys: []string{keyID}}), keyID, nil, "", "secrets-unreadable"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			vault := func() *Vault { return New(config(direct{handler: tc.fake}), Options{KeyID: tc.keyID}) }
			errs := both(t.Context(), t, sealed, vault)
			for op, code := range map[string]string{"generate": tc.generate, "decrypt": tc.decrypt} {
				if code == "" && errs[op] != nil {
					t.Errorf("%s: got %v, want no error", op, errs[op])
				} else if code != "" {
					wantFault(t, errs[op], fault.Unavailable, code, "KEFU_KMS_KEY")
				}
			}
		})
	}
}

func TestKeyStates(t *testing.T) {
	t.Parallel()
	fake, c := newFake(), newClock()
	v := newVault(fake, c.now)
	sealed := seal(t, v, "o", "hunter2")
	for _, state := range []kmsfake.State{kmsfake.Disabled, kmsfake.PendingDeletion} {
		fake.SetState(keyID, state)
		wantOpen(t, v, "o", sealed, "hunter2") // until MaxAge nobody asks
		for _, err := range both(t.Context(), t, sealed, func() *Vault { return newVault(fake, c.now) }) {
			wantFault(t, err, fault.Unavailable, "secrets-key-disabled", keyID)
		}
	}
	c.move(time.Hour)
	_, err := v.Open(t.Context(), "o", sealed)
	wantFault(t, err, fault.Unavailable, "secrets-key-disabled", keyID)
	fake.SetState(keyID, kmsfake.Enabled)
	wantOpen(t, v, "o", sealed, "hunter2")
}

// Throttling, lost answers and connections that break pass unseen up to three times, and a call ends in any case.
func TestPassingFaults(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]kmsfake.Fault{"throttled": {Error: "ThrottlingException"}, "answer lost": {Lose: true}} {
		for n := 1; n <= 6; n++ {
			t.Run(fmt.Sprintf("%s %d times", name, n), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					fake := newFake()
					sealed := seal(t, newVault(fake, nil), "o", "hunter2")
					for _, op := range []string{"GenerateDataKey", "Decrypt"} {
						fake.Inject(kmsfake.Fault{Operation: op, Error: f.Error, Lose: f.Lose, Times: n})
					}
					begin := time.Now()
					for op, err := range both(t.Context(), t, sealed, func() *Vault { return newVault(fake, nil) }) {
						if n < awscall.DefaultTries && err != nil {
							t.Errorf("%s: got %v, want nothing of it to be seen", op, err)
						}
						if n >= awscall.DefaultTries && fault.KindOf(err) != fault.Unavailable {
							t.Errorf("%s: got %v, want Unavailable", op, err)
						}
					}
					tries := min(n+1, awscall.DefaultTries)
					wantCalls(t, fake, 1+tries, tries)
					if took := time.Since(begin); took > 2*callTime {
						t.Errorf("took %v for two calls, want at most %v", took, 2*callTime)
					}
				})
			})
		}
	}
}

func TestRetriesAsConfigured(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		fake := newFake()
		fake.Inject(kmsfake.Fault{Error: "ThrottlingException"})
		cfg := config(direct{handler: fake})
		cfg.RetryMaxAttempts = 2
		_, err := New(cfg, Options{KeyID: keyID}).Seal(t.Context(), "o", nil)
		wantFault(t, err, fault.Unavailable, "secrets-busy", "ThrottlingException")
		wantCalls(t, fake, 2, 0)
	})
}

func TestContextEnds(t *testing.T) {
	t.Parallel()
	silent := func(r *http.Request) error { <-r.Context().Done(); return r.Context().Err() }
	for name, tc := range map[string]struct {
		timeout time.Duration // of the caller; 0: none
		code    string
		took    time.Duration
	}{
		"caller's time": {time.Second, "cancelled", time.Second},
		"its own time":  {0, "secrets-unreachable", callTime},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				sealed := seal(t, newVault(newFake(), nil), "o", "hunter2")
				ctx := context.Background()
				if tc.timeout > 0 {
					var cancel func()
					ctx, cancel = context.WithTimeout(ctx, tc.timeout)
					defer cancel()
				}
				begin := time.Now()
				_, err := New(config(direct{newFake(), silent}), Options{KeyID: keyID}).Open(ctx, "o", sealed)
				wantFault(t, err, fault.Unavailable, tc.code, "decrypt a data key")
				if took := time.Since(begin); took != tc.took {
					t.Errorf("took %v, want %v", took, tc.took)
				}
			})
		})
	}
	t.Run("before", func(t *testing.T) {
		t.Parallel()
		fake := newFake()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		for _, err := range both(ctx, t, nil, func() *Vault { return newVault(fake, nil) }) {
			wantFault(t, err, fault.Unavailable, "cancelled", "")
		}
		for _, err := range both(ctx, t, nil, func() *Vault { return Static([32]byte{}) }) {
			wantFault(t, err, fault.Unavailable, "cancelled", "")
		}
		wantCalls(t, fake, 0, 0)
	})
}

// A pause ends with its caller, who hears the reason that there was, and nobody begins one that time is too short for.
func TestContextEndsInAPause(t *testing.T) {
	t.Parallel()
	for name, timeout := range map[string]time.Duration{"in it": 0, "before it": time.Nanosecond} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				fake := newFake()
				fake.Inject(kmsfake.Fault{Error: "ThrottlingException"})
				ctx, cancel := context.WithCancel(t.Context())
				if timeout > 0 {
					ctx, cancel = context.WithTimeout(t.Context(), timeout)
				}
				defer cancel()
				begin, done := time.Now(), make(chan error)
				go func() {
					_, err := newVault(fake, nil).Seal(ctx, "o", []byte("hunter2"))
					done <- err
				}()
				if timeout == 0 {
					synctest.Wait() // it pauses, and time does not move
					cancel()
				}
				wantFault(t, <-done, fault.Unavailable, "secrets-busy", "ThrottlingException")
				if took := time.Since(begin); took != 0 {
					t.Errorf("got an answer after %v, want at once", took)
				}
				wantCalls(t, fake, 1, 0)
			})
		})
	}
}

// Answers that are none of KMS's.
func TestStrangeAnswers(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		status int
		body   string
		code   string
	}{
		"gateway":      {http.StatusBadGateway, "<html>Bad gateway</html>", "secrets-unavailable"},
		"web page":     {http.StatusOK, "<html>hello</html>", "secrets-refused"},
		"other page":   {http.StatusNotFound, "<html>not here</html>", "secrets-refused"},
		"moved":        {http.StatusTemporaryRedirect, "", "secrets-refused"},
		"no key in it": {http.StatusOK, "{}", "secrets-refused"},
		"no bytes":     {http.StatusOK, `{"Plaintext":"hunter2!","CiphertextBlob":{}}`, "secrets-refused"},
		"short key":    {http.StatusOK, `{"Plaintext":"aHVudGVyMg==","CiphertextBlob":"aHVudGVyMg=="}`, "secrets-refused"},
		"cut":          {http.StatusOK, `{"Plaintext":"aHVudGVyMg`, "secrets-refused"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				sealed := seal(t, newVault(newFake(), nil), "o", "hunter2")
				strange := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
					w.Header().Set("Content-Type", "application/x-amz-json-1.1")
					w.WriteHeader(tc.status)
					_, _ = io.WriteString(w, tc.body)
				})
				for _, err := range both(t.Context(), t, sealed, func() *Vault { return newVault(strange, nil) }) {
					wantFault(t, err, fault.Unavailable, tc.code, "KEFU_KMS_KEY")
				}
			})
		})
	}
}

// A data key without what it is encrypted to, or with more than KMS would decrypt, can't stand in front of a secret.
func TestUselessDataKeys(t *testing.T) {
	t.Parallel()
	for _, size := range []int{0, maxEncrypted + 1} {
		useless := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_ = json.NewEncoder(w).Encode(answer{Plaintext: make([]byte, keySize), CiphertextBlob: make([]byte, size)})
		})
		_, err := newVault(useless, nil).Seal(t.Context(), "o", []byte("hunter2"))
		wantFault(t, err, fault.Unavailable, "secrets-refused", "no data key")
	}
}

// Over a real connection, at the address of the configuration.
func TestOverTCP(t *testing.T) {
	t.Parallel()
	fake := newFake()
	srv := httptest.NewServer(fake)
	t.Cleanup(srv.Close)
	cfg := config(srv.Client())
	cfg.BaseEndpoint = &srv.URL
	vault := func() *Vault { return New(cfg, Options{KeyID: keyID}) }
	fake.Inject(kmsfake.Fault{Operation: "GenerateDataKey", Lose: true, Times: 1})
	sealed := seal(t, vault(), "o", "hunter2")
	wantOpen(t, vault(), "o", sealed, "hunter2")
	srv.Close()
	for _, err := range both(t.Context(), t, sealed, vault) {
		wantFault(t, err, fault.Unavailable, "secrets-unreachable", "AWS_ENDPOINT_URL_KMS")
	}
}
