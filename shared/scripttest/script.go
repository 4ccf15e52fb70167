// Package scripttest plays text scripts: rules that are read by people first, and tested by
// the way. [Files] plays the files of a folder; [Blocks] is how most of them are played.
// For _test.go files only.
package scripttest

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite the expectations of the scripts in testdata")

// Files plays each file of the pattern in a subtest of its own. A script played is the
// script with its expectations as they are now: it must be the file as it stands, and
// with -update becomes it. It returns how many files there are, at least one.
func Files(t *testing.T, pattern string, play func(t *testing.T, script string) string) int {
	t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		t.Fatalf("no scripts at %s: %v", pattern, err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			t.Parallel()
			b, err := os.ReadFile(filepath.Clean(file))
			if err != nil {
				t.Fatal(err)
			}
			got := play(t, string(b))
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
					t.Fatal(err)
				}
				return
			}
			if got != string(b) {
				t.Errorf("the script plays differently; run with -update and read the diff:\n%s", difference(string(b), got))
			}
		})
	}
	return len(files)
}

// difference is the first line that differs.
func difference(want, got string) string {
	w, g := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := range max(len(w), len(g)) {
		if i >= len(w) || i >= len(g) || w[i] != g[i] {
			return fmt.Sprintf("line %d\n got  %s\n want %s", i+1, line(g, i), line(w, i))
		}
	}
	return ""
}

func line(lines []string, i int) string {
	if i >= len(lines) {
		return "(its end)"
	}
	return lines[i]
}

// Blocks plays a script line by line. A block is one or more lines of what happens, "----",
// then what came of them, up to an empty line; lines with # are remarks. Do plays a line
// and returns its effects in words; after a block's effects stands what rest adds, nil: nothing.
func Blocks(t *testing.T, script string, do func(line string) ([]string, error), rest func() []string) string {
	t.Helper()
	var out strings.Builder
	var came []string
	expecting := false
	for i, line := range strings.Split(strings.TrimRight(script, "\n"), "\n") {
		switch {
		case expecting && line != "":
			continue // the old expectation
		case expecting:
			expecting = false
			out.WriteString("\n")
		case line == "----":
			expecting = true
			if rest != nil {
				came = append(came, rest()...)
			}
			out.WriteString("----\n" + strings.Join(came, "\n") + "\n")
			came = nil
		case line == "" || strings.HasPrefix(line, "#"):
			out.WriteString(line + "\n")
		default:
			out.WriteString(line + "\n")
			did, err := do(line)
			if err != nil {
				t.Fatalf("line %d %q: %v", i+1, line, err)
			}
			came = append(came, did...)
		}
	}
	return out.String()
}
