package wxfake

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"
)

// simView is what the tests read of GET sim/state.
type simView struct {
	Version uint64        `json:"version"`
	OpenID  string        `json:"openid"`
	Window  simWindow     `json:"window"`
	Items   []simItem     `json:"items"`
	Traffic []simExchange `json:"traffic"`
	Typing  int64         `json:"typing_until"`
	Refused map[int]int   `json:"refused"`
	Faults  []string      `json:"faults"`
	Tool    string        `json:"tool"`

	ToolAgent  string `json:"tool_agent"`
	ToolUntil  int64  `json:"tool_until"`
	BadReplies int64  `json:"bad_replies"`
}

func (w *world) state(app, name string, since uint64) simView {
	w.t.Helper()
	r := w.get(fmt.Sprintf("/sim/state?app=%s&name=%s&since=%d", app, name, since))
	var v simView
	if err := json.Unmarshal(r.body, &v); err != nil || r.status != http.StatusOK {
		w.t.Fatalf("state: got %d %s: %v", r.status, r.body, err)
	}
	return v
}

func (w *world) act(app, name, action, more string) reply {
	w.t.Helper()
	return w.post("/sim/act", fmt.Sprintf(`{"app":"%s","name":"%s","action":"%s"%s}`, app, name, action, more))
}

func TestThePageIsServedUnderItsPolicy(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for path, contentType := range map[string]string{
		"/": "text/html; charset=utf-8", "/app.js": "text/javascript; charset=utf-8", "/chat.js": "text/javascript; charset=utf-8",
		"/traffic.js": "text/javascript; charset=utf-8", "/app.css": "text/css; charset=utf-8", "/icon.svg": "image/svg+xml",
	} {
		r := w.get(path)
		if r.status != http.StatusOK || r.header.Get("Content-Type") != contentType || len(r.body) < 100 {
			t.Errorf("%s: got %d, %s, %d bytes", path, r.status, r.header.Get("Content-Type"), len(r.body))
		}
		if got := r.header.Get("Content-Security-Policy"); !strings.HasPrefix(got, "default-src 'none'; script-src 'self'; style-src 'self';") {
			t.Errorf("%s: policy: got %q", path, got)
		}
		// Nothing may need another site, an inline script, or markup made of text.
		bad := regexp.MustCompile(`(?i)(src|href)="(https?:)?//|innerHTML|insertAdjacentHTML|document\.write|\beval\(|style="|on(click|load|error)="`)
		if hit := bad.Find(r.body); hit != nil {
			t.Errorf("%s: holds %q", path, hit)
		}
	}
	for _, path := range []string{"/nothing", "/page/app.js", "/../doc.go", "/sim/nothing"} {
		if r := w.get(path); r.status != http.StatusNotFound {
			t.Errorf("%s: got %d, want 404", path, r.status)
		}
	}
}

func TestThePageWorksBelowAPrefix(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	mux := http.NewServeMux()
	mux.Handle("/simulator/", http.StripPrefix("/simulator/", w.p.Handler()))
	w.api.Config.Handler = mux
	for _, path := range []string{"/simulator/", "/simulator/app.js", "/simulator/sim/accounts"} {
		if r := w.get(path); r.status != http.StatusOK {
			t.Errorf("%s: got %d, want 200", path, r.status)
		}
	}
	wantCode(t, "an API call", w.get("/simulator/cgi-bin/getcallbackip"), codeNoToken)
}

func TestAConversationByThePage(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.act(miniApp, "Li", "enter", `,"text":"goods=1"`)
	if !strings.Contains(string(r.body), `"accepted":true`) || !strings.Contains(string(r.body), `"deliveries":[{"attempt":1,"status":200,`) {
		t.Fatalf("enter: got %s", r.body)
	}
	w.act(miniApp, "Li", "say", `,"text":"<script>alert(1)</script>"`)
	w.act(miniApp, "Li", "image", `,"data":"`+base64.StdEncoding.EncodeToString(pngFile)+`"`)
	c := w.p.Named(miniApp, "Li")
	token := w.token(miniApp)
	w.post(sendPath+token, textTo(c.OpenID(), "answer"))
	w.post(sendPath+token, textTo(c.OpenID(), ""))
	w.post("/cgi-bin/message/custom/typing?access_token="+token, fmt.Sprintf(`{"touser":"%s","command":"Typing"}`, c.OpenID()))
	v := w.state(miniApp, "Li", 0)
	var got []string
	for _, it := range v.Items {
		got = append(got, it.From+" "+it.Kind+" "+it.Text+" "+it.State)
	}
	want := "customer user_enter_tempsession goods=1 ok|customer text <script>alert(1)</script> ok|customer image  ok|account text answer "
	if strings.Join(got, "|") != want {
		t.Errorf("items: got %q, want %q", got, want)
	}
	if v.OpenID != c.OpenID() || v.Window.Limit != 5 || v.Window.Used != 1 || *v.Window.Until != c.Window().Until.UnixMilli() ||
		v.Refused[codeEmptyText] != 1 || v.Typing == 0 {
		t.Errorf("state: got %+v", v)
	}
	if r := w.get("/sim/media?app=" + miniApp + "&id=" + v.Items[2].Media); !bytes.Equal(r.body, pngFile) || r.header.Get("Content-Type") != "image/png" {
		t.Errorf("media: got %q", r.body)
	}
	push := v.Traffic[1]
	if push.Kind != KindPush || !strings.Contains(push.Outer, `"Encrypt":"`) || !strings.Contains(push.Plain, "<script>") || push.Answer != "success" {
		t.Errorf("a push in the traffic: got %+v", push)
	}
	// By openid it is the same customer.
	if byID := w.state(miniApp, c.OpenID(), 0); len(byID.Items) != 4 {
		t.Errorf("by openid: got %d items, want 4", len(byID.Items))
	}
}

func TestNoSecretReachesThePage(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.p.Named(miniApp, "Li")
	c.Say(t.Context(), "hi")
	token := w.token(miniApp)
	plain := w.plainToken(miniApp, "secret-of-"+miniApp)
	w.sendText(c, "answer")
	for _, path := range []string{"/sim/accounts", "/sim/state?app=" + miniApp + "&name=Li", "/", "/app.js"} {
		body := string(w.get(path).body)
		for what, secret := range map[string]string{
			"token": token, "other token": plain.Token, "secret": "secret-of-", "signing token": "kfToken2026", "key": testKey,
		} {
			if strings.Contains(body, secret) {
				t.Errorf("%s shows the %s", path, what)
			}
		}
	}
}

func TestLongPoll(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	v := w.state(miniApp, "Li", 0)
	got := make(chan simView)
	go func() { got <- w.state(miniApp, "Li", v.Version) }()
	c := w.p.Named(miniApp, "Li")
	for { // the page may not be waiting yet: whatever happens first, it must come back
		c.Say(t.Context(), "hi")
		select {
		case next := <-got:
			if next.Version == v.Version {
				t.Errorf("version: got %d again", next.Version)
			}
			return
		default:
		}
	}
}

func TestCloseEndsWaitingPages(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	v := w.state(miniApp, "Li", 0)
	got := make(chan simView)
	go func() { got <- w.state(miniApp, "Li", v.Version) }()
	w.p.Close()
	if next := <-got; next.Version != v.Version {
		t.Errorf("version: got %d, want %d", next.Version, v.Version)
	}
}

func TestThePagesCallsRefuseBadInput(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	good := `{"app":"` + miniApp + `","name":"Li","action":"say","text":"hi"}`
	for _, tt := range []struct {
		name, path, contentType, body string
		header                        [2]string
		want                          int
	}{
		{"a form", "/sim/act", "application/x-www-form-urlencoded", good, [2]string{}, 415},
		{"text", "/sim/act", "text/plain", good, [2]string{}, 415},
		{"another origin", "/sim/act", "application/json", good, [2]string{"Origin", "https://evil.example"}, 403},
		{"another site", "/sim/fault", "application/json", `{}`, [2]string{"Sec-Fetch-Site", "cross-site"}, 403},
		{"no JSON", "/sim/act", "application/json", "{", [2]string{}, 400},
		{"two documents", "/sim/act", "application/json", good + good, [2]string{}, 400},
		{"unknown field", "/sim/act", "application/json", `{"nonsense":1}`, [2]string{}, 400},
		{"unknown account", "/sim/act", "application/json", `{"app":"wx9","name":"Li","action":"say"}`, [2]string{}, 404},
		{"no name", "/sim/act", "application/json", strings.Replace(good, "Li", " ", 1), [2]string{}, 422},
		{"long name", "/sim/act", "application/json", strings.Replace(good, "Li", strings.Repeat("李", 65), 1), [2]string{}, 422},
		{"long text", "/sim/act", "application/json", strings.Replace(good, "hi", strings.Repeat("x", 20_001), 1), [2]string{}, 422},
		{"unknown action", "/sim/act", "application/json", strings.Replace(good, "say", "sing", 1), [2]string{}, 422},
		{"no base64", "/sim/act", "application/json", strings.Replace(good, `"text":"hi"`, `"data":"*"`, 1), [2]string{}, 422},
		{"no picture", "/sim/act", "application/json", strings.Replace(good, `"say","text":"hi"`, `"image","data":"aGVsbG8="`, 1), [2]string{}, 422},
		{"too large", "/sim/act", "application/json", strings.Replace(good, "hi", strings.Repeat("x", simMaxBody), 1), [2]string{}, 413},
		{"unknown fault", "/sim/fault", "application/json", `{"kind":"fire"}`, [2]string{}, 422},
	} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.api.URL+tt.path, strings.NewReader(tt.body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", tt.contentType)
		if tt.header[0] != "" {
			req.Header.Set(tt.header[0], tt.header[1])
		}
		res, err := w.api.Client().Do(req)
		if err != nil {
			t.Fatalf("%s: %v", tt.name, err)
		}
		if err := res.Body.Close(); err != nil {
			t.Error(err)
		}
		if res.StatusCode != tt.want {
			t.Errorf("%s: got %d, want %d", tt.name, res.StatusCode, tt.want)
		}
	}
	if n := len(w.shop.requests()); n != 0 {
		t.Errorf("pushes: got %d, want 0", n)
	}
	if r := w.get("/sim/state?app=wx9&name=x"); r.status != http.StatusNotFound {
		t.Errorf("state of no account: got %d, want 404", r.status)
	}
	if r := w.get("/sim/media?app=" + miniApp + "&id=x"); r.status != http.StatusNotFound {
		t.Errorf("no such medium: got %d, want 404", r.status)
	}
}

func TestEveryActionAndFaultOfThePage(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, action := range []string{"enter", "say", "card", "follow", "unfollow", "scan", "click", "view", "location", "tap", "tool-accept", "tool-close"} {
		mini, oa := w.act(miniApp, "Li", action, `,"text":"x","id":"1"`), w.act(oaApp, "Li", action, `,"text":"x","id":"1"`)
		if both := string(mini.body) + string(oa.body); mini.status != 200 || oa.status != 200 || !strings.Contains(both, `"accepted":true`) {
			t.Errorf("%s: got %s and %s", action, mini.body, oa.body)
		}
	}
	for _, kind := range []string{
		"lost-answer", "status", "html", "refuse", "slow", "code", "expire-tokens", "revoke-tokens", "drop-media", "duplicate",
		"lose-push-answers", "reorder",
	} {
		if r := w.post("/sim/fault", `{"app":"`+miniApp+`","kind":"`+kind+`","code":45011}`); r.status != 200 {
			t.Errorf("%s: got %d %s", kind, r.status, r.body)
		}
	}
	if v := w.state(miniApp, "Li", 0); len(v.Faults) != 9 || !strings.Contains(strings.Join(v.Faults, ","), "API: code 45011 × 1") {
		t.Errorf("faults: got %q, want 9", v.Faults)
	}
	w.post("/sim/fault", `{"kind":"clear"}`)
	if v := w.state(miniApp, "Li", 0); len(v.Faults) != 0 {
		t.Errorf("faults after clearing: got %q", v.Faults)
	}
}

func TestAwaitInbox(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.p.Named(miniApp, "a")
	c.Say(t.Context(), "hi")
	got := make(chan []Received)
	go func() {
		in, err := c.AwaitInbox(t.Context(), 2)
		if err != nil {
			t.Errorf("AwaitInbox: %v", err)
		}
		got <- in
	}()
	w.sendText(c, "1")
	w.sendText(c, "2")
	if in := <-got; len(in) != 2 || in[0].Text != "1" || in[0].Seq >= in[1].Seq {
		t.Errorf("got %+v, want two in order", in)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if in, err := c.AwaitInbox(ctx, 3); err == nil || len(in) != 2 {
		t.Errorf("got %d and %v, want what there is and the reason", len(in), err)
	}
}
