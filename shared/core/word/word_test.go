package word

import (
	"testing"

	"kefu/shared/core/account"
)

func TestMatch(t *testing.T) {
	t.Parallel()
	words := []string{"人工", "rg", "KF", "快递 查询"}
	tests := []struct {
		text            string
		exact, contains bool
	}{
		{"人工", true, true},
		{" 人工！ ", true, true},
		{"我要人工客服", false, true},
		{"人 工", false, false},
		{"rg", true, true},
		{"ＲＧ", true, true},
		{"Ｒg。", true, true},
		{"kf", true, true},
		{"please rg now", false, true},
		{"large", false, false},
		{"rg2", false, false},
		{"找rg吧", false, true},
		{"快递　查询", true, true},
		{"快递\n查询", true, true},
		{"快递查询", false, false},
		{"人\u200b工", true, true},
		{"", false, false},
		{"？？", false, false},
	}
	for _, tt := range tests {
		if got := Match(words, account.Exact, tt.text); got != tt.exact {
			t.Errorf("exact %q: got %v, want %v", tt.text, got, tt.exact)
		}
		if got := Match(words, account.Contains, tt.text); got != tt.contains {
			t.Errorf("contains %q: got %v, want %v", tt.text, got, tt.contains)
		}
	}
	if !Match([]string{"?"}, account.Exact, "？") {
		t.Error("a word that is a sign only must match that sign")
	}
}

func FuzzFold(f *testing.F) {
	f.Add("ＲＧ 人工\u200b")
	f.Fuzz(func(t *testing.T, s string) {
		once := Fold(s)
		if twice := Fold(once); twice != once {
			t.Errorf("fold %q: got %q, then %q", s, once, twice)
		}
	})
}
