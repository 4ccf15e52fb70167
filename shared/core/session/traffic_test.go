package session

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"kefu/shared/core/account"
	"kefu/shared/core/agent"
	"kefu/shared/core/fault"
	"kefu/shared/core/message"
	"kefu/shared/core/quota"
)

// TestTrafficAgainstModel sends random traffic of several customers and agents through
// the rules and holds what they decide against a model that is as naive as can be: it
// counts messages one by one, reads texts with strings.Contains, and keeps seats in a map.
func TestTrafficAgainstModel(t *testing.T) {
	t.Parallel()
	seeds := uint64(300)
	if testing.Short() {
		seeds = 30
	}
	for seed := range seeds {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			newTraffic(t, seed).play(400)
		})
	}
}

// traffic is some conversations with one account, and its agents.
type traffic struct {
	t      *testing.T
	dice   *rand.Rand
	now    time.Time
	rules  Rules
	talks  []*talk
	seats  map[agent.ID]map[ID]bool // who has a seat of whom
	pushes int
	ids    int
}

// talk is one customer's conversation with the model of it.
type talk struct {
	s Session

	acted   time.Time // the customer's last action that granted anything
	wrote   time.Time
	entered time.Time
	used    int // calls since then that the platform counted
	human   int // of these, an agent's
	rows    map[message.ID]*sent
	order   int64 // number of the last message that the platform took
}

// sent is an outbound message in the model.
type sent struct {
	by      string
	bytes   int
	aside   bool
	endings int
}

func newTraffic(t *testing.T, seed uint64) *traffic {
	tr := &traffic{
		t: t, dice: rand.New(rand.NewPCG(seed, 7)), now: time.Date(2026, 11, 23, 8, 30, 0, 0, time.UTC),
		seats: map[agent.ID]map[ID]bool{"ann": {}, "bob": {}, "eve": {}},
	}
	keep := tr.dice.IntN(3)
	tr.rules = Rules{
		Tenant: "default", Channel: account.MiniProgram, Grants: quota.Preset(quota.MiniProgram2024),
		SessionFor: 48 * time.Hour, HoldFor: 48 * time.Hour, Silence: 30 * time.Minute, Auto: tr.flip(),
		Handoff: account.Handoff{Enabled: tr.flip(), Keywords: []string{"人工"}, Match: account.Contains, Notice: "正在接入"},
		Bot:     account.Bot{Enabled: tr.flip(), Greeting: "欢迎", Fallback: "请换个说法"},
		Spend:   account.Spend{KeepForHuman: &keep, OneSender: tr.flip(), Merge: tr.dice.IntN(4) > 0},
		Queue:   account.Queue{Text: "第{position}位", Then: account.ThenStay},
	}
	if tr.flip() {
		tr.rules.Bot.Responder.URL = "https://shop.example/bot"
	}
	if tr.flip() {
		tr.rules.Webhook.URL = "https://shop.example/"
	}
	if tr.flip() {
		tr.rules.Hours = account.Hours{UTCOffset: "+00:00", Text: "九点开始", Open: []account.Span{{
			Days: []string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"}, From: "09:00", To: "21:00",
		}}}
		if tr.rules.Handoff.Enabled && tr.flip() {
			tr.rules.Hours.Then = account.ThenBot
		}
	}
	for range 5 {
		tr.talks = append(tr.talks, &talk{rows: map[message.ID]*sent{}})
	}
	return tr
}

func (tr *traffic) flip() bool { return tr.dice.IntN(2) == 0 }

func (tr *traffic) play(steps int) {
	for range steps {
		tr.now = tr.now.Add([]time.Duration{time.Second, 2 * time.Second, 20 * time.Second, time.Minute, 7 * time.Minute, 40 * time.Minute}[tr.dice.IntN(6)])
		tr.move(tr.talks[tr.dice.IntN(len(tr.talks))])
	}
	for range 6 {
		tr.now = tr.now.Add(25 * time.Hour)
		for _, c := range tr.talks {
			tr.step(c, Tick{})
			tr.step(c, Next{})
			tr.finish(c)
		}
	}
	for i, c := range tr.talks {
		for id, m := range c.rows {
			if m.endings != 1 {
				tr.t.Errorf("customer %d: message %s ended %d times, want once", i, id, m.endings)
			}
		}
	}
	for a, held := range tr.seats {
		if len(held) > 0 {
			tr.t.Errorf("%s still has the seats %v when all is over", a, held)
		}
	}
}

// finish has the platform answer and rows be written until nothing is left to do.
func (tr *traffic) finish(c *talk) {
	for c.s.Flight != nil {
		tr.step(c, Answered{Message: c.s.Flight.Message, Outcome: Outcome{Kind: Sent}})
	}
	tr.record(c)
}

func (tr *traffic) record(c *talk) {
	var ids []message.ID
	for _, end := range c.s.Endings {
		ids = append(ids, end.Message)
	}
	tr.step(c, Settled{Messages: ids})
	tr.step(c, Informed{UpTo: c.s.NewsSeq})
}

// move is one thing that happens in a conversation.
func (tr *traffic) move(c *talk) {
	who := []agent.ID{"ann", "bob", "eve"}[tr.dice.IntN(3)]
	switch n := tr.dice.IntN(23); {
	case n < 6:
		tr.write(c, []string{"在吗", "我要人工客服", "退款"}[tr.dice.IntN(3)])
	case n < 7:
		tr.enter(c)
	case n < 9:
		tr.take(c, who, tr.flip())
	case n < 10:
		tr.pass(c, who)
	case n < 11:
		tr.step(c, Close{By: string(who)})
	case n < 14:
		tr.answer(c, who)
	case n < 15:
		tr.step(c, Told{Position: 1 + tr.dice.IntN(9)})
	case n < 16:
		tr.step(c, Tick{})
	case n < 17:
		tr.record(c)
	case n < 18 && c.s.Flight != nil:
		kind := []OutcomeKind{Sent, Refused, Busy, Lost, Review, Unreached}[tr.dice.IntN(6)]
		tr.step(c, Answered{Message: c.s.Flight.Message, Outcome: Outcome{Kind: kind}})
	case n < 19:
		tr.step(c, Next{})
	case n < 21:
		tr.respond(c)
		tr.step(c, Next{})
		tr.finish(c)
	default:
		for _, w := range c.s.Outbox {
			if w.Review {
				tr.step(c, Approve{Message: w.Message, By: "sue"})
				return
			}
		}
	}
}

// respond has the business's responder talk too much.
func (tr *traffic) respond(c *talk) {
	if c.s.Turn == nil {
		return
	}
	e := Replied{To: c.s.Turn.To, Failed: tr.dice.IntN(4) == 0, Text: "在吗"}
	for range 4 {
		e.Content = append(e.Content, message.Content{Type: message.TypeText, Text: &message.Text{Content: "您好"}})
	}
	tr.step(c, e)
}

func (tr *traffic) write(c *talk, text string) {
	want := tr.expect(c.s, text)
	tr.arrive(c, Arrived{Action: quota.Message, FromCustomer: true, Text: text})
	if c.s.State != want {
		tr.t.Fatalf("the customer wrote %q: the session is %s, want %s", text, c.s.State, want)
	}
}

// expect is the model's answer to a customer's message, from the words of M7 and M9.
func (tr *traffic) expect(s Session, text string) State {
	state := s.State
	if s.ID == "" || !state.Active() || !tr.now.Before(s.expiresAt(tr.rules)) {
		state = Bot
	}
	open := len(tr.rules.Hours.Open) == 0 || tr.now.Hour() >= 9 && tr.now.Hour() < 21
	last := s.LastCustomerAt
	if s.ActiveAt.After(last) {
		last = s.ActiveAt
	}
	switch {
	case state == Serving && tr.now.Sub(last) < 30*time.Minute:
		return Serving
	case state == Serving, state == Released, state == Queued:
		return Queued
	case !tr.rules.Handoff.Enabled:
		return Queued
	case strings.Contains(text, "人工") && (open || tr.rules.Hours.Then != account.ThenBot):
		return Queued
	}
	return Bot
}

func (tr *traffic) enter(c *talk) { tr.arrive(c, Arrived{Action: quota.Enter}) }

func (tr *traffic) arrive(c *talk, e Arrived) {
	tr.pushes++
	tr.ids++
	e.ID, e.Account, e.Customer, e.Key, e.At = ID(fmt.Sprint("s", tr.ids)), "shop", "mei", fmt.Sprint("p", tr.pushes), tr.now
	if e.FromCustomer {
		c.wrote = tr.now
	} else {
		c.entered = tr.now
	}
	// The action refills what was used, but not what is being called in this moment: the platform counts it after.
	c.acted, c.used, c.human = tr.now, 0, 0
	tr.step(c, e)
}

// take has an agent take the session: a seat first, given back if he doesn't get it.
func (tr *traffic) take(c *talk, who agent.ID, byRouter bool) {
	if c.s.ID == "" || len(tr.seats[who]) >= 2 {
		return
	}
	had := tr.seats[who][c.s.ID]
	id := c.s.ID
	tr.seats[who][id] = true
	var e Event = Accept{Agent: who}
	if byRouter {
		e = Assign{Agent: who}
	}
	if !tr.step(c, e) && !had {
		delete(tr.seats[who], id)
	}
}

func (tr *traffic) pass(c *talk, who agent.ID) {
	if tr.flip() {
		tr.step(c, Transfer{})
		return
	}
	if c.s.ID == "" || len(tr.seats[who]) >= 2 || tr.seats[who][c.s.ID] {
		return
	}
	id := c.s.ID
	tr.seats[who][id] = true
	if !tr.step(c, Transfer{Agent: who}) {
		delete(tr.seats[who], id)
	}
}

func (tr *traffic) answer(c *talk, who agent.ID) {
	e := Enqueue{Parts: 1, By: string(who), Bytes: []int{0, 10, 900, 2048}[tr.dice.IntN(4)]}
	if tr.dice.IntN(6) == 0 {
		e.SendAt = tr.now.Add(time.Hour)
	}
	tr.step(c, e)
}

// step makes one step and looks at it; it reports whether it was allowed.
func (tr *traffic) step(c *talk, e Event) bool {
	was := c.s.Clone()
	next, effects, err := Step(c.s, e, tr.rules, tr.now)
	if err != nil {
		if fault.KindOf(err) == fault.Internal {
			tr.t.Fatalf("%T: %v", e, err)
		}
		return false
	}
	c.s = next
	for _, x := range effects {
		tr.effect(c, was, e, x)
	}
	if s := c.s; s.State == Serving && !tr.seats[s.Agent][s.ID] {
		tr.t.Fatalf("%T: %s serves %s without a seat", e, s.Agent, s.ID)
	}
	for _, w := range c.s.Outbox {
		if w.Review {
			c.rows[w.Message].aside = true
		}
	}
	return true
}

func (tr *traffic) effect(c *talk, was Session, e Event, x Effect) {
	switch x := x.(type) {
	case Store:
		if q, ok := e.(Enqueue); ok {
			c.rows[x.Message] = &sent{by: q.By, bytes: q.Bytes, aside: !q.SendAt.IsZero()}
		}
	case Say:
		c.rows[x.Message] = &sent{by: x.By, bytes: x.Content.TextBytes()}
		if x.State != "" {
			c.rows[x.Message].endings++
		}
	case FreeSeat:
		delete(tr.seats[x.Agent], x.Session)
	case Call:
		tr.call(c, x)
	case Settle:
		tr.end(c, was, x.Settlement)
	case Record:
		tr.end(c, was, x.Settlement)
		tr.count(c, was, x.Settlement)
	}
}

// call checks what goes to the platform, in the words of guarantees 4 and 6 and of P2.
func (tr *traffic) call(c *talk, x Call) {
	if got, limit := c.used+1, c.limit(tr.now); got > limit {
		tr.t.Fatalf("call %d of a window that takes %d", got, limit)
	}
	ids := append([]message.ID{x.Message}, x.Along...)
	bytes := len(ids) - 1 // separators
	for _, id := range ids {
		m := c.rows[id]
		if m == nil || m.endings > 0 {
			tr.t.Fatalf("%s is called and doesn't wait", id)
		}
		bytes += m.bytes
		if tr.rules.Spend.OneSender && m.by != c.rows[x.Message].by {
			tr.t.Fatalf("texts of %s and %s went out as one", m.by, c.rows[x.Message].by)
		}
	}
	if len(ids) > 1 && (!tr.rules.Spend.Merge || bytes > message.MaxTextBytes) {
		tr.t.Fatalf("%d texts of %d bytes went out as one", len(ids), bytes)
	}
}

// limit is what the platform would let pass since the customer's last action.
func (c *talk) limit(now time.Time) int {
	switch {
	case !c.wrote.IsZero() && now.Sub(c.wrote) < 48*time.Hour:
		return 5
	case !c.entered.IsZero() && now.Sub(c.entered) < time.Minute:
		return 2
	}
	return 0
}

// count counts a call as the platform does.
func (tr *traffic) count(c *talk, was Session, end message.Settlement) {
	if was.Flight.Message != end.Message || (end.State != message.Sent && end.State != message.Unknown) {
		return
	}
	for _, w := range was.Flight.Messages() {
		if w.N < c.order && !c.rows[w.Message].aside {
			tr.t.Fatalf("%s reached the platform after number %d", w.Message, c.order)
		}
		if !c.rows[w.Message].aside {
			c.order = w.N
		}
	}
	if was.Flight.StartedAt.Before(c.acted) {
		return // against the grant before
	}
	c.used++
	if by := c.rows[end.Message].by; by != message.ByBot && by != message.BySystem {
		c.human++
	}
	if limit := c.limit(tr.now); c.human == 0 && limit > 0 && c.used > limit-*tr.rules.Spend.KeepForHuman {
		tr.t.Fatalf("rules have sent %d of %d messages, of which %d are kept for a human", c.used, limit, *tr.rules.Spend.KeepForHuman)
	}
}

func (tr *traffic) end(c *talk, was Session, end message.Settlement) {
	for _, known := range was.Endings {
		if known.Message == end.Message {
			return // said again until its row is written
		}
	}
	c.rows[end.Message].endings++
}
