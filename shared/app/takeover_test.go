package app_test

import (
	"strings"
	"testing"
	"time"

	"kefu/shared/adapter/wechat/wxfake"
	"kefu/shared/core/account"
	"kefu/shared/core/session"
)

// TestTakeOver: a call that an earlier process had under way is unknown as soon as
// the next one starts, and those behind it go on.
func TestTakeOver(t *testing.T) {
	t.Parallel()
	r, mei, id := served(t)
	first := r.must("ann", "POST", "/sessions/"+id+"/messages", text("cut off"), 202).str("id")
	r.must("ann", "POST", "/sessions/"+id+"/messages", text("behind it"), 202)
	// The sender has reserved the call, and dies.
	r.begin(mei)
	r.want("meanwhile", r.must("ann", "GET", "/sessions/"+id+"/messages/"+first, nil, 200).str("state"), "sending")
	r.restart()
	r.pump()
	v := r.must("ann", "GET", "/sessions/"+id+"/messages/"+first, nil, 200)
	r.want("after the restart", v.str("state")+" "+v.str("reason"), "unknown answer-lost")
	r.want("received", strings.Join(mei.Texts(), ","), "behind it")
	r.want("counted", r.session(mei).obj("window").num("used"), 2)
}

// begin puts the customer's next message on its way without making the call.
func (r *rig) begin(c *wxfake.Customer) {
	r.t.Helper()
	store := r.system.Store()
	s, err := store.Session(r.ctx, "shop", account.Customer(c.OpenID()))
	if err != nil {
		r.t.Fatal(err)
	}
	a, err := store.Account(r.ctx, "shop")
	if err != nil {
		r.t.Fatal(err)
	}
	next, _, err := session.Step(s, session.Next{}, session.RulesOf(a), r.now())
	if err != nil {
		r.t.Fatal(err)
	}
	if err := store.SaveSession(r.ctx, next, s.Version); err != nil {
		r.t.Fatal(err)
	}
}

// TestNobodyKeepsASeatForNothing: an agent who may no longer serve an account, and
// an account that is gone, leave no seat taken.
func TestNobodyKeepsASeatForNothing(t *testing.T) {
	t.Parallel()
	r, mei, id := served(t)
	r.account("other", wxfake.MiniProgram, wxfake.Secure, wxfake.JSON)
	r.must("admin", "PUT", "/agents/ann", m{"name": "ann", "role": "agent", "accounts": []string{"other"}}, 200)
	r.want("unbound", r.loads("ann")+" "+r.session(mei).str("state"), "0 released")
	r.must("admin", "PUT", "/agents/ann", m{"name": "ann", "role": "agent", "accounts": []string{"other", "shop"}}, 200)
	r.must("ann", "POST", "/sessions/"+id+"/accept", nil, 200)
	r.want("taken again", r.loads("ann"), "1")
	r.must("admin", "DELETE", "/accounts/shop", nil, 204)
	r.want("the account is gone", r.loads("ann")+" "+r.session(mei).str("state"), "0 closed")
}

// TestUnknownTypeIsShownAsItCame: nothing that a customer sends is out of sight.
func TestUnknownTypeIsShownAsItCame(t *testing.T) {
	t.Parallel()
	r, mei, id := served(t)
	r.ok(mei.Push(r.ctx, wxfake.Fields{{Name: "MsgType", Value: "dance"}, {Name: "Step", Value: "tango"}, {Name: "MsgId", Value: "77"}}))
	r.pump()
	list := r.messages(id)
	last := list[len(list)-1]
	r.want("type", last.str("type")+" "+last.obj("unknown").str("type"), "unknown dance")
	if !strings.Contains(last.obj("unknown").str("body"), "tango") {
		t.Errorf("the push can't be read: %v", last)
	}
}

// TestKeysLiveADay: the same Idempotency-Key is another call a day later.
func TestKeysLiveADay(t *testing.T) {
	t.Parallel()
	r, mei, id := served(t)
	send := func() string {
		t.Helper()
		code, v := r.call("ann", "POST", "/sessions/"+id+"/messages", text("again"), "Idempotency-Key", "k1")
		r.want("status", code, 202)
		return v.str("id")
	}
	first := send()
	r.want("at once", send(), first)
	r.pump()
	r.pass(24*time.Hour + time.Second)
	if send() == first {
		t.Error("a day later the key still means the first call")
	}
	r.pump()
	r.want("received", len(mei.Texts()), 2)
}
