package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

// TestStartSettings: what is measured is what is deployed, no setting less and none more.
func TestStartSettings(t *testing.T) {
	t.Parallel()
	for _, d := range deployment {
		got := slices.DeleteFunc(slices.Sorted(maps.Keys(startSettings(d, "http://127.0.0.1:9"))), func(name string) bool {
			return !strings.HasPrefix(name, "KEFU_")
		})
		if want := slices.Sorted(slices.Values(slices.Concat(sharedSettings, d.settings))); !slices.Equal(got, want) {
			t.Errorf("%s: got %v, want %v", d.name, got, want)
		}
	}
}

// TestStart: no function takes much longer to start than an empty one. As other tests run at the same time, the bound is
// a generous one, each function's best run counts, and a bad moment gets another chance; `bench -start` holds the medians
// to the budget.
func TestStart(t *testing.T) {
	t.Parallel()
	const runs, chances, bound = 9, 6, 1.5 * startBudget
	var slow []string
	for range chances {
		times, err := startTimes(t.Context(), binaries(t), runs)
		if err != nil {
			t.Fatal(err)
		}
		slow = nil
		for _, one := range times {
			t.Log(one)
			if ratio := float64(one.least) / float64(times[0].least); ratio > bound {
				slow = append(slow, fmt.Sprintf("%s %.2f", one.name, ratio))
			}
		}
		if len(slow) == 0 {
			return
		}
	}
	t.Errorf("the best of %d runs, as a multiple of an empty function's: got %v, want at most %.1f", runs, slow, bound)
}
