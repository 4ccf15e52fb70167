package app_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"kefu/shared/adapter/wechat/wxfake"
)

// dayCustomer is one customer with his script, which his own dice write.
type dayCustomer struct {
	*wxfake.Customer
	d       *day
	account string
	dice    *rand.Rand
	pushes  []wxfake.Push
	shuffle bool // some of what he wrote arrived in another order
	seen    int  // messages of the inbox that he has looked at
	record  record
}

var (
	callHuman = []string{"人工", "ＲＧ", "我要人工", "rg", "转客服", "要投诉你们", "漏发了一件", "ｒｇ", "用了会过敏怎么办"}
	listed    = []string{"怎么开发票", "退款多久到账", "怎么修改收货人", "有没有优惠券", "门店地址在哪", "营业时间"}
	reworded  = []string{"请问发票怎么开呀", "退款几天能到账", "收货人写错了怎么改", "优惠券在哪里领"}
	nonsense  = []string{"嗯嗯", "哈哈哈", "asdf", "今天天气不错", "？？？", "66666"}
	chatter   = []string{"好的", "那什么时候能到", "订单号是 20261123", "还有别的办法吗", "我等着", "可以", "不行啊"}
)

func (d *day) inviteCustomers() {
	for i := range d.size {
		name := fmt.Sprintf("customer-%03d", i)
		c := &dayCustomer{d: d, account: shop, dice: d.dice(name)}
		if c.dice.IntN(10) < 3 {
			c.account = club
		}
		c.Customer = d.platform.Named("wx"+c.account, name)
		d.customers = append(d.customers, c)
		d.on(c.comes(), c.visit)
		if c.chance(25) {
			d.on(d.at(between(c.dice, 18*time.Hour+20*time.Minute, 23*time.Hour)), c.returns)
		}
	}
}

// comes is when his first visit begins: most come in two rushes, some when nobody is there.
func (c *dayCustomer) comes() time.Time {
	const h, m = time.Hour, time.Minute
	switch n := c.dice.IntN(100); {
	case n < 45:
		return c.d.at(between(c.dice, 9*h+50*m, 10*h+50*m))
	case n < 65:
		return c.d.at(between(c.dice, 13*h+20*m, 14*h+30*m))
	case n < 90:
		return c.d.at(between(c.dice, 8*h+50*m, 18*h))
	default:
		return c.d.at(between(c.dice, 10*m, 23*h))
	}
}

func (c *dayCustomer) chance(percent int) bool { return c.dice.IntN(100) < percent }

func (c *dayCustomer) one(of []string) string { return of[c.dice.IntN(len(of))] }

// soon is when he does the next thing.
func (c *dayCustomer) soon(do func()) { c.d.in(between(c.dice, 4*time.Second, 25*time.Second), do) }

// does is one thing that he does; the platform may deliver it more than once.
func (c *dayCustomer) does(do func() wxfake.Push) {
	var f wxfake.PushFaults
	if c.d.trouble.on {
		switch n := c.dice.IntN(100); {
		case n < 10:
			f.Duplicate = 2 + c.dice.IntN(3)
		case n < 14:
			f.LoseAnswers = 1 + c.dice.IntN(2)
		}
	}
	c.d.platform.SetPushFaults(f)
	c.pushes = append(c.pushes, do())
	c.d.platform.SetPushFaults(wxfake.PushFaults{})
}

func (c *dayCustomer) says(text string) { c.does(func() wxfake.Push { return c.Say(c.d.ctx, text) }) }

// visit begins as visits do, and goes on with one of the plans.
func (c *dayCustomer) visit() {
	switch n := c.dice.IntN(100); {
	case c.account == shop && n < 85:
		c.does(func() wxfake.Push { return c.Enter(c.d.ctx, "page="+c.one([]string{"home", "order"})) })
	case c.account == shop:
	case n < 30:
		c.does(func() wxfake.Push { return c.Follow(c.d.ctx, "") })
	case n < 45:
		c.does(func() wxfake.Push { return c.Scan(c.d.ctx, "poster") })
	case n < 60:
		c.does(func() wxfake.Push { return c.Click(c.d.ctx, "菜单") })
	}
	switch n := c.dice.IntN(100); {
	case n < 20:
		c.soon(func() { c.browses(1 + c.dice.IntN(3)) })
	case n < 50:
		c.soon(func() { c.asks(1 + c.dice.IntN(4)) })
	case n < 60:
		c.soon(c.bursts)
	case n < 68 && c.account == club:
		c.soon(c.wantsTool)
	default:
		c.soon(c.callsHuman)
	}
}

// browses chooses from the menus.
func (c *dayCustomer) browses(times int) {
	n := 1 + c.dice.IntN(3)
	if c.account == club && c.chance(70) {
		id := fmt.Sprintf("%s/%d", c.one([]string{"main", "orders", "returns"}), n)
		c.does(func() wxfake.Push { return c.TapMenu(c.d.ctx, id, "选项") })
	} else {
		c.says(c.one([]string{fmt.Sprint(n), string(rune('０' + n)), fmt.Sprint(n, "."), "菜单", "0"}))
	}
	if times > 1 {
		c.soon(func() { c.browses(times - 1) })
		return
	}
	c.looks(c.d.now().Add(10*time.Minute), 3) // the choice may have called a human
}

// asks the bot, and calls a human if it doesn't understand.
func (c *dayCustomer) asks(times int) {
	texts := [][]string{listed, listed, reworded, nonsense}[c.dice.IntN(4)]
	c.says(c.one(texts))
	c.soon(func() {
		news := c.news()
		puzzled := len(news) == 0 || strings.HasPrefix(news[len(news)-1], "没听懂") || strings.HasPrefix(news[len(news)-1], "回复")
		switch {
		case puzzled && c.chance(60):
			c.callsHuman()
		case times > 1:
			c.asks(times - 1)
		}
	})
}

// bursts writes three texts in a few seconds, which arrive all at once and in any order.
func (c *dayCustomer) bursts() {
	if c.d.now().Before(c.d.held) {
		c.callsHuman() // what another wrote is being held back
		return
	}
	c.shuffle, c.d.held = true, c.d.now().Add(10*time.Second)
	texts := []string{"你好", "我的订单有问题", "人工"}
	for i, text := range texts {
		c.d.in(time.Duration(i)*1200*time.Millisecond, func() {
			c.d.platform.SetPushFaults(wxfake.PushFaults{Reorder: 1000})
			c.pushes = append(c.pushes, c.Say(c.d.ctx, text))
			c.d.platform.SetPushFaults(wxfake.PushFaults{})
		})
	}
	c.d.in(7*time.Second, func() { c.d.flushed = append(c.d.flushed, c.d.platform.Flush(c.d.ctx)...) })
	c.looks(c.patience(), 4)
}

// wantsTool is handed to the platform's own tool, whose agent may take him.
func (c *dayCustomer) wantsTool() {
	c.says(toolWord)
	if c.chance(20) {
		return // nobody takes him there
	}
	c.soon(func() {
		c.pushes = append(c.pushes, c.ToolAccept(c.d.ctx, ""))
		c.soon(func() { c.says("在吗"); c.ToolSay("您好，官方客服为您服务。") })
		c.d.in(between(c.dice, 2*time.Minute, 8*time.Minute), func() {
			c.pushes = append(c.pushes, c.ToolClose(c.d.ctx, ""))
			c.soon(func() { c.says(c.one(listed)) })
		})
	})
}

func (c *dayCustomer) callsHuman() {
	c.says(c.one(callHuman))
	c.looks(c.patience(), 1+c.dice.IntN(5))
}

func (c *dayCustomer) patience() time.Time {
	return c.d.now().Add(between(c.dice, 6*time.Minute, 30*time.Minute))
}

// looks waits for a human's words, answers them so many times, and gives up when his patience ends.
func (c *dayCustomer) looks(until time.Time, rounds int) {
	c.d.in(between(c.dice, 25*time.Second, 50*time.Second), func() {
		human := false
		for _, text := range c.news() {
			human = human || strings.HasPrefix(text, "[")
		}
		switch {
		case human && rounds > 0:
			c.soon(func() { c.says(c.one(chatter)); c.looks(c.patience(), rounds-1) })
		case human:
			if c.chance(50) {
				c.soon(func() { c.says("谢谢") })
			}
		case c.d.now().Before(until):
			c.looks(until, rounds)
		case c.chance(40):
			c.says("还有人吗")
		}
	})
}

// returns is another visit, in the evening.
func (c *dayCustomer) returns() {
	switch n := c.dice.IntN(3); {
	case n == 0 && c.account == shop:
		c.visit()
	case n == 1:
		c.asks(2)
	default:
		c.callsHuman()
	}
}

// news are the texts that came since he looked last.
func (c *dayCustomer) news() []string {
	all := c.Texts()
	fresh := all[c.seen:]
	c.seen = len(all)
	return fresh
}
