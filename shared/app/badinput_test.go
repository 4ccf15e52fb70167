package app_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"kefu/shared/adapter/wechat/wxfake"
	"kefu/shared/app"
)

// push sends bytes to the callback as anybody could.
func (r *rig) push(path, body string) (int, string) {
	r.t.Helper()
	req, err := http.NewRequestWithContext(r.ctx, http.MethodPost, r.web.URL+path, strings.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
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
	return resp.StatusCode, string(b)
}

// TestForgedPushes: everything that doesn't prove to come from the platform gets
// one and the same answer, leaves a reason in the log and nothing in the store.
func TestForgedPushes(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.account("shop", wxfake.MiniProgram, wxfake.Secure, wxfake.XML)
	r.account("open", wxfake.MiniProgram, wxfake.Plaintext, wxfake.XML)
	const secret = "the-text-of-a-forger"
	xml := "<xml><ToUserName>gh_shop</ToUserName><FromUserName>mei</FromUserName><CreateTime>1</CreateTime><MsgType>text</MsgType><Content>" + secret + "</Content><MsgId>1</MsgId></xml>"
	bodies := map[string]string{
		"plain into a secure account": xml,
		"nothing":                     "",
		"no XML":                      secret,
		"entities":                    `<!DOCTYPE x [<!ENTITY a "b">]><xml><Encrypt>&a;</Encrypt></xml>`,
		"deep":                        strings.Repeat("<a>", 5000) + strings.Repeat("</a>", 5000),
		"not base64":                  "<xml><Encrypt><![CDATA[***]]></Encrypt></xml>",
		"JSON":                        `{"Encrypt":"` + secret + `"}`,
	}
	for name, body := range bodies {
		for _, query := range []string{"", "?signature=abc&timestamp=1&nonce=2", "?msg_signature=abc&timestamp=1&nonce=2&encrypt_type=aes", "?signature=%zz"} {
			for _, account := range []string{"shop", "open"} {
				status, answer := r.push("/callback/"+account+query, body)
				if status != 403 || answer != "forbidden" {
					t.Errorf("%s %s %s: got %d %q, want the one refusal", name, query, account, status, answer)
				}
			}
		}
	}
	if status, _ := r.push("/callback/nobody", xml); status != 404 {
		t.Errorf("unknown account: got %d, want 404", status)
	}
	if status, _ := r.push("/callback/shop", strings.Repeat("x", 1<<20+1)); status != 413 {
		t.Errorf("oversized: got %d, want 413", status)
	}
	r.pump()
	r.want("sessions", len(r.must("admin", "GET", "/sessions", nil, 200).items()), 0)
	if strings.Contains(r.log.String(), secret) {
		t.Error("the log repeats what a forger sent")
	}
	if !strings.Contains(r.log.String(), `"reason":`) {
		t.Error("the log doesn't say why pushes were refused")
	}
}

// TestUnreadablePush: signed well and still nonsense is kept, answered, and never in the way.
func TestUnreadablePush(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.account("shop", wxfake.MiniProgram, wxfake.Secure, wxfake.JSON)
	mei := r.platform.Named("wxshop", "mei")
	r.ok(mei.Push(r.ctx, wxfake.Fields{{Name: "MsgType", Value: "dance"}, {Name: "Step", Value: "tango"}}))
	r.ok(mei.Say(r.ctx, "after it"))
	r.pump()
	list := r.messages(r.session(mei).str("id"))
	r.want("the text is there", list[len(list)-1].obj("text").str("content"), "after it")
}

// TestFullDisk: what can't be stored is not answered with success, and everything
// goes on when there is room again.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(c *app.Config) { c.MaxBytes = 1 << 20 })
	r.account("shop", wxfake.MiniProgram, wxfake.Secure, wxfake.JSON)
	r.agent("ann", "agent", 10, "shop")
	mei := r.platform.Named("wxshop", "mei")
	long := strings.Repeat("a long story, ", 400)
	accepted, refused := 0, 0
	for i := 0; i < 400 && refused < 3; i++ {
		if p := mei.Say(r.ctx, fmt.Sprint(long, i)); p.Accepted {
			accepted++
		} else {
			refused++
			r.want("the answer", p.Deliveries[0].Status, 500)
		}
	}
	if refused == 0 {
		t.Fatalf("%d messages went into a full file", accepted)
	}
	if !strings.Contains(r.log.String(), `"reason":"inbound-queue"`) {
		t.Error("the log doesn't say that the queue failed")
	}
	if err := r.system.Close(); err != nil {
		t.Fatal(err)
	}
	r.config.MaxBytes = 0
	r.open()
	for range 20 { // what was half done is tried again when its time comes
		r.pass(2 * time.Minute)
	}
	n := 0
	for _, v := range r.all(r.session(mei).str("id")) {
		if v.str("direction") == "in" {
			n++
		}
	}
	r.want("stored", n, accepted)
}

// all is every message of a session, page by page.
func (r *rig) all(session string) (list []m) {
	r.t.Helper()
	for cursor := ""; ; {
		page := r.must("admin", "GET", "/sessions/"+session+"/messages?limit=200&cursor="+cursor, nil, 200)
		list = append(list, page.items()...)
		if cursor = page.str("next"); cursor == "" {
			return list
		}
	}
}

// TestSettingsThatCantWork are refused at once, by name, all together.
func TestSettingsThatCantWork(t *testing.T) {
	t.Parallel()
	_, err := app.FromEnv(func(name string) string {
		return map[string]string{
			"KEFU_WECHAT_URL": "ftp://a", "KEFU_ADMIN_KEY": "short", "KEFU_SECRET_KEY": "xyz", "KEFU_LOG_LEVEL": "loud", "KEFU_MAX_BYTES": "much",
		}[name]
	})
	for _, name := range []string{"KEFU_WECHAT_URL", "KEFU_ADMIN_KEY", "KEFU_SECRET_KEY", "KEFU_LOG_LEVEL", "KEFU_MAX_BYTES"} {
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s is not named: %v", name, err)
		}
	}
	if err != nil && (strings.Contains(err.Error(), "short") || strings.Contains(err.Error(), "xyz")) {
		t.Errorf("the error repeats a secret: %v", err)
	}
	c, err := app.FromEnv(func(string) string { return "" })
	if err != nil || c.Data != app.DefaultData || c.WeChatURL != app.DefaultWeChatURL {
		t.Errorf("without settings: %+v, %v", c, err)
	}
}

// TestSecretsAtRest: neither keys nor the platform's secrets can be read in the files.
func TestSecretsAtRest(t *testing.T) {
	t.Parallel()
	r, mei, id := served(t)
	r.must("ann", "POST", "/sessions/"+id+"/messages", text("hi"), 202)
	r.pump() // a token has been fetched and kept
	r.want("received", len(mei.Texts()), 1)
	b, err := os.ReadFile(filepath.Join(r.config.Data, "kefu.db"))
	if err != nil {
		t.Fatal(err)
	}
	for what, secret := range map[string]string{
		"app secret": "secret-of-shop", "token": "tokenshop", "AES key": "aozyxq4R650BCa5DxPYsLsBF2fPPCyUnOo8Ni0Whbc0", "agent's key": r.keys["ann"],
	} {
		if bytes.Contains(b, []byte(secret)) {
			t.Errorf("the %s can be read in the data file", what)
		}
	}
	for _, name := range []string{"kefu.db", "secret.key"} {
		info, err := os.Stat(filepath.Join(r.config.Data, name))
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s can be read by others: %v", name, info.Mode())
		}
	}
}
