package wechat_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"kefu/shared/adapter/wechat"
	"kefu/shared/adapter/wechat/wxfake"
	"kefu/shared/core/account"
	"kefu/shared/core/doctor"
)

func (s *stage) change(t *testing.T, f func(*wxfake.Account)) {
	t.Helper()
	if err := s.p.UpdateAccount(fakeApp, f); err != nil {
		t.Fatal(err)
	}
}

func TestTryToken(t *testing.T) {
	t.Parallel()
	s := newStage(t, account.MiniProgram)
	if got := s.c.TryToken(t.Context(), s.acc); !got.Worked() {
		t.Fatalf("got %+v; want success", got)
	}
	for reason, tc := range map[string]struct {
		code int
		acc  func(*account.Account)
		fake func(*wxfake.Account)
		want doctor.Trial
	}{
		doctor.SecretMissing: {0, func(a *account.Account) { a.AppSecret = "" }, nil, doctor.Trial{}},
		"secret-wrong":       {40125, func(a *account.Account) { a.AppSecret = "guess" }, nil, doctor.Trial{}},
		"app-id-wrong":       {40013, func(a *account.Account) { a.AppID = "wxnobody" }, nil, doctor.Trial{}},
		"secret-frozen":      {40243, nil, func(a *wxfake.Account) { a.Permissions.SecretFrozen = true }, doctor.Trial{}},
		"account-frozen":     {50007, nil, func(a *wxfake.Account) { a.Permissions.AccountFrozen = true }, doctor.Trial{}},
		"ip-not-allowed":     {40164, nil, func(a *wxfake.Account) { a.Permissions.AllowedIPs = []string{"192.0.2.1"} }, doctor.Trial{IP: "127.0.0.1"}},
	} {
		s, acc := newStage(t, account.MiniProgram), s.acc
		if tc.acc != nil {
			tc.acc(&acc)
		}
		if tc.fake != nil {
			s.change(t, tc.fake)
		}
		got := s.c.TryToken(t.Context(), acc)
		if got.Reason != reason || got.Code != tc.code || got.IP != tc.want.IP || (got.RID == "") != (tc.code == 0) {
			t.Errorf("%s: got %+v; want code %d", reason, got, tc.code)
		}
	}
	// The same secret refused for a bad token's code: a token call knows no other token than its own.
	s.p.Inject(wxfake.Fault{Kind: wxfake.FaultCode, Path: "stable_token", Code: 40001, Times: 1})
	if got := s.c.TryToken(t.Context(), s.acc); got.Reason != "secret-wrong" || got.Code != 40001 {
		t.Errorf("40001: got %+v", got)
	}
}

func TestTrySend(t *testing.T) {
	t.Parallel()
	s := newStage(t, account.MiniProgram)
	if got := s.c.TrySend(t.Context(), s.acc); !got.Worked() || got.Limit != 500_000 || got.Remain != 500_000 || got.RateCalls != 5000 || got.RateFor != time.Minute {
		t.Errorf("got %+v", got)
	}
	s.change(t, func(a *wxfake.Account) { a.Permissions.NoCustomerMessages = true })
	if got := s.c.TrySend(t.Context(), s.acc); got.Code != 48001 || got.Reason != "not-authorized" {
		t.Errorf("without permission: got %+v", got)
	}
	acc := s.acc
	acc.AppSecret = "guess"
	if got := s.c.TrySend(t.Context(), acc); got.Reason != doctor.NoToken {
		t.Errorf("without a token: got %+v", got)
	}
}

func TestTryCallback(t *testing.T) {
	t.Parallel()
	s := newStage(t, account.Official)
	if got := s.c.TryCallback(t.Context(), s.acc); got.Code != 40201 {
		t.Errorf("no address in the console: got %+v", got)
	}
	shop := httptest.NewServer(http.NotFoundHandler())
	s.change(t, func(a *wxfake.Account) { a.CallbackURL = shop.URL })
	got := s.c.TryCallback(t.Context(), s.acc)
	if !got.Worked() || len(got.Names) != 1 || got.Names[0] != (doctor.Resolved{IP: "127.0.0.1", Operator: "UNICOM"}) || len(got.Pings) != 1 || got.Pings[0].Loss != 0 {
		t.Errorf("got %+v", got)
	}
	shop.Close()
	if got := s.c.TryCallback(t.Context(), s.acc); len(got.Pings) != 1 || got.Pings[0].Loss != 100 {
		t.Errorf("nobody there: got %+v", got)
	}
}

// TestTryCallbackPassesNothingOn: what isn't an address or one of the platform's words stays here.
func TestTryCallbackPassesNothingOn(t *testing.T) {
	t.Parallel()
	many := strings.Repeat(`{"ip":"192.0.2.1"},`, 30)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`{"dns":[{"ip":"<b>","real_operator":"UNICOM"},{"ip":"fe80::1%eth0","real_operator":"a b"},` + many +
			`{"ip":"192.0.2.9"}],"ping":[{"ip":"192.0.2.2","from_operator":"` + strings.Repeat("A", 21) + `","package_loss":"NaN%","time":"-3h"},` +
			`{"ip":"192.0.2.3","from_operator":"CHINANET","package_loss":"25.5%","time":"23.079ms"},{"ip":"192.0.2.4","package_loss":"9e9%","time":"soon"}]}`))
	}))
	t.Cleanup(srv.Close)
	c := &wechat.Client{BaseURL: srv.URL, Tokens: anyToken{}}
	got := c.TryCallback(t.Context(), account.Account{})
	if !got.Worked() || len(got.Names) != 19 || got.Names[0] != (doctor.Resolved{IP: "fe80::1"}) {
		t.Errorf("names: got %+v", got.Names)
	}
	want := []doctor.Ping{{IP: "192.0.2.2"}, {IP: "192.0.2.3", Operator: "CHINANET", Loss: 25, Millis: 23}, {IP: "192.0.2.4"}}
	for i, p := range got.Pings {
		if p != want[i] {
			t.Errorf("ping %d: got %+v, want %+v", i, p, want[i])
		}
	}
}

type anyToken struct{}

func (anyToken) Token(context.Context, account.Account, string) (string, error) { return "t", nil }

// TestTryTellsHowFarItCame: each way in which nothing usable comes back.
func TestTryTellsHowFarItCame(t *testing.T) {
	t.Parallel()
	acc := account.Account{AppID: fakeApp, AppSecret: fakeSecret}
	closed := httptest.NewServer(http.NotFoundHandler())
	closed.Close()
	foreign := httptest.NewTLSServer(http.NotFoundHandler()) // whose certificate nobody knows
	t.Cleanup(foreign.Close)
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte("<html>Please sign in</html>"))
	}))
	t.Cleanup(proxy.Close)
	hung := make(chan struct{})
	silent := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-hung:
		case <-r.Context().Done():
		}
	}))
	t.Cleanup(func() { close(hung); silent.Close() })
	for how, address := range map[doctor.How]string{
		doctor.AtName: "http://nobody.invalid", doctor.AtConnect: closed.URL, doctor.AtTLS: foreign.URL,
		doctor.AtAnswer: proxy.URL, doctor.AtTime: silent.URL,
	} {
		c := &wechat.Client{BaseURL: address, CallTimeout: 5 * time.Second}
		if how == doctor.AtTime {
			c.CallTimeout = 50 * time.Millisecond
		}
		got := c.TryToken(t.Context(), acc)
		_, host, _ := strings.Cut(address, "://")
		if got.Reason != doctor.Unreachable || got.How != how || got.Host != host {
			t.Errorf("%s: got %+v; want %s at %s", address, got, how, host)
		}
	}
}
