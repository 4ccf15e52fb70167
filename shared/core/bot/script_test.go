package bot

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"kefu/shared/core/account"
	"kefu/shared/core/message"
	"kefu/shared/scripttest"
)

// TestScripts plays testdata/script-*.txt. A script is read by people first: settings, then
// blocks of what the customer does, "----", and what the bot does, up to an empty line.
// Lines with # are remarks. A setting's "=>" is its reply: say, send, menu, human, parted by "; ".
func TestScripts(t *testing.T) {
	t.Parallel()
	scripttest.Files(t, "testdata/script-*.txt", play)
}

// stage is where a script plays.
type stage struct {
	bot     account.Bot
	handoff account.Handoff
	channel account.Channel
	menu    string // whose items are being written down
	state   State
}

func play(t *testing.T, script string) string {
	t.Helper()
	st := &stage{bot: account.Bot{Enabled: true, Menus: map[string]account.Menu{}}, channel: account.MiniProgram}
	return scripttest.Blocks(t, script, st.do, nil)
}

// do plays one line: what the customer does, or a setting.
func (st *stage) do(line string) ([]string, error) {
	deed, isDeed := strings.CutPrefix(line, "customer ")
	if !isDeed {
		return nil, st.set(line)
	}
	if err := (account.Routing{Bot: st.bot, Handoff: st.handoff}).Check(); err != nil {
		return nil, err
	}
	if err := Check(st.bot, st.channel); err != nil {
		return nil, err
	}
	verb, what, _ := strings.Cut(deed, " ")
	in := Input{Text: what}
	switch verb {
	case "writes":
		if priority, ok := Asks(st.handoff, what); ok {
			return []string{"the words call a human, priority " + strconv.Itoa(priority)}, nil
		}
	case "enters":
		in = Input{Entered: true}
	case "taps":
		in.Tapped, in.Text, _ = strings.Cut(what, " ")
	case "sends": // a picture
		in = Input{}
	default:
		return nil, fmt.Errorf("a customer does not %q", verb)
	}
	d := Decide(st.bot, st.channel, st.state, in)
	st.state = d.State
	return describe(d), nil
}

func describe(d Decision) []string {
	var lines []string
	for _, c := range d.Say {
		switch c.Type {
		case message.TypeText:
			lines = append(lines, "bot: "+strings.ReplaceAll(c.Text.Content, "\n", "\n     "))
		case message.TypeMsgMenu:
			head := strings.TrimSpace("bot: " + strings.ReplaceAll(c.MsgMenu.HeadContent, "\n", "\n     "))
			lines = append(lines, head)
			for _, item := range c.MsgMenu.List {
				lines = append(lines, "     ["+item.ID+"] "+item.Content)
			}
			if c.MsgMenu.TailContent != "" {
				lines = append(lines, "     "+c.MsgMenu.TailContent)
			}
		default:
			b, _ := json.Marshal(c)
			lines = append(lines, "bot: "+string(b))
		}
	}
	if len(d.Say) == 0 {
		lines = append(lines, "(the bot says nothing)")
	}
	if d.Handoff {
		lines = append(lines, "-> a human is called")
	}
	if d.State.Unanswered > 0 {
		lines = append(lines, "("+strconv.Itoa(d.State.Unanswered)+" unanswered)")
	}
	return lines
}

// set reads a setting.
func (st *stage) set(line string) error {
	name, value, _ := strings.Cut(strings.TrimSpace(line), " ")
	left, right, _ := strings.Cut(value, "=>")
	left = strings.TrimSpace(left)
	reply, err := readReply(right)
	menu := st.bot.Menus[st.menu]
	switch name {
	case "channel":
		st.channel, st.state = account.Channel(value), State{}
	case "off":
		st.bot.Enabled = false
	case "greeting":
		st.bot.Greeting = value
	case "starts":
		st.bot.Menu = strings.TrimPrefix(value, "with ")
	case "menuwords":
		st.bot.MenuWords = strings.Split(value, ", ")
	case "menu":
		st.menu = value
		menu = account.Menu{}
	case "head":
		menu.Head = value
	case "tail":
		menu.Tail = value
	case "item":
		menu.Items = append(menu.Items, account.Choice{Label: left, Reply: reply})
	case "keyword":
		k := account.Keyword{Reply: reply}
		words, options, _ := strings.Cut(left, " (")
		k.Words = strings.Split(words, ", ")
		for _, o := range strings.Split(strings.TrimSuffix(options, ")"), ", ") {
			if n, ok := strings.CutPrefix(o, "priority "); ok {
				k.Priority, _ = strconv.Atoi(n)
			} else {
				k.Match = account.Match(o)
			}
		}
		st.bot.Keywords = append(st.bot.Keywords, k)
	case "question":
		st.bot.Questions = append(st.bot.Questions, account.Question{Ask: strings.Split(left, " | "), Reply: reply})
	case "fallback":
		st.bot.Fallback = value
	case "offer":
		after, words, _ := strings.Cut(value, " ")
		st.bot.MaxUnanswered, _ = strconv.Atoi(after)
		st.bot.Offer = words
	case "human":
		st.handoff = account.Handoff{Enabled: true, Keywords: strings.Split(value, ", ")}
	case "urgent":
		priority, words, _ := strings.Cut(value, " ")
		n, _ := strconv.Atoi(priority)
		st.handoff.Urgent = append(st.handoff.Urgent, account.Urgent{Words: strings.Split(words, ", "), Priority: n})
	default:
		return fmt.Errorf("unknown setting %q", name)
	}
	if name == "menu" || name == "head" || name == "tail" || name == "item" {
		st.bot.Menus[st.menu] = menu
	}
	return err
}

func readReply(s string) (account.Reply, error) {
	var r account.Reply
	for _, part := range strings.Split(strings.TrimSpace(s), "; ") {
		verb, what, _ := strings.Cut(part, " ")
		switch verb {
		case "":
		case "say":
			r.Answer = what
		case "send":
			r.Message = json.RawMessage(what)
		case "menu":
			r.Menu = what
		case "human":
			r.Handoff = true
		default:
			return r, fmt.Errorf("unknown reply %q", part)
		}
	}
	return r, nil
}
