package main

import "testing"

// TestStart: no function takes much longer to start than an empty one. As other tests run at the same time, the bound is
// a generous one, and each function's best run counts; `bench -start` holds the medians to the budget.
func TestStart(t *testing.T) {
	t.Parallel()
	const runs, bound = 9, 2 * startBudget
	times, err := startTimes(t.Context(), binaries(t), runs)
	if err != nil {
		t.Fatal(err)
	}
	for _, one := range times {
		t.Log(one)
		if ratio := float64(one.least) / float64(times[0].least); ratio > bound {
			t.Errorf("%s: the best of %d runs is %.2f times an empty function's, want at most %d", one.name, runs, ratio, bound)
		}
	}
}
