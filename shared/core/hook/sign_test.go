package hook_test

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"kefu/shared/core/account"
	"kefu/shared/core/fault"
	"kefu/shared/core/hook"
)

// vector is the one that the reference libraries test themselves with:
// https://github.com/standard-webhooks/standard-webhooks/blob/main/libraries/go/webhook_test.go
var vector = struct {
	secret    account.Secret
	id        string
	at        time.Time
	body      []byte
	signature string
}{
	"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", time.Unix(1614265330, 0), []byte(`{"test": 2432232314}`),
	"v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
}

func TestSignVector(t *testing.T) {
	t.Parallel()
	v := vector
	for name, tc := range map[string]struct {
		id   string
		at   time.Time
		body []byte
		same bool
	}{
		"as published":     {v.id, v.at, v.body, true},
		"part of a second": {v.id, v.at.Add(time.Second - 1), v.body, true},
		"another id":       {v.id + "x", v.at, v.body, false},
		"a second later":   {v.id, v.at.Add(time.Second), v.body, false},
		"another body":     {v.id, v.at, append([]byte(" "), v.body...), false},
	} {
		got, err := hook.Sign(account.Signing{Secret: v.secret}, tc.id, tc.at, tc.body)
		if err != nil || (got == v.signature) != tc.same {
			t.Errorf("%s: got %s, %v; want the vector's: %t", name, got, err, tc.same)
		}
	}
	if got := hook.Timestamp(v.at); got != "1614265330" {
		t.Errorf("got timestamp %s, want 1614265330", got)
	}
}

// TestRotation: for a day what is told carries both signatures, the new one first.
func TestRotation(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)
	old, err := hook.Rotate(account.Signing{}, rand.Reader, at.Add(-time.Hour))
	if err != nil || old.Secret == "" || old.Previous != "" {
		t.Fatalf("the first secret: got %v, previous %t; want one and no previous", err, old.Previous != "")
	}
	now, err := hook.Rotate(old, rand.Reader, at)
	if err != nil || now.Previous != old.Secret || now.Secret == old.Secret || !now.ChangedAt.Equal(at) {
		t.Fatalf("the second: got %v, changed at %s; want a new one, and the first kept", err, now.ChangedAt)
	}
	sign := func(s account.Signing, at time.Time) string {
		t.Helper()
		got, err := hook.Sign(s, "evt_s-1", at, []byte("{}"))
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	for name, tc := range map[string]struct {
		at   time.Time
		both bool
	}{
		"at once":        {at, true},
		"before the end": {at.Add(account.SigningOverlap - time.Second), true},
		"at the end":     {at.Add(account.SigningOverlap), false},
		"long after":     {at.AddDate(1, 0, 0), false},
	} {
		want := sign(account.Signing{Secret: now.Secret}, tc.at)
		if tc.both {
			want += " " + sign(account.Signing{Secret: old.Secret}, tc.at)
		}
		if got := sign(now, tc.at); got != want {
			t.Errorf("%s: got %s, want %s", name, got, want)
		}
	}
}

func TestSecrets(t *testing.T) {
	t.Parallel()
	one, err := hook.NewSecret(bytes.NewReader(bytes.Repeat([]byte{0xff}, 32)))
	if want := "whsec_" + base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{0xff}, 32)); err != nil || one.Reveal() != want {
		t.Errorf("got %s, %v, want %s", one.Reveal(), err, want)
	}
	if _, err := hook.NewSecret(iotest.ErrReader(errors.New("no dice"))); !errors.Is(err, fault.Unavailable) {
		t.Errorf("without randomness: got %v, want Unavailable", err)
	}
	if s, err := hook.Rotate(account.Signing{Secret: one}, iotest.ErrReader(errors.New("no dice")), time.Time{}); err == nil || s.Secret != one {
		t.Errorf("a rotation without randomness: got %v, want an error and the secret as it was", err)
	}
	coded := func(n int) account.Secret {
		return account.Secret("whsec_" + base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{7}, n)))
	}
	for name, tc := range map[string]struct {
		s    account.Signing
		want string // code; empty: it signs
	}{
		"shortest":     {account.Signing{Secret: coded(24)}, ""},
		"longest":      {account.Signing{Secret: coded(64)}, ""},
		"none":         {account.Signing{}, "no-signing-secret"},
		"too short":    {account.Signing{Secret: coded(23)}, "bad-signing-secret"},
		"too long":     {account.Signing{Secret: coded(65)}, "bad-signing-secret"},
		"no prefix":    {account.Signing{Secret: coded(32)[6:]}, "bad-signing-secret"},
		"no base64":    {account.Signing{Secret: "whsec_*" + coded(32)[6:]}, "bad-signing-secret"},
		"bad previous": {account.Signing{Secret: coded(32), Previous: "sesame", ChangedAt: vector.at}, "bad-signing-secret"},
	} {
		_, err := hook.Sign(tc.s, "id", vector.at, nil)
		if got := code(err); got != tc.want {
			t.Errorf("%s: got %q, want %q", name, got, tc.want)
		}
		if text := fmt.Sprint(err); strings.Contains(text, "BwcH") || strings.Contains(text, "sesame") {
			t.Errorf("%s: the error tells of the secret: %s", name, text)
		}
	}
}

func code(err error) string {
	if err == nil {
		return ""
	}
	return fault.CodeOf(err)
}
