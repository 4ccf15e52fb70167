package app_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"kefu/shared/adapter/wechat/wxfake"
	"kefu/shared/core/account"
)

// again deletes an account and has somebody make one of that id.
func (r *rig) again(id, former, next string) {
	r.t.Helper()
	r.must(former, "DELETE", "/accounts/"+id, nil, 204)
	r.must(next, "PUT", "/accounts/"+id, m{
		"channel": "miniprogram", "app_id": "wx-new-" + next + id, "token": "new" + next, "secret": "another-secret",
		"mode": "plaintext", "format": "json",
	}, 201)
}

// TestAnIDThatAnotherTenantTakes: with the id of an account come neither its news, nor what was dead of them, nor its
// files, nor the pushes that were under way.
func TestAnIDThatAnotherTenantTakes(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.tenant("blue")
	r.account("shop", wxfake.MiniProgram, wxfake.Secure, wxfake.JSON)
	red := r.business("shop")
	red.says(http.StatusInternalServerError)
	r.news("shop", "a", 1, 2)
	r.pump()
	file := r.upload("admin", "shop", png)
	mei := r.platform.Named("wxshop", "mei")
	r.ok(mei.Say(r.ctx, "SENTINEL"))
	r.again("shop", "admin", "blue")
	blue := r.business("shop")
	r.pump()
	for range 4 {
		r.pass(15 * time.Minute)
	}
	if blue.tried > 0 {
		t.Errorf("the new owner's software was told %d times: %v", blue.tried, blue.bodies)
	}
	r.must("blue", "GET", "/media/"+file, nil, 404)
	r.must("admin", "GET", "/media/"+file, nil, 404)
	r.want("sessions", len(r.must("blue", "GET", "/sessions", nil, 200).items()), 0)
	r.want("dead news", len(r.must("blue", "GET", "/accounts/shop/webhook/dead", nil, 200).items()), 0)
	kept, _, err := r.yard().RawPushes(r.ctx, "shop", "", 10)
	if err != nil || len(kept) > 0 {
		t.Errorf("got %d pushes kept for whoever has the id, %v; want none", len(kept), err)
	}
	if said := r.log.String(); !strings.Contains(said, "account-deleted") {
		t.Error("the push that was under way is not kept")
	}
	// The new owner's own customers are served at once.
	r.newOwner("blue", "shop")
}

// newOwner has a customer write to the account that again made, and be answered.
func (r *rig) newOwner(who, id string) (session string) {
	r.t.Helper()
	appID := "wx-new-" + who + id
	if err := r.platform.AddAccount(wxfake.Account{
		Channel: wxfake.MiniProgram, AppID: appID, OriginalID: "gh_new", Secret: "another-secret", Token: "new" + who,
		Mode: wxfake.Plaintext, Format: wxfake.JSON, CallbackURL: r.web.URL + "/callback/" + id,
	}); err != nil {
		r.t.Fatal(err)
	}
	bei := r.platform.Named(appID, "bei")
	r.ok(bei.Say(r.ctx, "hello"))
	r.pump()
	list := r.must(who, "GET", "/sessions?customer="+bei.OpenID(), nil, 200).items()
	if len(list) != 1 {
		r.t.Fatalf("%s has %d sessions of its own customer; want one", who, len(list))
	}
	session = list[0].str("id")
	r.must(who, "POST", "/sessions/"+session+"/messages", text("welcome"), 202)
	r.pump()
	r.want("received", strings.Join(bei.Texts(), ","), "welcome")
	return session
}

// TestAnAccountMadeAgain: its tenant finds the former one's history, and nothing of it goes on: no held message goes out,
// nothing is told or can be told again, no file is sent.
func TestAnAccountMadeAgain(t *testing.T) {
	t.Parallel()
	r, mei, id := served(t)
	red := r.business("shop")
	r.must("ann", "POST", "/sessions/"+id+"/messages", m{"type": "text", "text": m{"content": "held"}, "send_at": r.now().Add(5 * time.Minute)}, 202)
	file := r.upload("ann", "shop", png)
	red.says(http.StatusGone)
	r.news("shop", "a", 1, 1)
	r.pump()
	dead := r.must("admin", "GET", "/accounts/shop/webhook/dead", nil, 200).items()
	if len(dead) == 0 {
		t.Fatal("there are no dead news; this test finds nothing")
	}
	red.says(http.StatusInternalServerError)
	r.news("shop", "b", 1, 1)
	r.pump()
	r.again("shop", "admin", "admin")
	next := r.business("shop")
	r.want("dead news", len(r.must("admin", "GET", "/accounts/shop/webhook/dead", nil, 200).items()), 0)
	r.must("admin", "POST", "/accounts/shop/webhook/dead/"+dead[0].str("key")+"/resend", nil, 404)
	r.must("admin", "GET", "/media/"+file, nil, 404)
	for range 4 {
		r.pass(5 * time.Minute)
	}
	session := r.newOwner("admin", "shop")
	r.must("admin", "POST", "/sessions/"+session+"/messages", m{"type": "image", "image": m{"media": file}}, 400)
	r.must("ann", "POST", "/sessions/"+id+"/messages", text("after all"), 404)
	r.want("the former account's customer got", strings.Join(mei.Texts(), ","), "")
	r.want("its history", r.must("ann", "GET", "/sessions/"+id, nil, 200).str("state"), "closed")
	for _, body := range next.bodies {
		if data := body.obj("data"); data.str("session") != session {
			t.Errorf("the new account's software was told of the former's: %v", body)
		}
	}
}

// TestADeletedIDIsKept: whoever else reaches for it gets what they get for an id that is taken, and its tenant's
// conversations are readable as before.
func TestADeletedIDIsKept(t *testing.T) {
	t.Parallel()
	r, mei, id := served(t)
	r.tenant("blue")
	taken := m{"channel": "miniprogram", "app_id": "wxblue", "token": "tokenblue", "mode": "plaintext", "format": "json"}
	used := r.must("blue", "PUT", "/accounts/shop", taken, 404)
	r.must("admin", "DELETE", "/accounts/shop", nil, 204)
	r.want("a deleted id", r.must("blue", "PUT", "/accounts/shop", taken, 404), used)
	r.time.Add(int64(time.Hour))
	r.want("an hour later", r.must("blue", "PUT", "/accounts/shop", taken, 404), used)
	r.want("its conversation", len(r.messages(id)), 1)
	r.want("its customer's", r.session(mei).str("id"), id)
	r.must("admin", "PUT", "/accounts/shop", taken, 201)
}

// TestTheMinuteAfter: functions remember accounts for a minute. Who writes within that minute after an account was made
// again writes to the new one, under its settings, and is answered.
func TestTheMinuteAfter(t *testing.T) {
	t.Parallel()
	r, mei, old := served(t)
	again := m{
		"channel": "miniprogram", "app_id": "wxshop", "original_id": "gh_shop", "token": "tokenshop", "secret": "secret-of-shop",
		"aes_key": "aozyxq4R650BCa5DxPYsLsBF2fPPCyUnOo8Ni0Whbc0", "mode": "secure", "format": "json", "settings": m{"session_for": "1h"},
	}
	r.time.Add(int64(time.Second))
	r.must("admin", "DELETE", "/accounts/shop", nil, 204)
	mei.Say(r.ctx, "to one who has gone") // a callback that remembers the account takes it
	r.pump()
	r.want("no session is opened for it", r.session(mei).str("id"), old)
	r.time.Add(int64(time.Second))
	r.must("admin", "PUT", "/accounts/shop", again, 201)
	for i := range 5 {
		r.time.Add(int64(2 * time.Second))
		r.ok(mei.Say(r.ctx, "hello "+string(rune('0'+i))))
		r.pump()
	}
	s := r.session(mei)
	if s.str("id") == old || s.str("state") != "queued" {
		t.Fatalf("got session %s, %s; want a new one that waits", s.str("id"), s.str("state"))
	}
	r.want("messages", len(r.messages(s.str("id"))), 5)
	r.must("ann", "POST", "/sessions/"+s.str("id")+"/accept", nil, 200)
	r.must("ann", "POST", "/sessions/"+s.str("id")+"/messages", text("welcome back"), 202)
	r.pump()
	r.want("received", strings.Join(mei.Texts(), ","), "welcome back")
	stored, err := r.system.Store().Session(r.ctx, "shop", account.Customer(mei.OpenID()))
	a, err2 := r.system.Store().Account(r.ctx, "shop")
	if err != nil || err2 != nil || stored.Owner() != a.Owner() || a.Incarnation == "" {
		t.Errorf("the session is %v's, %v; the account %v's, %v; want one incarnation", stored.Owner(), err, a.Owner(), err2)
	}
}
