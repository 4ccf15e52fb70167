package bot

import (
	"encoding/json"
	"fmt"
	"testing"

	"kefu/shared/core/account"
)

// FuzzDecide plays any settings and any inputs: no panic; at most two messages, each of
// which the channel takes as one; the count of unanswered grows by one or is gone; and
// the numbers of the menu shown last lead to its choices.
func FuzzDecide(f *testing.F) {
	f.Add([]byte(`{"greeting":"hi","menu":"m","menus":{"m":{"items":[{"label":"1","answer":"x"},{"label":"b","menu":"n"}]},"n":{"items":[{"label":"c","handoff":true}]}},
		"keywords":[{"words":["k"],"answer":"y","priority":2}],"questions":[{"ask":["怎么退款"],"message":{"type":"text","text":{"content":"z"}},"menu":"n"}],
		"menu_words":["0"],"fallback":"?","offer":"!","max_unanswered":1}`), "退款怎么弄", "m/2", true)
	f.Add([]byte(`{"menus":{"":{},"/":{"items":[{}]}},"menu":"","questions":[{},{"ask":["",""]}],"likeness":1e-9}`), "２、", "//1", false)
	f.Add([]byte(`{"keywords":[{"words":["a"],"message":{"type":"image"}},{"words":["b"],"message":null,"handoff":true}]}`), "a b", "/", false)
	f.Fuzz(func(t *testing.T, settings []byte, text, tap string, official bool) {
		var b account.Bot
		if json.Unmarshal(settings, &b) != nil {
			return
		}
		b.Enabled = true
		ch := account.MiniProgram
		if official {
			ch = account.Official
		}
		sound := Check(b, ch) == nil && account.Routing{Bot: b}.Check() == nil
		s := State{}
		for _, in := range []Input{{Entered: true}, {Text: text}, {Tapped: tap}, {Text: text, Tapped: tap}, {}, {Text: text}} {
			d := Decide(b, ch, s, in)
			judge(t, b, ch, s, d, in)
			if sound {
				numbersLead(t, b, ch, d.State)
			}
			s = d.State
		}
	})
}

func judge(t *testing.T, b account.Bot, ch account.Channel, s State, d Decision, in Input) {
	t.Helper()
	if len(d.Say) > 2 {
		t.Fatalf("%+v: got %d messages, want at most 2", in, len(d.Say))
	}
	for _, c := range d.Say {
		if err := c.CheckOutbound(ch); err != nil || c.Parts() != 1 {
			t.Fatalf("%+v: says a message of %d parts that can't be sent: %v", in, c.Parts(), err)
		}
	}
	switch got := d.State.Unanswered; {
	case d.Answered && got != 0,
		!d.Answered && !in.Entered && got != s.Unanswered+1,
		!d.Answered && in.Entered && got != s.Unanswered:
		t.Fatalf("%+v: got %d unanswered after %d, answered %v", in, got, s.Unanswered, d.Answered)
	}
	if d.Handoff && !d.Answered {
		t.Fatalf("%+v: calls a human although no rule fitted", in)
	}
	if _, ok := b.Menus[d.State.Menu]; !ok && d.State.Menu != s.Menu {
		t.Fatalf("%+v: got menu %q, which isn't there", in, d.State.Menu)
	}
}

// numbersLead writes and taps every item of the menu shown last.
func numbersLead(t *testing.T, b account.Bot, ch account.Channel, s State) {
	t.Helper()
	for i, item := range b.Menus[s.Menu].Items {
		want := Decision{State: State{Menu: s.Menu}, Say: render(b.Menus, ch, item.Reply), Handoff: item.Handoff, Answered: true}
		if item.Menu != "" {
			want.State.Menu = item.Menu
		}
		for _, in := range []Input{
			{Text: number(i)}, {Text: number(i) + "、"}, {Text: " " + number(i) + "． "}, {Tapped: itemID(s.Menu, i), Text: "x"},
		} {
			if got := Decide(b, ch, s, in); fmt.Sprintf("%+v", plain(t, got)) != fmt.Sprintf("%+v", plain(t, want)) {
				t.Fatalf("%+v of menu %q: got %+v, want %+v", in, s.Menu, plain(t, got), plain(t, want))
			}
		}
	}
}

// plain is a decision without pointers.
func plain(t *testing.T, d Decision) string {
	t.Helper()
	b, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
