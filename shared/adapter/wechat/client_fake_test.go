package wechat_test

import (
	"context"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"kefu/shared/adapter/wechat"
	"kefu/shared/adapter/wechat/wxfake"
	"kefu/shared/core/account"
	"kefu/shared/core/fault"
	"kefu/shared/core/message"
	"kefu/shared/core/session"
)

const (
	fakeApp    = "wx0123456789abcdef"
	fakeSecret = "0123456789abcdef0123456789abcdef"
)

var (
	fakePNG  = []byte("\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR0000000000000000")
	fakeJPEG = []byte("\xff\xd8\xff\xe0\x00\x10JFIF\x00xxxxxxxxxx")
	fakeAMR  = []byte("#!AMR\n\x3c\x00\x00\x00")
	fakeMP4  = []byte("\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom")
)

// simpleTokens asks for a token at every call, and forces one when the refused one comes again.
type simpleTokens struct{ c *wechat.Client }

func (s simpleTokens) Token(ctx context.Context, a account.Account, refused string) (string, error) {
	t, err := s.c.Issue(ctx, a, false)
	if err == nil && refused != "" && t.Value.Reveal() == refused {
		t, err = s.c.Issue(ctx, a, true)
	}
	return t.Value.Reveal(), err
}

// stage is a simulated platform with one account, one customer and a client.
type stage struct {
	t    *testing.T
	p    *wxfake.Platform
	who  *wxfake.Customer
	acc  account.Account
	c    *wechat.Client
	mu   sync.Mutex
	time time.Time
	slow func() // runs when a slow answer has its request
}

func (s *stage) now() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.time
}

func (s *stage) pass(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.time = s.time.Add(d)
}

func newStage(t *testing.T, ch account.Channel) *stage {
	t.Helper()
	s := &stage{t: t, time: time.Date(2026, 10, 1, 4, 0, 0, 0, time.UTC)}
	s.p = wxfake.New(wxfake.Options{Now: s.now, Wait: func(ctx context.Context, _ time.Duration) error {
		s.slow()
		<-ctx.Done() // a slow answer is as slow as its caller is patient
		return ctx.Err()
	}, Seed: 1})
	srv := httptest.NewServer(s.p.Handler())
	t.Cleanup(srv.Close)
	t.Cleanup(s.p.Close)
	s.p.SetBaseURL(srv.URL)
	if err := s.p.AddAccount(wxfake.Account{
		Channel: wxfake.Channel(ch), AppID: fakeApp, OriginalID: "gh_0123456789ab", Secret: fakeSecret, Token: "AAAAA",
	}); err != nil {
		t.Fatal(err)
	}
	s.who = s.p.Named(fakeApp, "Li Na")
	s.who.Grant(wxfake.TriggerMessage)
	s.acc = account.Account{ID: "shop", Channel: ch, AppID: fakeApp, AppSecret: fakeSecret}
	s.c = &wechat.Client{BaseURL: srv.URL + "/", HTTP: wechat.NewHTTPClient(), Now: s.now}
	s.c.Tokens = simpleTokens{s.c}
	return s
}

func (s *stage) send(t *testing.T, c message.Content, files map[string]string) session.Outcome {
	t.Helper()
	return s.c.Send(t.Context(), s.acc, account.Customer(s.who.OpenID()), c, files)
}

func text(s string) message.Content {
	return message.Content{Type: message.TypeText, Text: &message.Text{Content: s}}
}

func wantOutcome(t *testing.T, what string, got, want session.Outcome) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %+v, want %+v", what, got, want)
	}
}

func TestSimulatorTakesEveryType(t *testing.T) {
	t.Parallel()
	sent := session.Outcome{Kind: session.Sent}
	for _, ch := range []account.Channel{account.MiniProgram, account.Official} {
		t.Run(string(ch), func(t *testing.T) {
			t.Parallel()
			s := newStage(t, ch)
			files := map[string]string{}
			for id, f := range map[string]struct {
				kind string
				b    []byte
			}{"image": {"image", fakePNG}, "thumb": {"thumb", fakeJPEG}, "voice": {"voice", fakeAMR}, "video": {"video", fakeMP4}} {
				platformID, until, err := s.c.Upload(t.Context(), s.acc, f.kind, "f", "application/octet-stream", f.b)
				if err != nil || !until.Equal(s.now().Add(72*time.Hour)) {
					t.Fatalf("upload %s: got until %v, %v; want 3 days from now", id, until, err)
				}
				files[id] = platformID
				b, _, _, err := s.c.Download(t.Context(), s.acc, platformID)
				if err != nil || string(b) != string(f.b) {
					t.Errorf("download %s: got %d bytes, %v; want %d", id, len(b), err, len(f.b))
				}
			}
			contents := []message.Content{
				text("你好 \u2028 <a href=\"https://a.test/?x=1&y=2\">看</a>\n\\u0041 \"引\"\x01"),
				{Type: message.TypeImage, Image: &message.MediaRef{Media: "image"}},
				{Type: message.TypeMiniProgramPage, MiniProgramPage: &message.MiniProgramPage{Title: "页", AppID: fakeApp, PagePath: "pages/a?x=1", ThumbMedia: "thumb"}},
			}
			if ch == account.MiniProgram {
				contents = append(contents, message.Content{Type: message.TypeLink, Link: &message.Link{Title: "链", Description: "d", URL: "https://a.test/?a=1&b=2"}})
			} else {
				contents = append(
					contents,
					message.Content{Type: message.TypeVoice, Voice: &message.Voice{Media: "voice"}},
					message.Content{Type: message.TypeVideo, Video: &message.Video{Media: "video", ThumbMedia: "thumb", Title: "t"}},
					message.Content{Type: message.TypeNews, News: &message.News{Articles: []message.Article{{Title: "文", URL: "https://a.test/"}}}},
					message.Content{Type: message.TypeMsgMenu, MsgMenu: &message.MsgMenu{HeadContent: "问", List: []message.MenuItem{{ID: "1", Content: "是"}}}},
				)
			}
			for _, c := range contents {
				s.who.Grant(wxfake.TriggerMessage)
				wantOutcome(t, string(c.Type), s.send(t, c, files), sent)
			}
			inbox := s.who.Inbox()
			if len(inbox) != len(contents) {
				t.Fatalf("got %d messages, want %d", len(inbox), len(contents))
			}
			if got, want := inbox[0].Text, "你好 \u2028 <a href=\"https://a.test/?x=1&y=2\">看</a>\n\\u0041 \"引\""; got != want {
				t.Errorf("got text %q, want %q", got, want)
			}
			for i, c := range contents {
				if got := inbox[i].MsgType; got != string(c.Type) {
					t.Errorf("message %d: got type %s, want %s", i, got, c.Type)
				}
			}
		})
	}
}

func TestSimulatorCountsTheWindow(t *testing.T) {
	t.Parallel()
	s := newStage(t, account.MiniProgram)
	for range 5 {
		wantOutcome(t, "inside", s.send(t, text("a"), nil), session.Outcome{Kind: session.Sent})
	}
	wantOutcome(t, "sixth", s.send(t, text("a"), nil), session.Outcome{Kind: session.QuotaUsedUp, Code: 45047})
	s.pass(48 * time.Hour)
	wantOutcome(t, "after 48 h", s.send(t, text("a"), nil), session.Outcome{Kind: session.WindowClosed, Code: 45015})
	wantOutcome(t, "to a stranger", s.c.Send(t.Context(), s.acc, "o-nobody", text("a"), nil),
		session.Outcome{Kind: session.Refused, Code: 40003, Reason: "customer-unknown"})
	s.who.Grant(wxfake.TriggerMessage)
	wantOutcome(t, "too long", s.send(t, text(strings.Repeat("x", 2049)), nil), session.Outcome{Kind: session.Refused, Code: 45002, Reason: "too-long"})
	wantOutcome(t, "a file of nobody", s.send(t, message.Content{Type: message.TypeImage, Image: &message.MediaRef{Media: "m"}}, map[string]string{"m": "X"}),
		session.Outcome{Kind: session.MediaGone, Code: 40007})
	if got := len(s.who.Inbox()); got != 5 {
		t.Errorf("got %d messages, want 5", got)
	}
}

func TestSimulatorMisbehaves(t *testing.T) {
	t.Parallel()
	const path = "/cgi-bin/message/custom/send"
	for name, tc := range map[string]struct {
		fault   wxfake.Fault
		want    session.Outcome
		arrived int
	}{
		"busy":               {wxfake.Fault{Kind: wxfake.FaultCode, Code: -1}, session.Outcome{Kind: session.Busy, Code: -1}, 0},
		"throttled":          {wxfake.Fault{Kind: wxfake.FaultCode, Code: 45011}, session.Outcome{Kind: session.Throttled, Code: 45011}, 0},
		"day's quota":        {wxfake.Fault{Kind: wxfake.FaultCode, Code: 45009}, session.Outcome{Kind: session.DayQuota, Code: 45009}, 0},
		"500":                {wxfake.Fault{Kind: wxfake.FaultStatus}, session.Outcome{Kind: session.Lost}, 0},
		"502, but performed": {wxfake.Fault{Kind: wxfake.FaultStatus, Status: 502, Performed: true}, session.Outcome{Kind: session.Lost}, 1},
		"html":               {wxfake.Fault{Kind: wxfake.FaultHTML}, session.Outcome{Kind: session.Lost}, 0},
		"answer lost":        {wxfake.Fault{Kind: wxfake.FaultLostAnswer}, session.Outcome{Kind: session.Lost}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t, account.MiniProgram)
			tc.fault.Path = path
			s.p.Inject(tc.fault)
			wantOutcome(t, name, s.send(t, text("a"), nil), tc.want)
			if got := len(s.who.Inbox()); got != tc.arrived {
				t.Errorf("got %d messages, want %d", got, tc.arrived)
			}
		})
	}
	t.Run("slow", func(t *testing.T) {
		t.Parallel()
		s := newStage(t, account.MiniProgram)
		ctx, cancel := context.WithCancel(t.Context())
		s.slow = cancel
		s.p.Inject(wxfake.Fault{Kind: wxfake.FaultSlow, Delay: 11 * time.Second, Path: path})
		got := s.c.Send(ctx, s.acc, account.Customer(s.who.OpenID()), text("a"), nil)
		wantOutcome(t, "slow", got, session.Outcome{Kind: session.Lost})
		if inbox, err := s.who.AwaitInbox(t.Context(), 1); err != nil || len(inbox) != 1 {
			t.Errorf("got %d messages, %v; want the one that was sent all the same", len(inbox), err)
		}
	})
}

func TestSimulatorEndsTokens(t *testing.T) {
	t.Parallel()
	s := newStage(t, account.MiniProgram)
	sent := session.Outcome{Kind: session.Sent}
	wantOutcome(t, "first", s.send(t, text("a"), nil), sent)
	s.p.ExpireTokens(fakeApp)
	wantOutcome(t, "expired", s.send(t, text("a"), nil), sent)
	s.p.RevokeTokens(fakeApp)
	wantOutcome(t, "revoked", s.send(t, text("a"), nil), sent)
	s.p.RevokeTokens(fakeApp)
	wantOutcome(t, "revoked again within 30 s", s.send(t, text("a"), nil), session.Outcome{Kind: session.Throttled, Code: 45011})
	wrong := s.acc
	wrong.AppSecret = "wrong"
	wantOutcome(t, "wrong secret", s.c.Send(t.Context(), wrong, "o1", text("a"), nil), session.Outcome{Kind: session.Refused, Code: 40125, Reason: "secret-wrong"})
	if err := s.p.UpdateAccount(fakeApp, func(a *wxfake.Account) { a.Permissions.AllowedIPs = []string{"203.0.113.9"} }); err != nil {
		t.Fatal(err)
	}
	wantOutcome(t, "wrong address", s.send(t, text("a"), nil), session.Outcome{Kind: session.Refused, Code: 40164, Reason: "ip-not-allowed"})
}

func TestSimulatorShowsTyping(t *testing.T) {
	t.Parallel()
	s := newStage(t, account.MiniProgram)
	to := account.Customer(s.who.OpenID())
	s.pass(31 * time.Second)
	if err := s.c.Typing(t.Context(), s.acc, to, true); fault.CodeOf(err) != "typing-ignored" {
		t.Errorf("without an exchange: got %v, want typing-ignored", err)
	}
	wantOutcome(t, "exchange", s.send(t, text("a"), nil), session.Outcome{Kind: session.Sent})
	for i, on := range []bool{true, false, true} {
		if err := s.c.Typing(t.Context(), s.acc, to, on); err != nil {
			t.Errorf("call %d: got %v, want none", i, err)
		}
	}
}

func TestSimulatorForgetsFiles(t *testing.T) {
	t.Parallel()
	s := newStage(t, account.Official)
	id, _, err := s.c.Upload(t.Context(), s.acc, "image", "a.png", "image/png", fakePNG)
	if err != nil {
		t.Fatal(err)
	}
	s.pass(72 * time.Hour)
	if _, _, _, err := s.c.Download(t.Context(), s.acc, id); fault.KindOf(err) != fault.NotFound || fault.CodeOf(err) != "media-gone" {
		t.Errorf("got %v, want not-found media-gone", err)
	}
	for _, b := range [][]byte{[]byte("no picture"), nil} {
		if _, _, err := s.c.Upload(t.Context(), s.acc, "image", "a.png", "image/png", b); fault.CodeOf(err) != "media-invalid" {
			t.Errorf("got %v, want media-invalid", err)
		}
	}
	if _, _, err := s.c.Upload(t.Context(), s.acc, "thumb", "a.jpg", "image/jpeg", append([]byte("\xff\xd8\xff\xe0"), make([]byte, 64<<10)...)); fault.CodeOf(err) != "too-large" {
		t.Errorf("got %v, want too-large", err)
	}
}
