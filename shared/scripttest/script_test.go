package scripttest

import (
	"errors"
	"strings"
	"testing"
)

func TestBlocks(t *testing.T) {
	t.Parallel()
	do := func(line string) ([]string, error) {
		if line == "" || strings.HasPrefix(line, "#") {
			return nil, errors.New("no deed")
		}
		return []string{"did " + line}, nil
	}
	script := "# remark\na\nb\n----\nwhat was expected\nonce\n\n\nc\n----\nold\n"
	want := "# remark\na\nb\n----\ndid a\ndid b\nat rest\n\n\nc\n----\ndid c\nat rest\n"
	got := Blocks(t, script, do, func() []string { return []string{"at rest"} })
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if again := Blocks(t, got, do, func() []string { return []string{"at rest"} }); again != got {
		t.Errorf("played again: got\n%s\nwant\n%s", again, got)
	}
}

func TestDifference(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ want, got, says string }{
		{"a\nb", "a\nc", "line 2\n got  c\n want b"},
		{"a", "a\nb", "line 2\n got  b\n want (its end)"},
		{"a\nb", "a", "line 2\n got  (its end)\n want b"},
	} {
		if got := difference(tt.want, tt.got); got != tt.says {
			t.Errorf("got %q, want %q", got, tt.says)
		}
	}
}
