package app_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"kefu/shared/adapter/wechat/wxfake"
	"kefu/shared/app"
	"kefu/shared/core/queue"
	"kefu/shared/faas"
)

// rig is the whole system with the simulator and a clock that only the test
// moves. Nothing runs by itself: pump works until nothing is ready.
type rig struct {
	t        *testing.T
	ctx      context.Context
	system   *app.System
	config   app.Config
	platform *wxfake.Platform
	web      *httptest.Server // callback and interface
	time     atomic.Int64
	log      *bytes.Buffer
	keys     map[string]string
	handlers map[string]faas.Handler
	// resting are news that could not be told: their queue has a pause of its own for them, which in a cloud is real.
	resting []string
}

const adminKey = "operator-key-of-the-rig"

func newRig(t *testing.T, change ...func(*app.Config)) *rig {
	t.Helper()
	r := &rig{t: t, ctx: t.Context(), keys: map[string]string{"admin": adminKey}, log: &bytes.Buffer{}}
	r.time.Store(time.Date(2026, 11, 21, 8, 0, 0, 0, time.UTC).UnixNano())
	r.platform = wxfake.New(wxfake.Options{
		Now: r.now, Seed: 1, Wait: func(ctx context.Context, _ time.Duration) error { return ctx.Err() },
	})
	wechat := httptest.NewServer(r.platform.Handler())
	r.platform.SetBaseURL(wechat.URL)
	r.config = app.Config{
		Data: t.TempDir(), WeChatURL: wechat.URL, AdminKey: adminKey, Now: r.now, PrivateHooks: true,
		Log: slog.New(slog.NewJSONHandler(r.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	if strings.HasPrefix(t.Name(), "TestInCloud/") {
		change = append(change, inCloud(t))
	}
	for _, c := range change {
		c(&r.config)
	}
	r.open()
	r.web = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		name := "api"
		if len(req.URL.Path) > 9 && req.URL.Path[:10] == "/callback/" {
			name = "callback"
		}
		faas.Gateway(r.handlers[name]).ServeHTTP(w, req)
	}))
	t.Cleanup(func() {
		r.web.Close()
		wechat.Close()
		r.platform.Close()
		if err := r.system.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return r
}

// open opens the system on the rig's data, as a new process would.
func (r *rig) open() {
	r.t.Helper()
	s, err := app.Open(r.config)
	if err != nil {
		r.t.Fatal(err)
	}
	r.system = s
	r.handlers = map[string]faas.Handler{
		"callback": s.Callback(), "api": s.API(), "inbound": s.Ingest(), "route": s.Router(), "outbound": s.Sender(), "hooks": s.Webhook(),
		"expiry": s.Expiry(),
	}
	if r.config.Engine == app.AWS {
		r.apart()
	}
}

// restart closes the system and opens it again on the same data.
func (r *rig) restart() {
	r.t.Helper()
	if err := r.system.Close(); err != nil {
		r.t.Fatal(err)
	}
	r.open()
}

func (r *rig) now() time.Time { return time.Unix(0, r.time.Load()).UTC() }

// pass lets time go by in steps, as a sweep each minute and timers would see it.
func (r *rig) pass(d time.Duration) {
	r.t.Helper()
	r.time.Add(int64(d))
	r.wakeResting()
	r.sweep()
	r.pump()
}

func (r *rig) sweep() {
	r.t.Helper()
	if _, err := r.handlers["expiry"].Invoke(r.ctx, nil); err != nil {
		r.t.Errorf("sweep: %v", err)
	}
}

// account makes an account on both sides.
func (r *rig) account(id string, channel wxfake.Channel, mode wxfake.Mode, format wxfake.Format) {
	r.t.Helper()
	r.accountOf("admin", id, channel, mode, format)
}

// accountOf makes an account on both sides, on ours by this key.
func (r *rig) accountOf(who, id string, channel wxfake.Channel, mode wxfake.Mode, format wxfake.Format) {
	r.t.Helper()
	a := wxfake.Account{
		Channel: channel, AppID: "wx" + id, OriginalID: "gh_" + id, Secret: "secret-of-" + id, Token: "token" + id,
		AESKey: "aozyxq4R650BCa5DxPYsLsBF2fPPCyUnOo8Ni0Whbc0", Mode: mode, Format: format, CallbackURL: r.web.URL + "/callback/" + id,
	}
	if err := r.platform.AddAccount(a); err != nil {
		r.t.Fatal(err)
	}
	r.must(who, "PUT", "/accounts/"+id, m{
		"channel": channel, "app_id": a.AppID, "original_id": a.OriginalID, "token": a.Token, "aes_key": a.AESKey,
		"secret": a.Secret, "mode": mode, "format": format,
	}, 201)
}

// agent makes an agent with a key, online.
func (r *rig) agent(id, role string, capacity int, accounts ...string) {
	r.t.Helper()
	r.must("admin", "PUT", "/agents/"+id, m{"name": id, "role": role, "accounts": accounts, "capacity": capacity}, 201)
	key := r.must("admin", "POST", "/agents/"+id+"/keys", nil, 201)
	r.keys[id] = key.str("key")
	r.must(id, "PUT", "/agents/me/status", m{"status": "online"}, 200)
}

// m is a JSON object.
type m map[string]any

func (v m) str(k string) string { s, _ := v[k].(string); return s }
func (v m) num(k string) int    { f, _ := v[k].(float64); return int(f) }
func (v m) obj(k string) m      { o, _ := v[k].(map[string]any); return o }
func (v m) items() []m {
	list, _ := v["items"].([]any)
	out := make([]m, len(list))
	for i, x := range list {
		o, _ := x.(map[string]any)
		out[i] = o
	}
	return out
}

// call makes one call of the interface as somebody.
func (r *rig) call(who, method, path string, body any, header ...string) (int, m) {
	r.t.Helper()
	var in io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			r.t.Fatal(err)
		}
		in = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(r.ctx, method, r.web.URL+"/v1"+path, in)
	if err != nil {
		r.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+r.keys[who])
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	var v m
	if len(b) > 0 {
		if err := json.Unmarshal(b, &v); err != nil {
			r.t.Fatalf("%s %s answered %d with no JSON: %s", method, path, resp.StatusCode, b)
		}
	}
	return resp.StatusCode, v
}

func (r *rig) must(who, method, path string, body any, want int) m {
	r.t.Helper()
	got, v := r.call(who, method, path, body)
	if got != want {
		r.t.Fatalf("%s: %s %s answered %d %v, want %d", who, method, path, got, v, want)
	}
	return v
}

// queues in the order in which work flows.
func (r *rig) queues() map[string]app.Queue {
	q := r.system.Queues()
	return map[string]app.Queue{"inbound": q.Inbound, "route": q.Route, "outbound": q.Outbound, "hooks": q.Hooks}
}

// wakeResting ends the pauses of a cloud's queue, which knows nothing of the rig's clock.
func (r *rig) wakeResting() {
	r.t.Helper()
	for _, receipt := range r.resting {
		if err := r.system.Queues().Hooks.Retry(r.ctx, receipt, 0); err != nil {
			r.t.Fatal(err)
		}
	}
	r.resting = nil
}

// pump lets the consumers work until nothing is ready at the present time.
func (r *rig) pump() {
	r.t.Helper()
	for range 10_000 {
		worked := false
		for _, name := range []string{"inbound", "route", "outbound", "hooks"} {
			worked = r.consume(name) || worked
		}
		if !worked {
			return
		}
	}
	r.t.Fatal("the queues never come to rest")
}

func (r *rig) consume(name string) bool {
	r.t.Helper()
	q := r.queues()[name]
	batch, err := q.Receive(r.ctx, batchOf(name))
	if err != nil {
		r.t.Fatalf("receive from %s: %v", name, err)
	}
	if len(batch) == 0 {
		return false
	}
	done, failed := r.invoke(name, batch)
	for _, d := range failed {
		if name == "hooks" { // it gives back by itself
			if r.config.Engine == app.AWS {
				r.resting = append(r.resting, d.Receipt)
			}
			continue
		}
		if err := q.Retry(r.ctx, d.Receipt, time.Second); err != nil {
			r.t.Fatal(err)
		}
	}
	if err := q.Ack(r.ctx, done...); err != nil {
		r.t.Fatal(err)
	}
	return true
}

// batchOf is how many messages of a queue a function gets at once: those of the ordered queues one by one, see
// serverless.yml.
func batchOf(queue string) int {
	if queue == "hooks" {
		return 1
	}
	return 10
}

func (r *rig) invoke(name string, batch []queue.Delivery) (done []string, failed []queue.Delivery) {
	r.t.Helper()
	return r.invokeBy(r.ctx, name, r.handlers[name], batch)
}

// invokeBy lets a handler of the queue's function work on a batch.
func (r *rig) invokeBy(ctx context.Context, name string, h faas.Handler, batch []queue.Delivery) (done []string, failed []queue.Delivery) {
	r.t.Helper()
	messages := make([]faas.Message, len(batch))
	for i, d := range batch {
		messages[i] = faas.Message{ID: d.ID, Group: d.Group, Body: string(d.Body), Receives: d.Receives, Sent: d.SentAt, Receipt: d.Receipt}
	}
	event, err := faas.EncodeBatch(messages)
	if err != nil {
		r.t.Fatal(err)
	}
	answer, err := h.Invoke(ctx, event)
	if err != nil {
		r.t.Fatalf("%s: %v", name, err)
	}
	ids, err := faas.DecodeFailures(answer, messages)
	if err != nil {
		r.t.Fatalf("%s: %v", name, err)
	}
	bad := map[string]bool{}
	for _, id := range ids {
		bad[id] = true
	}
	for _, d := range batch {
		if bad[d.ID] {
			failed = append(failed, d)
		} else {
			done = append(done, d.Receipt)
		}
	}
	return done, failed
}

// session is the newest session of a customer.
func (r *rig) session(c *wxfake.Customer) m {
	r.t.Helper()
	list := r.must("admin", "GET", "/sessions?limit=1&customer="+c.OpenID(), nil, 200).items()
	if len(list) == 0 {
		r.t.Fatal("the customer has no session")
	}
	return list[0]
}

func (r *rig) messages(session string) []m {
	r.t.Helper()
	return r.must("admin", "GET", "/sessions/"+session+"/messages?limit=200", nil, 200).items()
}

func text(content string) m { return m{"type": "text", "text": m{"content": content}} }

// ok fails the test if a push was not accepted.
func (r *rig) ok(p wxfake.Push) wxfake.Push {
	r.t.Helper()
	if p.Err != nil || (!p.Accepted && !p.Held) {
		r.t.Fatalf("a push was not accepted: %+v", p)
	}
	return p
}

func (r *rig) want(what string, got, want any) {
	r.t.Helper()
	if fmt.Sprint(got) != fmt.Sprint(want) {
		r.t.Errorf("%s: got %v, want %v", what, got, want)
	}
}
