package doctor

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"kefu/shared/core/account"
)

func TestSightingsWith(t *testing.T) {
	t.Parallel()
	at := func(s int) time.Time { return now.Add(time.Duration(s) * time.Second) }
	first := Sightings{}.With(Sighting{At: at(1), Reason: WrongKey, Count: 3}).With(Sighting{At: at(2), Reason: Unsigned})
	if len(first.Refused) != 2 || first.Refused[0].Reason != WrongKey || first.Refused[0].Count != 3 || first.Refused[1].Count != 1 {
		t.Fatalf("two reasons: got %+v", first.Refused)
	}
	more := first.With(Sighting{At: at(3), Reason: WrongKey, Found: "x", Count: MaxCount})
	if got := more.Refused[0]; got.Count != MaxCount || !got.At.Equal(at(3)) || got.Found != "x" {
		t.Errorf("again: got %+v, want the last one and a bounded count", got)
	}
	if first.Refused[0].Count != 3 {
		t.Errorf("With changed what it was called on: %+v", first.Refused[0])
	}
	pushed := more.With(Sighting{At: at(4), Mode: account.Secure})
	if pushed.Refused[0].Count != 0 || pushed.Push.Mode != account.Secure || pushed.Push.Count != 1 || more.Refused[0].Count == 0 {
		t.Errorf("an accepted push: got %+v", pushed)
	}
	for name, v := range map[string]Sighting{"an older push": {At: at(3)}, "the same": {At: at(4)}} {
		if got := pushed.With(v); got.Push.Mode != account.Secure {
			t.Errorf("%s replaced the newest: %+v", name, got.Push)
		}
	}
	checked := pushed.With(Sighting{At: at(5), Check: true}).With(Sighting{At: at(2), Check: true})
	if !checked.Check.At.Equal(at(5)) || !checked.Push.At.Equal(at(4)) {
		t.Errorf("a check: got %+v", checked)
	}
}

// TestNothingSecretIsTold diagnoses an account whose every secret can be recognised, with every reason and trial.
func TestNothingSecretIsTold(t *testing.T) {
	t.Parallel()
	e := healthy()
	e.Account.Token, e.Account.AESKey, e.Account.AESKeyPrevious = "SECRET-1", "SECRET-2", "SECRET-3"
	e.Account.AppSecret, e.Account.Signing.Secret = "SECRET-4", "SECRET-5"
	e.Account.Webhook.URL = "https://shop.example/hook?key=SECRET-6"
	for _, r := range Reasons() {
		e.Seen = e.Seen.With(Sighting{At: now, Reason: r, Found: "found"})
		if _, ok := causes[r]; !ok {
			t.Errorf("reason %s has no likely cause", r)
		}
	}
	for reason := range troubles {
		e.Token.Reason = reason
		b, err := json.Marshal(Diagnose(e))
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(b), "SECRET") {
			t.Errorf("a secret is told: %s", b)
		}
	}
}

func TestID(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"wx0123456789abcdef": "wx0123456789abcdef", "gh_1-A": "gh_1-A", "": "",
		"wx 1": "", "wx\x001": "", "<b>": "", "客服": "", "\xff": "", strings.Repeat("a", 64): strings.Repeat("a", 64), strings.Repeat("a", 65): "",
	} {
		if got := ID([]byte(in)); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

// TestEveryCodeOnce: a code names one thing, so one diagnosis never has it twice.
func TestEveryCodeOnce(t *testing.T) {
	t.Parallel()
	e := healthy()
	for _, r := range Reasons() {
		e.Seen = e.Seen.With(Sighting{At: now, Reason: r})
	}
	seen := map[string]bool{}
	for _, f := range Diagnose(e) {
		if seen[f.Code] || f.Check == "" || f.Text == "" || (f.Level != OK && f.Do == "") {
			t.Errorf("twice or incomplete: %+v", f)
		}
		seen[f.Code] = true
	}
}
