package wxfake

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestStableTokenStaysUntilItsRenewal(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first := w.stable(miniApp, false)
	if first.ExpiresIn != 7200 || len(first.Token) < 100 {
		t.Fatalf("got %s, want a token for 7200 s", first.body)
	}
	w.clock.add(time.Hour)
	if again := w.stable(miniApp, false); again.Token != first.Token || again.ExpiresIn != 3600 {
		t.Errorf("after an hour: got expires_in %d, same %v, want the same token for 3600 s", again.ExpiresIn, again.Token == first.Token)
	}
	w.clock.add(55 * time.Minute)
	next := w.stable(miniApp, false)
	if next.Token == first.Token || next.ExpiresIn != 7200 {
		t.Errorf("5 minutes before the end: got expires_in %d, want a new token", next.ExpiresIn)
	}
	for what, token := range map[string]string{"former": first.Token, "new": next.Token} {
		wantCode(t, what+" token in the overlap", w.get("/cgi-bin/getcallbackip?access_token="+token), 0)
	}
	w.clock.add(5 * time.Minute)
	wantCode(t, "former token at its end", w.get("/cgi-bin/getcallbackip?access_token="+first.Token), codeExpiredToken)
	wantCode(t, "new token", w.get("/cgi-bin/getcallbackip?access_token="+next.Token), 0)
}

func TestForcedRefresh(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	old := w.token(miniApp)
	forced := w.stable(miniApp, true)
	if forced.Token == old || forced.Token == "" {
		t.Fatalf("got %s, want another token", forced.body)
	}
	wantCode(t, "former token", w.get("/cgi-bin/getcallbackip?access_token="+old), codeBadToken)
	if got := w.token(miniApp); got != forced.Token {
		t.Error("a plain call after the forced one gave another token")
	}
	w.clock.add(30*time.Second - 1)
	wantCode(t, "again within 30 s", w.stable(miniApp, true), codeMinuteQuota)
	w.clock.add(1)
	for n := 2; n <= forcedPerDay; n++ {
		wantCode(t, fmt.Sprintf("forced refresh %d", n), w.stable(miniApp, true), 0)
		w.clock.add(time.Minute)
	}
	wantCode(t, "forced refresh 21", w.stable(miniApp, true), codeDailyQuota)
	w.clock.add(24 * time.Hour)
	wantCode(t, "on the next day", w.stable(miniApp, true), 0)
}

func (w *world) plainToken(appID, secret string) reply {
	w.t.Helper()
	return w.get("/cgi-bin/token?grant_type=client_credential&appid=" + appID + "&secret=" + secret)
}

func TestPlainTokenIsAlwaysNewAndItsFormerLivesFiveMinutes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	stable := w.token(miniApp)
	first, second := w.plainToken(miniApp, "secret-of-"+miniApp), w.plainToken(miniApp, "secret-of-"+miniApp)
	if first.Token == "" || first.Token == second.Token {
		t.Fatalf("got %s and %s, want two tokens", first.body, second.body)
	}
	w.clock.add(5*time.Minute - 1)
	wantCode(t, "former token within 5 minutes", w.get("/cgi-bin/getcallbackip?access_token="+first.Token), 0)
	w.clock.add(1)
	wantCode(t, "former token after 5 minutes", w.get("/cgi-bin/getcallbackip?access_token="+first.Token), codeExpiredToken)
	wantCode(t, "latest token", w.get("/cgi-bin/getcallbackip?access_token="+second.Token), 0)
	w.stable(miniApp, true)
	wantCode(t, "the other kind, killed", w.get("/cgi-bin/getcallbackip?access_token="+stable), codeBadToken)
	wantCode(t, "latest token after a forced refresh of the other kind", w.get("/cgi-bin/getcallbackip?access_token="+second.Token), 0)
}

func TestTokenRefusals(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	body := func(grant, app, secret string) string {
		return fmt.Sprintf(`{"grant_type":%q,"appid":%q,"secret":%q}`, grant, app, secret)
	}
	good := "secret-of-" + miniApp
	for _, tt := range []struct {
		name, body string
		want       int
	}{
		{"no appid", body("client_credential", "", good), codeNoAppID},
		{"no secret", body("client_credential", miniApp, ""), codeNoSecret},
		{"bad grant", body("password", miniApp, good), codeBadGrantType},
		{"unknown appid", body("client_credential", "wxnobody", good), codeBadAppID},
		{"bad secret", body("client_credential", miniApp, "guess"), codeBadSecret},
		{"empty", "", codeEmptyBody},
		{"no JSON", "{", codeBadJSON},
	} {
		r := w.post("/cgi-bin/stable_token", tt.body)
		wantCode(t, tt.name, r, tt.want)
		if !strings.Contains(r.Text, " rid: ") {
			t.Errorf("%s: got errmsg %q, want a rid", tt.name, r.Text)
		}
	}
	wantCode(t, "GET of stable_token", w.get("/cgi-bin/stable_token"), codeNeedPost)
	wantCode(t, "POST of token", w.post("/cgi-bin/token", "{}"), codeNeedGet)
	wantCode(t, "bad secret by GET", w.plainToken(miniApp, "guess"), codeBadSecret)
	for _, tt := range []struct {
		perm Permissions
		want int
	}{
		{Permissions{SecretFrozen: true}, codeSecretFrozen},
		{Permissions{AccountFrozen: true}, codeAccountFrozen},
		{Permissions{AllowedIPs: []string{"192.0.2.1"}}, codeBadIP},
		{Permissions{AllowedIPs: []string{"127.0.0.1"}}, 0},
	} {
		w.update(miniApp, func(a *Account) { a.Permissions = tt.perm })
		r := w.stable(miniApp, false)
		wantCode(t, fmt.Sprintf("%+v", tt.perm), r, tt.want)
		if tt.want == codeBadIP && !strings.HasPrefix(r.Text, "invalid ip 127.0.0.1 ipv6 ::ffff:127.0.0.1, not in whitelist rid: ") {
			t.Errorf("40164: got text %q", r.Text)
		}
	}
}

func TestTokensAreCheckedOnEveryCall(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.p.Named(miniApp, "a")
	c.Say(t.Context(), "hi")
	token := w.token(miniApp)
	for path, rt := range routes {
		if rt.open {
			continue
		}
		for _, tt := range []struct {
			query string
			want  int
		}{
			{"", codeNoToken}, {"?access_token=nonsense", codeIllegalToken}, {"?access_token=86_unknown", codeBadToken},
		} {
			r, err := w.do(rt.method, path+tt.query, "application/json", []byte("{}"))
			if err != nil {
				t.Fatal(err)
			}
			wantCode(t, path+tt.query, r, tt.want)
		}
	}
	w.p.ExpireTokens(miniApp)
	wantCode(t, "after ExpireTokens", w.post("/cgi-bin/message/custom/send?access_token="+token, textTo(c.OpenID(), "a")), codeExpiredToken)
	next := w.token(miniApp)
	if next == token {
		t.Error("stable_token handed out an expired token")
	}
	w.p.RevokeTokens("")
	wantCode(t, "after RevokeTokens", w.post("/cgi-bin/message/custom/send?access_token="+next, textTo(c.OpenID(), "a")), codeBadToken)
	if stale := w.token(miniApp); stale != next {
		t.Error("after RevokeTokens a plain call gave a new token, want the dead one until it is forced")
	}
	fresh := w.stable(miniApp, true).Token
	wantCode(t, "after the forced refresh", w.post("/cgi-bin/message/custom/send?access_token="+fresh, textTo(c.OpenID(), "a")), 0)
}

func TestATokenBelongsToItsAccount(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.p.Named(miniApp, "a")
	c.Say(t.Context(), "hi")
	r := w.post("/cgi-bin/message/custom/send?access_token="+w.token(oaApp), textTo(c.OpenID(), "a"))
	wantCode(t, "the other account's token", r, codeBadOpenID)
}

func TestQuota(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.p.Named(miniApp, "a")
	c.Say(t.Context(), "hi")
	w.sendText(c, "1")
	w.sendText(c, "2")
	ask := func(path string) reply {
		return w.post("/cgi-bin/openapi/quota/get?access_token="+w.token(miniApp), `{"cgi_path":"`+path+`"}`)
	}
	if r := ask("/cgi-bin/message/custom/send"); !strings.Contains(string(r.body), `"quota":{"daily_limit":500000,"remain":499998,"used":2}`) {
		t.Errorf("got %s, want 2 used", r.body)
	}
	wantCode(t, "unknown path", ask("/cgi-bin/nothing"), codeBadPath)
}
