package contract_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestDocument validates the document itself, examples included.
func TestDocument(t *testing.T) {
	t.Parallel()
	if err := load(t).Validate(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// TestDay plays one of everything and validates each request and answer.
func TestDay(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.call("", "GET", "/v1/health", nil).want(200)
	d.call("", "GET", "/v1/openapi.json", nil).want(200)
	admin := setUp(d)
	ann, bob := staff(d, admin)
	s := converse(d, ann, bob)
	told(d, admin)
	reviewed(d, admin, ann)
	leave(d, admin, ann, s)

	var missing []string
	for path, item := range d.doc.Paths.Map() {
		for method, op := range item.Operations() {
			if !d.covered[op.OperationID] {
				missing = append(missing, method+" "+path)
			}
		}
	}
	slices.Sort(missing)
	if len(missing) > 0 {
		t.Errorf("the day leaves out %s", strings.Join(missing, ", "))
	}
}

// setUp makes a business with its accounts and returns its admin key.
func setUp(d *desk) string {
	d.t.Helper()
	d.call(operator, "PUT", "/v1/tenants/tea", map[string]any{"name": "Tea House"}).want(201)
	d.call(operator, "PUT", "/v1/tenants/tea", map[string]any{"name": "Tea House"}).want(200)
	d.call(operator, "GET", "/v1/tenants/tea", nil).want(200)
	d.call(operator, "GET", "/v1/tenants/none", nil).want(404)
	key := d.call(operator, "POST", "/v1/tenants/tea/keys", nil, "Idempotency-Key", "first-key").want(201)
	d.call(operator, "POST", "/v1/tenants/tea/keys", nil, "Idempotency-Key", "first-key").want(409)
	admin := key.text("key")
	d.call(admin, "GET", "/v1/tenants/tea", nil).want(403)
	spare := d.call(operator, "POST", "/v1/tenants/tea/keys", nil).want(201)
	d.call(operator, "DELETE", "/v1/tenants/tea/keys/"+spare.text("id"), nil).want(204)
	d.call(spare.text("key"), "GET", "/v1/accounts", nil).want(401)

	shop := map[string]any{
		"channel": "miniprogram", "app_id": "wx1", "original_id": "gh_1", "token": "t", "secret": "s", "format": "json",
		"aes_key": strings.Repeat("k", 43), "settings": map[string]any{"session_for": "48h", "windows": "miniprogram-2024-12"},
	}
	d.call(admin, "PUT", "/v1/accounts/shop", shop).want(201)
	d.call(admin, "PUT", "/v1/accounts/shop", shop).want(200)
	d.call(admin, "PUT", "/v1/accounts/oa", map[string]any{"channel": "official", "app_id": "wx2", "token": "t"}).want(201)
	d.call(admin, "GET", "/v1/accounts/shop", nil).want(200)
	d.call(admin, "GET", "/v1/accounts?limit=1", nil).want(200)
	d.broken(admin, "PUT", "/v1/accounts/shop", map[string]any{"channel": "fax", "app_id": "wx1", "token": "t"}).want(400)
	d.broken(admin, "PUT", "/v1/accounts/shop", map[string]any{"chanel": "official"}).want(400)
	d.broken(admin, "GET", "/v1/accounts?limit=0", nil).want(400)
	d.call(admin, "GET", "/v1/accounts/shop/routing", nil).want(200)
	d.call(admin, "PUT", "/v1/accounts/shop/routing", map[string]any{"assign": map[string]any{"mode": "manual", "prefer_last": true}, "bot": map[string]any{}}).want(200)
	return admin
}

// everything are routing rules with each member set.
const everything = `{
	"assign": {"mode": "manual", "auto_above": 0, "strategy": "round_robin", "prefer_last": true, "release_after": "30m", "priority": 1},
	"queue": {"text": "{position}", "timeout": "10m", "timeout_text": "抱歉", "then": "stay"},
	"bot": {"enabled": true, "greeting": "欢迎", "menu": "main", "menu_words": ["菜单"],
		"menus": {"main": {"head": "h", "tail": "t", "items": [{"label": "a", "answer": "b"}, {"label": "人工", "handoff": true}]}},
		"keywords": [{"words": ["价格"], "match": "contains", "priority": 2, "message": {"type": "text", "text": {"content": "十元"}}}],
		"questions": [{"ask": ["怎么退款"], "answer": "七天"}], "likeness": 0.5, "fallback": "f", "max_unanswered": 2, "offer": "o",
		"responder": {"url": "https://shop.example/bot", "timeout": "3s"}},
	"handoff": {"enabled": false, "keywords": ["人工"], "match": "exact", "notice": "n", "urgent": [{"words": ["投诉"], "priority": 5}]},
	"hours": {"utc_offset": "+08:00", "open": [{"days": ["mon", "sat"], "from": "00:00", "to": "24:00"}], "closed": ["2026-10-01"], "text": "t", "then": "queue"},
	"spend": {"keep_for_human": 1, "bot_budget": 3, "merge": true, "separator": "-", "one_sender": true},
	"external": {"mode": "keyword", "keywords": ["转接"], "match": "exact"},
	"conduct": {"check": true, "unchecked": "send", "review": "hold"}
}`

// told has the account's events told, and looks at what could not be.
func told(d *desk, admin string) {
	d.t.Helper()
	var rules map[string]any
	if err := json.Unmarshal([]byte(everything), &rules); err != nil {
		d.t.Fatal(err)
	}
	d.call(admin, "PUT", "/v1/accounts/shop/routing", rules).want(200)
	d.call(admin, "GET", "/v1/accounts/shop/routing", nil).want(200)
	d.call(admin, "PUT", "/v1/accounts/shop/routing", map[string]any{}).want(200)
	d.call(admin, "GET", "/v1/accounts/shop/doctor", nil).want(200)

	const at = "/v1/accounts/shop/webhook"
	d.call(admin, "GET", at, nil).want(404)
	d.broken(admin, "PUT", at, map[string]any{"url": "https://shop.example", "events": []string{"session.danced"}}).want(400)
	d.call(admin, "PUT", at, map[string]any{"url": "https://shop.example/kefu"}).want(201)
	d.call(admin, "PUT", at, map[string]any{"url": "https://shop.example/kefu", "events": []string{"message.in"}}).want(200)
	d.call(admin, "GET", at, nil).want(200)
	d.call(admin, "POST", at+"/secret", nil).want(201)
	key := d.bury()
	d.call(admin, "GET", at+"/dead", nil).want(200)
	d.call(admin, "POST", at+"/dead/"+key+"/resend", nil).want(202)
	d.call(admin, "POST", at+"/dead/none/resend", nil).want(404)
	d.call(admin, "DELETE", at, nil).want(204)
}

// reviewed has a supervisor let a text go.
func reviewed(d *desk, admin, ann string) {
	d.t.Helper()
	d.call(ann, "PUT", "/v1/agents/me/status", map[string]any{"status": "online", "lease": "3m"}).want(200)
	d.call(ann, "GET", "/v1/agents/me", nil).want(200)
	s := d.says("rita")
	id := d.call(ann, "POST", "/v1/sessions/"+s+"/messages", say("taken by writing")).want(202).text("id")
	d.review("rita", id)
	d.call(ann, "GET", "/v1/sessions/"+s+"/messages/"+id, nil).want(200)
	d.call(ann, "POST", "/v1/sessions/"+s+"/messages/"+id+"/approve", nil).want(403)
	d.call(admin, "POST", "/v1/sessions/"+s+"/messages/"+id+"/approve", nil).want(200)
	d.call(admin, "POST", "/v1/sessions/"+s+"/messages/"+id+"/approve", nil).want(409)
	d.call(ann, "PUT", "/v1/agents/me/status", map[string]any{"status": "online"}).want(200)
	d.call(ann, "POST", "/v1/sessions/"+s+"/close", nil).want(200)
}

// staff makes two agents who are online and returns their keys.
func staff(d *desk, admin string) (ann, bob string) {
	d.t.Helper()
	keys := map[string]string{}
	for _, id := range []string{"ann", "bob"} {
		d.call(admin, "PUT", "/v1/agents/"+id, map[string]any{"name": id, "accounts": []string{"shop", "oa"}, "capacity": 3}).want(201)
		keys[id] = d.call(admin, "POST", "/v1/agents/"+id+"/keys", nil).want(201).text("key")
		d.call(keys[id], "PUT", "/v1/agents/me/status", map[string]any{"status": "online"}).want(200)
	}
	d.call(admin, "GET", "/v1/agents", nil).want(200)
	d.call(keys["ann"], "GET", "/v1/agents/me", nil).want(200)
	d.call(keys["ann"], "PUT", "/v1/agents/bob/status", map[string]any{"status": "away"}).want(403)
	d.call(admin, "GET", "/v1/agents/me", nil).want(403)
	extra := d.call(admin, "POST", "/v1/agents/bob/keys", nil).want(201).text("id")
	d.call(admin, "DELETE", "/v1/agents/bob/keys/"+extra, nil).want(204)
	d.call(admin, "DELETE", "/v1/agents/bob/keys/"+extra, nil).want(404)
	return keys["ann"], keys["bob"]
}

// converse plays a conversation and returns its session.
func converse(d *desk, ann, bob string) string {
	d.t.Helper()
	s := d.says("alice")
	d.call(ann, "GET", "/v1/sessions?state=queued&account=shop&limit=10", nil).want(200)
	d.call(ann, "GET", "/v1/sessions/"+s, nil).want(200)
	d.call(ann, "GET", "/v1/sessions/none", nil).want(404)
	d.call(ann, "POST", "/v1/sessions/"+s+"/close", nil).want(403)
	d.call(ann, "POST", "/v1/sessions/"+s+"/accept", nil).want(200)
	d.call(bob, "POST", "/v1/sessions/"+s+"/accept", nil).want(409)
	d.call(ann, "POST", "/v1/sessions/"+s+"/typing", nil).want(200)

	pic := d.upload(ann, "image").want(201).text("id")
	d.call(ann, "GET", "/v1/media/"+pic, nil).want(200)
	d.call(ann, "GET", "/v1/media/none", nil).want(404)
	d.call(ann, "POST", "/v1/sessions/"+s+"/messages", say("hello"), "Idempotency-Key", "m1").want(202)
	d.call(ann, "POST", "/v1/sessions/"+s+"/messages", say("hello"), "Idempotency-Key", "m1").want(202)
	d.call(ann, "POST", "/v1/sessions/"+s+"/messages", say("bye"), "Idempotency-Key", "m1").want(422)
	for _, m := range []map[string]any{
		{"type": "image", "image": map[string]any{"media": pic}},
		{"type": "link", "link": map[string]any{"title": "t", "description": "d", "url": "https://example.com"}},
		{"type": "miniprogrampage", "miniprogrampage": map[string]any{"title": "t", "pagepath": "p", "thumb_media": pic}},
		{"type": "text", "text": map[string]any{"content": strings.Repeat("长", 900)}, "expires_at": "2026-11-22T08:00:00Z"},
	} {
		d.call(ann, "POST", "/v1/sessions/"+s+"/messages", m).want(202)
	}
	later := say("later")
	later["send_at"] = "2026-11-21T09:00:00Z"
	held := d.call(ann, "POST", "/v1/sessions/"+s+"/messages", later).want(202).text("id")
	now := say("now or never")
	now["when_closed"] = "fail"
	d.call(ann, "POST", "/v1/sessions/"+s+"/messages", now).want(409)
	d.call(ann, "POST", "/v1/sessions/"+s+"/messages", map[string]any{"type": "news", "news": map[string]any{"articles": []any{map[string]any{"title": "t", "url": "https://example.com"}}}}).want(422)
	d.broken(ann, "POST", "/v1/sessions/"+s+"/messages", map[string]any{"type": "text", "txt": 1}).want(400)
	d.call(ann, "GET", "/v1/sessions/"+s+"/messages?limit=3", nil).want(200)
	d.call(ann, "GET", "/v1/sessions/"+s+"/messages/"+held, nil).want(200)
	d.call(ann, "DELETE", "/v1/sessions/"+s+"/messages/"+held, nil).want(204)
	d.call(ann, "DELETE", "/v1/sessions/"+s+"/messages/"+s+"-1", nil).want(409)
	d.call(ann, "POST", "/v1/sessions/"+s+"/transfer", map[string]any{"to_agent": "bob"}).want(200)
	d.call(bob, "POST", "/v1/sessions/"+s+"/transfer", map[string]any{"to": "queue"}).want(200)
	d.broken(bob, "POST", "/v1/sessions/"+s+"/transfer", map[string]any{}).want(400)
	d.call(bob, "POST", "/v1/sessions/"+s+"/accept", nil).want(200)
	d.call(bob, "POST", "/v1/sessions/"+s+"/close", nil).want(200)
	d.call(bob, "POST", "/v1/sessions/"+s+"/close", nil).want(409)
	return s
}

// leave looks at what is left, and takes everything down.
func leave(d *desk, admin, ann, s string) {
	d.t.Helper()
	d.pass(time.Hour)
	again := d.says("alice")
	d.call(ann, "GET", "/v1/sessions?customer=alice", nil).want(200)
	d.call(ann, "GET", "/v1/sessions/"+s, nil).want(200)
	d.call(admin, "POST", "/v1/sessions/"+s+"/messages", say("x")).want(409)
	d.call(ann, "POST", "/v1/sessions/"+again+"/accept", nil).want(200)
	d.pass(48 * time.Hour)
	d.call(ann, "GET", "/v1/sessions/"+again, nil).want(200)
	d.call(ann, "POST", "/v1/sessions/"+again+"/messages", say("late")).want(202)
	d.call(ann, "GET", "/v1/sessions", nil).want(200)
	d.call(admin, "DELETE", "/v1/agents/ann", nil).want(204)
	d.call(admin, "DELETE", "/v1/accounts/shop", nil).want(204)
	d.call(admin, "DELETE", "/v1/accounts/shop", nil).want(404)
	d.call(ann, "GET", "/v1/sessions", nil).want(401)
}

// say is a text message.
func say(text string) map[string]any {
	return map[string]any{"type": "text", "text": map[string]any{"content": text}}
}
