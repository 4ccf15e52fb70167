package wxfake

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestCallbackCheckLooks(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	closed := httptest.NewServer(http.NotFoundHandler())
	closed.Close()
	ask := func(action string) string {
		r := w.post("/cgi-bin/callback/check?access_token="+w.token(miniApp), `{"action":"`+action+`","check_operator":"DEFAULT"}`)
		return string(r.body)
	}
	for _, tc := range []struct{ url, action, want string }{
		{w.shop.URL + "/callback", "all", `{"dns":[{"ip":"127.0.0.1","real_operator":"UNICOM"}],"ping":[{"ip":"127.0.0.1","from_operator":"UNICOM","package_loss":"0%",`},
		{w.shop.URL + "/callback", "dns", `{"dns":[{"ip":"127.0.0.1","real_operator":"UNICOM"}]}`},
		{w.shop.URL + "/callback", "ping", `{"ping":[{"ip":"127.0.0.1","from_operator":"UNICOM","package_loss":"0%",`},
		{closed.URL, "ping", `{"ping":[{"ip":"127.0.0.1","from_operator":"UNICOM","package_loss":"100%",`},
		{"http://nobody.invalid/callback", "all", `{}`},
		{"", "all", `{"errcode":40201,`},
	} {
		w.update(miniApp, func(a *Account) { a.CallbackURL = tc.url })
		if got := ask(tc.action); !strings.HasPrefix(got, tc.want) {
			t.Errorf("%s of %q: got %s, want %s", tc.action, tc.url, got, tc.want)
		}
	}
	w.update(miniApp, func(a *Account) { a.CallbackURL = w.shop.URL })
	for body, want := range map[string]int{
		`{"action":"look","check_operator":"DEFAULT"}`: codeBadCheckAction, `{"action":"all","check_operator":"ME"}`: codeBadCheckOperator,
	} {
		wantCode(t, body, w.post("/cgi-bin/callback/check?access_token="+w.token(miniApp), body), want)
	}
}

func TestQuotaOfWhatIsNotGranted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ask := func(path string) reply {
		return w.post("/cgi-bin/openapi/quota/get?access_token="+w.token(miniApp), `{"cgi_path":"`+path+`"}`)
	}
	if r := ask("/cgi-bin/message/custom/send"); !strings.Contains(string(r.body), `"rate_limit":{"call_count":5000,"refresh_second":60}`) {
		t.Errorf("got %s, want a rate limit", r.body)
	}
	wantCode(t, "a path for other tokens", ask("/sns/jscode2session"), codeWrongToken)
	w.post("/sim/permit", `{"app":"`+miniApp+`","no_customer_messages":true}`)
	wantCode(t, "no permission", ask("/cgi-bin/message/custom/send"), codeNoPermission)
	wantCode(t, "another call", ask("/cgi-bin/media/get"), 0)
	w.post("/sim/permit", `{"app":"`+miniApp+`","no_customer_messages":false,"banned":true}`)
	wantCode(t, "banned", ask("/cgi-bin/message/custom/send"), codeBanned)
}

func TestPermitByTheControlAPI(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	app := `"app":"` + miniApp + `"`
	permit := func(members string, status int) {
		t.Helper()
		if r := w.post("/sim/permit", `{`+members+`}`); r.status != status {
			t.Errorf("%s: got %d %s, want %d", members, r.status, r.body, status)
		}
	}
	permit(app+`,"allowed_ips":["192.0.2.1"],"secret_frozen":true`, 200)
	wantCode(t, "frozen", w.stable(miniApp, false), codeSecretFrozen)
	permit(app+`,"secret_frozen":false`, 200)
	if r := w.stable(miniApp, false); r.Code != codeBadIP || !strings.HasPrefix(r.Text, "invalid ip 127.0.0.1 ipv6 ::ffff:127.0.0.1, not in whitelist rid: ") {
		t.Errorf("another address: got %s", r.body)
	}
	permit(app+`,"allowed_ips":[],"account_frozen":true`, 200)
	wantCode(t, "account frozen", w.stable(miniApp, false), codeAccountFrozen)
	permit(`"app":"wx9"`, 404)
	permit(app+`,"callback_url":"ftp://x"`, 422)
	permit(app+`,"nonsense":1`, 400)
	w.post("/sim/fault", `{"kind":"code","code":40164,"path":"stable_token"}`)
	if r := w.stable(oaApp, false); r.Code != codeBadIP || !strings.Contains(r.Text, "invalid ip 127.0.0.1 ") {
		t.Errorf("an injected 40164: got %s", r.body)
	}
	wantCode(t, "after it", w.stable(oaApp, false), 0)
}

func TestVerifyByTheControlAPI(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var out struct {
		Passed  bool   `json:"passed"`
		Problem string `json:"problem"`
	}
	verify := func() {
		r := w.post("/sim/verify", `{"app":"`+miniApp+`"}`)
		out.Problem = ""
		if err := json.Unmarshal(r.body, &out); err != nil {
			t.Fatal(err)
		}
	}
	verify()
	if out.Passed || out.Problem == "" {
		t.Errorf("an answer that is no echo: got %+v", out)
	}
	w.shop.answers(func(_ int, rw http.ResponseWriter, s seen) { _, _ = rw.Write([]byte(s.query.Get("echostr"))) })
	verify()
	if !out.Passed || out.Problem != "" {
		t.Errorf("the echo: got %+v", out)
	}
	if r := w.post("/sim/verify", `{"app":"wx9"}`); r.status != 404 {
		t.Errorf("unknown account: got %d", r.status)
	}
}
