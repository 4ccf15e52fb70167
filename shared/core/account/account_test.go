package account

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"kefu/shared/core/fault"
	"kefu/shared/core/quota"
)

func complete() Account {
	return Account{
		ID: "shop", Channel: MiniProgram, AppID: "wx0123456789abcdef", Mode: Secure, Format: JSON,
		Token: "kfToken2026", AESKey: "aozyxq4R650BCa5DxPYsLsBF2fPPCyUnOo8Ni0Whbc0",
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		change func(*Account)
		want   string // part of the detail; empty: fine
	}{
		{"complete", func(*Account) {}, ""},
		{"plaintext needs no AES key", func(a *Account) { a.Mode, a.AESKey = Plaintext, "" }, ""},
		{"a key whose last character has spare bits", func(a *Account) { a.AESKey = "rveUEcRZy6I2qWdY1qfru2nlYZAUDk6U2qmtiScUTGG" }, ""},
		{"no channel", func(a *Account) { a.Channel = "" }, "channel"},
		{"channel of another sheet", func(a *Account) { a.Channel = "kf" }, "channel"},
		{"no app id", func(a *Account) { a.AppID = "" }, "app_id"},
		{"app id with a slash", func(a *Account) { a.AppID = "wx/1" }, "app_id"},
		{"no token", func(a *Account) { a.Token = "" }, "token"},
		{"no AES key", func(a *Account) { a.AESKey = "" }, "aes_key"},
		{"compatible needs one too", func(a *Account) { a.Mode, a.AESKey = Compatible, "" }, "aes_key"},
		{"AES key of 42 characters", func(a *Account) { a.AESKey = a.AESKey[1:] }, "43"},
		{"AES key with its padding", func(a *Account) { a.AESKey += "=" }, "43"},
		{"previous key of a wrong length", func(a *Account) { a.AESKeyPrevious = "abc" }, "aes_key_previous"},
		{"no mode", func(a *Account) { a.Mode = "" }, "mode"},
		{"no format", func(a *Account) { a.Format = "yaml" }, "format"},
		{"negative life", func(a *Account) { a.Settings.HoldFor = -1 }, "hold_for"},
		{"unknown preset", func(a *Account) { a.Settings.Windows = "2030" }, "settings.windows"},
		{"grant without limit", func(a *Account) { a.Settings.Grants = []GrantRule{{Action: quota.Message, For: Duration(time.Hour)}} }, "grants[0]"},
		{"grant for longer than the platform knows", func(a *Account) {
			a.Settings.Grants = []GrantRule{{Action: quota.Message, Limit: 5, For: Duration(49 * time.Hour)}}
		}, "grants[0]"},
		{"grant for nothing known", func(a *Account) {
			a.Settings.Grants = []GrantRule{{Action: "dance", Limit: 5, For: Duration(time.Hour)}}
		}, "grants[0]"},
		{"typing path of another host", func(a *Account) { a.Settings.TypingPath = "https://a.example/" }, "typing_path"},
		{"typing path of another call", func(a *Account) { a.Settings.TypingPath = "/cgi-bin/clear_quota" }, "typing_path"},
		{"typing path with more behind it", func(a *Account) { a.Settings.TypingPath = DefaultTypingPath + "?x=1" }, "typing_path"},
		{"the default typing path", func(a *Account) { a.Settings.TypingPath = DefaultTypingPath }, ""},
		{"the other typing path", func(a *Account) { a.Settings.TypingPath = "/cgi-bin/message/custom/business/typing" }, ""},
		{"assign mode", func(a *Account) { a.Settings.Routing.Assign.Mode = "magic" }, "assign.mode"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			a := complete()
			tt.change(&a)
			err := a.Check()
			if tt.want == "" && err != nil {
				t.Fatalf("got %v, want none", err)
			}
			if tt.want != "" && (fault.KindOf(err) != fault.Invalid || !strings.Contains(fault.DetailOf(err), tt.want)) {
				t.Errorf("got %v, want one that speaks of %q", err, tt.want)
			}
			if err != nil && a.AESKey != "" && strings.Contains(err.Error(), string(a.AESKey)) {
				t.Error("the error repeats the key")
			}
		})
	}
}

func TestSecretsDontPrint(t *testing.T) {
	t.Parallel()
	a := complete()
	j, err := json.Marshal(map[string]any{"account": a, "token": a.Token})
	if err != nil {
		t.Fatal(err)
	}
	var log strings.Builder
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "token", a.Token, "account", a)
	all := fmt.Sprintf("%v %+v %#v %s %q %x", a, a, a, a.Token, a.Token, a.Token) + string(j) + log.String()
	for _, secret := range []Secret{a.Token, a.AESKey} {
		if strings.Contains(all, secret.Reveal()) || strings.Contains(all, fmt.Sprintf("%x", secret.Reveal())) {
			t.Errorf("a secret shows in %s", all)
		}
	}
}

func TestSettings(t *testing.T) {
	t.Parallel()
	var s Settings
	if err := json.Unmarshal([]byte(`{"hold_for":"90m","grants":[{"action":"message","limit":7,"for":"24h"}]}`), &s); err != nil {
		t.Fatal(err)
	}
	if s.HoldLife() != 90*time.Minute || s.SessionLife() != DefaultSessionFor || s.Typing() != DefaultTypingPath || s.MediaLife() != DefaultKeepMediaFor {
		t.Errorf("got %v %v %v %v", s.HoldLife(), s.SessionLife(), s.Typing(), s.MediaLife())
	}
	if g := s.Table(MiniProgram)[quota.Message]; g.Limit != 7 || g.For != 24*time.Hour {
		t.Errorf("own grants: got %+v", g)
	}
	for channel, want := range map[Channel]int{MiniProgram: 2, Official: 4} {
		if got := len(Settings{}.Table(channel)); got != want {
			t.Errorf("%s: %d kinds of grants by default, want %d", channel, got, want)
		}
	}
	if got := (Settings{Windows: quota.Official2021}).Table(Official)[quota.Message].Limit; got != 20 {
		t.Errorf("preset of 2021: %d messages, want 20", got)
	}
	for _, bad := range []string{`{"hold_for":5}`, `{"hold_for":"two days"}`} {
		if err := json.Unmarshal([]byte(bad), &s); err == nil {
			t.Errorf("%s is taken for a duration", bad)
		}
	}
	b, err := json.Marshal(Settings{HoldFor: Duration(time.Hour)})
	if err != nil || string(b) != `{"hold_for":"1h0m0s"}` {
		t.Errorf("got %s, %v", b, err)
	}
}

func TestRouting(t *testing.T) {
	t.Parallel()
	r := Routing{Assign: Assign{Mode: Auto, AutoAbove: 2}}
	for waiting, want := range map[int]bool{0: false, 2: false, 3: true} {
		if got := r.Automatic(waiting); got != want {
			t.Errorf("%d waiting: got %v, want %v", waiting, got, want)
		}
	}
	if (Routing{}).Automatic(99) {
		t.Error("without a mode sessions are taken by hand")
	}
}

// A path that an earlier version let pass is loaded and never called.
func TestTypingIsSentToKnownPathsAlone(t *testing.T) {
	t.Parallel()
	var s Settings
	if err := json.Unmarshal([]byte(`{"typing_path":"/cgi-bin/clear_quota"}`), &s); err != nil || s.Typing() != DefaultTypingPath {
		t.Errorf("got %q, %v; want the default path", s.Typing(), err)
	}
	if s.TypingPath = "/cgi-bin/message/custom/business/typing"; s.Typing() != s.TypingPath {
		t.Errorf("got %q; want the path that was set", s.Typing())
	}
}
