package wxfake

import (
	"testing"
	"time"
)

func TestWindowRules(t *testing.T) {
	t.Parallel()
	const sec = time.Second
	type step struct {
		after   time.Duration // since the start
		trigger Trigger       // "" sends instead
		sends   int
		want    int // code of the last send
		left    int
		until   time.Duration // since the start, -1 for a closed window
	}
	day2 := 48 * time.Hour
	tests := []struct {
		name  string
		ch    Channel
		steps []step
	}{
		{"a message grants five for 48 hours", MiniProgram, []step{
			{0, TriggerMessage, 0, 0, 5, day2},
			{sec, "", 5, 0, 0, day2},
			{2 * sec, "", 1, codeOutOfCount, 0, day2},
			{day2 - 1, "", 1, codeOutOfCount, 0, day2},
			{day2, "", 1, codeOutOfWindow, 0, -1},
		}},
		{"the end is outside", MiniProgram, []step{
			{0, TriggerEnter, 0, 0, 2, 60 * sec},
			{60*sec - 1, "", 1, 0, 1, 60 * sec},
			{60 * sec, "", 1, codeOutOfWindow, 0, -1},
		}},
		{"grants refill and don't add", MiniProgram, []step{
			{0, TriggerMessage, 4, 0, 1, day2},
			{sec, TriggerMessage, 0, 0, 5, day2 + sec},
			{2 * sec, TriggerEnter, 0, 0, 5, day2 + sec},
			{3 * sec, "", 6, codeOutOfCount, 0, day2 + sec},
			{4 * sec, TriggerEnter, 0, 0, 5, day2 + sec},
		}},
		{"a short grant outlives a long one only with its own limit", MiniProgram, []step{
			{0, TriggerMessage, 0, 0, 5, day2},
			{day2 - 10*sec, TriggerEnter, 1, 0, 4, day2 + 50*sec},
			{day2, "", 1, 0, 0, day2 + 50*sec},
			{day2 + sec, "", 1, codeOutOfCount, 0, day2 + 50*sec},
			{day2 + 50*sec, "", 1, codeOutOfWindow, 0, -1},
		}},
		{"official grants", Official, []step{
			{0, TriggerFollow, 0, 0, 3, 60 * sec},
			{30 * sec, TriggerScan, 2, 0, 1, 90 * sec},
			{40 * sec, TriggerClick, 3, 0, 0, 100 * sec},
			{50 * sec, TriggerMessage, 0, 0, 5, day2 + 50*sec},
		}},
		{"what has no row grants nothing", Official, []step{
			{0, TriggerEnter, 1, codeOutOfWindow, 0, -1},
			{sec, TriggerPay, 1, codeOutOfWindow, 0, -1},
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			start := time.Unix(1_700_000_000, 0)
			var l ledger
			for i, s := range tt.steps {
				now := start.Add(s.after)
				if s.trigger != "" {
					l.trigger(s.trigger, CurrentRules(tt.ch), now)
				}
				code := 0
				for range s.sends {
					code = l.take(now)
				}
				w := l.at(now)
				until := time.Duration(-1)
				if w.Limit > 0 {
					until = w.Until.Sub(start)
				}
				if code != s.want || w.Remaining() != s.left || until != s.until {
					t.Errorf("step %d: got code %d, %d left until %v, want code %d, %d left until %v",
						i, code, w.Remaining(), until, s.want, s.left, s.until)
				}
			}
		})
	}
}

func TestWhatOpensAWindow(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := t.Context()
	tests := []struct {
		name string
		app  string
		do   func(*Customer) Push
		want int
		kind string // Event or MsgType that was pushed
	}{
		{"mini enter", miniApp, func(c *Customer) Push { return c.Enter(ctx, "a") }, 2, "user_enter_tempsession"},
		{"mini text", miniApp, func(c *Customer) Push { return c.Say(ctx, "a") }, 5, "text"},
		{"mini image", miniApp, func(c *Customer) Push { return c.SendImage(ctx, pngFile) }, 5, "image"},
		{"mini card", miniApp, func(c *Customer) Push { return c.SendMiniProgramCard(ctx, "a", "b", jpgFile) }, 5, "miniprogrampage"},
		{"mini revoke", miniApp, func(c *Customer) Push { return c.Revoke(ctx) }, 0, "user_authorization_revoke"},
		{"follow", oaApp, func(c *Customer) Push { return c.Follow(ctx, "") }, 3, "subscribe"},
		{"follow by code", oaApp, func(c *Customer) Push { return c.Follow(ctx, "7") }, 3, "subscribe"},
		{"scan", oaApp, func(c *Customer) Push { return c.Scan(ctx, "7") }, 3, "SCAN"},
		{"click", oaApp, func(c *Customer) Push { return c.Click(ctx, "K") }, 3, "CLICK"},
		{"scancode", oaApp, func(c *Customer) Push { return c.ScanCode(ctx, "K", "x", false) }, 3, "scancode_push"},
		{"scancode wait", oaApp, func(c *Customer) Push { return c.ScanCode(ctx, "K", "x", true) }, 3, "scancode_waitmsg"},
		{"view", oaApp, func(c *Customer) Push { return c.View(ctx, "http://a") }, 0, "VIEW"},
		{"position", oaApp, func(c *Customer) Push { return c.Locate(ctx, 1, 2, 3) }, 0, "LOCATION"},
		{"menu item is a click", oaApp, func(c *Customer) Push { return c.TapMenu(ctx, "1", "yes") }, 3, "text"},
		{"voice", oaApp, func(c *Customer) Push { return c.SendVoice(ctx, amrFile, "hi") }, 5, "voice"},
		{"video", oaApp, func(c *Customer) Push { return c.SendVideo(ctx, mp4File, jpgFile) }, 5, "video"},
		{"short video", oaApp, func(c *Customer) Push { return c.SendShortVideo(ctx, mp4File, jpgFile) }, 5, "shortvideo"},
		{"location", oaApp, func(c *Customer) Push { return c.SendLocation(ctx, 1.5, 2, 3, "a") }, 5, "location"},
		{"link", oaApp, func(c *Customer) Push { return c.SendLink(ctx, "a", "b", "c") }, 5, "link"},
		{"unfollow", oaApp, func(c *Customer) Push { c.Follow(ctx, ""); return c.Unfollow(ctx) }, 0, "unsubscribe"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := w.p.Named(tt.app, tt.name)
			push := tt.do(c)
			if !push.Accepted || push.Err != nil {
				t.Fatalf("got %+v, want an accepted push", push)
			}
			kind := push.Fields.Get("MsgType")
			if kind == "event" {
				kind = push.Fields.Get("Event")
			}
			if kind != tt.kind {
				t.Errorf("kind: got %q, want %q", kind, tt.kind)
			}
			if got := c.Window().Limit; got != tt.want {
				t.Errorf("window: got %d, want %d", got, tt.want)
			}
			if isMessage := push.MsgID != ""; isMessage != (push.Fields.Get("MsgType") != "event") {
				t.Errorf("MsgId: got %q for %s", push.MsgID, kind)
			}
		})
	}
}

func TestAGrantBeginsWithItsSecond(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.p.Named(miniApp, "a")
	c.Enter(t.Context(), "")
	if got, want := c.Window().Until, w.clock.now().Truncate(time.Second).Add(time.Minute); !got.Equal(want) {
		t.Errorf("until: got %v, want %v", got, want)
	}
}

func TestChannelsDoNotPushWhatTheyDoNotKnow(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := t.Context()
	mini, oa := w.p.Named(miniApp, "a"), w.p.Named(oaApp, "a")
	for name, push := range map[string]Push{
		"voice": mini.SendVoice(ctx, amrFile, ""), "video": mini.SendVideo(ctx, mp4File, jpgFile),
		"location": mini.SendLocation(ctx, 1, 2, 3, ""), "link": mini.SendLink(ctx, "", "", ""), "follow": mini.Follow(ctx, ""),
		"click": mini.Click(ctx, ""), "enter": oa.Enter(ctx, ""), "tool": mini.ToolAccept(ctx, "kf"),
	} {
		if !push.Skipped || push.Accepted || len(push.Deliveries) != 0 {
			t.Errorf("%s: got %+v, want skipped", name, push)
		}
	}
	if n := len(w.shop.requests()); n != 0 {
		t.Errorf("pushes: got %d, want 0", n)
	}
	if mini.Window().Limit != 0 || oa.Window().Limit != 0 {
		t.Error("a skipped act opened a window")
	}
}

func TestRulesCanBeReplaced(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(o *Options) { o.Rules = map[Channel]Rules{Official: RulesOf2021(Official)} })
	c := w.p.Named(oaApp, "a")
	c.Say(t.Context(), "a")
	if got := c.Window().Limit; got != 20 {
		t.Errorf("channel's rules: got %d, want 20", got)
	}
	w.update(oaApp, func(a *Account) { a.Rules = Rules{TriggerMessage: {1, time.Hour}} })
	c.Grant(TriggerMessage)
	if got := c.Window().Limit; got != 1 {
		t.Errorf("the account's own rules: got %d, want 1", got)
	}
}
