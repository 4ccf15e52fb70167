package token_test

import (
	"net/http/httptest"
	"testing"
	"time"

	"kefu/shared/adapter/wechat"
	"kefu/shared/adapter/wechat/wxfake"
	"kefu/shared/core/account"
	"kefu/shared/core/message"
	"kefu/shared/core/session"
	"kefu/shared/flow/token"
)

// A client with the keeper as its source of tokens sends on while the platform ends tokens in every way it has.
func TestKeeperWithClientAndSimulator(t *testing.T) {
	t.Parallel()
	w := newWorld()
	p := wxfake.New(wxfake.Options{Now: w.clock})
	t.Cleanup(p.Close)
	srv := httptest.NewServer(p.Handler())
	t.Cleanup(srv.Close)
	acc := account.Account{ID: "shop", Channel: account.MiniProgram, AppID: "wx1", AppSecret: "s1"}
	if err := p.AddAccount(wxfake.Account{Channel: wxfake.MiniProgram, AppID: "wx1", OriginalID: "gh_1", Secret: "s1", Token: "AAAAA"}); err != nil {
		t.Fatal(err)
	}
	c := &wechat.Client{BaseURL: srv.URL, Now: w.clock}
	c.Tokens = &token.Keeper{Store: w, Issuer: c, Now: w.clock, Wait: w.wait}
	who := p.Named("wx1", "Li Na")
	hi := message.Content{Type: message.TypeText, Text: &message.Text{Content: "hi"}}
	for _, step := range []struct {
		name string
		do   func()
		want session.OutcomeKind
	}{
		{"first", func() {}, session.Sent},
		{"at once", func() {}, session.Sent},
		{"at the end of its life", func() { w.pass(2 * time.Hour) }, session.Sent},
		{"expired early", func() { p.ExpireTokens("wx1") }, session.Sent},
		{"killed elsewhere", func() { p.RevokeTokens("wx1") }, session.Sent},
		{"killed again within 30 s", func() { p.RevokeTokens("wx1") }, session.Throttled},
		{"a minute later", func() { w.pass(time.Minute) }, session.Sent},
	} {
		step.do()
		who.Grant(wxfake.TriggerMessage)
		if got := c.Send(t.Context(), acc, account.Customer(who.OpenID()), hi, nil); got.Kind != step.want {
			t.Errorf("%s: got %+v, want %s", step.name, got, step.want)
		}
	}
	if got := len(who.Inbox()); got != 6 {
		t.Errorf("got %d messages, want 6", got)
	}
	if got := p.Refused(); got[45011] != 0 {
		t.Errorf("got refusals %v, want no forced refresh that the platform does not allow", got)
	}
}
