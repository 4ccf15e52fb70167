package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// deskRules are the routing rules of the second story: a bot with a menu and a question, a hand-off by keyword, and
// assignment by hand as long as only one customer waits.
const deskRules = `{
	"assign": {"mode": "auto", "release_after": "30m"},
	"queue": {"text": "前面还有 {position} 位，请稍候"},
	"handoff": {"enabled": true, "keywords": ["人工", "rg"], "notice": "正在为您接入人工客服"},
	"bot": {
		"enabled": true, "greeting": "欢迎光临！请回复数字：", "menu": "main",
		"menus": {"main": {"items": [{"label": "退换货", "answer": "七天内可退换货"}, {"label": "运费", "answer": "满99元包邮"}]}},
		"questions": [{"ask": ["什么时候发货", "多久发货"], "answer": "付款后48小时内发货"}],
		"fallback": "没有听懂，回复“人工”可转人工客服"
	}
}`

// desk plays the second story: another customer, greeted by a bot and handed to a human.
func (p *play) desk(ctx context.Context) error {
	lin := &play{local: p.local, out: p.out, start: p.start, agent: p.agent, customer: p.platform.Named(p.local.demo.Accounts[0].AppID, "Lin 林")}
	if err := lin.rules(ctx, deskRules); err != nil {
		return err
	}
	for _, scene := range []func(context.Context) error{lin.greeted, lin.asksTheBot, lin.callsAHuman, lin.fallsSilent} {
		if err := scene(ctx); err != nil {
			return err
		}
	}
	return lin.rules(ctx, `{}`)
}

func (p *play) rules(ctx context.Context, rules string) error {
	return p.admin.do(ctx, "PUT", "/accounts/"+p.local.demo.Accounts[0].ID+"/routing", json.RawMessage(rules), nil)
}

// hears waits until the customer has as many texts as were said to him, and checks the last of them.
func (p *play) hears(ctx context.Context, n int, what string, parts ...string) error {
	if _, err := p.customer.AwaitInbox(ctx, n); err != nil {
		return err
	}
	texts := p.customer.Texts()
	last := texts[len(texts)-1]
	for _, part := range parts {
		if len(texts) != n || !strings.Contains(last, part) {
			return fmt.Errorf("Lin got %d texts, the last is %q; want %d, the last with %q", len(texts), last, n, part) //nolint:staticcheck // a name
		}
	}
	p.say("   ✓ %s: %s", what, strings.ReplaceAll(last, "\n", " / "))
	return nil
}

func (p *play) greeted(ctx context.Context) error {
	p.say("The shop switches a bot on. Both agents are busy elsewhere; Lin enters")
	for _, agent := range []string{"ann", "bo"} {
		if err := p.as(agent).do(ctx, "PUT", "/agents/me/status", map[string]string{"status": "away"}, nil); err != nil {
			return err
		}
	}
	if push := p.customer.Enter(ctx, "demo"); push.Err != nil {
		return push.Err
	}
	if err := p.hears(ctx, 1, "the bot greets with a menu, in one message", "欢迎光临", "2. 运费"); err != nil {
		return err
	}
	s, err := p.awaitSession(ctx, "the greeting is counted", func(s sessionView) bool { return s.Window.Used == 1 })
	if err != nil {
		return err
	}
	p.session = s.ID
	return p.check(s.State == "bot" && s.Window.Remaining == 1, "session %s, the last message of the window is kept for a human", s.State)
}

func (p *play) asksTheBot(ctx context.Context) error {
	for i, turn := range []struct{ says, what, answer string }{
		{"２", "a number in full width", "满99元包邮"},
		{"请问你们多久能发货呀？", "a question in other words", "48小时内发货"},
		{"asdf", "nonsense", "没有听懂"},
	} {
		p.say("Lin writes %q", turn.says)
		if push := p.customer.Say(ctx, turn.says); push.Err != nil {
			return push.Err
		}
		if err := p.hears(ctx, 2+i, turn.what, turn.answer); err != nil {
			return err
		}
	}
	return nil
}

func (p *play) callsAHuman(ctx context.Context) error {
	p.say("Lin writes \"ＲＧ\", which calls a human: rg is one of the words")
	if push := p.customer.Say(ctx, "ＲＧ"); push.Err != nil {
		return push.Err
	}
	if err := p.hears(ctx, 6, "told that one is being called, and of the place in the queue", "前面还有 1 位"); err != nil {
		return err
	}
	if _, err := p.awaitSession(ctx, "the session waits", func(s sessionView) bool { return s.State == "queued" }); err != nil {
		return err
	}
	p.say("Ann is back")
	if err := p.as("ann").do(ctx, "PUT", "/agents/me/status", map[string]string{"status": "online"}, nil); err != nil {
		return err
	}
	s, err := p.awaitSession(ctx, "the session is given to Ann", func(s sessionView) bool { return s.State == "serving" })
	if err != nil {
		return err
	}
	if err := p.check(s.Agent == "ann", "the session is given to %s", s.Agent); err != nil {
		return err
	}
	if _, err := p.answer(ctx, "您好，我是安", nil); err != nil {
		return err
	}
	return p.hears(ctx, 7, "Ann answers", "我是安")
}

func (p *play) fallsSilent(ctx context.Context) error {
	if err := p.pass(ctx, 31*time.Minute); err != nil {
		return err
	}
	p.say("Half an hour of silence")
	s, err := p.awaitSession(ctx, "the session is released", func(s sessionView) bool { return s.State == "released" })
	if err != nil {
		return err
	}
	if err := p.check(s.State == "released", "the session is %s: it must be taken again", s.State); err != nil {
		return err
	}
	p.say("Lin writes again")
	if push := p.customer.Say(ctx, "还在吗"); push.Err != nil {
		return push.Err
	}
	s, err = p.awaitSession(ctx, "the session is given again", func(s sessionView) bool { return s.State == "serving" })
	if err != nil {
		return err
	}
	if err := p.check(s.Agent == "ann", "the agent of last time has it: %s", s.Agent); err != nil {
		return err
	}
	return p.check(len(p.platform.Refused()) == 0, "not one call was refused")
}
