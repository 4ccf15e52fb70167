package wxfake

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

const sendPath = "/cgi-bin/message/custom/send?access_token="

func TestAPIFaults(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name      string
		fault     Fault
		status    int // 0: no answer at all
		code      int
		html      bool
		performed bool
	}{
		{"status", Fault{Kind: FaultStatus, Status: 502}, 502, 0, true, false},
		{"status by default", Fault{Kind: FaultStatus}, 500, 0, true, false},
		{"status after performing", Fault{Kind: FaultStatus, Status: 504, Performed: true}, 504, 0, true, true},
		{"html", Fault{Kind: FaultHTML}, 200, 0, true, false},
		{"html after performing", Fault{Kind: FaultHTML, Performed: true}, 200, 0, true, true},
		{"lost answer", Fault{Kind: FaultLostAnswer}, 0, 0, false, true},
		{"refuse", Fault{Kind: FaultRefuse}, 0, 0, false, false},
		{"code", Fault{Kind: FaultCode, Code: -1}, 200, -1, false, false},
		{"slow", Fault{Kind: FaultSlow, Delay: 7 * time.Second}, 200, 0, false, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			c := w.p.Named(miniApp, "a")
			c.Say(t.Context(), "hi")
			token := w.token(miniApp)
			tt.fault.Path, tt.fault.Times, tt.fault.Skip = "custom/send", 1, 1
			w.p.Inject(tt.fault)
			wantCode(t, "the call that is let pass", w.post(sendPath+token, textTo(c.OpenID(), "first")), 0)
			r, err := w.do(http.MethodPost, sendPath+token, "application/json", []byte(textTo(c.OpenID(), "second")))
			if (err != nil) != (tt.status == 0) || r.status != tt.status || r.Code != tt.code {
				t.Errorf("got status %d, %s, %v, want status %d and code %d", r.status, r.body, err, tt.status, tt.code)
			}
			if got := strings.HasPrefix(string(r.body), "<html>"); got != tt.html {
				t.Errorf("got body %q, want HTML: %v", r.body, tt.html)
			}
			want := []string{"first"}
			if tt.performed {
				want = append(want, "second")
			}
			if got := c.Texts(); !slices.Equal(got, want) || c.Window().Used != len(want) {
				t.Errorf("inbox: got %q and %d counted, want %q", got, c.Window().Used, want)
			}
			if got := w.clock.waited(); tt.fault.Delay > 0 && !slices.Equal(got, []time.Duration{tt.fault.Delay}) {
				t.Errorf("waits: got %v, want %v", got, tt.fault.Delay)
			}
			if left := w.p.Faults(); len(left) != 0 {
				t.Errorf("left over: got %+v, want none", left)
			}
			wantCode(t, "the call after it", w.post(sendPath+token, textTo(c.OpenID(), "third")), 0)
		})
	}
}

func TestFaultsCanBeAimedAndEnded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	mini, oa := w.p.Named(miniApp, "a"), w.p.Named(oaApp, "a")
	mini.Say(t.Context(), "hi")
	oa.Say(t.Context(), "hi")
	cancel := w.p.Inject(Fault{Kind: FaultCode, Code: codeMinuteQuota, AppID: oaApp, Path: "custom/send"})
	wantCode(t, "another account", w.sendText(mini, "a"), 0)
	wantCode(t, "the account", w.sendText(oa, "a"), codeMinuteQuota)
	wantCode(t, "the account again", w.sendText(oa, "a"), codeMinuteQuota)
	cancel()
	wantCode(t, "after cancelling", w.sendText(oa, "a"), 0)
	w.p.Inject(Fault{Kind: FaultCode, Code: -1})
	w.p.SetPushFaults(PushFaults{Duplicate: 2})
	w.p.ClearFaults()
	wantCode(t, "after clearing", w.sendText(oa, "a"), 0)
	if got := w.p.PushFaults(); got != (PushFaults{}) {
		t.Errorf("push faults after clearing: got %+v", got)
	}
}

func TestAnOverlappingSendIsSeen(t *testing.T) {
	t.Parallel()
	started, release := make(chan struct{}), make(chan struct{})
	w := newWorld(t, func(o *Options) {
		o.Wait = func(context.Context, time.Duration) error {
			close(started)
			<-release
			return nil
		}
	})
	c := w.p.Named(miniApp, "a")
	c.Say(t.Context(), "hi")
	token := w.token(miniApp)
	w.p.Inject(Fault{Kind: FaultSlow, Path: "custom/send", Times: 1, Delay: time.Second})
	done := make(chan reply)
	go func() { done <- w.post(sendPath+token, textTo(c.OpenID(), "slow")) }()
	<-started
	wantCode(t, "the second send", w.post(sendPath+token, textTo(c.OpenID(), "quick")), 0)
	close(release)
	wantCode(t, "the first send", <-done, 0)
	in := c.Inbox()
	if len(in) != 2 || in[0].Text != "quick" || !in[0].Overlapped || in[1].Overlapped {
		t.Errorf("got %+v, want quick marked as overlapping, then slow", in)
	}
}

func TestDuplicatePushes(t *testing.T) {
	t.Parallel()
	for _, together := range []bool{false, true} {
		w := newWorld(t)
		w.p.SetPushFaults(PushFaults{Duplicate: 3, Together: together})
		c := w.p.Named(miniApp, "a")
		push := c.Say(t.Context(), "hi")
		if !push.Accepted || len(push.Deliveries) != 3 {
			t.Fatalf("got %+v, want three accepted deliveries", push)
		}
		a, _ := w.p.Account(miniApp)
		nonces := map[string]bool{}
		for _, s := range w.shop.requests() {
			in, _, err := oracleReceive(a, s)
			if err != nil || strconv.FormatInt(in.ID, 10) != push.MsgID {
				t.Errorf("got %+v, %v, want MsgId %s", in, err, push.MsgID)
			}
			nonces[s.query.Get("nonce")] = true
		}
		if len(nonces) != 3 || len(c.Acts()) != 1 {
			t.Errorf("got %d nonces and %d acts, want 3 and 1", len(nonces), len(c.Acts()))
		}
	}
}

func TestLostAnswersOfPushes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.p.Named(miniApp, "a")
	w.p.SetPushFaults(PushFaults{LoseAnswers: 2})
	if push := c.Say(t.Context(), "hi"); !push.Accepted || len(push.Deliveries) != 3 || push.Deliveries[0].OK() || len(c.Notices()) != 0 {
		t.Errorf("two lost: got %+v, want the third accepted", push)
	}
	w.p.SetPushFaults(PushFaults{LoseAnswers: 3})
	if push := c.Say(t.Context(), "hi"); push.Accepted || len(push.Deliveries) != 3 || push.Notice == "" {
		t.Errorf("three lost: got %+v, want a notice", push)
	}
}

// reordered returns the texts in the order in which a platform with a seed delivered them.
func reordered(t *testing.T, seed uint64) []string {
	t.Helper()
	w := newWorld(t, func(o *Options) { o.Seed = seed })
	w.p.SetPushFaults(PushFaults{Reorder: 4})
	c := w.p.Named(miniApp, "a")
	var got []string
	for i := range 9 {
		push := c.Say(t.Context(), fmt.Sprint(i))
		if release := i%4 == 3; push.Held == release || push.Accepted != release || len(push.Released) != map[bool]int{true: 3}[release] {
			t.Fatalf("push %d: got %+v", i, push)
		}
	}
	if n := len(w.shop.requests()); n != 8 {
		t.Errorf("before Flush: got %d deliveries, want 8", n)
	}
	if out := w.p.Flush(t.Context()); len(out) != 1 || !out[0].Accepted {
		t.Errorf("Flush: got %+v, want the ninth", out)
	}
	a, _ := w.p.Account(miniApp)
	for _, s := range w.shop.requests() {
		in, _, err := oracleReceive(a, s)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, in.Content)
	}
	for _, act := range c.Acts() {
		if act.State != ActOK {
			t.Errorf("act %s: got %s, want ok", act.Text, act.State)
		}
	}
	return got
}

func TestReorderedPushesFollowTheSeed(t *testing.T) {
	t.Parallel()
	first, again, other := reordered(t, 1), reordered(t, 1), reordered(t, 2)
	if !slices.Equal(first, again) {
		t.Errorf("the same seed: got %v and %v", first, again)
	}
	if slices.Equal(first, other) && slices.IsSorted(first) {
		t.Errorf("no shuffle: got %v twice", first)
	}
	for _, part := range [][]string{first[:4], first[4:8]} {
		if slices.Sort(part); part[3] > "7" {
			t.Errorf("a push left its group: %v", first)
		}
	}
}

func TestChanceFollowsTheSeed(t *testing.T) {
	t.Parallel()
	run := func() (codes []int) {
		w := newWorld(t)
		token := w.token(miniApp)
		w.p.Inject(Fault{Kind: FaultCode, Code: -1, Chance: 0.5})
		for range 40 {
			codes = append(codes, w.get("/cgi-bin/getcallbackip?access_token="+token).Code)
		}
		return codes
	}
	first, again := run(), run()
	if !slices.Equal(first, again) {
		t.Errorf("the same seed: got %v and %v", first, again)
	}
	if !slices.Contains(first, 0) || !slices.Contains(first, -1) {
		t.Errorf("a chance of one half: got %v", first)
	}
}

func TestASeedRepeatsARun(t *testing.T) {
	t.Parallel()
	run := func() string {
		w := newWorld(t)
		c := w.p.Named(miniApp, "a")
		c.Say(t.Context(), "hi")
		s := w.shop.requests()[0]
		return w.token(miniApp) + w.media(miniApp, "image", pngFile) + s.query.Get("nonce") + string(s.body)
	}
	if first, again := run(), run(); first != again {
		t.Errorf("got\n%s\nthen\n%s", first, again)
	}
}
