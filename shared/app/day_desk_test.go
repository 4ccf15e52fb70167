package app_test

import (
	"fmt"
	"time"

	"kefu/shared/adapter/wechat/wxfake"
)

// The two accounts of the day: a shop in a Mini Program and its club, an Official Account.
const (
	shop = "shop"
	club = "club"
)

func dayAccounts() []string { return []string{shop, club} }

// Words that mean something to the desk's settings.
const (
	riskyWord  = "刷单返利"
	reviewWord = "加微信转账"
	toolWord   = "官方客服"
)

// rules are an account's routing settings at one hour of the day.
type rules struct {
	account, mode, strategy string
	preferLast              bool
}

// timetable is when the settings change.
func timetable() []struct {
	at   time.Duration
	then rules
} {
	const h = time.Hour
	return []struct {
		at   time.Duration
		then rules
	}{
		{0, rules{shop, "auto", "idle_rate", true}},
		{0, rules{club, "auto", "round_robin", true}},
		{11 * h, rules{shop, "auto", "round_robin", true}},
		{11 * h, rules{club, "auto", "longest_idle", false}},
		{15 * h, rules{shop, "auto", "longest_idle", true}},
		{16 * h, rules{club, "manual", "", false}},
		{17*h + h/2, rules{club, "auto", "idle_rate", true}},
	}
}

// open makes tenants, accounts, settings, receivers and agents, all through the HTTP interface.
func (d *day) openDesk() {
	d.account(shop, wxfake.MiniProgram, wxfake.Secure, wxfake.JSON)
	d.account(club, wxfake.Official, wxfake.Compatible, wxfake.XML)
	d.must("admin", "PUT", "/tenants/other", m{"name": "other"}, 201)
	d.keys["other"] = d.must("admin", "POST", "/tenants/other/keys", nil, 201).str("key")
	d.platform.SetContentRules(
		wxfake.ContentRule{Word: riskyWord, Suggest: wxfake.SuggestRisky, Label: 20008},
		wxfake.ContentRule{Word: reviewWord, Suggest: wxfake.SuggestReview, Label: 10001},
	)
	for _, id := range dayAccounts() {
		d.hooks[id] = d.receiver(id)
	}
	for _, t := range timetable() {
		d.on(d.at(t.at), func() { d.setRules(t.then) })
	}
	d.hireAgents()
	d.admitRival()
}

func (d *day) setRules(r rules) {
	d.modes[r.account] = r.mode
	d.ask("admin", "PUT", "/accounts/"+r.account+"/routing", routing(r), func(status int, v m) {
		if status != 200 {
			d.t.Fatalf("routing of %s: got %d %v, want 200", r.account, status, v)
		}
	})
}

// routing is the whole of an account's settings.
func routing(r rules) m {
	assign := m{"mode": r.mode, "auto_above": 0, "prefer_last": r.preferLast}
	if r.strategy != "" {
		assign["strategy"] = r.strategy
	}
	all := []string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"}
	v := m{
		"assign": assign,
		"bot":    bot(),
		"handoff": m{
			"enabled": true, "match": "contains", "keywords": []string{"人工", "rg", "转客服", "退款没到"}, "notice": "正在为您转接人工客服，请稍候。",
			"urgent": []m{{"words": []string{"投诉", "过敏"}, "priority": 8}, {"words": []string{"漏发"}, "priority": 3}},
		},
		"hours": m{
			"open": []m{{"days": all, "from": "09:00", "to": "12:00"}, {"days": all, "from": "13:30", "to": "18:00"}},
			"text": "现在是休息时间，客服 09:00–12:00、13:30–18:00 在线。",
		},
		"queue": m{"text": "您前面还有客户，您排在第{position}位。", "timeout": "6m", "timeout_text": "客服繁忙，请稍后再来。"},
		"spend": m{"keep_for_human": 1, "bot_budget": 2, "merge": true},
	}
	if r.account == shop {
		v["conduct"] = m{"check": true}
		return v
	}
	v["external"] = m{"mode": "keyword", "match": "contains", "keywords": []string{toolWord}, "kf_account": "kf2@club"}
	v["hours"].(m)["then"] = "bot"
	v["queue"].(m)["then"] = "stay"
	return v
}

func bot() m {
	answer := func(label, text string) m { return m{"label": label, "answer": text} }
	return m{
		"enabled": true, "greeting": "您好，这里是小店。", "menu": "main", "menu_words": []string{"菜单", "0"},
		"menus": m{
			"main": m{"head": "请选择：", "items": []m{
				{"label": "订单与物流", "menu": "orders"}, {"label": "退换货", "menu": "returns"}, {"label": "人工客服", "handoff": true},
			}},
			"orders": m{"head": "订单与物流", "tail": "回复0返回", "items": []m{
				answer("什么时候发货", "付款后48小时内发货。"), answer("发什么快递", "默认发顺丰。"), {"label": "返回", "menu": "main"},
			}},
			"returns": m{"head": "退换货", "items": []m{
				answer("怎么退货", "在订单页申请退货，七天无理由。"),
				{"label": "退款还没到", "answer": "请稍等，为您转人工。", "handoff": true},
				{"label": "返回", "menu": "main"},
			}},
		},
		"keywords": []m{
			{"words": []string{"地址"}, "answer": "门店地址：人民路1号。"},
			{"words": []string{"营业时间"}, "priority": 5, "answer": "门店每天10点到22点营业。"},
		},
		"questions": []m{
			{"ask": []string{"怎么开发票", "可以开发票吗"}, "answer": "在订单详情里点“申请发票”。"},
			{"ask": []string{"退款多久到账", "退款什么时候到"}, "answer": "退款一般3个工作日到账。"},
			{"ask": []string{"怎么修改收货人", "收货人写错了"}, "answer": "未发货的订单可以在详情里修改。"},
			{"ask": []string{"有没有优惠券", "怎么领优惠券"}, "answer": "首页右上角可以领券。"},
		},
		"fallback": "没听懂，请换个说法，或回复0看菜单。", "max_unanswered": 2, "offer": "回复“人工”可以转接人工客服。",
	}
}

// isOpen says whether the desk serves at a moment, by the settings above.
func (d *day) isOpen(at time.Time) bool {
	since := at.Sub(d.midnight) % (24 * time.Hour)
	return (since >= 9*time.Hour && since < 12*time.Hour) || (since >= 13*time.Hour+30*time.Minute && since < 18*time.Hour)
}

// clock shows a moment of the day.
func (d *day) clock(at time.Time) string {
	return fmt.Sprintf("%d+%s", int(at.Sub(d.midnight).Hours()/24), at.In(d.midnight.Location()).Format("15:04:05.000"))
}
