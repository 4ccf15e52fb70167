package command_test

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"kefu/infra/cli/command"
)

var update = flag.Bool("update", false, "write the scripts' outputs anew")

const secret = "kf_aaaaaaaaaaaaaaaa_not-to-be-seen"

// result is what a command leaves.
type result struct {
	code        int
	out, errors string
}

// run runs a command against an address. No wait takes time.
func run(t *testing.T, url, stdin string, args ...string) result {
	t.Helper()
	return runWith(t, map[string]string{"KEFU_URL": url, "KEFU_KEY": secret}, stdin, args...)
}

func runWith(t *testing.T, env map[string]string, stdin string, args ...string) result {
	t.Helper()
	var out, errors bytes.Buffer
	world := quick(&out, &errors)
	world.Getenv = func(name string) string { return env[name] }
	world.Stdin = strings.NewReader(stdin)
	code := command.Run(t.Context(), args, world)
	r := result{code, out.String(), errors.String()}
	if strings.Contains(r.out+r.errors, "not-to-be-seen") {
		t.Errorf("kefu %s shows the key:\n%s%s", strings.Join(args, " "), r.out, r.errors)
	}
	return r
}

// quick is a world in which it is always the same time, and waits take none.
func quick(out, errors io.Writer) command.Env {
	return command.Env{
		Getenv: func(string) string { return "" },
		Stdin:  strings.NewReader(""), Stdout: out, Stderr: errors,
		Now:  func() time.Time { return time.Date(2026, 1, 31, 8, 0, 0, 0, time.UTC) },
		Wait: func(ctx context.Context, _ time.Duration) error { return ctx.Err() },
	}
}

// TestScripts plays testdata/*.txt. A line "$ kefu …" is a command, "< …" after it its standard input. What follows is
// checked, and written by -update: "> …" what the server was asked, then standard output, "! …" standard error, and
// "= N" an exit code other than 0.
func TestScripts(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("scripts: %v, %v", files, err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			b, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got := perform(t, openDesk(t), string(b))
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
					t.Fatal(err)
				}
			} else if got != string(b) {
				t.Errorf("%s: run go test ./command -update and look at the difference; got:\n%s", file, got)
			}
		})
	}
}

// perform plays a script and returns it with what came of it.
func perform(t *testing.T, d *desk, script string) string {
	t.Helper()
	var b strings.Builder
	lines := strings.Split(script, "\n")
	for i := 0; i < len(lines); i++ {
		line := lines[i]
		typed, ok := strings.CutPrefix(line, "$ kefu")
		switch {
		case strings.HasPrefix(line, "#"):
			fmt.Fprintln(&b, line)
			continue
		case !ok:
			continue
		}
		fmt.Fprintln(&b, line)
		var stdin strings.Builder
		for ; i+1 < len(lines) && strings.HasPrefix(lines[i+1], "< "); i++ {
			fmt.Fprintln(&b, lines[i+1])
			stdin.WriteString(lines[i+1][2:] + "\n")
		}
		r := run(t, d.URL, stdin.String(), split(typed)...)
		for _, call := range d.asked() {
			fmt.Fprintln(&b, "> "+call)
		}
		b.WriteString(r.out)
		for text := range strings.Lines(r.errors) {
			b.WriteString("! " + strings.ReplaceAll(text, d.URL, "http://kefu"))
		}
		if r.code != 0 {
			fmt.Fprintf(&b, "= %d\n", r.code)
		}
		b.WriteString("\n")
	}
	return b.String()
}

// split takes a line apart as a shell does, with "double quotes" alone.
func split(line string) []string {
	var words []string
	for i, part := range strings.Split(line, `"`) {
		if i%2 == 1 {
			words = append(words, part)
		} else {
			words = append(words, strings.Fields(part)...)
		}
	}
	return words
}
