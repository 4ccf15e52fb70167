package dynamo

import (
	"testing"

	"kefu/shared/core/account"
	"kefu/shared/core/doctor"
)

// TestASightingCosts one write of one item, whatever has been seen before, and the item ends.
func TestASightingCosts(t *testing.T) {
	t.Parallel()
	s, ctx := newCosting(t), t.Context()
	push := doctor.Sighting{Account: "shop", At: noon, Mode: account.Compatible, Format: account.JSON, SentAt: noon}
	check := doctor.Sighting{Account: "shop", At: noon, Check: true}
	note := func(what string, v doctor.Sighting) {
		t.Helper()
		s.wantCost(t, what, Usage{Write: 1}, func() error { return s.NoteSighting(ctx, v) })
	}
	for range 2 {
		for _, r := range doctor.Reasons() {
			v := doctor.Sighting{Account: "shop", At: noon, Check: true, Reason: r, Count: 123456}
			switch r {
			case doctor.WrongAppID, doctor.WrongOriginalID:
				v.Found = "wx0123456789abcdef"
			case doctor.Unreadable:
				v.Mode, v.Format, v.SentAt = account.Compatible, account.JSON, noon
			default:
			}
			note(string(r), v)
		}
		push.At, check.At = push.At.Add(1), check.At.Add(1)
		note("push", push)
		note("check", check)
	}
	in, err := s.get(ctx, sightingKey("shop"), true)
	must(t, err)
	if got, least := readNumber(in[attrTTL]), noon.Add(doctor.Memory).Unix(); got < least {
		t.Errorf("got ttl %d; want %d at least", got, least)
	}
}

// TestReasonsKeepTheirLetters: a reason without one would take another's place.
func TestReasonsKeepTheirLetters(t *testing.T) {
	t.Parallel()
	seen := map[string]doctor.Reason{"": "none", "c": "checks", "p": "pushes"}
	for _, r := range doctor.Reasons() {
		letter := reasonLetters[r]
		if other, taken := seen[letter]; taken {
			t.Errorf("%s has the letter %q of %s", r, letter, other)
		}
		seen[letter] = r
	}
}

func TestABrokenSightingIsAnError(t *testing.T) {
	t.Parallel()
	for _, packed := range []string{"x", "|||||", "!|||||", "1||||!|"} {
		v := doctor.Sighting{Reason: doctor.WrongKey}
		err := unpackSighting(packed, &v)
		if whole := packed == "|||||"; (err == nil) != whole {
			t.Errorf("%q: got error %v", packed, err)
		}
	}
}
