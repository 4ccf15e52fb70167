package app_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"kefu/shared/adapter/wechat/wxfake"
)

// shopRules are an account's rules with a bot, a hand-off and a queue text.
var shopRules = m{
	"assign":  m{"mode": "auto"},
	"queue":   m{"text": "前面还有{position}位", "timeout": "10m", "timeout_text": "抱歉，没有人有空"},
	"handoff": m{"enabled": true, "keywords": []string{"人工", "rg"}, "notice": "正在接入", "urgent": []m{{"words": []string{"投诉"}, "priority": 5}}},
	"bot": m{
		"enabled": true, "greeting": "欢迎", "menu": "main", "fallback": "请换个说法", "max_unanswered": 2, "offer": "回复人工可转人工",
		"menus": m{"main": m{"items": []m{{"label": "退货", "answer": "七天"}, {"label": "人工客服", "handoff": true}}}},
	},
}

// deskOf is a rig with a Mini Program by those rules, and what changes them.
func deskOf(t *testing.T, change m) *rig {
	t.Helper()
	r := newRig(t)
	r.account("shop", wxfake.MiniProgram, wxfake.Secure, wxfake.JSON)
	rules := m{}
	for _, part := range []m{shopRules, change} {
		for k, v := range part {
			rules[k] = v
		}
	}
	r.must("admin", "PUT", "/accounts/shop/routing", rules, 200)
	return r
}

// say has the customer write and everything come to rest; it returns what he was sent for it.
func (r *rig) say(c *wxfake.Customer, words string) string {
	r.t.Helper()
	before := len(c.Texts())
	r.ok(c.Say(r.ctx, words))
	r.pump()
	return strings.Join(c.Texts()[before:], " | ")
}

// TestBotAndHandOff plays M9 and M10: greeting, menu, fallback, offer, keyword, queue, agent.
func TestBotAndHandOff(t *testing.T) {
	t.Parallel()
	r := deskOf(t, nil)
	mei := r.platform.Named("wxshop", "Mei")
	r.ok(mei.Enter(r.ctx, "page"))
	r.pump()
	r.want("greeting", strings.Join(mei.Texts(), " | "), "欢迎\n1. 退货\n2. 人工客服")
	r.want("choice", r.say(mei, "１"), "七天")
	r.want("nonsense", r.say(mei, "asdf"), "请换个说法")
	r.want("again", r.say(mei, "qwer"), "回复人工可转人工")
	r.want("state", r.session(mei).str("state"), "bot")
	r.want("hand-off", r.say(mei, "ＲＧ"), "正在接入 | 前面还有1位")
	r.want("state", r.session(mei).str("state"), "queued")
	r.want("in the queue nobody repeats it", r.say(mei, "在吗"), "")

	// Urgent words go first, though they came later.
	lin := r.platform.Named("wxshop", "Lin")
	r.want("urgent", r.say(lin, "投诉"), "正在接入 | 前面还有1位")
	r.want("place of the first", r.session(mei).num("queue_position"), 2)
	r.agent("ann", "agent", 1, "shop")
	r.pump()
	r.want("served", r.session(lin).str("state")+" by "+r.session(lin).str("agent"), "serving by ann")

	// Rows tell who wrote, and in answer to what.
	for _, row := range r.messages(r.session(mei).str("id")) {
		if row.str("direction") == "out" && (row.str("by") == "" || row.obj("cause").str("action") == "") {
			t.Errorf("a row without author or cause: %v", row)
		}
	}

	// Ten minutes are over.
	r.pass(10 * time.Minute)
	r.want("ended", r.session(mei).str("state")+" "+r.session(mei).str("ended_by"), "closed queue-timeout")
	r.want("told so", mei.Texts()[len(mei.Texts())-1], "抱歉，没有人有空")
	r.want("refused calls", len(r.platform.Refused()), 0)
}

// TestSwitchOfTheHandOff: off, sessions with the bot stay there until the customer writes again (M9).
func TestSwitchOfTheHandOff(t *testing.T) {
	t.Parallel()
	r := deskOf(t, m{"assign": m{"mode": "manual"}, "queue": m{}})
	mei := r.platform.Named("wxshop", "Mei")
	r.say(mei, "在吗")
	r.want("on", r.session(mei).str("state"), "bot")
	r.must("admin", "PUT", "/accounts/shop/routing", m{"handoff": m{"enabled": false}}, 200)
	r.pass(2 * time.Minute)
	r.want("switched off", r.session(mei).str("state"), "bot")
	r.say(mei, "在吗")
	r.want("he wrote", r.session(mei).str("state"), "queued")
	r.must("admin", "PUT", "/accounts/shop/routing", shopRules, 200)
	r.pass(2 * time.Minute)
	r.say(mei, "还在吗")
	r.want("switched on", r.session(mei).str("state"), "queued")
	r.pass(48 * time.Hour)
	r.want("silent", r.session(mei).str("state"), "expired")
	lin := r.platform.Named("wxshop", "Lin")
	r.say(lin, "在吗")
	r.pass(48 * time.Hour)
	r.want("expired list", len(r.must("admin", "GET", "/sessions?state=expired", nil, 200).items()), 2)
}

// TestTransferToTheTool hands messages to the platform's own tool, and takes them back (M6).
func TestTransferToTheTool(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.account("oa", wxfake.Official, wxfake.Secure, wxfake.XML)
	r.agent("ann", "agent", 5, "oa")
	r.must("admin", "PUT", "/accounts/oa/routing", m{
		"external": m{"mode": "keyword", "keywords": []string{"转接"}}, "handoff": m{"enabled": true, "keywords": []string{"人工"}},
		"bot": m{"enabled": true, "fallback": "请换个说法"},
	}, 200)
	r.pass(2 * time.Minute) // rules are remembered for a minute
	mei := r.platform.Named("wxoa", "Mei")
	r.want("the bot", r.say(mei, "你好"), "请换个说法")
	r.want("handed over", r.say(mei, "转接"), "")
	r.want("the tool has her", mei.Tool(), wxfake.ToolQueued)
	r.want("state", r.session(mei).str("state"), "external")
	r.want("nobody answers", r.say(mei, "人工"), "")
	id := r.session(mei).str("id")
	r.want("stored all the same", len(r.messages(id)), 4)
	r.must("ann", "POST", "/sessions/"+id+"/accept", nil, 409)
	r.ok(mei.ToolAccept(r.ctx, "kf1@oa"))
	r.pump()
	r.ok(mei.ToolClose(r.ctx, "kf1@oa"))
	r.pump()
	r.want("back", r.session(mei).str("state"), "bot")
	r.want("the bot again", r.say(mei, "你好"), "请换个说法")
	r.say(mei, "转接")
	r.pass(31 * time.Minute)
	r.want("by itself", r.session(mei).str("state"), "bot")
	r.want("refused calls", len(r.platform.Refused()), 0)
}

// TestContentCheck: a text is looked at before it goes out (M12).
func TestContentCheck(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.account("shop", wxfake.MiniProgram, wxfake.Secure, wxfake.JSON)
	r.agent("ann", "agent", 5, "shop")
	r.agent("sue", "supervisor", 5, "shop")
	r.must("admin", "PUT", "/accounts/shop/routing", m{"conduct": m{"check": true, "unchecked": "hold"}}, 200)
	r.pass(2 * time.Minute)
	r.platform.SetContentRules(wxfake.ContentRule{Word: "赌博", Suggest: "risky", Label: 20006}, wxfake.ContentRule{Word: "加微信", Suggest: "review", Label: 10001})
	mei := r.platform.Named("wxshop", "Mei")
	mei.Visit()
	r.say(mei, "你好")
	s := r.session(mei).str("id")
	send := func(words string) string {
		t.Helper()
		id := r.must("ann", "POST", "/sessions/"+s+"/messages", text(words), 202).str("id")
		r.pump()
		return id
	}
	state := func(id string) string {
		row := r.must("ann", "GET", "/sessions/"+s+"/messages/"+id, nil, 200)
		return row.str("state") + " " + row.str("reason")
	}
	risky, review, fine := send("来赌博"), send("可以加微信"), send("您好")
	r.want("risky", state(risky), "failed content-risky")
	r.want("to be looked at", state(review), "held review")
	r.want("fine", state(fine), "sent ")
	r.must("ann", "POST", "/sessions/"+s+"/messages/"+review+"/approve", nil, 403)
	r.must("sue", "POST", "/sessions/"+s+"/messages/"+review+"/approve", nil, 200)
	r.pump()
	r.want("approved", state(review), "sent ")
	r.want("received", strings.Join(mei.Texts(), " | "), "您好 | 可以加微信")

	// He hasn't opened the Mini Program for two hours: the platform looks at nothing (61010).
	r.pass(3 * time.Hour)
	r.say(mei, "还在")
	late := send("您好")
	r.want("not looked at", state(late), "held review")
	r.must("admin", "PUT", "/accounts/shop/routing", m{"conduct": m{"check": true}}, 200)
	r.pass(2 * time.Minute)
	r.want("by the other setting", state(send("再见")), "sent ")
}

// TestResponder has the business's own software answer in the bot's place (M10).
func TestResponder(t *testing.T) {
	t.Parallel()
	asked := 0
	answer := `{"messages":[{"type":"text","text":{"content":"库存三件"}}]}`
	status := http.StatusOK
	business := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		asked++
		if req.Header.Get("Webhook-Signature") == "" {
			t.Error("it is asked without a signature")
		}
		w.WriteHeader(status)
		_, _ = w.Write([]byte(answer))
	}))
	t.Cleanup(business.Close)
	bot := m{"enabled": true, "fallback": "请换个说法", "responder": m{"url": business.URL, "timeout": "2s"}}
	r := deskOf(t, m{"bot": bot, "assign": m{"mode": "manual"}, "queue": m{}})
	r.must("admin", "POST", "/accounts/shop/webhook/secret", nil, 201)
	r.pass(2 * time.Minute)
	mei := r.platform.Named("wxshop", "Mei")
	r.want("answered", r.say(mei, "有货吗"), "库存三件")
	status = http.StatusInternalServerError
	r.want("it fails: the rules answer", r.say(mei, "有货吗"), "请换个说法")
	status, answer = http.StatusOK, `{"messages":[{"type":"dance"}]}`
	r.want("nonsense: the rules answer", r.say(mei, "有货吗"), "请换个说法")
	answer = `{"messages":[{"type":"text","text":{"content":"请稍等"}}],"handoff":true}`
	r.want("it calls a human", r.say(mei, "有货吗"), "请稍等 | 正在接入")
	r.want("state", r.session(mei).str("state"), "queued")
	r.want("a human's: it is not asked", r.say(mei, "有货吗"), "")
	r.want("asked", asked, 4)
}

// TestMergedTexts: more wait than the window has left, and the account wants them as one (P2).
func TestMergedTexts(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.account("shop", wxfake.MiniProgram, wxfake.Secure, wxfake.JSON)
	r.agent("ann", "agent", 5, "shop")
	r.must("admin", "PUT", "/accounts/shop/routing", m{"spend": m{"merge": true, "separator": "\n—\n"}}, 200)
	r.pass(2 * time.Minute)
	mei := r.platform.Named("wxshop", "Mei")
	r.say(mei, "hi")
	s := r.session(mei).str("id")
	ids := map[string]string{}
	for _, words := range []string{"a", "b", "c", "d", "e", "f", "g"} {
		ids[words] = r.must("ann", "POST", "/sessions/"+s+"/messages", text(words), 202).str("id")
	}
	r.pump()
	r.want("received", strings.Join(mei.Texts(), " | "), "a\n—\nb\n—\nc | d | e | f | g")
	r.want("row of the second", r.must("ann", "GET", "/sessions/"+s+"/messages/"+ids["b"], nil, 200).str("with"), ids["a"])
	r.want("window", r.session(mei).obj("window").num("remaining"), 0)
}

// TestAgentIsGone: whose presence ends gives his sessions back, by the router (M7).
func TestAgentIsGone(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.account("shop", wxfake.MiniProgram, wxfake.Secure, wxfake.JSON)
	r.must("admin", "PUT", "/accounts/shop/routing", m{"assign": m{"mode": "auto"}}, 200)
	r.agent("ann", "agent", 5, "shop")
	r.must("ann", "PUT", "/agents/me/status", m{"status": "online", "lease": "2m"}, 200)
	mei := r.platform.Named("wxshop", "Mei")
	r.say(mei, "hi")
	r.want("served", r.session(mei).str("agent"), "ann")
	r.pass(time.Minute)
	r.must("ann", "PUT", "/agents/me/status", m{"status": "online", "lease": "2m"}, 200)
	r.pass(61 * time.Second)
	r.want("she is there", r.session(mei).str("state"), "serving")
	r.pass(61 * time.Second)
	r.want("she is gone", r.session(mei).str("state"), "released")
	r.agent("bo", "agent", 5, "shop")
	r.say(mei, "hello?")
	r.want("somebody else", r.session(mei).str("state")+" by "+r.session(mei).str("agent"), "serving by bo")
	r.want("loads", r.loads("ann", "bo"), "0 1")
}
