package wxfake

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

func saved(t testing.TB, p *Platform) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := p.Save(&b); err != nil {
		t.Fatalf("Save: %v", err)
	}
	return b.Bytes()
}

func loaded(t testing.TB, p *Platform, file []byte) {
	t.Helper()
	if err := p.Load(bytes.NewReader(file)); err != nil {
		t.Fatalf("Load: %v", err)
	}
}

// restarted returns a world at the same time of its clock that has loaded what w saves.
func (w *world) restarted() *world {
	w.t.Helper()
	next := newWorld(w.t)
	next.clock.add(w.clock.now().Sub(next.clock.now()))
	loaded(w.t, next.p, saved(w.t, w.p))
	return next
}

func TestTheWindowCountsOnAfterARestart(t *testing.T) {
	t.Parallel()
	const day2 = 48 * time.Hour
	type step struct {
		after   time.Duration // since the step before
		trigger Trigger       // "" sends instead
		want    int           // the send's code
		left    int
	}
	send := func(after time.Duration, want, left int) step { return step{after, "", want, left} }
	grant := func(after time.Duration, t Trigger, left int) step { return step{after, t, 0, left} }
	ok, count, closed := 0, codeOutOfCount, codeOutOfWindow
	tests := []struct {
		name          string
		app           string
		before, after []step // the restart is between them
	}{
		{"a fresh grant", miniApp, []step{grant(0, TriggerMessage, 5)}, []step{
			send(0, ok, 4), send(0, ok, 3), send(0, ok, 2), send(0, ok, 1), send(0, ok, 0), send(0, count, 0),
		}},
		{"what was used is used", miniApp, []step{grant(0, TriggerMessage, 5), send(0, ok, 4), send(0, ok, 3), send(0, ok, 2)}, []step{
			send(0, ok, 1), send(0, ok, 0), send(0, count, 0), grant(0, TriggerMessage, 5), send(0, ok, 4),
		}},
		{"used up stays used up", miniApp, []step{grant(0, TriggerEnter, 2), send(0, ok, 1), send(0, ok, 0)}, []step{
			send(time.Second, count, 0), send(time.Minute, closed, 0),
		}},
		{"the last moment", miniApp, []step{grant(0, TriggerMessage, 5)}, []step{
			send(day2-801*time.Millisecond, ok, 4), send(time.Millisecond, closed, 0),
		}},
		{"a short grant outlives a long one with its own limit", miniApp, []step{
			grant(0, TriggerMessage, 5), grant(day2-10*time.Second, TriggerEnter, 5), send(0, ok, 4),
		}, []step{send(10*time.Second, ok, 0), send(time.Second, count, 0), send(49*time.Second, closed, 0)}},
		{"two short grants", oaApp, []step{grant(0, TriggerFollow, 3), send(0, ok, 2), grant(30*time.Second, TriggerClick, 3)}, []step{
			send(31*time.Second, ok, 2), send(28*time.Second, ok, 1), send(time.Second, closed, 0),
		}},
		{"an ended window", oaApp, []step{grant(0, TriggerScan, 3), send(time.Minute, closed, 0)}, []step{
			send(0, closed, 0), grant(0, TriggerMessage, 5), send(0, ok, 4),
		}},
		{"nothing was ever granted", oaApp, nil, []step{send(0, closed, 0), grant(0, TriggerScan, 3)}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.p.Named(tt.app, "a")
			play := func(part string, steps []step) {
				for i, s := range steps {
					w.clock.add(s.after)
					c := w.p.Named(tt.app, "a")
					if s.trigger != "" {
						c.Grant(s.trigger)
					} else {
						wantCode(t, fmt.Sprintf("%s, send %d", part, i+1), w.sendText(c, "hi"), s.want)
					}
					if got := c.Window().Remaining(); got != s.left {
						t.Errorf("%s, step %d: got %d left, want %d", part, i+1, got, s.left)
					}
				}
			}
			play("before", tt.before)
			want := w.p.Named(tt.app, "a").Window()
			w = w.restarted()
			if got := w.p.Named(tt.app, "a").Window(); got != want {
				t.Errorf("window: got %+v after the restart, want %+v", got, want)
			}
			play("after", tt.after)
		})
	}
}

// busy lets everything happen that a customer's chat can hold.
func busy(t *testing.T) *world {
	t.Helper()
	w := newWorld(t)
	ctx := t.Context()
	mei := w.p.Named(miniApp, "Mei <梅>")
	mei.Enter(ctx, "from=1")
	mei.Say(ctx, "你好 <b>&")
	mei.SendImage(ctx, pngFile)
	picture := w.media(miniApp, "image", jpgFile)
	wantCode(t, "image", w.send(miniApp, fmt.Sprintf(`{ "touser":%q,"msgtype":"image", "image":{ "media_id" : %q },
		"customservice":{"kf_account":"ann@shop"},"aimsgcontext":{"is_ai_msg":1},"businessid":7 }`, mei.OpenID(), picture)), 0)
	wantCode(t, "text", w.sendText(mei, "1 < 2 & 3"), 0)
	if r := w.post("/cgi-bin/message/custom/typing?access_token="+w.token(miniApp), fmt.Sprintf(`{"touser":%q,"command":"Typing"}`, mei.OpenID())); r.Code != 0 {
		t.Fatalf("typing: got %s", r.body)
	}
	bo := w.p.Named(miniApp, "Bo")
	bo.Say(ctx, "hi")
	bo.SetFlags(Flags{RefusesMessages: true, Minor: true})
	wantCode(t, "flags", w.sendText(bo, "no"), codeRefusesMessages)
	bo.ToolAccept(ctx, "kf1@shop")

	oa := w.p.Named(oaApp, "Li")
	oa.Follow(ctx, "7")
	passive := func(inner string) {
		cfg, _ := w.p.Account(oaApp)
		w.shop.answers(func(_ int, rw http.ResponseWriter, s seen) {
			_, _ = io.WriteString(rw, oracleReply(cfg, s.query, "<xml><ToUserName>"+oa.OpenID()+"</ToUserName><FromUserName>"+oaGH+
				"</FromUserName><CreateTime>1</CreateTime>"+inner+"</xml>"))
		})
	}
	passive("<MsgType>text</MsgType><Content>passive</Content>")
	oa.Say(ctx, "passive please")
	passive("<MsgType>transfer_customer_service</MsgType>")
	oa.Say(ctx, "a person please")
	w.shop.answers(func(_ int, rw http.ResponseWriter, _ seen) { rw.WriteHeader(http.StatusBadGateway) })
	oa.SendVoice(ctx, amrFile, "anybody?")
	w.shop.answers(nil)
	w.p.Named(oaApp, "Gone").Unfollow(ctx)
	if oa.Tool() != ToolQueued || bo.Tool() != ToolServing || len(oa.Notices()) != 1 || len(oa.Texts()) != 1 || !mei.Typing() {
		t.Fatalf("the scene is not set: %q %q %v %q %v", oa.Tool(), bo.Tool(), oa.Notices(), oa.Texts(), mei.Typing())
	}
	return w
}

// view is everything about a customer that can be seen from outside.
func view(c *Customer) map[string]any {
	return map[string]any{
		"openid": c.OpenID(), "inbox": c.Inbox(), "acts": c.Acts(), "notices": c.Notices(), "window": c.Window(),
		"typing": c.typingEnd(), "tool": c.Tool(), "refused": c.Refused(), "items": c.items(), "flags": c.flags.code(),
	}
}

func TestARestartForgetsNothing(t *testing.T) {
	t.Parallel()
	for _, accountsFirst := range []bool{true, false} {
		t.Run(fmt.Sprintf("accounts first %v", accountsFirst), func(t *testing.T) {
			t.Parallel()
			w := busy(t)
			file := saved(t, w.p)
			p := New(Options{Now: w.clock.now, Wait: w.clock.wait, Seed: 1})
			defer p.Close()
			add := func() {
				for _, id := range []string{miniApp, oaApp} {
					a, _ := w.p.Account(id)
					if err := p.AddAccount(a); err != nil {
						t.Fatal(err)
					}
				}
			}
			if accountsFirst {
				add()
			}
			loaded(t, p, file)
			if !accountsFirst {
				if got := saved(t, p); !bytes.Contains(got, []byte(OpenID(oaApp, "Li"))) {
					t.Error("customers who wait for their account are not saved again")
				}
				if push := p.Named(miniApp, "Bo").Say(t.Context(), "anybody?"); !errors.Is(push.Err, ErrNoAccount) {
					t.Errorf("before AddAccount: got %v, want %v", push.Err, ErrNoAccount)
				}
				add()
			}
			for app, names := range map[string][]string{miniApp: {"Mei <梅>", "Bo"}, oaApp: {"Li", "Gone"}} {
				if got, want := p.names(app, 9), w.p.names(app, 9); !slices.Equal(got, want) {
					t.Errorf("names: got %q, want %q", got, want)
				}
				for _, name := range names {
					got, want := view(p.Named(app, name)), view(w.p.Named(app, name))
					for what := range want {
						if !reflect.DeepEqual(got[what], want[what]) {
							t.Errorf("%s of %s:\n got %+v\nwant %+v", what, name, got[what], want[what])
						}
					}
				}
			}
			for _, a := range w.p.Named(miniApp, "Mei <梅>").Acts() {
				if data, kind, ok := p.Media(miniApp, a.MediaID); a.Kind == "image" && (!ok || kind != "image/png" || !bytes.Equal(data, pngFile)) {
					t.Errorf("picture: got %q, %q, %v", data, kind, ok)
				}
			}
			second := saved(t, p)
			if got, want := sansNumbers(t, second), sansNumbers(t, file); !reflect.DeepEqual(got, want) {
				t.Errorf("saved again:\n got %v\nwant %v", got, want)
			}
		})
	}
}

// sansNumbers is a file without the numbers that a restart raises.
func sansNumbers(t *testing.T, file []byte) map[string]any {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal(file, &m); err != nil {
		t.Fatal(err)
	}
	maps.DeleteFunc(m, func(key string, _ any) bool { return key == "last_msg_id" || key == "exchanges" })
	return m
}

func TestWhatAFileNeverHolds(t *testing.T) {
	t.Parallel()
	w := busy(t)
	file := string(saved(t, w.p))
	for what, secret := range map[string]string{
		"the secret": "secret-of-", "the token": "kfToken2026", "the AES key": testKey, "an access token": w.token(miniApp), "the URL": w.shop.URL,
	} {
		if strings.Contains(file, secret) {
			t.Errorf("%s is in the file", what)
		}
	}
}

func TestNumbersGoOnAfterARestart(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.p.Named(miniApp, "a")
	first := c.Say(t.Context(), "1")
	image := c.SendImage(t.Context(), pngFile)
	token := w.token(miniApp)
	file, traffic := saved(t, w.p), w.p.Traffic(0)
	unsaved := c.Say(t.Context(), "after the last Save")

	next := newWorld(t) // the same seed, and the clock stands where the first run began
	loaded(t, next.p, file)
	c = next.p.Named(miniApp, "a")
	second := c.Say(t.Context(), "2")
	if second.MsgID <= first.MsgID || second.MsgID <= unsaved.MsgID {
		t.Errorf("MsgId: got %s, want one above %s and %s", second.MsgID, first.MsgID, unsaved.MsgID)
	}
	if again := c.SendImage(t.Context(), pngFile); again.Fields.Get("MediaId") == image.Fields.Get("MediaId") {
		t.Error("a media_id came twice")
	}
	acts := c.Acts()
	if len(acts) != 4 || acts[2].Seq != acts[1].Seq+1 {
		t.Errorf("chat: got %+v, want the third line right after the second", acts)
	}
	wantCode(t, "a token of the earlier run", next.post(sendPath+token, textTo(c.OpenID(), "x")), codeBadToken)
	wantCode(t, "a new token", next.sendText(c, "x"), 0)
	// A page that was open at the restart asks for what came after the last exchange that it saw.
	last := traffic[len(traffic)-1].Seq
	if got := next.p.Traffic(last); len(got) == 0 || got[0].Seq != last+1 || got[0].Kind == "" {
		t.Errorf("traffic: got %+v, want it to begin with %d", got, last+1)
	}
	if got := next.p.Traffic(0); got[0].Seq != last+1 {
		t.Errorf("traffic from the start: got %d, want %d", got[0].Seq, last+1)
	}
}

func TestPushesUnderWayHaveFailedAfterARestart(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.p.Named(miniApp, "a")
	w.p.SetPushFaults(PushFaults{Reorder: 3})
	c.Say(t.Context(), "held")
	w.p.SetPushFaults(PushFaults{})
	entered, release := make(chan struct{}), make(chan struct{})
	w.shop.answers(func(int, http.ResponseWriter, seen) { close(entered); <-release })
	done := make(chan struct{})
	go func() { c.Say(t.Context(), "pending"); close(done) }()
	<-entered
	file := saved(t, w.p)
	close(release)
	<-done
	next := newWorld(t)
	loaded(t, next.p, file)
	for _, a := range next.p.Named(miniApp, "a").Acts() {
		if a.State != ActFailed {
			t.Errorf("%s: got state %q, want %q", a.Text, a.State, ActFailed)
		}
	}
	if got := len(next.p.Named(miniApp, "a").Acts()); got != 2 {
		t.Errorf("acts: got %d, want 2", got)
	}
}

func TestTheNewestMediaAreSaved(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		sizes []int // oldest first, of 8 bytes that fit
		kept  []int // indexes
	}{
		{"all fit", []int{1, 2}, []int{0, 1}},
		{"exactly", []int{4, 4}, []int{0, 1}},
		{"a byte too much", []int{1, 4, 4}, []int{1, 2}},
		{"the oldest goes", []int{3, 3, 3}, []int{1, 2}},
		{"one alone is too large", []int{1, 9, 1}, []int{0, 2}},
		{"nothing there", nil, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			var want []string
			for i, n := range tt.sizes {
				m := w.p.addMedium(miniApp, "image", make([]byte, n), w.clock.now())
				if slices.Contains(tt.kept, i) {
					want = append(want, m.id)
				}
			}
			var got []string
			for _, m := range w.p.media.newest(w.clock.now(), 8) {
				got = append(got, m.ID)
			}
			if !slices.Equal(got, want) {
				t.Errorf("got %q, want %q, oldest first", got, want)
			}
		})
	}
}

func TestAPictureThatIsNotSavedIsGone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	now := w.clock.now()
	expired := w.p.addMedium(miniApp, "image", pngFile, now.Add(-mediaLife))
	kept := w.p.addMedium(miniApp, "image", pngFile, now.Add(time.Nanosecond-mediaLife))
	large := w.p.addMedium(miniApp, "image", make([]byte, snapshotMediaBytes+1), now)
	next := w.restarted()
	for _, tt := range []struct {
		name string
		m    *medium
		want int
	}{{"expired", expired, codeBadMediaID}, {"about to expire", kept, 0}, {"too large", large, codeBadMediaID}} {
		got := next.get("/cgi-bin/media/get?access_token=" + next.token(miniApp) + "&media_id=" + tt.m.id)
		wantCode(t, tt.name, got, tt.want)
		if tt.want == 0 && (!bytes.Equal(got.body, pngFile) || got.header.Get("Content-Type") != "image/png") {
			t.Errorf("%s: got %q of type %q, want the picture", tt.name, got.body, got.header.Get("Content-Type"))
		}
	}
	// What the file holds already isn't there twice when it is loaded again.
	loaded(t, next.p, saved(t, w.p))
	if got, want := next.p.media.bytes, int64(len(pngFile)); got != want {
		t.Errorf("loaded twice: got %d bytes of media, want %d", got, want)
	}
}

func TestListsStayBoundedWhenLoaded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.p.Customer(miniApp, "o")
	one := customerSnapshot{OpenID: "o", Seq: 12_000}
	for i := range one.Seq {
		one.Inbox = append(one.Inbox, receivedSnapshot{Seq: i + 1})
		one.Notices = append(one.Notices, noticeSnapshot{Seq: i + 1})
		one.Acts = append(one.Acts, actSnapshot{Seq: i + 1})
	}
	c.restore(one)
	if inbox, notices, acts := c.Inbox(), c.Notices(), c.Acts(); len(inbox) != inboxKept || len(notices) != actsKept ||
		len(acts) != actsKept || inbox[0].Seq != 2001 || notices[0].Seq != 11_001 || acts[0].Seq != 11_001 {
		t.Errorf("got %d, %d and %d entries, want %d, %d and %d of the newest", len(inbox), len(notices), len(acts), inboxKept, actsKept, actsKept)
	}
}
