package agent_test

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"kefu/shared/core/account"
	"kefu/shared/core/hook"
	"kefu/shared/core/session"
)

func TestWebhook(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const at = "/v1/accounts/shop/webhook"
	w.call("ada", "GET", at, nil).want(404, "not-found")
	w.call("ada", "DELETE", at, nil).want(404, "not-found")
	for _, bad := range []string{`{}`, `{"url":"ftp://x"}`, `{"url":"https://u:p@shop.example/"}`, `{"url":"https://shop.example/","events":["session.danced"]}`} {
		w.call("ada", "PUT", at, bad).want(400, "webhook-invalid")
	}
	w.call("sue", "PUT", at, `{"url":"https://shop.example/kefu"}`).want(403, "role")
	w.call("rival/rex", "PUT", at, `{"url":"https://shop.example/kefu"}`).want(404, "not-found")
	r := w.call("ada", "PUT", at, `{"url":"https://shop.example/kefu"}`).want(201)
	first := secretOf(t, r)
	w.call("ada", "GET", at, nil).want(200).is("https://shop.example/kefu", "url").is(true, "has_secret").is(nil, "secret")
	r = w.call("ada", "PUT", at, `{"url":"https://shop.example/kefu","events":["message.in"]}`).want(200).is(nil, "secret")
	r.is("message.in", "events", 0)
	// The account's own PUT leaves the webhook alone.
	w.call("ada", "PUT", "/v1/accounts/shop", `{"channel":"miniprogram","app_id":"wx-shop","token":"t"}`).want(200)
	w.call("ada", "GET", at, nil).want(200).is("message.in", "events", 0)

	next := w.call("ada", "POST", at+"/secret", nil).want(201)
	if second := secretOf(t, next); second == first {
		t.Error("the new secret is the old one")
	}
	next.is("2026-11-22T08:00:00Z", "previous_until")
	a, err := w.store.Account(t.Context(), "shop")
	w.must(err)
	if a.Signing.Previous.Reveal() != first {
		t.Error("the former secret signs no longer")
	}
	w.call("ada", "DELETE", at, nil).want(204)
	w.call("ada", "GET", at, nil).want(404, "not-found")
	for _, secret := range []string{first, next.text("secret")} {
		if strings.Contains(w.log.String(), secret) {
			t.Error("a secret is in the log")
		}
	}
	// A repeated call doesn't show it again.
	w.call("ada", "POST", at+"/secret", nil, "Idempotency-Key", "k").want(201)
	w.call("ada", "POST", at+"/secret", nil, "Idempotency-Key", "k").want(409, "key-shown")
}

func secretOf(t *testing.T, r reply) string {
	t.Helper()
	s := r.text("secret")
	b, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(s, "whsec_"))
	if !strings.HasPrefix(s, "whsec_") || err != nil || len(b) < 24 {
		t.Fatalf("%q is no secret of Standard Webhooks", s)
	}
	return s
}

func TestDeadNews(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const at = "/v1/accounts/shop/webhook"
	w.call("ada", "GET", at+"/dead", nil).want(200)
	told := hook.Told{Tell: session.Tell{
		Ref: session.Ref{Account: "shop", Customer: "alice"}, News: session.News{Seq: 7, Event: account.SessionClosed, At: w.clock(), Session: "s1"},
	}}
	kept, err := hook.Bury(told, "http-500", w.clock())
	w.must(err)
	w.must(w.store.KeepRaw(t.Context(), kept))
	r := w.call("ada", "GET", at+"/dead", nil).want(200).is("session.closed", "items", 0, "event").is("http-500", "items", 0, "reason").is(7, "items", 0, "sequence")
	key := r.text("items", 0, "key")
	w.call("sue", "GET", at+"/dead", nil).want(403, "role")
	w.call("ada", "POST", at+"/dead/"+key+"/resend", nil).want(409, "no-webhook")
	w.call("ada", "PUT", at, `{"url":"https://shop.example/kefu"}`).want(201)
	w.call("ada", "POST", at+"/dead/none/resend", nil).want(404, "not-found")
	w.call("ada", "POST", at+"/dead/%20/resend", nil).want(404, "not-found")
	w.pass(time.Hour)
	w.call("ada", "POST", at+"/dead/"+key+"/resend", nil).want(202)
	sent := w.hooks.take()
	if len(sent) != 1 || sent[0].group != "shop/alice" {
		t.Fatalf("got %v, want it in the queue of the conversation", sent)
	}
	var again hook.Told
	if err := json.Unmarshal([]byte(sent[0].body), &again); err != nil || again.ID() != told.ID() {
		t.Errorf("told again as %q (%v), want the same id %q", again.ID(), err, told.ID())
	}
}

func TestDoctorCall(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.call("ann", "GET", "/v1/accounts/shop/doctor", nil).want(200).is(true, "healthy").is("token-fine", "findings", 0, "code")
	w.call("olga", "GET", "/v1/accounts/shop/doctor", nil).want(404, "not-found")
}
