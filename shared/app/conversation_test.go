package app_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"kefu/shared/adapter/wechat/wxfake"
	"kefu/shared/app"
)

// TestEveryModeAndFormat has one conversation on every kind of account.
func TestEveryModeAndFormat(t *testing.T) {
	t.Parallel()
	for _, channel := range []wxfake.Channel{wxfake.MiniProgram, wxfake.Official} {
		for _, mode := range []wxfake.Mode{wxfake.Plaintext, wxfake.Compatible, wxfake.Secure} {
			for _, format := range []wxfake.Format{wxfake.JSON, wxfake.XML} {
				t.Run(fmt.Sprint(channel, mode, format), func(t *testing.T) {
					t.Parallel()
					r := newRig(t)
					r.account("shop", channel, mode, format)
					r.agent("ann", "agent", 10, "shop")
					if d := r.platform.VerifyURL(r.ctx, "wxshop"); !d.OK() {
						t.Fatalf("the URL check failed: %+v", d)
					}
					mei := r.platform.Named("wxshop", "mei")
					r.ok(mei.Say(r.ctx, "你好 <b>&amp;</b> 👋"))
					r.pump()
					s := r.session(mei)
					r.want("state", s.str("state"), "queued")
					id := s.str("id")
					r.must("ann", "POST", "/sessions/"+id+"/accept", nil, 200)
					answer := "<a href=\"https://a.example/?a=1&b=2\">看这里</a>\n好的 👌"
					r.must("ann", "POST", "/sessions/"+id+"/messages", text(answer), 202)
					r.pump()
					r.want("received", strings.Join(mei.Texts(), "|"), answer)
					list := r.messages(id)
					r.want("messages", len(list), 2)
					r.want("the customer's text", list[0].obj("text").str("content"), "你好 <b>&amp;</b> 👋")
					r.want("the answer", list[1].str("state"), "sent")
					r.want("window", s.obj("window").num("limit"), 5)
					if strings.Contains(r.log.String(), "看这里") || strings.Contains(r.log.String(), "你好") {
						t.Error("a message text stands in the log")
					}
				})
			}
		}
	}
}

// TestHeldUntilTheCustomerWrites: five of six arrive, the sixth waits, order is kept.
func TestHeldUntilTheCustomerWrites(t *testing.T) {
	t.Parallel()
	r, mei, id := served(t)
	for i := range 8 {
		r.must("ann", "POST", "/sessions/"+id+"/messages", text(fmt.Sprint("answer ", i)), 202)
	}
	r.pump()
	r.want("received", len(mei.Texts()), 5)
	r.want("refused", len(mei.Refused()), 0)
	list := r.messages(id)
	r.want("sixth", list[6].str("state")+" "+list[6].str("reason"), "held window-closed")
	r.want("seventh", list[7].str("state")+" "+list[7].str("reason"), "held behind-held")
	r.pass(time.Hour)
	r.want("received after an hour", len(mei.Texts()), 5)
	r.ok(mei.Say(r.ctx, "more"))
	r.pump()
	r.want("received", strings.Join(mei.Texts(), ","), "answer 0,answer 1,answer 2,answer 3,answer 4,answer 5,answer 6,answer 7")
	r.want("window", fmt.Sprint(r.session(mei).obj("window").num("used"), mei.Window().Used), "3 3")
}

// served is a rig with one customer whom Ann serves.
func served(t *testing.T, change ...func(*app.Config)) (r *rig, mei *wxfake.Customer, session string) {
	t.Helper()
	r = newRig(t, change...)
	r.account("shop", wxfake.MiniProgram, wxfake.Secure, wxfake.JSON)
	r.agent("ann", "agent", 10, "shop")
	mei = r.platform.Named("wxshop", "mei")
	r.ok(mei.Say(r.ctx, "hello"))
	r.pump()
	session = r.session(mei).str("id")
	r.must("ann", "POST", "/sessions/"+session+"/accept", nil, 200)
	r.time.Add(int64(2 * time.Second))
	return r, mei, session
}

// TestHoldsGoOutInTheNextSession: what is held belongs to the customer.
func TestHoldsGoOutInTheNextSession(t *testing.T) {
	t.Parallel()
	r, mei, first := served(t)
	for i := range 6 {
		r.must("ann", "POST", "/sessions/"+first+"/messages", text(fmt.Sprint("answer ", i)), 202)
	}
	r.pump()
	r.must("ann", "POST", "/sessions/"+first+"/close", nil, 200)
	r.pass(time.Minute)
	r.ok(mei.Say(r.ctx, "me again"))
	r.pump()
	second := r.session(mei)
	if second.str("id") == first {
		t.Fatal("the closed session went on")
	}
	r.want("received", len(mei.Texts()), 6)
	list := r.messages(first)
	r.want("its row", list[len(list)-1].str("state"), "sent")
	r.want("sessions", len(r.must("admin", "GET", "/sessions?customer="+mei.OpenID(), nil, 200).items()), 2)
}

// TestDuplicates: the same push, ten times, in any order, days apart.
func TestDuplicates(t *testing.T) {
	t.Parallel()
	r, mei, id := served(t)
	r.platform.SetPushFaults(wxfake.PushFaults{Duplicate: 10, Together: true})
	r.ok(mei.Say(r.ctx, "ten times"))
	r.ok(mei.Enter(r.ctx, "menu"))
	r.pump()
	r.want("messages", len(r.messages(id)), 3)
	r.want("repetitions noted", r.must("ann", "GET", "/sessions/"+id+"/messages/"+r.messages(id)[1].str("id"), nil, 200).obj("duplicates").num("count"), 9)
	r.platform.SetPushFaults(wxfake.PushFaults{Reorder: 5, Duplicate: 2})
	for i := range 5 {
		_ = mei.Say(r.ctx, fmt.Sprint("shuffled ", i))
	}
	r.platform.Flush(r.ctx)
	r.pump()
	r.want("messages", len(r.messages(id)), 8)
}

// TestReplayDaysLater sends the very bytes of a push again when its session has long ended.
func TestReplayDaysLater(t *testing.T) {
	t.Parallel()
	r, mei, id := served(t)
	batch, err := r.queues()["inbound"].Receive(r.ctx, 1)
	if err != nil || len(batch) != 0 {
		t.Fatalf("the queue should be empty: %v %v", batch, err)
	}
	r.platform.SetPushFaults(wxfake.PushFaults{Duplicate: 2})
	r.ok(mei.Say(r.ctx, "once"))
	kept, err := r.queues()["inbound"].Receive(r.ctx, 1)
	if err != nil || len(kept) == 0 {
		t.Fatalf("no push is waiting: %v", err)
	}
	copyOf := string(kept[0].Body)
	if err := r.queues()["inbound"].Retry(r.ctx, kept[0].Receipt, 0); err != nil {
		t.Fatal(err)
	}
	r.pump()
	r.pass(49 * time.Hour)
	r.want("state", r.session(mei).str("state"), "expired")
	for range 40 { // more than the session remembers itself
		r.platform.SetPushFaults(wxfake.PushFaults{})
		r.ok(mei.Say(r.ctx, "later"))
	}
	r.pump()
	before := r.session(mei)
	r.pass(5 * 24 * time.Hour)
	if err := r.queues()["inbound"].Send(r.ctx, "shop/"+mei.OpenID(), 0, []byte(copyOf)); err != nil {
		t.Fatal(err)
	}
	r.pump()
	after := r.session(mei)
	r.want("session", after.str("id"), before.str("id"))
	r.want("state", after.str("state"), "expired")
	r.want("messages of the first session", len(r.messages(id)), 2)
}

// TestExpiry: 48 hours after the last message, whoever is late.
func TestExpiry(t *testing.T) {
	t.Parallel()
	r, mei, id := served(t)
	r.pass(48*time.Hour - 3*time.Second)
	r.want("just before", r.session(mei).str("state"), "released") // half an hour was silent
	r.time.Add(int64(2 * time.Second))                             // no sweep has come by
	r.want("read after its time", r.session(mei).str("state"), "expired")
	r.pass(time.Minute)
	r.want("swept", r.session(mei).str("state"), "expired")
	r.want("seats", r.must("admin", "GET", "/agents/ann", nil, 200).num("load"), 0)
	held := r.must("ann", "POST", "/sessions/"+id+"/messages", text("late"), 202)
	r.want("late answer", held.str("state"), "held")
	r.pass(48*time.Hour - time.Second)
	r.want("before its end", r.must("ann", "GET", "/sessions/"+id+"/messages/"+held.str("id"), nil, 200).str("state"), "held")
	r.time.Add(int64(time.Second))
	r.want("at its end, unswept", r.must("ann", "GET", "/sessions/"+id+"/messages/"+held.str("id"), nil, 200).str("state"), "expired")
	r.pass(time.Minute)
	r.want("swept", r.must("ann", "GET", "/sessions/"+id+"/messages/"+held.str("id"), nil, 200).str("state"), "expired")
	r.want("received", len(mei.Texts()), 0)
}

// TestSendAt: near times by the queue, far ones by the sweep.
func TestSendAt(t *testing.T) {
	t.Parallel()
	r, mei, id := served(t)
	at := func(d time.Duration) string { return r.now().Add(d).Format(time.RFC3339Nano) }
	near := text("near")
	near["send_at"] = at(10 * time.Minute)
	far := text("far")
	far["send_at"] = at(3 * time.Hour)
	r.must("ann", "POST", "/sessions/"+id+"/messages", far, 202)
	r.want("near", r.must("ann", "POST", "/sessions/"+id+"/messages", near, 202).str("reason"), "send-at")
	r.must("ann", "POST", "/sessions/"+id+"/messages", text("now"), 202)
	r.pump()
	r.want("received", strings.Join(mei.Texts(), ","), "now")
	r.time.Add(int64(10*time.Minute - time.Second))
	r.pump()
	r.want("a second early", strings.Join(mei.Texts(), ","), "now")
	r.time.Add(int64(time.Second))
	r.pump() // without a sweep
	r.want("in time", strings.Join(mei.Texts(), ","), "now,near")
	for range 171 { // minute by minute, as the sweep runs
		r.pass(time.Minute)
	}
	r.want("three hours later", strings.Join(mei.Texts(), ","), "now,near,far")
}

// TestCancel: before it is sent, and not after.
func TestCancel(t *testing.T) {
	t.Parallel()
	r, mei, id := served(t)
	later := text("never")
	later["send_at"] = r.now().Add(time.Hour).Format(time.RFC3339)
	msg := r.must("ann", "POST", "/sessions/"+id+"/messages", later, 202).str("id")
	r.must("ann", "DELETE", "/sessions/"+id+"/messages/"+msg, nil, 204)
	sent := r.must("ann", "POST", "/sessions/"+id+"/messages", text("at once"), 202).str("id")
	r.pump()
	_, problem := r.call("ann", "DELETE", "/sessions/"+id+"/messages/"+sent, nil)
	r.want("cancelling what was sent", problem.str("code"), "already-sent")
	r.pass(2 * time.Hour)
	r.want("received", strings.Join(mei.Texts(), ","), "at once")
	r.want("state", r.must("ann", "GET", "/sessions/"+id+"/messages/"+msg, nil, 200).str("state"), "cancelled")
}

// TestLongText: one message, several calls, each counted.
func TestLongText(t *testing.T) {
	t.Parallel()
	r, mei, id := served(t)
	long := strings.Repeat("客服", 2048/6) + strings.Repeat("👍", 600)
	r.must("ann", "POST", "/sessions/"+id+"/messages", text(long), 202)
	r.pump()
	r.want("the text", strings.Join(mei.Texts(), "") == long, true)
	for i, p := range mei.Texts() {
		if len(p) > 2048 {
			t.Errorf("part %d has %d bytes", i, len(p))
		}
	}
	r.want("counted", fmt.Sprint(r.session(mei).obj("window").num("used"), mei.Window().Used), fmt.Sprint(len(mei.Texts()), len(mei.Texts())))
	r.must("ann", "POST", "/sessions/"+id+"/messages", text(long), 202)
	r.must("ann", "POST", "/sessions/"+id+"/messages", text("short"), 202)
	r.pump()
	r.want("held whole, and the next behind it", len(mei.Texts()), 3)
}
