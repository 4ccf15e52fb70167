package agent_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"kefu/shared/adapter/bolt"
	"kefu/shared/core/account"
	coreagent "kefu/shared/core/agent"
	"kefu/shared/core/message"
	"kefu/shared/core/quota"
	"kefu/shared/core/session"
	"kefu/shared/core/tenant"
	"kefu/shared/flow/agent"
	"kefu/shared/shell"
)

// epoch is when every test begins.
var epoch = time.Date(2026, 11, 21, 8, 0, 0, 0, time.UTC)

// operatorKey is the deployment's own key in tests.
const operatorKey = "the-operators-own-key"

// world is one deployment: the embedded engine, a clock that stands still, and the
// two ends of the interface that are not the store.
type world struct {
	t     *testing.T
	db    *bolt.DB
	store *bolt.Store
	api   *agent.API
	h     http.Handler

	route, outbound *wakeUps
	hooks           *wakeUps
	media           *files
	typer           *typer
	log             *logText

	mu   sync.Mutex
	now  time.Time
	keys map[string]string // by "tenant/agent"
}

// newWorld makes a deployment with two businesses. The default one has the accounts
// shop (a Mini Program) and oa (an Official Account), the agents ann and bob bound to
// shop, olga bound to oa, the supervisor sue bound to shop and the admin ada. The
// business rival has the account den, the agent eve bound to it and the admin rex.
func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, now: epoch, route: &wakeUps{}, outbound: &wakeUps{}, hooks: &wakeUps{}, typer: &typer{}, log: &logText{}, keys: map[string]string{}}
	db, err := bolt.Open(bolt.Options{Path: filepath.Join(t.TempDir(), "kefu.db"), Now: w.clock})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	w.db, w.store = db, db.Store()
	w.media = &files{store: w.store, now: w.clock, bytes: map[string][]byte{}}
	w.api = &agent.API{
		Store: w.store, Media: w.media, Typer: w.typer, Doctor: physician{w.clock}, Now: w.clock, Rand: rand.Reader, Version: "test",
		Shell:    &shell.Shell{Store: w.store, Route: w.route, Outbound: w.outbound, Hooks: w.hooks, Now: w.clock},
		Log:      slog.New(slog.NewJSONHandler(w.log, nil)),
		AdminKey: agent.HashKey(operatorKey),
	}
	w.h = w.api.Handler()
	w.tenant("rival")
	w.account(tenant.Default, "shop", account.MiniProgram)
	w.account(tenant.Default, "oa", account.Official)
	w.account("rival", "den", account.MiniProgram)
	w.agent(tenant.Default, "ann", coreagent.RoleAgent, 10, "shop")
	w.agent(tenant.Default, "bob", coreagent.RoleAgent, 10, "shop")
	w.agent(tenant.Default, "olga", coreagent.RoleAgent, 10, "oa")
	w.agent(tenant.Default, "sue", coreagent.RoleSupervisor, 10, "shop")
	w.agent(tenant.Default, "ada", coreagent.RoleAdmin, 10)
	w.agent("rival", "eve", coreagent.RoleAgent, 10, "den")
	w.agent("rival", "rex", coreagent.RoleAdmin, 10)
	return w
}

func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

// pass lets time pass.
func (w *world) pass(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) tenant(id tenant.ID) {
	w.t.Helper()
	_, err := w.store.PutTenant(w.t.Context(), tenant.Tenant{ID: id, Name: string(id), CreatedAt: w.clock()})
	w.must(err)
}

func (w *world) account(of tenant.ID, id account.ID, ch account.Channel) {
	w.t.Helper()
	_, err := w.store.PutAccount(w.t.Context(), account.Account{
		ID: id, Tenant: of, Channel: ch, AppID: "wx-" + string(id), Mode: account.Plaintext, Format: account.JSON,
		Token: "token-of-" + account.Secret(id), AppSecret: "secret-of-" + account.Secret(id), CreatedAt: w.clock(), UpdatedAt: w.clock(),
	})
	w.must(err)
}

// agent makes an agent who is online, with a key.
func (w *world) agent(of tenant.ID, id coreagent.ID, role coreagent.Role, capacity int, bound ...account.ID) {
	w.t.Helper()
	g := coreagent.Agent{
		ID: id, Tenant: of, Name: string(id), Role: role, Accounts: bound, Capacity: capacity,
		Status: coreagent.Online, StatusAt: w.clock(), CreatedAt: w.clock(), UpdatedAt: w.clock(),
	}
	_, err := w.store.PutAgent(w.t.Context(), g)
	w.must(err)
	w.keys[string(of)+"/"+string(id)] = w.key(of, id, "")
}

// key makes a key and returns its text.
func (w *world) key(of tenant.ID, id coreagent.ID, role coreagent.Role) string {
	w.t.Helper()
	k, text, err := agent.NewKey(rand.Reader)
	w.must(err)
	k.Tenant, k.Agent, k.Role, k.CreatedAt = of, id, role, w.clock()
	w.must(w.store.PutKey(w.t.Context(), k))
	return text
}

// keyOf finds the key of "ann", of "rival/eve", or of the operator.
func (w *world) keyOf(who string) string {
	w.t.Helper()
	switch {
	case who == "":
		return ""
	case who == "operator":
		return operatorKey
	case strings.HasPrefix(who, "kf_"):
		return who
	case !strings.Contains(who, "/"):
		who = "default/" + who
	}
	key, ok := w.keys[who]
	if !ok {
		w.t.Fatalf("no key for %q", who)
	}
	return key
}

// says lets the customer write, and returns the session's id.
func (w *world) says(to account.ID, who account.Customer, text string) session.ID {
	w.t.Helper()
	return w.arrives(to, who, message.Content{Type: message.TypeText, Text: &message.Text{Content: text}}, quota.Message, true)
}

// arrives plays ingest for one push.
func (w *world) arrives(to account.ID, who account.Customer, c message.Content, action quota.Action, fromCustomer bool) session.ID {
	w.t.Helper()
	a, err := w.store.Account(w.t.Context(), to)
	w.must(err)
	fresh := session.ID(strings.ToLower(rand.Text()))
	at := w.clock()
	row := func(ctx context.Context, s session.Session, e session.Store) error {
		in, n, _ := e.Message.Split()
		return w.store.PutMessage(ctx, message.Message{
			ID: e.Message, N: n, Tenant: s.Tenant, Account: s.Account, Customer: s.Customer, Session: in, Direction: message.In,
			Content: c, State: message.Received, Push: "push-" + string(e.Message), CreatedAt: at,
		})
	}
	res, err := w.api.Shell.Do(w.t.Context(), session.Ref{Account: to, Customer: who}, session.RulesOf(a), row, session.Arrived{
		ID: fresh, Account: to, Customer: who, Key: string(fresh), At: at, Action: action, FromCustomer: fromCustomer, Text: c.Words(),
	})
	w.must(err)
	return res.Session.ID
}

// reply is an answer.
type reply struct {
	t      *testing.T
	what   string
	status int
	header http.Header
	raw    []byte
	json   map[string]any
}

// call makes a call as somebody. body is a text as it stands, nil for none, or a
// value that becomes JSON; more are headers, name and value in turn.
func (w *world) call(who, method, path string, body any, more ...string) reply {
	w.t.Helper()
	var r io.Reader
	switch b := body.(type) {
	case nil:
	case string:
		r = strings.NewReader(b)
	case []byte:
		r = bytes.NewReader(b)
	default:
		text, err := json.Marshal(b)
		w.must(err)
		r = bytes.NewReader(text)
	}
	req := httptest.NewRequestWithContext(w.t.Context(), method, path, r)
	if key := w.keyOf(who); key != "" {
		req.Header.Set("Authorization", "Bearer "+key)
	}
	for i := 0; i < len(more); i += 2 {
		req.Header.Add(more[i], more[i+1])
	}
	rec := httptest.NewRecorder()
	w.h.ServeHTTP(rec, req)
	out := reply{t: w.t, what: who + ": " + method + " " + path, status: rec.Code, header: rec.Header(), raw: rec.Body.Bytes()}
	if method != http.MethodHead && strings.Contains(rec.Header().Get("Content-Type"), "json") {
		if err := json.Unmarshal(out.raw, &out.json); err != nil {
			w.t.Fatalf("%s: answer is no JSON object: %v: %s", out.what, err, out.raw)
		}
	}
	return out
}

// want checks the status and, of a problem, the code and the document's form.
func (r reply) want(status int, code ...string) reply {
	r.t.Helper()
	if r.status != status {
		r.t.Fatalf("%s: status %d, want %d: %s", r.what, r.status, status, r.raw)
	}
	if len(code) == 0 {
		return r
	}
	if got := r.json["code"]; got != code[0] {
		r.t.Errorf("%s: code %v, want %q: %s", r.what, got, code[0], r.raw)
	}
	if got := r.header.Get("Content-Type"); got != "application/problem+json" {
		r.t.Errorf("%s: content type %q, want a problem document", r.what, got)
	}
	for _, member := range []string{"type", "title", "detail"} {
		if text, ok := r.json[member].(string); !ok || text == "" {
			r.t.Errorf("%s: problem has no %s: %s", r.what, member, r.raw)
		}
	}
	if got := r.json["status"]; got != float64(status) {
		r.t.Errorf("%s: problem says status %v, want %d", r.what, got, status)
	}
	return r
}

// get digs a value out: get("window", "remaining"); a number addresses a list.
func (r reply) get(path ...any) any {
	r.t.Helper()
	var v any = r.json
	for _, p := range path {
		switch p := p.(type) {
		case string:
			m, ok := v.(map[string]any)
			if !ok {
				r.t.Fatalf("%s: %v: no object to look into for %q: %s", r.what, path, p, r.raw)
			}
			v = m[p]
		case int:
			l, ok := v.([]any)
			if !ok || p >= len(l) {
				r.t.Fatalf("%s: %v: no item %d: %s", r.what, path, p, r.raw)
			}
			v = l[p]
		}
	}
	return v
}

func (r reply) text(path ...any) string {
	r.t.Helper()
	s, _ := r.get(path...).(string)
	return s
}

// is checks one value; numbers are compared as JSON has them.
func (r reply) is(want any, path ...any) reply {
	r.t.Helper()
	if n, ok := want.(int); ok {
		want = float64(n)
	}
	if got := r.get(path...); got != want {
		r.t.Errorf("%s: %v is %v, want %v: %s", r.what, path, got, want, r.raw)
	}
	return r
}

// items returns one member of each item of a list.
func (r reply) items(member string) []string {
	r.t.Helper()
	list, ok := r.json["items"].([]any)
	if !ok {
		r.t.Fatalf("%s: no items: %s", r.what, r.raw)
	}
	names := []string{}
	for i := range list {
		names = append(names, fmt.Sprint(r.get("items", i, member)))
	}
	return names
}
