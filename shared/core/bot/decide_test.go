package bot

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"kefu/shared/core/account"
	"kefu/shared/core/fault"
	"kefu/shared/core/message"
)

// TestLongGreeting: what doesn't fit into one message becomes two, on both channels.
func TestLongGreeting(t *testing.T) {
	t.Parallel()
	b := account.Bot{
		Enabled: true, Menu: "m",
		Menus: map[string]account.Menu{"m": {Items: []account.Choice{{Label: "退货", Reply: account.Reply{Answer: "好"}}}}},
	}
	for _, ch := range []account.Channel{account.MiniProgram, account.Official} {
		shown := show("m", b.Menus["m"], ch)
		for _, tt := range []struct{ greeting, messages int }{
			{message.MaxTextBytes - size(shown) - 1, 1}, {message.MaxTextBytes - size(shown), 2}, {message.MaxTextBytes, 2},
		} {
			b.Greeting = strings.Repeat("a", tt.greeting)
			d := Decide(b, ch, State{}, Input{Entered: true})
			if len(d.Say) != tt.messages || d.State.Menu != "m" || !d.Answered {
				t.Errorf("%s, greeting of %d bytes: got %d messages, state %+v, answered %v; want %d, menu m, true",
					ch, tt.greeting, len(d.Say), d.State, d.Answered, tt.messages)
			}
		}
	}
}

func TestNothingSet(t *testing.T) {
	t.Parallel()
	s := State{Menu: "m", Unanswered: 2}
	if d := Decide(account.Bot{Greeting: "x", Fallback: "y"}, account.Official, s, Input{Text: "z"}); !reflect.DeepEqual(d, Decision{State: s}) {
		t.Errorf("not enabled: got %+v, want nothing but the state", d)
	}
	if d := Decide(account.Bot{Enabled: true}, account.Official, s, Input{Entered: true}); !reflect.DeepEqual(d, Decision{State: s}) {
		t.Errorf("nothing to greet with: got %+v, want nothing but the state", d)
	}
}

func TestStateIsShort(t *testing.T) {
	t.Parallel()
	got, err := json.Marshal([]State{{}, {Menu: "main", Unanswered: 2}})
	if want := `[{},{"m":"main","u":2}]`; err != nil || string(got) != want {
		t.Errorf("got %s, %v; want %s", got, err, want)
	}
}

func TestAsks(t *testing.T) {
	t.Parallel()
	h := account.Handoff{
		Enabled: true, Keywords: []string{"人工", "rg"},
		Urgent: []account.Urgent{
			{Words: []string{"投诉", "人工"}, Priority: 3},
			{Words: []string{"投诉", "报警"}, Priority: 7},
			{Words: []string{"投诉"}, Priority: 5},
		},
	}
	anywhere := h
	anywhere.Match = account.Contains
	for _, tt := range []struct {
		h        account.Handoff
		text     string
		priority int
		ok       bool
	}{
		{h, "人工", 3, true},
		{h, "ＲＧ！", 0, true},
		{h, "投诉", 7, true},
		{h, "我要投诉", 0, false},
		{h, "", 0, false},
		{anywhere, "我要投诉", 7, true},
		{anywhere, "找人工客服", 3, true},
		{anywhere, "please rg now", 0, true},
		{anywhere, "large", 0, false},
		{account.Handoff{}, "人工", 0, false},
	} {
		if p, ok := Asks(tt.h, tt.text); p != tt.priority || ok != tt.ok {
			t.Errorf("%q, match %q: got %d, %v; want %d, %v", tt.text, tt.h.Match, p, ok, tt.priority, tt.ok)
		}
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	sends := func(raw string) account.Reply { return account.Reply{Message: json.RawMessage(raw)} }
	keyword := func(raw string) account.Bot {
		return account.Bot{Keywords: []account.Keyword{{Words: []string{"a"}, Reply: account.Reply{Answer: "b"}}, {Words: []string{"c"}, Reply: sends(raw)}}}
	}
	const mini, official = account.MiniProgram, account.Official
	long := strings.Repeat("长", 700) // 2,100 bytes
	item := func(r account.Reply) account.Bot {
		return account.Bot{Menus: map[string]account.Menu{"m": {Items: []account.Choice{{Label: "x", Reply: r}}}}}
	}
	for _, tt := range []struct {
		name string
		bot  account.Bot
		ch   account.Channel
		want string // the start of the detail; empty: no error
	}{
		{"empty", account.Bot{}, mini, ""},
		{"a text", keyword(`{"type":"text","text":{"content":"x"}}`), mini, ""},
		{"a video, official", keyword(`{"type":"video","video":{"media":"m"}}`), official, ""},
		{"a video, mini program", keyword(`{"type":"video","video":{"media":"m"}}`), mini, "bot.keywords[1].message: a miniprogram account can't send"},
		{"an unknown type", keyword(`{"type":"dance"}`), official, "bot.keywords[1].message: a official account can't send"},
		{"an unknown field", keyword(`{"type":"text","text":{"content":"x"},"send_at":"2026-01-31T08:00:00Z"}`), mini, `bot.keywords[1].message: it can't be read as a message: unknown field "send_at"`},
		{"a wrong type", keyword(`{"type":"text","text":{"content":7}}`), mini, "bot.keywords[1].message: text.content can't be a number"},
		{"two objects", keyword(`{"type":"text","text":{"content":"x"}}{}`), mini, "bot.keywords[1].message: it can't be read as a message: something follows"},
		{"no media", keyword(`{"type":"image","image":{}}`), mini, "bot.keywords[1].message: image.media is missing"},
		{"a text of two parts", keyword(`{"type":"text","text":{"content":"` + long + `"}}`), mini, "bot.keywords[1].message: it has 2100 bytes"},
		{"a choice", item(sends(`{"type":"news"}`)), official, "bot.menus.m.items[0].message: "},
		{"a question", account.Bot{Questions: []account.Question{{Reply: sends(`{}`)}}}, mini, "bot.questions[0].message: "},
		{"a greeting", account.Bot{Greeting: long}, mini, "bot.greeting: it has 2100 bytes"},
		{"an answer", item(account.Reply{Answer: long}), mini, "bot.menus.m.items[0]: it has 2100 bytes"},
		{"two mistakes", account.Bot{Greeting: long, Offer: long}, mini, "bot.greeting: "},
		{"an offer", account.Bot{Offer: "a\xff"}, mini, "bot.offer: text.content is not valid UTF-8"},
		{"a fallback", account.Bot{Fallback: long}, official, "bot.fallback: it has"},
		{"a menu", account.Bot{Menus: map[string]account.Menu{"m": {Head: long, Items: []account.Choice{{Label: "x"}}}}}, mini, "bot.menus.m: it has 2105 bytes"},
		{"a menu, official", account.Bot{Menus: map[string]account.Menu{"m": {Tail: long, Items: []account.Choice{{Label: "x"}}}}}, official, "bot.menus.m: it has 2102 bytes"},
		{"a menu without items", account.Bot{Menus: map[string]account.Menu{"m": {}}}, official, "bot.menus.m: msgmenu.list is missing"},
		{"a long answer before a menu", account.Bot{
			Menus:    map[string]account.Menu{"m": {Items: []account.Choice{{Label: "x"}}}},
			Keywords: []account.Keyword{{Reply: account.Reply{Answer: long[:2001], Menu: "m"}}},
		}, mini, ""},
	} {
		err := Check(tt.bot, tt.ch)
		if tt.want == "" {
			if err != nil {
				t.Errorf("%s: got %v, want no error", tt.name, err)
			}
			continue
		}
		if fault.KindOf(err) != fault.Invalid || fault.CodeOf(err) != "routing-invalid" || !strings.HasPrefix(fault.DetailOf(err), tt.want) {
			t.Errorf("%s: got %v, %q; want routing-invalid, %q", tt.name, err, fault.DetailOf(err), tt.want)
		}
		if got := fault.Status(err); got != 400 {
			t.Errorf("%s: got status %d, want 400", tt.name, got)
		}
	}
}
