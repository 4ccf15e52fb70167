package agent_test

import (
	"slices"
	"strings"
	"testing"

	"kefu/shared/core/account"
	coreagent "kefu/shared/core/agent"
)

const aesKey = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"

func TestPutAccount(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	full := map[string]any{
		"channel": "official", "app_id": "wx42", "original_id": "gh_42", "token": "callback-token", "aes_key": aesKey,
		"aes_key_previous": aesKey, "mode": "compatible", "format": "json", "secret": "app-secret",
		"settings": map[string]any{"session_for": "24h", "grants": []any{map[string]any{"action": "message", "limit": 3, "for": "2h"}}},
	}
	r := w.call("ada", "PUT", "/v1/accounts/new", full).want(201)
	r.is("new", "id").is("official", "channel").is("compatible", "mode").is("json", "format").is("gh_42", "original_id")
	r.is(true, "has_aes_key").is(true, "has_aes_key_previous").is(true, "has_secret").is("24h0m0s", "settings", "session_for")
	r.is(3, "settings", "grants", 0, "limit").is("2026-11-21T08:00:00Z", "created_at")
	for _, secret := range []string{"callback-token", aesKey, "app-secret"} {
		if strings.Contains(string(r.raw), secret) {
			t.Errorf("the answer shows the secret %q: %s", secret, r.raw)
		}
	}
	kept, err := w.store.Account(t.Context(), "new")
	if err != nil || kept.Token.Reveal() != "callback-token" || kept.AppSecret.Reveal() != "app-secret" || kept.Tenant != "default" {
		t.Errorf("stored %+v, %v; want the secrets kept", kept, err)
	}

	// A PUT replaces all: what it leaves out is gone, and defaults stand in.
	w.pass(1e9)
	r = w.call("ada", "PUT", "/v1/accounts/new", `{"channel":"official","app_id":"wx42","token":"t"}`).want(200)
	r.is(false, "has_secret").is(false, "has_aes_key").is("plaintext", "mode").is("xml", "format")
	r.is("2026-11-21T08:00:00Z", "created_at").is("2026-11-21T08:00:01Z", "updated_at")
	w.call("ada", "PUT", "/v1/accounts/new", `{"channel":"official","app_id":"wx42","token":"t","aes_key":"`+aesKey+`"}`).want(200).is("secure", "mode")
}

func TestPutAccountRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	tests := []struct{ name, body, code string }{
		{"nothing", `{}`, "account-invalid"},
		{"no token", `{"channel":"miniprogram","app_id":"wx1"}`, "account-invalid"},
		{"unknown channel", `{"channel":"kf","app_id":"wx1","token":"t"}`, "account-invalid"},
		{"secure without a key", `{"channel":"official","app_id":"wx1","token":"t","mode":"secure"}`, "account-invalid"},
		{"short key", `{"channel":"official","app_id":"wx1","token":"t","aes_key":"abc"}`, "account-invalid"},
		{"unknown mode", `{"channel":"official","app_id":"wx1","token":"t","mode":"open"}`, "account-invalid"},
		{"unknown format", `{"channel":"official","app_id":"wx1","token":"t","format":"yaml"}`, "account-invalid"},
		{"long secret", `{"channel":"official","app_id":"wx1","token":"t","secret":"` + strings.Repeat("s", 129) + `"}`, "account-invalid"},
		{"typing path of another call", `{"channel":"official","app_id":"wx1","token":"t","settings":{"typing_path":"/cgi-bin/clear_quota"}}`, "settings-invalid"},
		{"setting out of range", `{"channel":"official","app_id":"wx1","token":"t","settings":{"hold_for":"-1h"}}`, "settings-invalid"},
		{"unknown setting", `{"channel":"official","app_id":"wx1","token":"t","settings":{"color":"red"}}`, "unknown-field"},
		{"routing in settings", `{"channel":"official","app_id":"wx1","token":"t","settings":{"routing":{}}}`, "unknown-field"},
		{"unknown field", `{"channel":"official","app_id":"wx1","token":"t","id":"new"}`, "unknown-field"},
		{"duration as a number", `{"channel":"official","app_id":"wx1","token":"t","settings":{"hold_for":48}}`, "wrong-type"},
		{"token as a number", `{"channel":"official","app_id":"wx1","token":5}`, "wrong-type"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w.call("ada", "PUT", "/v1/accounts/new", tt.body).want(400, tt.code)
		})
	}
	w.call("ada", "PUT", "/v1/accounts/a%2Fb", `{"channel":"official","app_id":"wx1","token":"t"}`).want(400, "id-invalid")
	w.call("ada", "PUT", "/v1/accounts/den", `{"channel":"official","app_id":"wx1","token":"t"}`).want(404, "not-found")
	w.call("ada", "PUT", "/v1/accounts/new", `{"channel":"official","app_id":"wx-den","token":"t"}`).want(409, "app-taken")
	w.call("ada", "GET", "/v1/accounts/new", nil).want(404, "not-found")
	if a, err := w.store.Account(t.Context(), "den"); err != nil || a.AppID != "wx-den" || a.Tenant != "rival" {
		t.Errorf("the rival's account is %+v, %v; want it untouched", a, err)
	}
}

func TestListAccounts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, id := range []account.ID{"a1", "a2", "a3", "a4"} {
		w.account("default", id, account.Official)
	}
	w.agent("default", "walt", coreagent.RoleAgent, 1, "a4", "shop", "a1", "gone", "den", "a2")
	tests := []struct {
		who  string
		want []string
	}{
		{"ada", []string{"a1", "a2", "a3", "a4", "oa", "shop"}},
		{"operator", []string{"a1", "a2", "a3", "a4", "oa", "shop"}},
		{"walt", []string{"a1", "a2", "a4", "shop"}},
		{"sue", []string{"shop"}},
		{"rival/rex", []string{"den"}},
	}
	for _, tt := range tests {
		t.Run(tt.who, func(t *testing.T) {
			t.Parallel()
			for _, limit := range []string{"1", "2", "3", "200"} {
				if got := w.walk(tt.who, "/v1/accounts?limit="+limit, "id"); !slices.Equal(got, tt.want) {
					t.Errorf("pages of %s: %v, want %v", limit, got, tt.want)
				}
			}
		})
	}
	for _, who := range []string{"ada", "walt"} {
		w.call(who, "GET", "/v1/accounts?cursor=%21%21", nil).want(400, "bad-cursor")
		w.call(who, "GET", "/v1/accounts?cursor="+strings.Repeat("x", 3000), nil).want(400, "bad-cursor")
		for _, limit := range []string{"0", "-1", "201", "x", "1.5", ""} {
			w.call(who, "GET", "/v1/accounts?limit="+limit, nil).want(400, "bad-parameter").is("limit", "field")
		}
	}
}

// walk reads a list to its end and returns one member of each item.
func (w *world) walk(who, path, member string) []string {
	w.t.Helper()
	var all []string
	next := ""
	for range 1000 {
		r := w.call(who, "GET", path+next, nil).want(200)
		all = append(all, r.items(member)...)
		cursor := r.text("next")
		if cursor == "" {
			if _, there := r.json["next"]; there {
				w.t.Errorf("%s: next is there and empty: %s", path, r.raw)
			}
			return all
		}
		next = "&cursor=" + cursor
	}
	w.t.Fatalf("%s: the list has no end", path)
	return nil
}

func TestDeleteAccount(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := string(w.says("shop", "alice", "hello"))
	w.call("ada", "DELETE", "/v1/accounts/shop", nil).want(204)
	w.call("ada", "DELETE", "/v1/accounts/shop", nil).want(404, "not-found")
	w.call("ada", "GET", "/v1/accounts/shop", nil).want(404, "not-found")
	// What was said stays readable; nothing can be done any more.
	w.call("ann", "GET", "/v1/sessions/"+s, nil).want(200).is("closed", "state")
	w.call("ann", "GET", "/v1/sessions/"+s+"/messages", nil).want(200).is("hello", "items", 0, "text", "content")
	w.call("ann", "POST", "/v1/sessions/"+s+"/accept", nil).want(404, "not-found")
	w.call("ada", "POST", "/v1/sessions/"+s+"/close", nil).want(404, "not-found")
	w.call("ada", "POST", "/v1/sessions/"+s+"/typing", nil).want(404, "not-found")
	w.call("ada", "POST", "/v1/sessions/"+s+"/transfer", `{"to":"queue"}`).want(404, "not-found")
	w.call("ada", "POST", "/v1/sessions/"+s+"/messages", `{"type":"text","text":{"content":"x"}}`).want(404, "not-found")
	w.call("ada", "PUT", "/v1/accounts/shop/routing", `{}`).want(404, "not-found")

	// The id is kept for its business, whose conversations are readable as before.
	w.call("rival/rex", "PUT", "/v1/accounts/shop", `{"channel":"miniprogram","app_id":"wx9","token":"t"}`).want(404, "not-found")
	w.call("rival/rex", "GET", "/v1/sessions/"+s, nil).want(404, "not-found")
	w.call("ann", "GET", "/v1/sessions/"+s+"/messages", nil).want(200).is("hello", "items", 0, "text", "content")
	w.call("ada", "PUT", "/v1/accounts/shop", `{"channel":"miniprogram","app_id":"wx9","token":"t"}`).want(201)
	w.call("ann", "GET", "/v1/sessions/"+s+"/messages", nil).want(200).is("hello", "items", 0, "text", "content")
	w.call("ann", "POST", "/v1/sessions/"+s+"/accept", nil).want(404, "not-found")

	// One of which nothing is left is anybody's.
	w.call("ada", "DELETE", "/v1/accounts/oa", nil).want(204)
	w.call("rival/rex", "PUT", "/v1/accounts/oa", `{"channel":"miniprogram","app_id":"wx10","token":"t"}`).want(201)
	w.call("ada", "GET", "/v1/accounts/oa", nil).want(404, "not-found")
}

func TestRouting(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.call("ann", "GET", "/v1/accounts/shop/routing", nil).want(200).is("manual", "assign", "mode")
	all := `{"assign":{"mode":"auto","auto_above":2,"strategy":"idle_rate","prefer_last":true},"bot":{"greeting":"hi"},
		"handoff":{"enabled":true},"hours":null,"spend":{"keep_for_human":1}}`
	w.call("ada", "PUT", "/v1/accounts/shop/routing", all).want(200).is("auto", "assign", "mode").is("hi", "bot", "greeting")
	if woken := w.route.take(); len(woken) != 1 || woken[0].group != "shop" || woken[0].body != `{"account":"shop","tenant":"default"}` {
		t.Errorf("woken %v, want the router of shop: who waits must be given out", woken)
	}
	r := w.call("ann", "GET", "/v1/accounts/shop/routing", nil).want(200)
	r.is("auto", "assign", "mode").is(2, "assign", "auto_above").is(true, "assign", "prefer_last").is(1, "spend", "keep_for_human")
	if _, there := r.json["hours"]; there {
		t.Errorf("hours was null and is shown: %s", r.raw)
	}
	// Replacing the account leaves the routing, and a PUT replaces the whole routing.
	w.call("ada", "PUT", "/v1/accounts/shop", `{"channel":"miniprogram","app_id":"wx1","token":"t"}`).want(200)
	w.call("ann", "GET", "/v1/accounts/shop/routing", nil).want(200).is("auto", "assign", "mode")
	r = w.call("ada", "PUT", "/v1/accounts/shop/routing", `{}`).want(200).is("manual", "assign", "mode")
	if _, there := r.json["bot"]; there {
		t.Errorf("bot survived a PUT without it: %s", r.raw)
	}
	tests := []struct{ body, code string }{
		{`{"assign":{"mode":"sometimes"}}`, "routing-invalid"},
		{`{"assign":{"strategy":"dice"}}`, "routing-invalid"},
		{`{"assign":{"auto_above":-1}}`, "routing-invalid"},
		{`{"assign":{"model":"auto"}}`, "unknown-field"},
		{`{"assign":{"release_after":"10s"}}`, "routing-invalid"},
		{`{"assign":{"priority":10}}`, "routing-invalid"},
		{`{"queue":{"timeout":"1s"}}`, "routing-invalid"},
		{`{"queue":{"then":"bot"}}`, "routing-invalid"}, // and no hand-off to keep it there
		{`{"handoff":{"keywords":[""]}}`, "routing-invalid"},
		{`{"handoff":{"match":"about"}}`, "routing-invalid"},
		{`{"handoff":{"urgent":[{"words":["a"],"priority":0}]}}`, "routing-invalid"},
		{`{"hours":{"open":[{"days":["mon"],"from":"18:00","to":"09:00"}]}}`, "routing-invalid"},
		{`{"hours":{"open":[{"days":["monday"],"from":"09:00","to":"18:00"}]}}`, "routing-invalid"},
		{`{"hours":{"utc_offset":"CST"}}`, "routing-invalid"},
		{`{"hours":{"closed":["1.10."],"open":[{"days":["mon"],"from":"09:00","to":"18:00"}]}}`, "routing-invalid"},
		{`{"spend":{"keep_for_human":-1}}`, "routing-invalid"},
		{`{"external":{"mode":"keyword"}}`, "routing-invalid"},
		{`{"external":{"mode":"in_hours"}}`, "routing-invalid"},
		{`{"external":{"kf_account":"a@b"}}`, "routing-invalid"}, // a Mini Program has none
		{`{"conduct":{"check":true,"review":"ask"}}`, "routing-invalid"},
		{`{"bot":{"menu":"main"}}`, "routing-invalid"},
		{`{"bot":{"keywords":[{"words":["a"]}]}}`, "routing-invalid"},
		{`{"bot":{"keywords":[{"words":["a"],"answer":"b","message":{"type":"text"}}]}}`, "routing-invalid"},
		{`{"bot":{"keywords":[{"words":["a"],"message":{"type":"msgmenu","msgmenu":{"list":[{"id":"1","content":"a"}]}}}]}}`, "routing-invalid"},
		{`{"bot":{"responder":{"url":"file:///etc/passwd"}}}`, "routing-invalid"},
		{`{"bot":{"questions":[{"ask":["a"],"reply":"b"}]}}`, "unknown-field"},
		{`{"robot":{}}`, "unknown-field"},
		{`{"bot":"yes"}`, "wrong-type"},
		{`{"bot":{"likeness":"much"}}`, "wrong-type"},
		{`{"assign":"auto"}`, "wrong-type"},
	}
	for _, tt := range tests {
		w.call("ada", "PUT", "/v1/accounts/shop/routing", tt.body).want(400, tt.code)
	}
	large := `{"bot":{"questions":[` + strings.Repeat(`{"ask":["`+strings.Repeat("问", 100)+`"],"answer":"`+strings.Repeat("答", 400)+`"},`, 150) + `{"ask":["a"],"answer":"b"}]}}`
	w.call("ada", "PUT", "/v1/accounts/shop/routing", large).want(400, "routing-invalid")
	w.call("sue", "PUT", "/v1/accounts/shop/routing", `{}`).want(403, "role")
	w.call("olga", "GET", "/v1/accounts/shop/routing", nil).want(404, "not-found")
}
