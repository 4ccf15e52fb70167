package agent_test

import (
	"slices"
	"strings"
	"testing"

	"kefu/shared/core/account"
)

func TestPutAgent(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.call("ada", "PUT", "/v1/agents/new", `{"name":"New","role":"supervisor","accounts":["shop","oa","shop"],"capacity":3}`).want(201)
	r.is("new", "id").is("New", "name").is("supervisor", "role").is(3, "capacity").is("offline", "status").is(0, "load")
	r.is("oa", "accounts", 0).is("shop", "accounts", 1)
	r = w.call("ada", "PUT", "/v1/agents/new", `{"name":"Newer"}`).want(200)
	r.is("Newer", "name").is("agent", "role").is(10, "capacity").is("offline", "status")
	if got := r.get("accounts"); len(got.([]any)) != 0 {
		t.Errorf("accounts %v, want none: a PUT replaces all", got)
	}
	w.call("ada", "PUT", "/v1/agents/new", `{"name":"New","capacity":0}`).want(200).is(0, "capacity")
	w.call("ada", "PUT", "/v1/agents/ann", `{"name":"Ann","accounts":["shop"]}`).want(200).is("online", "status")

	tests := []struct{ id, body, code string }{
		{"x", `{"name":"X","role":"boss"}`, "agent-invalid"},
		{"x", `{"name":"X","capacity":-1}`, "agent-invalid"},
		{"x", `{"name":"X","capacity":201}`, "agent-invalid"},
		{"x", `{"name":"X","accounts":["a b"]}`, "agent-invalid"},
		{"x", `{"name":"X","accounts":["none"]}`, "account-unknown"},
		{"x", `{"name":"X","accounts":["den"]}`, "account-unknown"}, // another tenant's
		{"x", `{"name":"X","status":"online"}`, "unknown-field"},
		{"x", `{"name":"X","capacity":"10"}`, "wrong-type"},
		{"x", `{"name":"X","accounts":"shop"}`, "wrong-type"},
		{"me", `{"name":"X"}`, "id-invalid"},
		{"a.b", `{"name":"X"}`, "id-invalid"},
	}
	for _, tt := range tests {
		w.call("ada", "PUT", "/v1/agents/"+tt.id, tt.body).want(400, tt.code)
	}
	w.call("ada", "GET", "/v1/agents/x", nil).want(404, "not-found")
}

func TestListAgents(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	want := []string{"ada", "ann", "bob", "olga", "sue"}
	for _, who := range []string{"ann", "sue", "ada", "operator"} {
		for _, limit := range []string{"1", "2", "50"} {
			if got := w.walk(who, "/v1/agents?limit="+limit, "id"); !slices.Equal(got, want) {
				t.Errorf("%s sees %v in pages of %s, want %v", who, got, limit, want)
			}
		}
	}
	if got := w.walk("rival/eve", "/v1/agents?limit=50", "id"); !slices.Equal(got, []string{"eve", "rex"}) {
		t.Errorf("the rival sees %v, want his own", got)
	}
	// What another agent is bound to shows only as far as one sees it oneself.
	r := w.call("olga", "GET", "/v1/agents/ann", nil).want(200).is("ann", "id")
	if got := r.get("accounts").([]any); len(got) != 0 {
		t.Errorf("olga sees that ann is bound to %v, want nothing of shop", got)
	}
	w.call("bob", "GET", "/v1/agents/ann", nil).want(200).is("shop", "accounts", 0)
	w.call("ann", "GET", "/v1/agents/me", nil).want(200).is("ann", "id").is("shop", "accounts", 0)
	w.call("ann", "GET", "/v1/agents/nobody", nil).want(404, "not-found")
	w.call("operator", "GET", "/v1/agents/me", nil).want(403, "role")
	w.call("ann", "GET", "/v1/agents?cursor=nonsense", nil).want(400, "bad-cursor")
}

func TestStatus(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.call("ann", "PUT", "/v1/agents/me/status", `{"status":"away"}`).want(200).is("away", "status")
	if woken := w.route.take(); len(woken) != 0 {
		t.Errorf("woken %v by an agent who went away, want nobody", woken)
	}
	w.pass(60e9)
	w.call("ann", "PUT", "/v1/agents/ann/status", `{"status":"online"}`).want(200).is("online", "status").is("2026-11-21T08:01:00Z", "status_at")
	if woken := w.route.take(); len(woken) != 1 || woken[0].group != "shop" {
		t.Errorf("woken %v, want the router of shop: somebody is free", woken)
	}
	w.call("ann", "PUT", "/v1/agents/bob/status", `{"status":"paused"}`).want(403, "role")
	w.call("sue", "PUT", "/v1/agents/bob/status", `{"status":"paused"}`).want(200).is("paused", "status")
	w.call("ada", "PUT", "/v1/agents/bob/status", `{"status":"offline"}`).want(200)
	w.call("ada", "PUT", "/v1/agents/nobody/status", `{"status":"offline"}`).want(404, "not-found")
	w.call("operator", "PUT", "/v1/agents/me/status", `{"status":"online"}`).want(403, "role")
	w.call("ann", "PUT", "/v1/agents/me/status", `{"status":"asleep"}`).want(400, "status-invalid").is("status", "field")
	w.call("ann", "PUT", "/v1/agents/me/status", `{}`).want(400, "status-invalid")
	w.call("ann", "PUT", "/v1/agents/me/status", nil).want(400, "malformed-json")
}

func TestDeleteAgent(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	mine, other := string(w.says("shop", "alice", "hi")), string(w.says("shop", "carol", "hi"))
	w.call("ann", "POST", "/v1/sessions/"+mine+"/accept", nil).want(200)
	w.call("bob", "POST", "/v1/sessions/"+other+"/accept", nil).want(200)
	w.call("ada", "DELETE", "/v1/agents/me", nil).want(404, "not-found")
	w.call("sue", "DELETE", "/v1/agents/ann", nil).want(403, "role")
	w.call("ada", "DELETE", "/v1/agents/ann", nil).want(204)
	w.call("ada", "DELETE", "/v1/agents/ann", nil).want(404, "not-found")
	w.call("ann", "GET", "/v1/agents/me", nil).want(401, "unauthorized")
	// Whom she served is not left alone with nobody: the next agent may go on.
	w.call("bob", "GET", "/v1/sessions/"+mine, nil).want(200).is("released", "state")
	w.call("bob", "GET", "/v1/sessions/"+other, nil).want(200).is("serving", "state")
	w.call("bob", "POST", "/v1/sessions/"+mine+"/accept", nil).want(200).is("bob", "agent")
	w.call("bob", "GET", "/v1/agents/me", nil).want(200).is(2, "load")
	// A new agent of that name begins with nothing of hers.
	w.call("ada", "PUT", "/v1/agents/ann", `{"name":"Ann II"}`).want(201).is(0, "load")
	w.call("ann", "GET", "/v1/agents/me", nil).want(401, "unauthorized")
}

// TestIsolation makes every call of the table as the rival, about everything that
// the default tenant has: nothing is answered with anything but 404 or 403, and
// nothing changes.
func TestIsolation(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := string(w.says("shop", "alice", "a secret of alice"))
	w.call("ann", "POST", "/v1/sessions/"+s+"/accept", nil).want(200)
	held := w.call("ann", "POST", "/v1/sessions/"+s+"/messages", `{"type":"text","text":{"content":"a secret of ann"},"send_at":"2026-11-22T08:00:00Z"}`).want(202).text("id")
	file := w.upload("ann", "shop", "image", "a secret picture").want(201).text("id")
	bobs := w.call("ada", "POST", "/v1/agents/bob/keys", nil).want(201).text("id")
	before := w.call("ann", "GET", "/v1/sessions/"+s, nil).want(200)

	fill := strings.NewReplacer("{tenant}", "default", "{account}", "shop", "{agent}", "bob", "{session}", s, "{message}", held, "{media}", file, "{key}", bobs)
	bodies := map[string]string{
		"putAccount": `{"channel":"miniprogram","app_id":"wx1","token":"t"}`, "putRouting": `{"assign":{"mode":"auto"}}`,
		"putAgent": `{"name":"Bob","accounts":["shop"]}`, "putStatus": `{"status":"offline"}`, "transferSession": `{"to":"queue"}`,
		"sendMessage": `{"type":"text","text":{"content":"x"}}`, "putTenant": `{"name":"x"}`,
	}
	for _, who := range []string{"rival/eve", "rival/rex", "olga"} {
		for _, line := range tableOf(t) {
			switch line.Op {
			case "listAccounts", "listAgents", "listSessions":
				continue // below
			case "putAgent":
				if who == "rival/rex" {
					// His own agent of that name, bound to an account that he doesn't have.
					w.call(who, line.Method, fill.Replace(line.Path), bodies[line.Op]).want(400, "account-unknown")
					continue
				}
			}
			if who == "olga" && strings.Contains(line.Path, "/agents/") && !line.Admin {
				continue // her own colleagues
			}
			if line.Open {
				continue
			}
			path := fill.Replace(line.Path)
			var r reply
			if line.Op == "uploadMedia" {
				r = w.upload(who, "shop", "image", "x")
			} else {
				r = w.call(who, line.Method, path, bodies[line.Op])
			}
			if r.status != 404 && r.status != 403 {
				t.Errorf("%s %s as %s: %d, want 404 or 403: %s", line.Method, path, who, r.status, r.raw)
			}
			if who != "olga" && r.status == 403 && !line.Admin && !line.Operator {
				t.Errorf("%s %s as %s: 403 says that it exists, want 404", line.Method, path, who)
			}
			if strings.Contains(string(r.raw), "secret of") {
				t.Errorf("%s %s as %s: leaks: %s", line.Method, path, who, r.raw)
			}
		}
		for _, path := range []string{"/v1/sessions?limit=10", "/v1/sessions?limit=10&customer=alice", "/v1/sessions?limit=10&agent=ann", "/v1/sessions?limit=10&state=serving"} {
			if got := w.walk(who, path, "id"); len(got) != 0 {
				t.Errorf("%s as %s: %v, want nothing", path, who, got)
			}
		}
		w.call(who, "GET", "/v1/sessions?account=shop", nil).want(404, "not-found")
	}
	after := w.call("ann", "GET", "/v1/sessions/"+s, nil).want(200)
	if string(before.raw) != string(after.raw) {
		t.Errorf("the session was changed:\n%s\n%s", before.raw, after.raw)
	}
	w.call("bob", "GET", "/v1/agents/me", nil).want(200).is("online", "status").is("shop", "accounts", 0)
	w.call("ann", "GET", "/v1/accounts/shop/routing", nil).want(200).is("manual", "assign", "mode")
	if a, err := w.store.Account(t.Context(), account.ID("shop")); err != nil || a.AppID != "wx-shop" {
		t.Errorf("shop is %+v, %v; want it untouched", a, err)
	}
}

// TestRoles makes every call with too low a key.
func TestRoles(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	fill := strings.NewReplacer("{tenant}", "default", "{account}", "shop", "{agent}", "bob", "{session}", "s", "{message}", "m", "{media}", "f", "{key}", "k")
	refused := 0
	for _, line := range tableOf(t) {
		path := fill.Replace(line.Path)
		if !line.Open {
			w.call("", line.Method, path, `{}`).want(401, "unauthorized")
		}
		if line.Admin || line.Operator {
			w.call("ann", line.Method, path, `{}`).want(403, "role")
			w.call("sue", line.Method, path, `{}`).want(403, "role")
			refused++
		}
		if line.Operator {
			w.call("ada", line.Method, path, `{}`).want(403, "role")
		}
	}
	if refused < 10 {
		t.Errorf("%d calls are for admins, want at least 10: is the table read?", refused)
	}
}
