package message

import (
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

func TestCut(t *testing.T) {
	t.Parallel()
	family := "👨‍👩‍👧" // three people and two joiners, 18 bytes
	tests := []struct {
		name  string
		text  string
		limit int
		want  []string
	}{
		{"empty", "", 8, []string{""}},
		{"fits to the byte", "12345678", 8, []string{"12345678"}},
		{"one over", "123456789", 8, []string{"12345678", "9"}},
		{"characters of three bytes", "你好吗朋友", 8, []string{"你好", "吗朋", "友"}},
		{"never inside a character", "a你你你", 9, []string{"a你你", "你"}},
		{"an emoji stays whole", "abcdef" + family, 20, []string{"abcdef", family}},
		{"an accent stays with its letter", "abcdefge\u0301", 8, []string{"abcdefg", "e\u0301"}},
		{"a skin tone stays with its hand", "1234👍🏽", 10, []string{"1234", "👍🏽"}},
		{"a cluster longer than the limit is cut", strings.Repeat(family, 1), 8, []string{"👨\u200d", "👩\u200d", "👧"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := Cut(tt.text, tt.limit)
			if strings.Join(got, "|") != strings.Join(tt.want, "|") {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestCutLosesNothing(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		text := rapid.String().Draw(rt, "text") + rapid.StringMatching(`[a-z你好👍🏽‍👩́]{0,60}`).Draw(rt, "more")
		limit := rapid.IntRange(4, 40).Draw(rt, "limit")
		parts := Cut(text, limit)
		if strings.Join(parts, "") != text {
			rt.Fatalf("the parts of %q are not the text: %q", text, parts)
		}
		for _, p := range parts {
			if len(p) > limit || (p == "" && text != "") || !utf8.ValidString(p) {
				rt.Fatalf("part %q of %q with limit %d", p, text, limit)
			}
		}
	})
}
