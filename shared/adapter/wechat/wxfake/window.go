package wxfake

import "time"

// Trigger is something a customer does that lets the account write to him.
type Trigger string

// The triggers of the platform's table. A tapped msgmenu item is a click, although it arrives as a text.
const (
	TriggerMessage Trigger = "message"
	TriggerEnter   Trigger = "enter"
	TriggerClick   Trigger = "click"
	TriggerFollow  Trigger = "follow"
	TriggerScan    Trigger = "scan"
	TriggerPay     Trigger = "pay"
)

// Grant is what a trigger allows: so many messages, for so long.
type Grant struct {
	Limit int
	For   time.Duration
}

// Rules says what each trigger grants; a trigger without a row grants nothing.
type Rules map[Trigger]Grant

// CurrentRules returns the grants of the platform's pages of 2026 for a channel.
//
// https://developers.weixin.qq.com/miniprogram/dev/framework/open-ability/customer-message/customer-message.html
func CurrentRules(ch Channel) Rules {
	if ch == MiniProgram {
		return Rules{TriggerMessage: {5, 48 * time.Hour}, TriggerEnter: {2, time.Minute}}
	}
	return Rules{
		TriggerMessage: {5, 48 * time.Hour},
		TriggerClick:   {3, time.Minute},
		TriggerFollow:  {3, time.Minute},
		TriggerScan:    {3, time.Minute},
	}
}

// RulesOf2021 returns the grants that official accounts had from June 2021 until the cut of 2023, and Mini Programs
// in the same years (no grant for entering).
func RulesOf2021(ch Channel) Rules {
	if ch == MiniProgram {
		return Rules{TriggerMessage: {5, 48 * time.Hour}}
	}
	r := CurrentRules(ch)
	r[TriggerMessage] = Grant{20, 48 * time.Hour}
	r[TriggerPay] = Grant{20, 48 * time.Hour}
	return r
}

// Window is what an account may still send to a customer at one moment.
type Window struct {
	Limit int       // 0 when nothing is granted
	Used  int       // sends since the last trigger
	Until time.Time // the first moment at which nothing may be sent; zero when nothing is granted
}

// Remaining is how many more messages the platform takes before Until.
func (w Window) Remaining() int { return max(0, w.Limit-w.Used) }

// ledger is one customer's window. Its owner locks it.
//
// The platform's rule is that grants never add up: each trigger refills the count to the highest limit that
// applies, and the end to the latest that applies. So it is enough to keep the end of each kind's newest grant
// and the number of sends since the last trigger.
type ledger struct {
	live map[Trigger]liveGrant
	used int
}

type liveGrant struct {
	limit int
	end   time.Time
}

// trigger adds the grant of something that happened at the moment at.
func (l *ledger) trigger(t Trigger, rules Rules, at time.Time) {
	g, ok := rules[t]
	if !ok {
		return
	}
	if l.live == nil {
		l.live = make(map[Trigger]liveGrant, 2)
	}
	l.live[t] = liveGrant{limit: g.Limit, end: at.Add(g.For)}
	l.used = 0
}

// at returns the window at one moment. A grant's end is the first moment outside it.
func (l *ledger) at(now time.Time) Window {
	var w Window
	for _, g := range l.live {
		if now.Before(g.end) {
			w.Limit = max(w.Limit, g.limit)
			if g.end.After(w.Until) {
				w.Until = g.end
			}
		}
	}
	if w.Limit > 0 {
		w.Used = l.used
	}
	return w
}

// take counts one send, or returns the code that refuses it.
func (l *ledger) take(now time.Time) int {
	w := l.at(now)
	switch {
	case w.Limit == 0:
		return codeOutOfWindow
	case w.Remaining() == 0:
		return codeOutOfCount
	}
	l.used++
	return 0
}

// close ends every grant: the customer unfollowed.
func (l *ledger) close() { l.live, l.used = nil, 0 }
