package token_test

import (
	"fmt"
	"testing"
	"time"

	"kefu/shared/core/fault"
)

func TestRefusedToken(t *testing.T) {
	t.Parallel()
	t.Run("the store has another", func(t *testing.T) {
		t.Parallel()
		w := newWorld()
		w.keep("dead", time.Hour)
		k := w.keeper()
		want(t, k, "", "dead")
		w.keep("alive", 2*time.Minute)
		want(t, k, "dead", "alive")
		wantCounts(t, w, 0, 0)
		want(t, k, "", "alive")
	})
	t.Run("the platform has another", func(t *testing.T) {
		t.Parallel()
		w := newWorld()
		w.keep("dead", time.Hour)
		want(t, w.keeper(), "dead", "T1")
		wantCounts(t, w, 1, 0)
	})
	t.Run("the platform gives the dead one", func(t *testing.T) {
		t.Parallel()
		w := newWorld()
		w.keep("dead", time.Hour)
		w.next = stale("dead", "alive")
		k := w.keeper()
		want(t, k, "dead", "alive")
		wantCounts(t, w, 2, 1)
		if got := w.kept[by]; !got.ForcedAt.Equal(start) || got.Value.Reveal() != "alive" {
			t.Errorf("got %+v, want the forced token with its time", got)
		}
	})
	t.Run("refused by nobody's memory", func(t *testing.T) {
		t.Parallel()
		w := newWorld()
		want(t, w.keeper(), "of yesterday", "T1")
		wantCounts(t, w, 1, 0)
	})
}

// stale answers plain calls with the dead token until a forced one.
func stale(dead, alive string) func(bool) string {
	return func(force bool) string {
		if force {
			return alive
		}
		return dead
	}
}

func TestForceKeepsThePlatformsLimits(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.keep("dead0", time.Hour)
	n := 0
	current := "dead0"
	w.next = func(force bool) string {
		if force {
			n++
			current = fmt.Sprint("dead", n)
		}
		return current
	}
	k := w.keeper()
	want(t, k, "dead0", "dead1")

	w.pass(29 * time.Second)
	_, err := k.Token(t.Context(), shop, "dead1")
	if fault.KindOf(err) != fault.Exhausted || fault.CodeOf(err) != "token-forced-recently" || fault.RetryAfter(err) != time.Second {
		t.Errorf("after 29 s: got %v after %v, want exhausted token-forced-recently after 1 s", err, fault.RetryAfter(err))
	}
	_, err = w.keeper().Token(t.Context(), shop, "dead1")
	if fault.CodeOf(err) != "token-forced-recently" {
		t.Errorf("another instance after 29 s: got %v, want token-forced-recently", err)
	}
	w.pass(time.Second)
	want(t, k, "dead1", "dead2")

	for n < 20 {
		w.pass(time.Minute)
		want(t, k, fmt.Sprint("dead", n), fmt.Sprint("dead", n+1))
	}
	w.pass(time.Minute)
	_, err = k.Token(t.Context(), shop, "dead20")
	if got, want := fault.RetryAfter(err), time.Date(2026, 10, 1, 16, 1, 0, 0, time.UTC).Sub(w.clock()); got != want {
		t.Errorf("the 21st of a day: got %v after %v, want after %v", err, got, want)
	}
	w.pass(fault.RetryAfter(err))
	want(t, k, "dead20", "dead21")
}

func TestPlainRefreshKeepsTheTimeOfTheForce(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.keep("dead", time.Hour)
	w.next = stale("dead", "alive")
	k := w.keeper()
	want(t, k, "dead", "alive")
	w.next = func(bool) string { return "later" }
	w.pass(2 * time.Hour)
	want(t, k, "", "later")
	if got := w.kept[by].ForcedAt; !got.Equal(start) {
		t.Errorf("got forced at %v, want %v", got, start)
	}
}

func TestForceThatChangesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.keep("dead", time.Hour)
	w.next = func(bool) string { return "dead" }
	if got, err := w.keeper().Token(t.Context(), shop, "dead"); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("got %q, %v; want unavailable", got, err)
	}
	wantCounts(t, w, 2, 1)
}
