package wxfake

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"
)

// setups is every mode in both formats, on both channels.
func setups(t *testing.T, run func(t *testing.T, w *world, a Account)) {
	t.Helper()
	for _, appID := range []string{miniApp, oaApp} {
		for _, mode := range []Mode{Plaintext, Compatible, Secure} {
			for _, format := range []Format{JSON, XML} {
				t.Run(fmt.Sprintf("%s %s %s", appID, mode, format), func(t *testing.T) {
					t.Parallel()
					w := newWorld(t)
					w.update(appID, func(a *Account) { a.Mode, a.Format = mode, format })
					a, _ := w.p.Account(appID)
					run(t, w, a)
				})
			}
		}
	}
}

const awkward = `你好 😀 <b>&amp; ]]> "quoted" \u4f60` + "\nsecond line"

func TestPushesInEveryModeAndFormat(t *testing.T) {
	t.Parallel()
	setups(t, func(t *testing.T, w *world, a Account) {
		c := w.p.Named(a.AppID, "Li Na")
		push := c.Say(t.Context(), awkward)
		if !push.Accepted || len(push.Deliveries) != 1 || push.Reply.Kind != ReplySuccess || push.Err != nil {
			t.Fatalf("got %+v, want one accepted delivery", push)
		}
		got := w.shop.requests()[0]
		wantType := map[Format]string{JSON: "application/json", XML: "text/xml"}[a.Format]
		if got.method != http.MethodPost || got.contentType != wantType {
			t.Errorf("request: got %s %s, want POST %s", got.method, got.contentType, wantType)
		}
		in, outer, err := oracleReceive(a, got)
		if err != nil {
			t.Fatalf("%v in %s", err, got.body)
		}
		if in.To != a.OriginalID || in.From != c.OpenID() || in.Type != "text" || in.Content != awkward ||
			in.Created != w.clock.now().Unix() || strconv.FormatInt(in.ID, 10) != push.MsgID {
			t.Errorf("got %+v", in)
		}
		if in.ID <= 1<<53 {
			t.Errorf("MsgId: got %d, want above 2^53", in.ID)
		}
		switch a.Mode {
		case Secure:
			if outer.To != a.OriginalID || outer.From != "" || outer.Content != "" {
				t.Errorf("secure: outer fields are %+v, want ToUserName alone", outer)
			}
		case Compatible:
			if outer.Content != awkward || outer.ID != in.ID || outer.Encrypt == "" {
				t.Errorf("compatible: outer fields are %+v, want the plain ones as well", outer)
			}
		case Plaintext:
			if outer.Encrypt != "" {
				t.Errorf("plaintext: got an Encrypt")
			}
		}
	})
}

func TestEventsHaveNoMsgID(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.p.Named(oaApp, "a").ScanCode(t.Context(), "KEY", "https://a/?b=1&c=2", true)
	w.p.Named(oaApp, "a").Follow(t.Context(), "12")
	w.p.Named(oaApp, "a").TapMenu(t.Context(), "101", "yes")
	w.p.Named(oaApp, "a").SendLocation(t.Context(), 23.134521, 113.358803, 20, "somewhere")
	a, _ := w.p.Account(oaApp)
	var all []pushed
	for _, s := range w.shop.requests() {
		in, _, err := oracleReceive(a, s)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, in)
	}
	if e := all[0]; e.Type != "event" || e.Event != "scancode_waitmsg" || e.ScanIn.Result != "https://a/?b=1&c=2" || e.ID != 0 {
		t.Errorf("scan: got %+v", e)
	}
	if e := all[1]; e.Event != "subscribe" || e.Key != "qrscene_12" || e.ID != 0 {
		t.Errorf("follow: got %+v", e)
	}
	if m := all[2]; m.Type != "text" || m.MenuID != "101" || m.Content != "yes" || m.ID == 0 {
		t.Errorf("menu item: got %+v", m)
	}
	if m := all[3]; m.Lat != 23.134521 {
		t.Errorf("location: got %+v", m)
	}
}

func TestSettingsChangeAtRunTime(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.p.Named(miniApp, "a")
	const next = "aozyxq4R650BCa5DxPYsLsBF2fPPCyUnOo8Ni0Whbc0"
	w.shop.answers(func(n int, rw http.ResponseWriter, _ seen) {
		if n == 1 { // between two deliveries of one push
			if err := w.p.UpdateAccount(miniApp, func(a *Account) { a.AESKey, a.Format = next, XML }); err != nil {
				t.Error(err)
			}
			rw.WriteHeader(http.StatusInternalServerError)
		}
	})
	push := c.Say(t.Context(), "hi")
	if !push.Accepted || len(push.Deliveries) != 2 || push.Reply.Kind != ReplyEmpty {
		t.Fatalf("got %+v", push)
	}
	a, _ := w.p.Account(miniApp)
	if in, _, err := oracleReceive(a, w.shop.requests()[1]); err != nil || a.AESKey != next || in.Content != "hi" {
		t.Errorf("with the new key: got %+v, %v", in, err)
	}
}

func TestRetries(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		answer func(n int, rw http.ResponseWriter)
		want   int // deliveries
		ok     bool
	}{
		"500 once":           {func(n int, rw http.ResponseWriter) { rw.WriteHeader(map[bool]int{true: 500, false: 200}[n == 1]) }, 2, true},
		"500 for ever":       {func(_ int, rw http.ResponseWriter) { rw.WriteHeader(500) }, 3, false},
		"204":                {func(_ int, rw http.ResponseWriter) { rw.WriteHeader(204) }, 3, false},
		"a redirect":         {func(_ int, rw http.ResponseWriter) { rw.Header().Set("Location", "/"); rw.WriteHeader(302) }, 3, false},
		"another text":       {func(_ int, rw http.ResponseWriter) { _, _ = io.WriteString(rw, "ok") }, 3, false},
		"success and a line": {func(_ int, rw http.ResponseWriter) { _, _ = io.WriteString(rw, "success\n") }, 3, false},
		"XML for JSON":       {func(_ int, rw http.ResponseWriter) { _, _ = io.WriteString(rw, "<xml></xml>") }, 3, false},
		"not encrypted":      {func(_ int, rw http.ResponseWriter) { _, _ = io.WriteString(rw, `{"MsgType":"text"}`) }, 3, false},
		"cut":                {func(int, http.ResponseWriter) { panic(http.ErrAbortHandler) }, 3, false},
		"empty":              {func(int, http.ResponseWriter) {}, 1, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.shop.answers(func(n int, rw http.ResponseWriter, _ seen) { tt.answer(n, rw) })
			c := w.p.Named(miniApp, "a")
			push := c.Say(t.Context(), "hi")
			if push.Accepted != tt.ok || len(push.Deliveries) != tt.want || (push.Err == nil) != tt.ok {
				t.Fatalf("got %+v, want accepted %v after %d", push, tt.ok, tt.want)
			}
			a, _ := w.p.Account(miniApp)
			nonces, secrets := map[string]bool{}, map[string]bool{}
			for _, s := range w.shop.requests() {
				in, outer, err := oracleReceive(a, s)
				if err != nil || strconv.FormatInt(in.ID, 10) != push.MsgID {
					t.Errorf("delivery: got %+v, %v, want MsgId %s", in, err, push.MsgID)
				}
				nonces[s.query.Get("nonce")], secrets[outer.Encrypt] = true, true
			}
			if len(nonces) != tt.want || len(secrets) != tt.want {
				t.Errorf("got %d nonces and %d ciphertexts in %d deliveries", len(nonces), len(secrets), tt.want)
			}
			waits := w.clock.waited()
			if len(waits) != tt.want-1 {
				t.Errorf("pauses: got %v, want %d", waits, tt.want-1)
			}
			for _, d := range waits {
				if d != 5*time.Second {
					t.Errorf("pause: got %v, want 5 s", d)
				}
			}
			notices := c.Notices()
			if tt.ok && len(notices) != 0 || !tt.ok && (len(notices) != 1 || notices[0].Text != "该小程序提供的服务出现故障，请稍后再试") {
				t.Errorf("notices: got %+v", notices)
			}
		})
	}
}

func TestASlowServerIsCutOff(t *testing.T) {
	t.Parallel()
	// In real time: the third answer must come within it, on a busy machine too.
	w := newWorld(t, func(o *Options) { o.PushTimeout = 500 * time.Millisecond })
	release := make(chan struct{})
	w.shop.answers(func(n int, _ http.ResponseWriter, _ seen) {
		if n < 3 {
			<-release
		}
	})
	push := w.p.Named(miniApp, "a").Say(t.Context(), "hi")
	close(release)
	if !push.Accepted || len(push.Deliveries) != 3 {
		t.Fatalf("got %+v, want the third delivery accepted", push)
	}
	if err := push.Deliveries[0].Err; err == nil || !strings.Contains(err.Error(), "no answer within") {
		t.Errorf("first delivery: got %v, want a timeout", err)
	}
	if waits := w.clock.waited(); len(waits) != 0 {
		t.Errorf("pauses: got %v, want none after a timeout", waits)
	}
}

func TestPassiveReplies(t *testing.T) {
	t.Parallel()
	setups(t, func(t *testing.T, w *world, a Account) {
		c := w.p.Named(a.AppID, "a")
		doc := func(msgType, xmlMore, jsonMore string) string {
			if a.Format == JSON {
				return fmt.Sprintf(`{"ToUserName":"%s","FromUserName":"%s","CreateTime":1399197672,"MsgType":"%s"%s}`,
					c.OpenID(), a.OriginalID, msgType, jsonMore)
			}
			return fmt.Sprintf("<xml><ToUserName><![CDATA[%s]]></ToUserName><FromUserName><![CDATA[%s]]></FromUserName>"+
				"<CreateTime>1399197672</CreateTime><MsgType><![CDATA[%s]]></MsgType>%s</xml>", c.OpenID(), a.OriginalID, msgType, xmlMore)
		}
		transfer := doc("transfer_customer_service", "<TransInfo><KfAccount><![CDATA[test1@test]]></KfAccount></TransInfo>",
			`,"TransInfo":{"KfAccount":"test1@test"}`)
		text := doc("text", "<Content><![CDATA[你好]]></Content>", `,"Content":"你好"`)
		w.shop.answers(func(n int, rw http.ResponseWriter, s seen) {
			body := transfer
			if n > 1 {
				body = text
			}
			if a.Mode != Plaintext {
				body = oracleReply(a, s.query, body)
			}
			_, _ = io.WriteString(rw, body)
		})
		push := c.Say(t.Context(), "hi")
		if !push.Accepted || push.Reply.MsgType != "transfer_customer_service" || push.Reply.KfAccount != "test1@test" ||
			push.Reply.Encrypted != (a.Mode != Plaintext) || push.Deliveries[0].Problem != "" {
			t.Fatalf("transfer: got %+v", push)
		}
		if c.Tool() != ToolQueued {
			t.Errorf("tool: got %q, want queued", c.Tool())
		}
		push = c.Say(t.Context(), "hi")
		inbox := c.Inbox()
		if a.Channel == MiniProgram {
			if !push.Accepted || push.Deliveries[0].Problem == "" || len(inbox) != 0 {
				t.Errorf("text to a Mini Program: got %+v and %v, want it ignored", push, inbox)
			}
		} else if len(inbox) != 1 || inbox[0].Text != "你好" || !inbox[0].Passive || c.Window().Used != 0 {
			t.Errorf("text: got %+v, %d counted, want one passive reply and 0", inbox, c.Window().Used)
		}
	})
}

func TestPassiveRepliesThatAreIgnored(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.update(oaApp, func(a *Account) { a.Mode = Plaintext })
	c := w.p.Named(oaApp, "a")
	doc := func(to, from, msgType, content string) string {
		return fmt.Sprintf("<xml><ToUserName>%s</ToUserName><FromUserName>%s</FromUserName><MsgType>%s</MsgType><Content>%s</Content></xml>",
			to, from, msgType, content)
	}
	say := func() Push { return c.Say(t.Context(), "hi") }
	for _, tt := range []struct {
		name, doc string
		do        func() Push
	}{
		{"not swapped", doc(oaGH, c.OpenID(), "text", "a"), say},
		{"unknown type", doc(c.OpenID(), oaGH, "poem", "a"), say},
		{"2048 bytes", doc(c.OpenID(), oaGH, "text", strings.Repeat("x", 2048)), say},
		{"an event transferred", doc(c.OpenID(), oaGH, "transfer_customer_service", ""), func() Push { return c.Click(t.Context(), "K") }},
	} {
		w.shop.answers(func(_ int, rw http.ResponseWriter, _ seen) { _, _ = io.WriteString(rw, tt.doc) })
		push := tt.do()
		if !push.Accepted || push.Deliveries[0].Problem == "" || len(c.Inbox()) != 0 || c.Tool() != ToolNone {
			t.Errorf("%s: got %+v, want it accepted and ignored", tt.name, push)
		}
	}
}

func TestForgedPassiveRepliesFail(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a, _ := w.p.Account(miniApp)
	wrongToken, wrongKey, wrongApp := a, a, a
	wrongToken.Token, wrongKey.AESKey, wrongApp.AppID = "guess", "aozyxq4R650BCa5DxPYsLsBF2fPPCyUnOo8Ni0Whbc0", "wxother"
	for name, bad := range map[string]Account{"token": wrongToken, "key": wrongKey, "appid": wrongApp} {
		w.shop.answers(func(_ int, rw http.ResponseWriter, s seen) {
			_, _ = io.WriteString(rw, oracleReply(bad, s.query, `{"MsgType":"text"}`))
		})
		if push := w.p.Named(miniApp, "a").Say(t.Context(), "hi"); push.Accepted || len(push.Deliveries) != 3 {
			t.Errorf("wrong %s: got %+v, want three failures", name, push)
		}
	}
}

func TestTheToolTakesMessages(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.p.Named(oaApp, "a")
	for event, push := range map[string]Push{"kf_create_session": c.ToolAccept(t.Context(), "a@b"), "kf_switch_session": c.ToolSwitch(t.Context(), "a@b", "c@d")} {
		if !push.Accepted || push.Fields.Get("Event") != event {
			t.Errorf("got %+v, want %s", push, event)
		}
	}
	if push := c.Say(t.Context(), "hi"); !push.ToTool || push.Accepted || c.Tool() != ToolServing || c.Window().Limit != 5 {
		t.Errorf("a message while served: got %+v, want it at the tool and the window open", push)
	}
	if push := c.Click(t.Context(), "K"); !push.Accepted {
		t.Errorf("an event while served: got %+v, want it pushed", push)
	}
	w.clock.add(30 * time.Minute)
	if push := c.Say(t.Context(), "hi"); !push.Accepted {
		t.Errorf("after 30 silent minutes: got %+v, want it pushed", push)
	}
	c.ToolAccept(t.Context(), "a@b")
	c.ToolClose(t.Context(), "a@b")
	if push := c.Say(t.Context(), "hi"); !push.Accepted || c.Tool() != ToolNone {
		t.Errorf("after the close: got %+v, want it pushed", push)
	}
	w.update(oaApp, func(a *Account) { a.CallbackURL = "" })
	if push := c.Say(t.Context(), "hi"); !push.ToTool {
		t.Errorf("without a URL: got %+v, want it at the tool", push)
	}
}

func TestVerifyURL(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.shop.answers(func(n int, rw http.ResponseWriter, s seen) {
		if want := oracleSign("kfToken2026", s.query.Get("timestamp"), s.query.Get("nonce")); s.method != http.MethodGet || s.query.Get("signature") != want {
			t.Errorf("got %s with signature %s, want GET with %s", s.method, s.query.Get("signature"), want)
		}
		switch n {
		case 1:
			_, _ = io.WriteString(rw, s.query.Get("echostr"))
		case 2:
			_, _ = io.WriteString(rw, s.query.Get("echostr")+"\n")
		case 3:
			rw.WriteHeader(403)
		}
	})
	if d := w.p.VerifyURL(t.Context(), miniApp); !d.OK() {
		t.Errorf("got %v, want ok", d.Err)
	}
	for _, what := range []string{"with a newline", "403"} {
		if d := w.p.VerifyURL(t.Context(), miniApp); d.OK() {
			t.Errorf("%s: got ok", what)
		}
	}
	if d := w.p.VerifyURL(t.Context(), "wxnobody"); !errors.Is(d.Err, ErrNoAccount) {
		t.Errorf("got %v, want ErrNoAccount", d.Err)
	}
}

func TestAccountsAreChecked(t *testing.T) {
	t.Parallel()
	p := New(Options{})
	defer p.Close()
	good := Account{Channel: MiniProgram, AppID: "wx1", OriginalID: "gh_1", Token: "t", AESKey: testKey, Mode: Secure}
	for name, spoil := range map[string]func(*Account){
		"appid": func(a *Account) { a.AppID = "" }, "original id": func(a *Account) { a.OriginalID = "" },
		"channel": func(a *Account) { a.Channel = "kf" }, "mode": func(a *Account) { a.Mode = "x" }, "format": func(a *Account) { a.Format = "x" },
		"token": func(a *Account) { a.Token = "" }, "key": func(a *Account) { a.AESKey = "x" }, "url": func(a *Account) { a.CallbackURL = "ftp://a" },
	} {
		a := good
		spoil(&a)
		if err := p.AddAccount(a); err == nil {
			t.Errorf("bad %s: got no error", name)
		}
	}
	if err := p.AddAccount(good); err != nil {
		t.Errorf("good account: %v", err)
	}
	if err := p.UpdateAccount("wx1", func(a *Account) { a.AppID = "wx2" }); err == nil {
		t.Error("another AppID: got no error")
	}
	if err := p.UpdateAccount("wx9", func(*Account) {}); err == nil {
		t.Error("unknown account: got no error")
	}
	if push := p.Customer("wx9", "o1").Say(t.Context(), "hi"); !errors.Is(push.Err, ErrNoAccount) {
		t.Errorf("customer of no account: got %+v", push)
	}
}
