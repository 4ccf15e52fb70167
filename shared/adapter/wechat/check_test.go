package wechat_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"kefu/shared/adapter/wechat"
	"kefu/shared/adapter/wechat/wxfake"
	"kefu/shared/core/account"
	"kefu/shared/core/fault"
	"kefu/shared/core/message"
)

func (s *stage) check(t *testing.T, text string) message.Verdict {
	t.Helper()
	return s.c.CheckText(t.Context(), s.acc, account.Customer(s.who.OpenID()), text)
}

// wantVerdict compares all but the trace, which must be there when somebody looked at the text.
func wantVerdict(t *testing.T, what string, got, want message.Verdict) {
	t.Helper()
	if looked := want.Judgement != message.Unchecked; looked != (got.TraceID != "") {
		t.Errorf("%s: got trace %q of %+v", what, got.TraceID, got)
	}
	got.TraceID = ""
	if got != want {
		t.Errorf("%s: got %+v, want %+v", what, got, want)
	}
}

func TestCheckText(t *testing.T) {
	t.Parallel()
	s := newStage(t, account.MiniProgram)
	s.who.Visit()
	s.p.SetContentRules(
		wxfake.ContentRule{Word: "代开发票", Suggest: wxfake.SuggestRisky, Label: 20008},
		wxfake.ContentRule{Word: "加微信", Suggest: wxfake.SuggestReview, Label: 10001},
	)
	pass := message.Verdict{Judgement: message.Pass, Label: 100}
	review := message.Verdict{Judgement: message.Review, Label: 10001}
	risky := message.Verdict{Judgement: message.Risky, Label: 20008}
	fill := func(n int) string { return strings.Repeat("好", n) }
	for _, tc := range []struct {
		name, text string
		want       message.Verdict
		calls      int64 // of the check
	}{
		{"pass", "您的订单已发货 <a href=\"https://a.test/?x=1&y=2\">看</a>\u2028\x01", pass, 1},
		{"review", "请加微信", review, 1},
		{"risky", "代开发票", risky, 1},
		{"2500 characters", fill(2500), pass, 1},
		{"2501 characters", fill(2501), pass, 2},
		{"the worst piece counts", fill(3000) + "加微信" + fill(3000), review, 3},
		{"nothing is worse than risky", "代开发票" + fill(6000), risky, 1},
		{"risky after review", "加微信" + fill(3000) + "代开发票", risky, 2},
		{"a word across the cut", fill(2498) + "代开发票" + fill(1000), risky, 2},
	} {
		before := s.p.Stats().Calls
		wantVerdict(t, tc.name, s.check(t, tc.text), tc.want)
		// Each call of the check fetches a token, as the stage's keeper keeps none.
		if calls := (s.p.Stats().Calls - before) / 2; calls != tc.calls {
			t.Errorf("%s: got %d calls, want %d", tc.name, calls, tc.calls)
		}
	}
	before := s.p.Stats().Calls
	if got := s.check(t, ""); got != (message.Verdict{Judgement: message.Pass}) || s.p.Stats().Calls != before {
		t.Errorf("an empty text: got %+v and %d calls; want pass and none", got, s.p.Stats().Calls-before)
	}
}

func TestCheckTextThatWasRefused(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name   string
		set    func(*stage)
		code   int
		reason string
	}{
		{"not visited", func(s *stage) { s.pass(3 * time.Hour) }, 61010, "not-visited-lately"},
		{"another account's customer", func(s *stage) {
			s.must(s.p.AddAccount(wxfake.Account{Channel: wxfake.MiniProgram, AppID: "wxother", OriginalID: "gh_1", Token: "t"}))
			s.who = s.p.Named("wxother", "Li")
		}, 43104, "customer-unknown"},
		{"nobody's", func(s *stage) { s.who = wxfake.New(wxfake.Options{}).Named("wxother", "Li") }, 40003, "customer-unknown"},
		{"too many in a minute", func(s *stage) { s.permit(func(p *wxfake.Permissions) { p.ChecksPerMinute = 1 }); s.ask() }, 44991, "throttled"},
		{"too many in a day", func(s *stage) { s.permit(func(p *wxfake.Permissions) { p.ChecksPerDay = 1 }); s.ask() }, 45009, "day-quota"},
		{"not granted", func(s *stage) { s.permit(func(p *wxfake.Permissions) { p.NoContentCheck = true }) }, 48001, "not-authorized"},
		{"busy", func(s *stage) { s.p.Inject(wxfake.Fault{Kind: wxfake.FaultCode, Path: "msg_sec_check", Code: -1}) }, -1, "platform-busy"},
		{"a scene of yesterday", func(s *stage) { s.p.Inject(wxfake.Fault{Kind: wxfake.FaultCode, Path: "msg_sec_check", Code: 40129}) }, 40129, "request-invalid"},
		{"a new code", func(s *stage) { s.p.Inject(wxfake.Fault{Kind: wxfake.FaultCode, Path: "msg_sec_check", Code: 99999}) }, 99999, "platform-refused"},
		{"the token is refused for good", func(s *stage) { s.p.Inject(wxfake.Fault{Kind: wxfake.FaultCode, Path: "msg_sec_check", Code: 40001}) }, 40001, "token-refused"},
		{"no token", func(s *stage) { s.p.Inject(wxfake.Fault{Kind: wxfake.FaultCode, Path: "stable_token", Code: 40125}) }, 40125, "secret-wrong"},
		{"an HTML page", func(s *stage) { s.p.Inject(wxfake.Fault{Kind: wxfake.FaultHTML, Path: "msg_sec_check"}) }, 0, "platform-unreachable"},
		{"status 502", func(s *stage) { s.p.Inject(wxfake.Fault{Kind: wxfake.FaultStatus, Path: "msg_sec_check", Status: 502}) }, 0, "platform-unreachable"},
		{"the answer is lost", func(s *stage) { s.p.Inject(wxfake.Fault{Kind: wxfake.FaultLostAnswer, Path: "msg_sec_check"}) }, 0, "platform-unreachable"},
		{"closed", func(s *stage) { s.p.Inject(wxfake.Fault{Kind: wxfake.FaultRefuse, Path: "msg_sec_check"}) }, 0, "platform-unreachable"},
		{"slow", func(s *stage) {
			s.slow, s.c.CallTimeout = func() {}, 100*time.Millisecond
			s.p.Inject(wxfake.Fault{Kind: wxfake.FaultSlow, Path: "msg_sec_check", Delay: time.Hour})
		}, 0, "platform-unreachable"},
		{"no secret", func(s *stage) { s.acc.AppSecret = "" }, 0, "secret-missing"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t, account.MiniProgram)
			s.who.Visit()
			tc.set(s)
			want := message.Verdict{Judgement: message.Unchecked, Code: tc.code, Reason: tc.reason}
			wantVerdict(t, tc.name, s.check(t, "您好"), want)
		})
	}
}

// must, permit and ask set a stage.
func (s *stage) must(err error) {
	if err != nil {
		s.t.Error(err)
	}
}

func (s *stage) permit(change func(*wxfake.Permissions)) {
	s.must(s.p.UpdateAccount(fakeApp, func(a *wxfake.Account) { change(&a.Permissions) }))
}

func (s *stage) ask() { s.c.CheckText(s.t.Context(), s.acc, account.Customer(s.who.OpenID()), "a") }

// TestCheckTextWithADeadToken: another one is fetched, once.
func TestCheckTextWithADeadToken(t *testing.T) {
	t.Parallel()
	s := newStage(t, account.MiniProgram)
	s.who.Visit()
	for _, code := range []int{40001, 40014, 42001} {
		s.p.Inject(wxfake.Fault{Kind: wxfake.FaultCode, Path: "msg_sec_check", Code: code, Times: 1})
		wantVerdict(t, "after another token", s.check(t, "您好"), message.Verdict{Judgement: message.Pass, Label: 100})
		s.pass(time.Minute) // the platform forces no two tokens within 30 s
	}
}

// TestCheckTextIsNotOffered: official accounts are spared the call.
func TestCheckTextIsNotOffered(t *testing.T) {
	t.Parallel()
	s := newStage(t, account.Official)
	wantVerdict(t, "official", s.check(t, "您好"), message.Verdict{Judgement: message.Unchecked, Reason: message.NotOffered})
	if calls := s.p.Stats().Calls; calls != 0 {
		t.Errorf("got %d calls, want none", calls)
	}
}

// fixedToken is a keeper of one token.
type fixedToken struct{ err error }

func (f fixedToken) Token(context.Context, account.Account, string) (string, error) {
	return "1_token", f.err
}

// TestCheckTextReadsCarefully: answers that no platform should give.
func TestCheckTextReadsCarefully(t *testing.T) {
	t.Parallel()
	lost := message.Verdict{Judgement: message.Unchecked, Reason: "platform-unreachable"}
	for name, tc := range map[string]struct {
		answer string
		want   message.Verdict
	}{
		"usual":              {`{"errcode":0,"errmsg":"ok","result":{"suggest":"risky","label":20001},"trace_id":"t"}`, message.Verdict{Judgement: message.Risky, Label: 20001, TraceID: "t"}},
		"no errcode":         {`{"result":{"suggest":"pass","label":100},"trace_id":"t"}`, message.Verdict{Judgement: message.Pass, Label: 100, TraceID: "t"}},
		"torn":               {`{"errcode":0,"result":{"suggest":"pa`, lost},
		"empty":              {``, lost},
		"no result":          {`{"errcode":0,"errmsg":"ok"}`, lost},
		"no suggestion":      {`{"errcode":0,"result":{"label":100}}`, lost},
		"a new suggestion":   {`{"errcode":0,"result":{"suggest":"doubtful","label":100}}`, lost},
		"our own word":       {`{"errcode":0,"result":{"suggest":"unchecked","label":100}}`, lost},
		"a label as a text":  {`{"errcode":0,"result":{"suggest":"pass","label":"100"}}`, lost},
		"a list":             {`[]`, lost},
		"something after it": {`{"errcode":0,"result":{"suggest":"pass","label":100}}x`, lost},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, tc.answer) }))
			defer srv.Close()
			c := wechat.Client{BaseURL: srv.URL, Tokens: fixedToken{}}
			if got := c.CheckText(t.Context(), account.Account{Channel: mini}, "o1", "您好"); got != tc.want {
				t.Errorf("got %+v, want %+v", got, tc.want)
			}
		})
	}
}

// TestCheckTextAsks: what stands in a request, raw.
func TestCheckTextAsks(t *testing.T) {
	t.Parallel()
	var path, body string
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		path, body = r.Method+" "+r.URL.RequestURI()+" "+r.Header.Get("Content-Type"), string(b)
		_, _ = io.WriteString(w, `{"errcode":0,"result":{"suggest":"pass","label":100},"trace_id":"t"}`)
	}))
	defer srv.Close()
	c := wechat.Client{BaseURL: srv.URL, Tokens: fixedToken{}}
	c.CheckText(t.Context(), account.Account{Channel: mini}, "o1", "你好 <b>&\u2028")
	if want := "POST /wxa/msg_sec_check?access_token=1_token application/json; charset=utf-8"; path != want {
		t.Errorf("got %s, want %s", path, want)
	}
	if want := `{"openid":"o1","scene":2,"version":2,"content":"你好 <b>&` + "\u2028" + `"}`; body != want {
		t.Errorf("got %s, want %s", body, want)
	}
}

// TestCheckTextLogs: a person is called where he must act, and a visit long ago is no news; no text is logged.
func TestCheckTextLogs(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		answer, level string
		tokens        fixedToken
	}{
		"passed":         {`{"result":{"suggest":"pass","label":100}}`, "", fixedToken{}},
		"not visited":    {`{"errcode":61010,"errmsg":"x"}`, "DEBUG", fixedToken{}},
		"throttled":      {`{"errcode":44991,"errmsg":"x"}`, "WARN", fixedToken{}},
		"not authorized": {`{"errcode":48001,"errmsg":"x"}`, "ERROR", fixedToken{}},
		"unreadable":     {`秘密`, "WARN", fixedToken{}},
		"no token":       {``, "WARN", fixedToken{fault.Unavailable}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, tc.answer) }))
			defer srv.Close()
			var log bytes.Buffer
			c := wechat.Client{BaseURL: srv.URL, Tokens: tc.tokens, Log: slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))}
			c.CheckText(t.Context(), account.Account{ID: "shop", Channel: mini}, "o1", "秘密")
			var line struct {
				Level string `json:"level"`
			}
			if log.Len() > 0 {
				if err := json.Unmarshal(log.Bytes(), &line); err != nil {
					t.Fatal(err)
				}
			}
			if line.Level != tc.level || strings.Contains(log.String(), "秘密") {
				t.Errorf("got %q, want one line of level %q", log.String(), tc.level)
			}
		})
	}
}
