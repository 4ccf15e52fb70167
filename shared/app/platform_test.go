package app_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"
	"time"

	"kefu/shared/adapter/wechat/wxfake"
)

// TestPlatformAnswers: each thing that the platform may do to a call, and what
// becomes of the message, of those behind it and of the window.
func TestPlatformAnswers(t *testing.T) {
	t.Parallel()
	const sendPath = "custom/send"
	code := func(n, times int) wxfake.Fault {
		return wxfake.Fault{Kind: wxfake.FaultCode, Code: n, Path: sendPath, Times: times}
	}
	tests := []struct {
		name   string
		fault  wxfake.Fault
		passes []time.Duration // what time passes until all is over
		want   string          // first message: state reason code
		got    string          // what the customer received of "first" and "second"
		used   int
	}{
		{"no fault", wxfake.Fault{Kind: wxfake.FaultSlow, Path: sendPath, Times: 1}, nil, "sent  0", "first,second", 2},
		{"busy once", code(-1, 1), []time.Duration{2 * time.Second}, "sent  0", "first,second", 2},
		{"busy three times", code(-1, 3), []time.Duration{2 * time.Second, 8 * time.Second}, "failed platform-busy -1", "second", 1},
		{"the minute's quota", code(45011, 1), []time.Duration{59 * time.Second, time.Second}, "sent  0", "first,second", 2},
		{"the minute's quota, six times", code(45011, 6), []time.Duration{time.Minute, time.Minute, time.Minute, time.Minute, time.Minute}, "failed throttled 45011", "second", 1},
		{"bad openid", code(40003, 1), nil, "failed customer-unknown 40003", "second", 1},
		{"blacklisted", code(43019, 1), nil, "failed customer-blocked 43019", "second", 1},
		{"permission", code(48001, 1), nil, "failed not-authorized 48001", "second", 1},
		{"protection of minors", code(70000, 1), nil, "failed minor-protected 70000", "second", 1},
		{"a code that nobody knows", code(99999, 1), nil, "failed platform-refused 99999", "second", 1},
		{"token died", code(40001, 1), nil, "sent  0", "first,second", 2},
		{"lost answer", wxfake.Fault{Kind: wxfake.FaultLostAnswer, Path: sendPath, Times: 1}, nil, "unknown answer-lost 0", "first,second", 2},
		{"server error", wxfake.Fault{Kind: wxfake.FaultStatus, Status: 502, Path: sendPath, Times: 1}, nil, "unknown answer-lost 0", "second", 2},
		{"HTML", wxfake.Fault{Kind: wxfake.FaultHTML, Path: sendPath, Times: 1}, nil, "unknown answer-lost 0", "second", 2},
		{"out of time, says the platform", code(45015, 1), nil, "held window-closed 0", "", 0},
		{"out of count, says the platform", code(45047, 1), nil, "held window-closed 0", "", 5},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r, mei, id := served(t)
			r.platform.Inject(tt.fault)
			first := r.must("ann", "POST", "/sessions/"+id+"/messages", text("first"), 202).str("id")
			r.must("ann", "POST", "/sessions/"+id+"/messages", text("second"), 202)
			r.pump()
			for _, d := range tt.passes {
				r.time.Add(int64(d))
				r.pump()
			}
			v := r.must("ann", "GET", "/sessions/"+id+"/messages/"+first, nil, 200)
			r.want("first", fmt.Sprint(v.str("state"), " ", v.str("reason"), " ", v.num("code")), tt.want)
			r.want("received", strings.Join(mei.Texts(), ","), tt.got)
			r.want("used", r.session(mei).obj("window").num("used"), tt.used)
		})
	}
}

// TestCorrectedOnce: the platform disagrees, the message waits once more, then fails.
func TestCorrectedOnce(t *testing.T) {
	t.Parallel()
	r, mei, id := served(t)
	r.platform.Inject(wxfake.Fault{Kind: wxfake.FaultCode, Code: 45047, Path: "custom/send", Times: 2})
	msg := r.must("ann", "POST", "/sessions/"+id+"/messages", text("first"), 202).str("id")
	r.pump()
	r.time.Add(int64(5 * time.Second))
	r.ok(mei.Say(r.ctx, "go on"))
	r.pump()
	v := r.must("ann", "GET", "/sessions/"+id+"/messages/"+msg, nil, 200)
	r.want("after the second refusal", v.str("state")+" "+v.str("reason"), "failed quota-used-up")
	r.time.Add(int64(5 * time.Second))
	r.ok(mei.Say(r.ctx, "and on"))
	r.must("ann", "POST", "/sessions/"+id+"/messages", text("third"), 202)
	r.pump()
	r.want("received", strings.Join(mei.Texts(), ","), "third")
}

// TestTokens: one token for all accounts of an app, renewed before its end and
// when the platform says that it is dead.
func TestTokens(t *testing.T) {
	t.Parallel()
	r, mei, id := served(t)
	send := func(what string) {
		t.Helper()
		r.must("ann", "POST", "/sessions/"+id+"/messages", text(what), 202)
		r.pump()
		if got := mei.Texts(); len(got) == 0 || got[len(got)-1] != what {
			t.Errorf("%s did not arrive: %q", what, got)
		}
	}
	send("with the first token")
	r.platform.ExpireTokens("wxshop")
	send("after it was taken")
	r.platform.RevokeTokens("wxshop")
	r.time.Add(int64(31 * time.Second))
	send("after a force elsewhere")
	r.pass(3 * time.Hour)
	send("after its end")
	r.want("refused messages", fmt.Sprint(mei.Refused()), "map[]")
	if strings.Contains(r.log.String(), "secret-of-shop") {
		t.Error("the app secret stands in the log")
	}
}

// TestNoConnection: nobody is there, then somebody is.
func TestNoConnection(t *testing.T) {
	t.Parallel()
	r, mei, id := served(t)
	live := r.config.WeChatURL
	r.config.WeChatURL = "http://127.0.0.1:1" // nothing listens there
	r.restart()
	msg := r.must("ann", "POST", "/sessions/"+id+"/messages", text("patience"), 202).str("id")
	r.pump()
	r.pass(time.Minute)
	v := r.must("ann", "GET", "/sessions/"+id+"/messages/"+msg, nil, 200)
	r.want("meanwhile", v.str("state")+" "+v.str("reason"), "held retrying")
	r.config.WeChatURL = live
	r.restart()
	r.pass(2 * time.Minute)
	r.want("received", strings.Join(mei.Texts(), ","), "patience")
	r.want("used", r.session(mei).obj("window").num("used"), 1)
}

var png, _ = base64.StdEncoding.DecodeString("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==")

// TestMedia: a picture comes in and is kept, another goes out and is renewed.
func TestMedia(t *testing.T) {
	t.Parallel()
	r, mei, id := served(t)
	r.ok(mei.SendImage(r.ctx, png))
	r.pump()
	list := r.messages(id)
	in := list[len(list)-1].obj("image").str("media")
	r.platform.DropMedia() // Kefu has it by now
	status, body := r.raw("ann", "GET", "/media/"+in, "", nil)
	if status != 200 || !bytes.Equal(body, png) {
		t.Fatalf("the customer's picture: %d, %d bytes", status, len(body))
	}
	out := r.upload("ann", "shop", png)
	image := m{"type": "image", "image": m{"media": out}}
	r.must("ann", "POST", "/sessions/"+id+"/messages", image, 202)
	r.pump()
	r.want("received", len(mei.Inbox()), 1)
	r.platform.DropMedia() // the platform forgets; Kefu uploads again
	r.must("ann", "POST", "/sessions/"+id+"/messages", image, 202)
	r.pump()
	r.want("received after a renewal", len(mei.Inbox()), 2)
	if got, _, _ := r.platform.Media("wxshop", mei.Inbox()[1].MediaID); !bytes.Equal(got, png) {
		t.Error("the renewed picture differs")
	}
	foreign := r.must("ann", "POST", "/sessions/"+id+"/messages", image, 202)
	r.want("by its own id", foreign.str("type"), "image")
	if code, v := r.call("ann", "POST", "/sessions/"+id+"/messages", m{"type": "image", "image": m{"media": "mu-unknown"}}); code < 400 || code >= 500 {
		t.Errorf("an unknown file was accepted: %d %v", code, v)
	}
}

// TestTyping shows the signal, and no failure of it matters.
func TestTyping(t *testing.T) {
	t.Parallel()
	r, mei, id := served(t)
	r.must("ann", "POST", "/sessions/"+id+"/typing", nil, 200)
	r.want("typing", mei.Typing(), true)
	r.must("ann", "POST", "/sessions/"+id+"/typing", nil, 200) // 45081
	r.platform.Inject(wxfake.Fault{Kind: wxfake.FaultHTML, Path: "typing"})
	r.must("ann", "POST", "/sessions/"+id+"/typing", nil, 200)
}

// TestOfficialTypes sends what only an Official Account can.
func TestOfficialTypes(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.account("news", wxfake.Official, wxfake.Compatible, wxfake.XML)
	r.agent("ann", "agent", 10, "news")
	mei := r.platform.Named("wxnews", "mei")
	r.ok(mei.Follow(r.ctx, ""))
	r.pump()
	s := r.session(mei)
	r.want("a follower", s.str("state")+" "+fmt.Sprint(s.obj("window").num("limit")), "bot 3")
	id := s.str("id")
	r.must("ann", "POST", "/sessions/"+id+"/accept", nil, 200)
	for _, msg := range []m{
		{"type": "msgmenu", "msgmenu": m{"head_content": "Happy?", "list": []m{{"id": "1", "content": "yes"}, {"id": "2", "content": "no"}}}},
		{"type": "news", "news": m{"articles": []m{{"title": "t", "description": "d", "url": "https://a.example/", "picurl": "https://a.example/p.jpg"}}}},
	} {
		r.must("ann", "POST", "/sessions/"+id+"/messages", msg, 202)
	}
	r.pump()
	r.want("received", len(mei.Inbox()), 2)
	r.time.Add(int64(3 * time.Second))
	r.ok(mei.TapMenu(r.ctx, "1", "yes"))
	r.pump()
	s = r.session(mei)
	r.want("a tapped item is a click", fmt.Sprint(s.str("state"), " ", s.obj("window").num("limit"), " ", s.obj("window").num("used")), "serving 3 0")
	r.want("the platform agrees", mei.Window().Limit, 3)
}

// raw makes a call whose answer is no JSON.
func (r *rig) raw(who, method, path, contentType string, body []byte) (int, []byte) {
	r.t.Helper()
	req, err := http.NewRequestWithContext(r.ctx, method, r.web.URL+"/v1"+path, bytes.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+r.keys[who])
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	var b bytes.Buffer
	if _, err := b.ReadFrom(resp.Body); err != nil {
		r.t.Fatal(err)
	}
	return resp.StatusCode, b.Bytes()
}

func (r *rig) upload(who, account string, b []byte) string {
	r.t.Helper()
	var form bytes.Buffer
	w := multipart.NewWriter(&form)
	part, err := w.CreateFormFile("media", "a.png")
	if err != nil {
		r.t.Fatal(err)
	}
	if _, err := part.Write(b); err != nil {
		r.t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		r.t.Fatal(err)
	}
	status, answer := r.raw(who, "POST", "/accounts/"+account+"/media?type=image", w.FormDataContentType(), form.Bytes())
	if status != 201 {
		r.t.Fatalf("upload: %d %s", status, answer)
	}
	_, rest, _ := strings.Cut(string(answer), `"id":"`)
	id, _, _ := strings.Cut(rest, `"`)
	return id
}
