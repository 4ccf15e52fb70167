package callback

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"kefu/shared/adapter/wechat"
	"kefu/shared/adapter/wechat/wxfake"
	"kefu/shared/core/account"
	"kefu/shared/core/message"
)

const (
	toolApp   = "wx0123456789abcdef"
	toolKey   = "rveUEcRZy6I2qWdY1qfru2nlYZAUDk6U2qmtiScUTGG"
	secondKey = "aozyxq4R650BCa5DxPYsLsBF2fPPCyUnOo8Ni0Whbc0"
)

// desk is a callback before the simulated platform. Its account is what it holds.
type desk struct {
	t        *testing.T
	platform *wxfake.Platform
	mei      *wxfake.Customer
	callback *Callback
	log      bytes.Buffer

	mu     sync.Mutex
	acc    account.Account
	now    time.Time
	queued []message.Push
	full   error
}

func (d *desk) Account(context.Context, account.ID) (account.Account, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.acc, nil
}

func (d *desk) Send(_ context.Context, _ string, _ time.Duration, body []byte) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	var p message.Push
	if err := json.Unmarshal(body, &p); err != nil {
		return err
	}
	if d.full == nil {
		d.queued = append(d.queued, p)
	}
	return d.full
}

func (d *desk) clock() time.Time {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.now
}

// marks tells, of each push in the queue, whether it was handed over.
func (d *desk) marks() []bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	var out []bool
	for _, p := range d.queued {
		out = append(out, p.Transferred)
	}
	return out
}

// lockedLog lets the answers of several pushes write one log.
type lockedLog struct{ *desk }

func (l lockedLog) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.log.Write(b)
}

func newDesk(t *testing.T, ch account.Channel, mode account.Mode, format account.Format, external account.External) *desk {
	t.Helper()
	// Saturday noon in China.
	d := &desk{t: t, now: time.Date(2026, 10, 10, 4, 0, 0, 0, time.UTC)}
	d.acc = account.Account{
		ID: "shop", Channel: ch, AppID: toolApp, OriginalID: "gh_0123456789ab", Mode: mode, Format: format, Token: "kfToken2026", AESKey: toolKey,
	}
	d.acc.Settings.Routing.External = external
	d.callback = &Callback{
		Accounts: d, Channel: &wechat.Inbox{}, Inbound: d, Now: d.clock, Log: slog.New(slog.NewJSONHandler(lockedLog{d}, nil)),
	}
	mux := http.NewServeMux()
	mux.Handle("/callback/{account}", d.callback)
	srv := httptest.NewServer(mux)
	t.Cleanup(srv.Close)
	d.platform = wxfake.New(wxfake.Options{Now: d.clock, Wait: func(context.Context, time.Duration) error { return nil }, Seed: 1})
	t.Cleanup(d.platform.Close)
	if err := d.platform.AddAccount(wxfake.Account{
		Channel: wxfake.Channel(ch), AppID: toolApp, OriginalID: d.acc.OriginalID, Token: "kfToken2026", AESKey: toolKey,
		Mode: wxfake.Mode(mode), Format: wxfake.Format(format), CallbackURL: srv.URL + "/callback/shop",
	}); err != nil {
		t.Fatal(err)
	}
	d.mei = d.platform.Named(toolApp, "Mei")
	return d
}

// want compares what the platform made of an answer, and the mark in the queue.
func (d *desk) want(what string, p wxfake.Push, tool string, marks ...bool) {
	d.t.Helper()
	if !p.Accepted || d.mei.Tool() != tool || d.platform.Stats().BadReplies != 0 {
		d.t.Errorf("%s: got accepted %v, tool %q, %d bad replies, %+v; want tool %q", what, p.Accepted, d.mei.Tool(), d.platform.Stats().BadReplies, p.Deliveries, tool)
	}
	if got := d.marks(); fmt.Sprint(got) != fmt.Sprint(marks) {
		d.t.Errorf("%s: got marks %v in the queue, want %v", what, got, marks)
	}
}

// TestHandOver: the platform takes the hand-over in every mode and format, on both channels.
func TestHandOver(t *testing.T) {
	t.Parallel()
	for _, ch := range []account.Channel{account.MiniProgram, account.Official} {
		for _, mode := range []account.Mode{account.Plaintext, account.Compatible, account.Secure} {
			for _, format := range []account.Format{account.JSON, account.XML} {
				t.Run(fmt.Sprint(ch, " ", mode, " ", format), func(t *testing.T) {
					t.Parallel()
					d := newDesk(t, ch, mode, format, account.External{Mode: account.ExternalAlways, KfAccount: "kf@shop"})
					event := d.mei.Enter
					if ch == account.Official {
						event = d.mei.Click
					}
					d.want("an event", event(t.Context(), "x"), wxfake.ToolNone, false)
					said := d.mei.Say(t.Context(), "你好 <&]]>")
					d.want("a text", said, wxfake.ToolQueued, false, true)
					d.want("a picture", d.mei.SendImage(t.Context(), []byte("\x89PNG\r\n\x1a\n0000")), wxfake.ToolQueued, false, true, true)
					want := ""
					if ch == account.Official {
						want = "kf@shop"
					}
					if got := said.Reply; got.KfAccount != want || got.Encrypted != (mode != account.Plaintext) {
						t.Errorf("got agent %q, encrypted %v; want %q, %v", got.KfAccount, got.Encrypted, want, mode != account.Plaintext)
					}
					if !strings.Contains(d.log.String(), `"transferred":true`) {
						t.Errorf("got log %s, want it told", d.log.String())
					}
				})
			}
		}
	}
}

// TestHandOverByTheRules: what is not handed over is answered as ever.
func TestHandOverByTheRules(t *testing.T) {
	t.Parallel()
	keyword := account.External{Mode: account.ExternalKeyword, Keywords: []string{"官方"}}
	d := newDesk(t, account.MiniProgram, account.Secure, account.JSON, keyword)
	d.want("another text", d.mei.Say(t.Context(), "你好"), wxfake.ToolNone, false)
	d.want("the keyword", d.mei.Say(t.Context(), "官方！"), wxfake.ToolQueued, false, true)

	d = newDesk(t, account.MiniProgram, account.Secure, account.JSON, account.External{Mode: account.ExternalClosed})
	d.acc.Settings.Routing.Hours.Open = []account.Span{{Days: []string{"sat"}, From: "09:00", To: "12:30"}}
	d.want("in the hours", d.mei.Say(t.Context(), "你好"), wxfake.ToolNone, false)
	d.now = d.now.Add(time.Hour)
	d.want("after them", d.mei.Say(t.Context(), "你好"), wxfake.ToolQueued, false, true)
}

// TestHandOverOfAnUnreadablePush: it is nobody's message.
func TestHandOverOfAnUnreadablePush(t *testing.T) {
	t.Parallel()
	d := newDesk(t, account.MiniProgram, account.Secure, account.JSON, account.External{Mode: account.ExternalAlways})
	d.want("no sender", d.mei.Push(t.Context(), wxfake.Fields{{Name: "FromUserName", Value: ""}, {Name: "MsgType", Value: "text"}, {Name: "MsgId", Value: 1}}), wxfake.ToolNone, false)
	d.want("no type", d.mei.Push(t.Context(), wxfake.Fields{{Name: "action", Value: "CheckContainerPath"}}), wxfake.ToolNone, false, false)
}

// TestHandOverAgain: every delivery of a push is answered alike, also of one whose answer was lost.
func TestHandOverAgain(t *testing.T) {
	t.Parallel()
	d := newDesk(t, account.MiniProgram, account.Secure, account.XML, account.External{Mode: account.ExternalAlways})
	d.platform.SetPushFaults(wxfake.PushFaults{Duplicate: 3, Together: true})
	d.want("three times at once", d.mei.Say(t.Context(), "你好"), wxfake.ToolQueued, true, true, true)
	d.platform.SetPushFaults(wxfake.PushFaults{LoseAnswers: 2})
	p := d.mei.Say(t.Context(), "你好")
	d.want("the third time", p, wxfake.ToolQueued, true, true, true, true, true, true)
	if len(p.Deliveries) != 3 {
		t.Errorf("got %d deliveries, want 3", len(p.Deliveries))
	}
}

// TestHandOverWithEitherKey: the answer is sealed with the key that opened the push.
func TestHandOverWithEitherKey(t *testing.T) {
	t.Parallel()
	d := newDesk(t, account.MiniProgram, account.Secure, account.JSON, account.External{Mode: account.ExternalAlways})
	d.acc.AESKey, d.acc.AESKeyPrevious = secondKey, toolKey // changed here, and not yet on the platform
	d.want("the key before", d.mei.Say(t.Context(), "你好"), wxfake.ToolQueued, true)
	d.mei.ToolClose(t.Context(), "")
	if err := d.platform.UpdateAccount(toolApp, func(a *wxfake.Account) { a.AESKey = secondKey }); err != nil {
		t.Fatal(err)
	}
	d.want("the new key", d.mei.Say(t.Context(), "你好"), wxfake.ToolQueued, true, true)
}

// TestHandOverAfterTheConsoleWasChanged: the push shows what the platform takes, whatever is set here.
func TestHandOverAfterTheConsoleWasChanged(t *testing.T) {
	t.Parallel()
	d := newDesk(t, account.MiniProgram, account.Plaintext, account.XML, account.External{Mode: account.ExternalAlways})
	if err := d.platform.UpdateAccount(toolApp, func(a *wxfake.Account) { a.Mode, a.Format = wxfake.Secure, wxfake.JSON }); err != nil {
		t.Fatal(err)
	}
	d.want("JSON and secure by now", d.mei.Say(t.Context(), "你好"), wxfake.ToolQueued, true)
}

// TestHandOverNeedsTheQueue: what isn't durable isn't handed over.
func TestHandOverNeedsTheQueue(t *testing.T) {
	t.Parallel()
	d := newDesk(t, account.MiniProgram, account.Secure, account.JSON, account.External{Mode: account.ExternalAlways})
	d.full = errDisk
	p := d.mei.Say(t.Context(), "你好")
	if p.Accepted || d.mei.Tool() != wxfake.ToolNone || p.Deliveries[0].Status != http.StatusInternalServerError {
		t.Errorf("got accepted %v, tool %q; want it pushed again and no hand-over", p.Accepted, d.mei.Tool())
	}
	if strings.Contains(d.log.String(), "transferred") {
		t.Errorf("got log %s, want nothing of a hand-over", d.log.String())
	}
}

// noDice is a source without randomness.
type noDice struct{}

func (noDice) Read([]byte) (int, error) { return 0, errors.New("no randomness") }

// TestHandOverThatCannotBeWritten: the message is for this system then, and the log tells.
func TestHandOverThatCannotBeWritten(t *testing.T) {
	t.Parallel()
	d := newDesk(t, account.MiniProgram, account.Secure, account.JSON, account.External{Mode: account.ExternalAlways})
	d.callback.Channel = &wechat.Inbox{Random: noDice{}}
	p := d.mei.Say(t.Context(), "你好")
	d.want("no randomness", p, wxfake.ToolNone, false)
	if p.Reply.Kind != wxfake.ReplySuccess || !strings.Contains(d.log.String(), `"level":"WARN"`) || !strings.Contains(d.log.String(), `"transferred":false,"reason":"random"`) {
		t.Errorf("got %s, log %s; want success and the reason in the log", p.Reply.Kind, d.log.String())
	}
}

// TestHandOverByTheAccountThatOpened: with changed keys come the settings of now.
func TestHandOverByTheAccountThatOpened(t *testing.T) {
	t.Parallel()
	d := newDesk(t, account.MiniProgram, account.Secure, account.JSON, account.External{Mode: account.ExternalAlways})
	old := d.acc
	old.AESKey, old.Settings.Routing.External = secondKey, account.External{}
	d.callback.Accounts, d.callback.Fresh = remembered{old}, d
	d.want("the account was changed just now", d.mei.Say(t.Context(), "你好"), wxfake.ToolQueued, true)
}

// remembered is an account as a process remembers it.
type remembered struct{ acc account.Account }

func (r remembered) Account(context.Context, account.ID) (account.Account, error) { return r.acc, nil }

// TestHandOverIsNotReadFor: an account without the setting doesn't pay for it; parts panics if a push is read.
func TestHandOverIsNotReadFor(t *testing.T) {
	t.Parallel()
	for _, mode := range []account.ExternalMode{"", account.ExternalOff} {
		c := &Callback{Channel: &parts{}}
		a := account.Account{}
		a.Settings.Routing.External = account.External{Mode: mode, Keywords: []string{"kf"}}
		if got := c.decide(a, message.Opened{}, time.Time{}); got.text != "success" || got.transferred || got.kept != nil {
			t.Errorf("mode %q: got %+v, want success", mode, got)
		}
	}
}
