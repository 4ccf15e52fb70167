package wechat_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"kefu/shared/adapter/wechat"
	"kefu/shared/core/account"
	"kefu/shared/core/doctor"
)

// TestOpenTellsHowItCame: mode, format and time are those of the push, whatever the account's settings say.
func TestOpenTellsHowItCame(t *testing.T) {
	t.Parallel()
	for _, came := range []account.Mode{account.Plaintext, account.Compatible, account.Secure} {
		for _, format := range []account.Format{account.JSON, account.XML} {
			for _, set := range []account.Mode{account.Plaintext, account.Compatible, account.Secure} {
				if came == account.Plaintext && set != came {
					continue // is refused
				}
				acc := secureAccount(format)
				acc.Mode = came
				d := deliver(t, acc, currentKey, matrixFields[format])
				acc.Mode, acc.Format = set, account.XML
				var inbox wechat.Inbox
				p, err := inbox.Open(acc, d.query, []byte("\r\n "+d.body), arrival)
				if err != nil || p.Mode != came || p.Format != format || !p.SentAt.Equal(time.Unix(1700000000, 0)) {
					t.Errorf("%s %s to an account set to %s: got %q %q %v, %v", came, format, set, p.Mode, p.Format, p.SentAt, err)
				}
			}
		}
	}
}

// TestRefusalTellsTheOtherID, and nothing that isn't one.
func TestRefusalTellsTheOtherID(t *testing.T) {
	t.Parallel()
	secure := secureAccount(account.XML)
	plain := secure
	plain.Mode = account.Plaintext
	for name, tc := range map[string]struct {
		acc   account.Account
		spoil func(*delivery)
		want  string
	}{
		"another app id": {secure, func(d *delivery) { d.acc.AppID = "wxother" }, secure.AppID},
		"no app id": {secure, func(d *delivery) {
			acc := d.acc
			acc.AppID = "<a href>"
			*d = deliver(t, acc, currentKey, matrixFields[account.XML])
			d.acc = secure
		}, ""},
		"another account, said outside": {secure, func(d *delivery) { d.body = strings.Replace(d.body, "gh_0123456789ab", "gh_other", 1) }, "gh_other"},
		"another account, said inside": {secure, func(d *delivery) {
			*d = deliver(t, d.acc, currentKey, strings.Replace(matrixFields[account.XML], "gh_0123456789ab", "gh_other", 1))
		}, "gh_other"},
		"another account, in the clear": {plain, func(d *delivery) { d.body = strings.Replace(d.body, "gh_0123456789ab", "gh_other", 1) }, "gh_other"},
		"no account, in the clear":      {plain, func(d *delivery) { d.body = strings.Replace(d.body, "gh_0123456789ab", "gh other", 1) }, ""},
	} {
		d := deliver(t, tc.acc, currentKey, matrixFields[account.XML])
		tc.spoil(&d)
		var inbox wechat.Inbox
		_, err := inbox.Open(d.acc, d.query, []byte(d.body), arrival)
		other := &doctor.Mismatch{Found: "none"}
		if !errors.As(err, &other) || other.Found != tc.want {
			t.Errorf("%s: got %q in %v; want %q", name, other.Found, err, tc.want)
		}
	}
}

func TestStrangeTimestamps(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]time.Time{
		"1700000000": time.Unix(1700000000, 0), "": {}, "-1": {}, "0": {}, "1e9": {}, "99999999999999999999": {}, "17000000000": {}, "now": {},
	} {
		if got := wechat.SentAt(text); !got.Equal(want) {
			t.Errorf("%q: got %v, want %v", text, got, want)
		}
	}
}
