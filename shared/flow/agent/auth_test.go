package agent_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	coreagent "kefu/shared/core/agent"
	"kefu/shared/core/fault"
	"kefu/shared/core/tenant"
	"kefu/shared/flow/agent"
)

func TestKeys(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	good := w.keyOf("ann")
	id, secret, _ := strings.Cut(strings.TrimPrefix(good, "kf_"), "_")
	other := w.keyOf("bob")
	_, otherSecret, _ := strings.Cut(strings.TrimPrefix(other, "kf_"), "_")
	if len(id) != 16 || len(secret) != 43 {
		t.Errorf("key %q has an id of %d and a secret of %d characters, want 16 and 43", good, len(id), len(secret))
	}
	tests := map[string]string{
		"none":                      "",
		"no scheme":                 good,
		"other scheme":              "Basic " + good,
		"empty":                     "Bearer ",
		"not ours":                  "Bearer something",
		"id alone":                  "Bearer kf_" + id,
		"empty secret":              "Bearer kf_" + id + "_",
		"wrong secret":              "Bearer kf_" + id + "_" + otherSecret,
		"cut secret":                "Bearer " + good[:len(good)-1],
		"longer secret":             "Bearer " + good + "A",
		"unknown id":                "Bearer kf_aaaaaaaaaaaaaaaa_" + secret,
		"id with odd characters":    "Bearer kf_aaaa!aaaa/aaaa%a_" + secret,
		"nearly the operator's":     "Bearer " + operatorKey[:len(operatorKey)-1],
		"hash of the operator's":    "Bearer " + string(make([]byte, 32)),
		"the key in another letter": "Bearer " + strings.ToUpper(good),
	}
	for name, header := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, path := range []string{"/v1/sessions", "/v1/accounts/shop", "/v1/agents/me"} {
				r := w.call("", "GET", path, nil, "Authorization", header).want(401, "unauthorized")
				if r.header.Get("WWW-Authenticate") == "" {
					t.Error("401 without WWW-Authenticate")
				}
			}
		})
	}
	w.call("", "GET", "/v1/agents/me", nil, "Authorization", "bearer  "+good).want(200).is("ann", "id")
	w.call("operator", "GET", "/v1/accounts", nil).want(200)
}

func TestNoOperatorKeyOpensNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.api.AdminKey = [32]byte{}
	w.h = w.api.Handler()
	w.call("operator", "GET", "/v1/accounts", nil).want(401, "unauthorized")
	w.call("ada", "GET", "/v1/accounts", nil).want(200)
}

func TestRightsAreReadAnew(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.call("ann", "GET", "/v1/accounts/shop", nil).want(200)
	w.call("ada", "PUT", "/v1/agents/ann", `{"name":"Ann","accounts":["oa"]}`).want(200)
	w.call("ann", "GET", "/v1/accounts/shop", nil).want(404, "not-found")
	w.call("ann", "GET", "/v1/accounts/oa", nil).want(200)
	w.call("ann", "DELETE", "/v1/accounts/oa", nil).want(403, "role")
	w.call("ada", "PUT", "/v1/agents/ann", `{"name":"Ann","role":"admin"}`).want(200)
	w.call("ann", "DELETE", "/v1/accounts/oa", nil).want(204)
	w.call("ada", "DELETE", "/v1/agents/ann", nil).want(204)
	w.call("ann", "GET", "/v1/accounts", nil).want(401, "unauthorized")
}

func TestNewKey(t *testing.T) {
	t.Parallel()
	k, text, err := agent.NewKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	again, text2, err := agent.NewKey(nil)
	if err != nil || k.ID == again.ID || text == text2 || k.Hash == again.Hash {
		t.Errorf("two keys: %v %v, %v; want different ones", k, again, err)
	}
	if _, _, err := agent.NewKey(strings.NewReader("too little")); err == nil {
		t.Error("a key was made of too little randomness")
	}
	if !strings.HasPrefix(text, "kf_"+k.ID+"_") {
		t.Errorf("key %q does not begin with its id %q", text, k.ID)
	}
}

func TestKeyCalls(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	made := w.call("ada", "POST", "/v1/agents/bob/keys", nil).want(201)
	key, id := made.text("key"), made.text("id")
	w.call(key, "GET", "/v1/agents/me", nil).want(200).is("bob", "id")
	w.call("ada", "POST", "/v1/agents/bob/keys", `{}`).want(201)
	w.call("ada", "POST", "/v1/agents/bob/keys", `{"name":"x"}`).want(400, "unknown-field").is("name", "field")
	w.call("ada", "POST", "/v1/agents/nobody/keys", nil).want(404, "not-found")
	w.call("sue", "POST", "/v1/agents/bob/keys", nil).want(403, "role")
	w.call("ada", "DELETE", "/v1/agents/ann/keys/"+id, nil).want(404, "not-found")
	w.call("ada", "DELETE", "/v1/agents/bob/keys/nonsense", nil).want(404, "not-found")
	w.call("rival/rex", "DELETE", "/v1/agents/bob/keys/"+id, nil).want(404, "not-found")
	w.call(key, "GET", "/v1/agents/me", nil).want(200)
	w.call("ada", "DELETE", "/v1/agents/bob/keys/"+id, nil).want(204)
	w.call("ada", "DELETE", "/v1/agents/bob/keys/"+id, nil).want(404, "not-found")
	w.call(key, "GET", "/v1/agents/me", nil).want(401, "unauthorized")
}

func TestTenantCalls(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.call("operator", "PUT", "/v1/tenants/tea", `{"name":"Tea House"}`).want(201).is("tea", "id").is("2026-11-21T08:00:00Z", "created_at")
	w.call("operator", "PUT", "/v1/tenants/tea", `{"name":"Teas"}`).want(200).is("Teas", "name")
	w.call("operator", "GET", "/v1/tenants/tea", nil).want(200).is("Teas", "name")
	w.call("operator", "GET", "/v1/tenants/default", nil).want(200).is("default", "id")
	w.call("operator", "GET", "/v1/tenants/none", nil).want(404, "not-found")
	w.call("operator", "PUT", "/v1/tenants/Tea", `{"name":"x"}`).want(400, "id-invalid")
	w.call("operator", "PUT", "/v1/tenants/tea", `{}`).want(200).is("tea", "name")
	w.call("operator", "PUT", "/v1/tenants/tea", `{"name":"`+strings.Repeat("x", 201)+`"}`).want(400, "tenant-invalid").is("name", "field")
	made := w.call("operator", "POST", "/v1/tenants/tea/keys", nil).want(201)
	key := made.text("key")
	w.call(key, "PUT", "/v1/accounts/teashop", `{"channel":"miniprogram","app_id":"wx1","token":"t"}`).want(201)
	w.call(key, "GET", "/v1/accounts", nil).want(200).is("teashop", "items", 0, "id")
	w.call(key, "GET", "/v1/agents/me", nil).want(403, "role")
	w.call(key, "PUT", "/v1/tenants/tea", `{"name":"x"}`).want(403, "role")
	w.call("ada", "GET", "/v1/tenants/default", nil).want(403, "role")
	w.call("operator", "DELETE", "/v1/tenants/rival/keys/"+made.text("id"), nil).want(404, "not-found")
	w.call("operator", "DELETE", "/v1/tenants/tea/keys/"+made.text("id"), nil).want(204)
	w.call(key, "GET", "/v1/accounts", nil).want(401, "unauthorized")
	w.call("operator", "POST", "/v1/tenants/none/keys", nil).want(404, "not-found")
}

// brokenStore fails to find keys or agents.
type brokenStore struct {
	agent.Store
	key, agent error
	panics     bool
}

func (b brokenStore) Key(ctx context.Context, id string) (coreagent.Key, error) {
	if b.panics {
		panic("a customer's words")
	}
	if b.key != nil {
		return coreagent.Key{}, b.key
	}
	return b.Store.Key(ctx, id)
}

func (b brokenStore) Agent(ctx context.Context, t tenant.ID, id coreagent.ID) (coreagent.Agent, error) {
	if b.agent != nil {
		return coreagent.Agent{}, b.agent
	}
	return b.Store.Agent(ctx, t, id)
}

func TestStoreOutOfOrder(t *testing.T) {
	t.Parallel()
	down := fault.Wrap(fault.Unavailable, "", errors.New("disk 7 on fire"))
	tests := []struct {
		name   string
		store  brokenStore
		status int
		code   string
	}{
		{"keys", brokenStore{key: down}, 503, "unavailable"},
		{"agents", brokenStore{agent: down}, 503, "unavailable"},
		{"unclassified", brokenStore{agent: errors.New("disk 7 on fire")}, 500, "internal"},
		{"panic", brokenStore{panics: true}, 500, "internal"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			tt.store.Store = w.store
			w.api.Store = tt.store
			w.h = w.api.Handler()
			r := w.call("ann", "GET", "/v1/sessions", nil).want(tt.status, tt.code)
			if strings.Contains(string(r.raw), "disk") {
				t.Errorf("the answer tells the cause: %s", r.raw)
			}
			log := w.log.String()
			if !tt.store.panics && !strings.Contains(log, "disk 7 on fire") {
				t.Errorf("the log does not tell the cause: %s", log)
			}
			if strings.Contains(log, "customer's words") {
				t.Errorf("the log holds the panic's value: %s", log)
			}
			if strings.Contains(log, w.keyOf("ann")) {
				t.Errorf("the log holds a key: %s", log)
			}
		})
	}
}

func TestAddressesAndMethods(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, path := range []string{"/", "/v1", "/v1/", "/v1/nothing", "/v1/accounts/", "/v1/accounts/shop/nurse", "/v1/sessions/x/y", "/callback/shop"} {
		w.call("ada", "GET", path, nil).want(404, "not-found")
	}
	w.call("ada", "DELETE", "/v1/accounts", nil).want(405, "method-not-allowed")
	r := w.call("ada", "PATCH", "/v1/accounts/shop", `{}`).want(405, "method-not-allowed")
	if got, want := r.header.Get("Allow"), "DELETE, GET, HEAD, PUT"; got != want {
		t.Errorf("Allow is %q, want %q", got, want)
	}
	w.call("ada", "POST", "/v1/health", nil).want(405, "method-not-allowed")
	r = w.call("ada", http.MethodHead, "/v1/accounts", nil).want(200)
	if len(r.raw) != 0 {
		t.Errorf("HEAD has a body: %s", r.raw)
	}
}

func TestHeadersAndLog(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.says("shop", "alice", "the words of a customer")
	w.call("ann", "POST", "/v1/sessions/"+string(s)+"/accept", nil).want(200)
	r := w.call("ann", "POST", "/v1/sessions/"+string(s)+"/messages", `{"type":"text","text":{"content":"the words of an agent"}}`).want(202)
	if r.header.Get("Cache-Control") != "no-store" || r.header.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("headers %v, want no-store and nosniff", r.header)
	}
	if r.header.Get("Content-Type") != "application/json" {
		t.Errorf("content type %q, want application/json", r.header.Get("Content-Type"))
	}
	h := w.call("", "GET", "/v1/health", nil).want(200).is("ok", "status").is("test", "version")
	if h.header.Get("Cache-Control") != "" {
		t.Errorf("health may not be cached: %v", h.header)
	}
	log := w.log.String()
	for _, want := range []string{`"route":"/v1/sessions/{session}/messages"`, `"status":202`, `"agent":"ann"`, `"tenant":"default"`, `"took_ms"`, `"method":"POST"`} {
		if !strings.Contains(log, want) {
			t.Errorf("the log has no %s: %s", want, log)
		}
	}
	if n := strings.Count(log, "\n"); n != 3 {
		t.Errorf("%d log lines for 3 calls: %s", n, log)
	}
	for _, no := range []string{"the words", "kf_", "alice"} {
		if strings.Contains(log, no) {
			t.Errorf("the log has %q: %s", no, log)
		}
	}
}
