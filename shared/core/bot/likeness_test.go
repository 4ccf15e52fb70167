package bot

import (
	"math"
	"testing"

	"kefu/shared/core/account"
)

func manyQuestions() []account.Question {
	var qs []account.Question
	things := []rune("衣裤鞋帽包表灯床桌椅书笔茶酒米面油盐糖果花草鱼肉蛋奶锅碗盆刀车船票卡券机屏键线充")
	acts := []rune("买卖退换修寄送取洗拆装用存借租订改查领绑解开关停续")
	for i := range account.MaxQuestions {
		thing := string(things[i%40]) + string(things[(i/3)%40])
		act := string(acts[i%25]) + string(acts[(i/40)%25])
		qs = append(qs, account.Question{Ask: []string{
			"怎么" + act + thing, thing + act + "的流程是什么", "请问我的" + thing + "可以" + act + "吗",
		}})
	}
	return qs
}

func BenchmarkLikeness(b *testing.B) {
	qs := manyQuestions()
	b.ReportAllocs()
	for b.Loop() {
		newLikeness(qs).best("你好，请问我上周买的鞋包怎么退换呢？")
	}
}

// BenchmarkDecide is a text that has to go through all the rules of a large account.
func BenchmarkDecide(b *testing.B) {
	bot := account.Bot{Enabled: true, Fallback: "?", Questions: manyQuestions()}
	for i := range 200 {
		bot.Keywords = append(bot.Keywords, account.Keyword{Words: []string{"词" + string(rune(0x5000+i)), "wort", "слово"}})
	}
	for b.Loop() {
		Decide(bot, account.MiniProgram, State{}, Input{Text: "你好，今天天气真好，周末要不要一起去看电影？"})
	}
}

// between is the likeness of two texts under the weights of l.
func (l *likeness) between(a, b string) float64 {
	w := wording{}
	for _, f := range features(nil, b) {
		id, known := l.features[f]
		if !known {
			id = len(l.weights)
			l.features[f] = id
			l.weights = append(l.weights, f.kind()*l.unknown)
		}
		w.bag = append(w.bag, id)
		w.weight += l.weights[id]
	}
	one := *l
	one.wordings = []wording{w}
	_, score := one.best(a)
	return score
}

func TestLikenessLaws(t *testing.T) {
	t.Parallel()
	c := readCorpus(t, "testdata/questions.txt")
	l := newLikeness(c.questions)
	texts := []string{"", "？？", "怎么", "退款退款退款", "a a a", "iPhone15 多少钱", "ＶＩＰ会员", "ありがとう"}
	for _, s := range c.sentences {
		texts = append(texts, s.text)
	}
	for _, a := range texts {
		if got := l.between(a, a); got != 1 && a != "" {
			t.Errorf("%q with itself: got %v, want 1", a, got)
		}
		for _, b := range texts {
			ab, ba := l.between(a, b), l.between(b, a)
			if ab < 0 || ab > 1 || math.Abs(ab-ba) > 1e-12 {
				t.Errorf("%q, %q: got %v, and %v the other way; want the same, from 0 to 1", a, b, ab, ba)
			}
		}
	}
	for _, tt := range []struct {
		a, b     string
		from, to float64
	}{
		{"Ｈｏｗ long?", "how LONG", 1, 1},      // case, width, signs
		{"怎么\u200b退款？！", "怎么退款", 1, 1},       // invisible marks
		{"退款", "发票", 0, 0},                   // nothing in common
		{"large", "larger", 0, 0},            // a word is whole
		{"退款", "款退", 0.3, 0.8},               // the same characters in another order
		{"怎么退款", "怎么换货", 0.01, 0.2},          // what builds the sentence counts little
		{"退款", "退款退款", 0.5, 0.8},             // a bag counts how often
		{"？", "?", 1, 1},                     // signs alone
		{"？", "！", 0, 0},                     //
		{"iphone15壳", "iphone15 壳", 1, 1},    // scripts part words
		{"iphone15壳", "iphone16壳", 0.2, 0.6}, // a number is part of its word
	} {
		if got := l.between(tt.a, tt.b); got < tt.from || got > tt.to {
			t.Errorf("%q, %q: got %.3f, want from %v to %v", tt.a, tt.b, got, tt.from, tt.to)
		}
	}
}

func TestRareWordsCount(t *testing.T) {
	t.Parallel()
	l := newLikeness([]account.Question{
		{Ask: []string{"订单发票"}}, {Ask: []string{"订单地址", "订单改地址", "订单换地址"}}, {Ask: []string{"订单付款"}}, {Ask: []string{"订单取消"}},
	})
	common, rare := l.weights[l.features[feature('订')<<32|'单']], l.weights[l.features[feature('发')<<32|'票']]
	if common >= rare {
		t.Errorf("订单 is in all questions and weighs %.2f, 发票 is in one and weighs %.2f; want less", common, rare)
	}
	if many := l.weights[l.features[feature('地')<<32|'址']]; many != rare {
		t.Errorf("地址 is in one question that is asked in three ways: got %.2f, want %.2f", many, rare)
	}
}
