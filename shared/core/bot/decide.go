// Package bot decides what an account's bot says to one thing that a customer did (M10),
// and whether a text calls a human (M9). Call [Decide] for each thing that happens while
// a session is with the bot, keep its State for the next; call [Asks] first, since a word
// that calls a human goes before all rules. [Check] looks at settings before they are kept.
package bot

import (
	"slices"

	"kefu/shared/core/account"
	"kefu/shared/core/message"
	"kefu/shared/core/word"
)

// State is what the bot remembers of a session. The zero value is that of a new one.
type State struct {
	// Menu names the menu shown last, whose numbers the customer may write.
	Menu string `json:"m,omitempty"`
	// Unanswered is how many things in a row no rule fitted.
	Unanswered int `json:"u,omitempty"`
}

// Input is what the customer did: he wrote Text, tapped the msgmenu item Tapped, or
// Entered. One who sent a picture or a place has none of the three.
type Input struct {
	Text    string // of a tap too: the platform sends the item's label along
	Tapped  string // comes as message.Text.MenuID
	Entered bool   // without a word: opened the conversation, followed, scanned
}

// Decision is what the bot does.
type Decision struct {
	// Say goes out in this order. Each is one message of the window; there are at most two.
	Say   []message.Content
	State State
	// Handoff calls a human, after Say.
	Handoff bool
	// Answered says that a rule fitted. If not, Say is the fallback or the offer of a human, if anything.
	Answered bool
}

// Decide decides what the bot of an account on channel ch does about the input. A bot
// that isn't enabled does nothing. Settings that fail [Check] do no harm: a message
// that can't be sent is left out.
func Decide(b account.Bot, ch account.Channel, s State, in Input) Decision {
	t := turn{bot: b, channel: ch, decision: Decision{State: s}}
	switch {
	case !b.Enabled:
	case in.Entered:
		t.greet()
	case t.choose(in) || t.ask(in.Text):
		t.decision.Answered, t.decision.State.Unanswered = true, 0
	default:
		t.giveUp()
	}
	return t.decision
}

// turn is a decision in the making.
type turn struct {
	bot      account.Bot
	channel  account.Channel
	decision Decision
}

// greet says the greeting with the menu.
func (t *turn) greet() {
	if t.bot.Greeting == "" && t.bot.Menu == "" {
		return
	}
	t.reply(account.Reply{Answer: t.bot.Greeting, Menu: t.bot.Menu})
	t.decision.Answered, t.decision.State.Unanswered = true, 0
}

// choose follows the menus: a tap on any of them, old ones too; a number or a label of
// the one shown last; and the words that ask for the first.
func (t *turn) choose(in Input) bool {
	choice, ok := tapped(t.bot.Menus, in.Tapped)
	if !ok {
		choice, ok = chosen(t.bot.Menus[t.decision.State.Menu], in.Text)
	}
	if ok {
		t.reply(choice.Reply)
		return true
	}
	if t.bot.Menu != "" && word.Match(t.bot.MenuWords, account.Exact, in.Text) {
		t.reply(account.Reply{Menu: t.bot.Menu})
		return true
	}
	return false
}

// ask looks for a keyword in the text, then for a question like it.
func (t *turn) ask(text string) bool {
	if word.Fold(text) == "" {
		return false
	}
	if k, ok := keyword(t.bot.Keywords, text); ok {
		t.reply(k.Reply)
		return true
	}
	if len(t.bot.Questions) == 0 {
		return false
	}
	i, score := newLikeness(t.bot.Questions).best(text)
	if i < 0 || score < t.bot.Alike() {
		return false
	}
	t.reply(t.bot.Questions[i].Reply)
	return true
}

// keyword finds the rule that fits: the one of the highest priority; of equals the one
// that stands first.
func keyword(rules []account.Keyword, text string) (account.Keyword, bool) {
	best := -1
	for i, k := range rules {
		if best >= 0 && k.Priority <= rules[best].Priority {
			continue
		}
		if word.Match(k.Words, orContains(k.Match), text) {
			best = i
		}
	}
	if best < 0 {
		return account.Keyword{}, false
	}
	return rules[best], true
}

func orContains(m account.Match) account.Match {
	if m == "" {
		return account.Contains
	}
	return m
}

// giveUp says that nothing fitted, or after some times in a row how to call a human.
func (t *turn) giveUp() {
	s := &t.decision.State
	s.Unanswered++
	text := t.bot.Fallback
	if t.bot.MaxUnanswered > 0 && s.Unanswered >= t.bot.MaxUnanswered && t.bot.Offer != "" {
		text = t.bot.Offer
	}
	t.reply(account.Reply{Answer: text})
}

// reply says an answer, shows a menu and calls a human, what of it there is.
func (t *turn) reply(r account.Reply) {
	t.decision.Say = slices.DeleteFunc(render(t.bot.Menus, t.channel, r), func(c message.Content) bool {
		return sendable(c, t.channel) != nil
	})
	if _, ok := t.bot.Menus[r.Menu]; ok {
		t.decision.State.Menu = r.Menu
	}
	t.decision.Handoff = r.Handoff
}
