package app_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"kefu/shared/adapter/wechat/wxfake"
	"kefu/shared/core/doctor"
)

// findings are the codes of what is wrong with an account, and whether it works.
func (r *rig) findings(id string) (codes string, healthy bool) {
	r.t.Helper()
	report, err := r.system.Doctor().Examine(r.ctx, "shop")
	if err != nil {
		r.t.Fatal(err)
	}
	var wrong []string
	for _, f := range report.Findings {
		if f.Level != doctor.OK {
			wrong = append(wrong, f.Code)
		}
	}
	if string(report.Account) != id {
		r.t.Errorf("the report is on %s, want %s", report.Account, id)
	}
	return strings.Join(wrong, " "), report.Healthy
}

func (r *rig) wantFindings(when, want string, healthy bool) {
	r.t.Helper()
	if got, well := r.findings("shop"); got != want || well != healthy {
		r.t.Errorf("%s: got %q, healthy %v; want %q, %v", when, got, well, want, healthy)
	}
}

func (r *rig) console(change func(*wxfake.Account)) {
	r.t.Helper()
	if err := r.platform.UpdateAccount("wxshop", change); err != nil {
		r.t.Fatal(err)
	}
}

// TestDoctor sets an account up as a person does, who makes every mistake once, from the console's check to the first
// message and a key that is changed on one side only.
func TestDoctor(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.account("shop", wxfake.MiniProgram, wxfake.Secure, wxfake.JSON)
	r.agent("ann", "agent", 3, "shop")
	mei := r.platform.Named("wxshop", "mei")
	minute := func() { r.time.Add(int64(time.Minute + time.Second)) }
	say := func() { mei.Say(r.ctx, "hello"); r.pump() }
	r.wantFindings("nobody has called", "push-never", false)

	r.console(func(a *wxfake.Account) { a.Token = "anotherToken" })
	minute()
	if d := r.platform.VerifyURL(r.ctx, "wxshop"); d.Err == nil {
		t.Fatal("the check passed with another token")
	}
	r.wantFindings("the check, with another token", "push-none-accepted push-wrong-token", false)
	r.console(func(a *wxfake.Account) { a.Token = "tokenshop" })
	minute()
	if d := r.platform.VerifyURL(r.ctx, "wxshop"); d.Err != nil {
		t.Fatal(d.Err)
	}
	r.wantFindings("the check has passed", "push-never", true)
	say()
	r.wantFindings("the first message", "", true)

	for _, tc := range []struct {
		what   string
		spoil  func(*wxfake.Account)
		want   string
		well   bool
		repair func(*wxfake.Account)
	}{
		{
			"another AES key", func(a *wxfake.Account) { a.AESKey = "rveUEcRZy6I2qWdY1qfru2nlYZAUDk6U2qmtiScUTGG" }, "push-wrong-aes-key", false,
			func(a *wxfake.Account) { a.AESKey = "aozyxq4R650BCa5DxPYsLsBF2fPPCyUnOo8Ni0Whbc0" },
		},
		{
			"plaintext", func(a *wxfake.Account) { a.Mode = wxfake.Plaintext }, "push-unencrypted", false,
			func(a *wxfake.Account) { a.Mode = wxfake.Secure },
		},
		{
			"compatible", func(a *wxfake.Account) { a.Mode = wxfake.Compatible }, "push-mode-differs", true,
			func(a *wxfake.Account) { a.Mode = wxfake.Secure },
		},
		{
			"XML", func(a *wxfake.Account) { a.Format = wxfake.XML }, "push-format-differs", true,
			func(a *wxfake.Account) { a.Format = wxfake.JSON },
		},
		{
			"another original id", func(a *wxfake.Account) { a.OriginalID = "gh_other" }, "push-wrong-original-id", false,
			func(a *wxfake.Account) { a.OriginalID = "gh_shop" },
		},
	} {
		minute()
		r.console(tc.spoil)
		say()
		r.wantFindings(tc.what, tc.want, tc.well)
		minute()
		r.console(tc.repair)
		say()
		r.wantFindings(tc.what+", put right", "", true)
	}
	if strings.Contains(r.log.String(), "could not be noted") {
		t.Error("a sighting could not be noted")
	}
}

// TestDoctorFindsTheOtherAppID: the account's own app id is wrong here, and the report has both.
func TestDoctorFindsTheOtherAppID(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.account("shop", wxfake.MiniProgram, wxfake.Secure, wxfake.XML)
	r.must("admin", "PUT", "/accounts/shop", m{
		"channel": "miniprogram", "app_id": "wxmistyped", "token": "tokenshop", "aes_key": "aozyxq4R650BCa5DxPYsLsBF2fPPCyUnOo8Ni0Whbc0",
		"mode": "secure", "format": "xml", "secret": "secret-of-shop",
	}, 200)
	r.time.Add(int64(time.Second))
	r.platform.Named("wxshop", "mei").Say(r.ctx, "hello")
	report, err := r.system.Doctor().Examine(r.ctx, "shop")
	if err != nil {
		t.Fatal(err)
	}
	at := slices.IndexFunc(report.Findings, func(f doctor.Finding) bool { return f.Code == "push-wrong-app-id" })
	if at < 0 || report.Findings[at].Data["found"] != "wxshop" || report.Findings[at].Data["expected"] != "wxmistyped" {
		t.Errorf("got %+v; want both app ids", report.Findings)
	}
}
