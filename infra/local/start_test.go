package main

import "testing"

// TestStart: no function takes much longer to start than an empty one. The bound is a generous one, as other tests run at
// the same time; `bench -start` holds the functions to the budget.
func TestStart(t *testing.T) {
	t.Parallel()
	const runs, bound = 9, 2 * startBudget
	times, err := startTimes(t.Context(), binaries(t), runs)
	if err != nil {
		t.Fatal(err)
	}
	for _, one := range times {
		t.Log(one)
		if one.ratio > bound {
			t.Errorf("%s: got %.2f times an empty function's start, want at most %d", one.name, one.ratio, bound)
		}
	}
}
