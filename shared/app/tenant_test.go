package app_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"kefu/shared/adapter/wechat/wxfake"
)

// tenant makes another tenant of the deployment, with a key of that name.
func (r *rig) tenant(id string) {
	r.t.Helper()
	r.must("admin", "PUT", "/tenants/"+id, m{"name": id}, 201)
	r.keys[id] = r.must("admin", "POST", "/tenants/"+id+"/keys", nil, 201).str("key")
}

// TestAnAppIDIsNobodysSecret: app ids are public. Who names another's gets no account of it, and an account without the
// secret, as an earlier version may have stored one, calls nothing.
func TestAnAppIDIsNobodysSecret(t *testing.T) {
	t.Parallel()
	r, mei, id := served(t)
	r.ok(mei.SendImage(r.ctx, png))
	r.must("ann", "POST", "/sessions/"+id+"/messages", text("hello"), 202)
	r.pump()
	r.want("received", strings.Join(mei.Texts(), ","), "hello")
	stolen := m{"channel": "miniprogram", "app_id": "wxshop", "token": "thief", "mode": "plaintext", "format": "json"}
	r.tenant("blue")
	r.want("another tenant's app id", r.must("blue", "PUT", "/accounts/stolen", stolen, 409).str("code"), "app-taken")
	r.must("blue", "GET", "/accounts/stolen", nil, 404)
	for _, secret := range []string{"", "guessed"} {
		stolen["secret"] = secret
		account := "stolen" + secret
		reason := map[string]string{"": "secret-missing", "guessed": "secret-wrong"}[secret]
		r.must("admin", "PUT", "/accounts/"+account, stolen, 201)
		r.must("admin", "PUT", "/accounts/"+account+"/routing", m{"conduct": m{"check": true}}, 200)
		r.agent("thief"+secret, "agent", 5, account)
		// The thief knows the token of their own callback, so what they push there counts.
		r.console(func(a *wxfake.Account) {
			a.CallbackURL, a.Token, a.Mode, a.Format = r.web.URL+"/callback/"+account, "thief", wxfake.Plaintext, wxfake.JSON
		})
		before := len(r.calls("wxshop"))
		r.time.Add(int64(10 * time.Second))
		r.ok(mei.SendImage(r.ctx, png))
		r.pump()
		session := r.session(mei).str("id")
		who := "thief" + secret
		r.must(who, "POST", "/sessions/"+session+"/accept", nil, 200)
		message := r.must(who, "POST", "/sessions/"+session+"/messages", text("phishing"), 202).str("id")
		r.must(who, "POST", "/sessions/"+session+"/typing", nil, 200)
		r.pump()
		v := r.must(who, "GET", "/sessions/"+session+"/messages/"+message, nil, 200)
		r.want(account+" sends", v.str("state")+" "+v.str("reason"), "failed "+reason)
		image := r.messages(session)[0].obj("image").str("media")
		if status, body := r.raw(who, "GET", "/media/"+image, "", nil); status == 200 {
			t.Errorf("%s got the shop's picture: %d bytes", account, len(body))
		}
		if report := fmt.Sprint(r.must("admin", "GET", "/accounts/"+account+"/doctor", nil, 200)); !strings.Contains(report, reason) {
			t.Errorf("the doctor of %s says %s, want %s", account, report, reason)
		}
		for _, call := range r.calls("wxshop")[before:] {
			if !strings.Contains(call, "/cgi-bin/stable_token") || secret == "" {
				t.Errorf("%s called the platform: %s", account, call)
			}
		}
	}
	r.want("received", strings.Join(mei.Texts(), ","), "hello")
}

// calls are the platform's calls of an app id, or of none.
func (r *rig) calls(appID string) (urls []string) {
	r.t.Helper()
	for _, x := range r.platform.Traffic(0) {
		if x.Kind == wxfake.KindAPI && (x.AppID == appID || x.AppID == "") {
			urls = append(urls, x.URL)
		}
	}
	return urls
}

// TestAnAppIDIsFreeAfterItsLastAccount: within a tenant accounts share an app id; another's is theirs when the last has gone.
func TestAnAppIDIsFreeAfterItsLastAccount(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.tenant("blue")
	account := m{"channel": "miniprogram", "app_id": "wxshop", "token": "tokenshop", "mode": "plaintext", "format": "json"}
	r.must("admin", "PUT", "/accounts/one", account, 201)
	r.must("admin", "PUT", "/accounts/two", account, 201)
	r.must("admin", "DELETE", "/accounts/one", nil, 204)
	r.must("blue", "PUT", "/accounts/mine", account, 409)
	account["app_id"] = "wxother"
	r.must("admin", "PUT", "/accounts/two", account, 200)
	account["app_id"] = "wxshop"
	r.must("blue", "PUT", "/accounts/mine", account, 201)
	r.want("the former owner", r.must("admin", "PUT", "/accounts/two", account, 409).str("code"), "app-taken")
}
