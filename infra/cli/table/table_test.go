package table_test

import (
	"encoding/json"
	"strings"
	"testing"

	"kefu/infra/cli/table"
)

func TestWrite(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	err := table.Write(&b, []string{"ID", "NAME", "ROLE", "TEXT"}, [][]string{
		{"ann", "Ann 安", "agent", "你好"},
		{"b", "Bo", "supervisor", "two\nlines"},
		{"c", "👩‍👩‍👧 é", "", "last"},
		{"d", "ﾊﾝｶｸ 한국", "admin", ""},
	})
	want := `
ID   NAME       ROLE        TEXT
ann  Ann 安     agent       你好
b    Bo         supervisor  two lines
c    👩‍👩‍👧 é                   last
d    ﾊﾝｶｸ 한국  admin
`
	if got := "\n" + b.String(); err != nil || got != want {
		t.Errorf("got %v, %s\nwant %s", err, got, want)
	}
}

// TestClean: what a customer writes can't play with an agent's terminal.
func TestClean(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"你好，世界！":              "你好，世界！",
		" a\tb\r\nc\rd\n ":    "a b c d",
		"\x1b[31mred\x07":     "<U+001B>[31mred<U+0007>",
		"\u202egnp.exe":       "<U+202E>gnp.exe",
		"a\u200bb\ufeff":      "a<U+200B>b<U+FEFF>",
		"👩\u200d👧 ❤\ufe0f":    "👩\u200d👧 ❤\ufe0f",
		"full\u3000width":     "full\u3000width",
		"\x9b31m\xff":         "\ufffd31m\ufffd",
		"c1 \u009b31m":        "c1 <U+009B>31m",
		"nbsp\u00a0\u2028sep": "nbsp\u00a0<U+2028>sep",
	} {
		if got := table.Clean(in); got != want {
			t.Errorf("Clean(%q): got %q, want %q", in, got, want)
		}
	}
}

func TestFields(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	err := table.Fields(&b, json.RawMessage(`{
		"id": "s1", "on": true, "n": 12345678901234567890, "none": null, "empty": {}, "list": ["a", 1, "中"], "nothing": [],
		"window": {"limit": 5, "deep": {"er": "x"}}, "menus": [{"title": "一"}, {"title": "b", "tags": []}]
	}`))
	want := `
id              s1
on              true
n               12345678901234567890
none            null
empty           {}
list            a, 1, 中
nothing
window.limit    5
window.deep.er  x
menus[0].title  一
menus[1].title  b
menus[1].tags
`
	if got := "\n" + b.String(); err != nil || got != want {
		t.Errorf("got %v, %s\nwant %s", err, got, want)
	}
	if err := table.Fields(&b, json.RawMessage(`{"a":`)); err == nil {
		t.Error("half an object: got no error")
	}
}
