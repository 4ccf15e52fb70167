package route

import (
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"kefu/shared/core/account"
	"kefu/shared/core/agent"
)

var update = flag.Bool("update", false, "rewrite the expectations of the scripts in testdata")

// TestScripts plays testdata/*.txt, one file for each strategy. A block is a table of
// agents, perhaps who served the customer last, "----", and in which order they are
// tried. The times are of one day; "-" is never; in the last column stands since when
// the agent is online, or else his status.
func TestScripts(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) != 3 {
		t.Fatalf("got scripts %v (%v), want one for each strategy", files, err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			t.Parallel()
			b, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got := play(t, string(b))
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
					t.Fatal(err)
				}
			} else if got != string(b) {
				t.Errorf("the script plays differently; run with -update and read the diff:\n%s", difference(string(b), got))
			}
		})
	}
}

func difference(want, got string) string {
	w, g := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := range min(len(w), len(g)) {
		if w[i] != g[i] {
			return "line " + strconv.Itoa(i+1) + "\n got  " + g[i] + "\n want " + w[i]
		}
	}
	return "one is longer"
}

// play returns the script with what Order and Prefer make of it.
func play(t *testing.T, script string) string {
	t.Helper()
	var out []string
	var all []Candidate
	var by account.Strategy
	var last agent.ID
	expecting := false
	for line := range strings.Lines(script) {
		line = strings.TrimSuffix(line, "\n")
		f := strings.Fields(line)
		switch {
		case len(f) == 0:
			all, last, expecting = nil, "", false
		case expecting, f[0] == "#", f[0] == "agent":
		case f[0] == "strategy":
			by = account.Strategy(f[1])
		case f[0] == "last":
			last = agent.ID(f[1])
		case f[0] == "----":
			expecting = true
			out = append(out, line)
			if names := names(Prefer(Order(all, by), last)); names != "" {
				out = append(out, names)
			}
		default:
			all = append(all, row(t, f))
		}
		if !expecting {
			out = append(out, line)
		}
	}
	return strings.Join(out, "\n") + "\n"
}

func names(list []Candidate) string {
	var all []string
	for _, c := range list {
		all = append(all, string(c.Agent.ID))
	}
	return strings.Join(all, " ")
}

func row(t *testing.T, f []string) Candidate {
	t.Helper()
	if len(f) != 6 {
		t.Fatalf("%q: want 6 columns", f)
	}
	number := func(s string) int {
		n, err := strconv.Atoi(s)
		if err != nil {
			t.Fatalf("%q: %v", f, err)
		}
		return n
	}
	c := Candidate{
		Agent: agent.Agent{ID: agent.ID(f[0]), Capacity: number(f[1]), Status: agent.Online}, Load: number(f[2]),
		LastTaken: clock(t, f[3]), LastFreed: clock(t, f[4]),
	}
	if s := agent.Status(f[5]); slices.Contains([]agent.Status{agent.Away, agent.Paused, agent.Offline}, s) {
		c.Agent.Status = s
	} else {
		c.Agent.StatusAt = clock(t, f[5])
	}
	return c
}

func clock(t *testing.T, s string) time.Time {
	t.Helper()
	if s == "-" {
		return time.Time{}
	}
	at, err := time.Parse("2006-01-02 15:04", "2026-11-21 "+s)
	if err != nil {
		t.Fatalf("%q is no time: %v", s, err)
	}
	return at
}
