package route

import (
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"kefu/shared/core/account"
	"kefu/shared/core/agent"
	"kefu/shared/scripttest"
)

// TestScripts plays testdata/*.txt, one file for each strategy. A block is a table of
// agents, perhaps who served the customer last, "----", and in which order they are
// tried. The times are of one day; "-" is never; in the last column stands since when
// the agent is online, or else his status.
func TestScripts(t *testing.T) {
	t.Parallel()
	if n := scripttest.Files(t, "testdata/*.txt", play); n != 3 {
		t.Errorf("got %d scripts, want one for each strategy", n)
	}
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
