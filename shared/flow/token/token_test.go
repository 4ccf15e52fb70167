package token_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"kefu/shared/core/account"
	"kefu/shared/core/fault"
	"kefu/shared/flow/token"
)

func TestFirstTokenIsFetchedKeptAndShared(t *testing.T) {
	t.Parallel()
	w := newWorld()
	k := w.keeper()
	want(t, k, "", "T1")
	want(t, k, "", "T1")
	want(t, w.keeper(), "", "T1") // another instance
	sister := shop
	sister.ID = "sister"
	if got, err := w.keeper().Token(t.Context(), sister, ""); err != nil || got != "T1" {
		t.Errorf("another account of the app id and secret: got %q, %v; want T1", got, err)
	}
	wantCounts(t, w, 1, 0)
	if got := w.kept[by]; got.Value.Reveal() != "T1" || !got.LeaseUntil.IsZero() {
		t.Errorf("got %+v, want the token kept and the lease ended", got)
	}
}

// What one secret has fetched is nothing to an account that names the same app id with another secret, or with none:
// neither the token in memory or in the store, nor the lease, nor the count of forced refreshes.
func TestAnAppIDAloneOpensNothing(t *testing.T) {
	t.Parallel()
	w := newWorld()
	k := w.keeper()
	want(t, k, "", "T1")
	for _, thief := range []account.Account{{ID: "none", AppID: "wx1"}, {ID: "guessed", AppID: "wx1", AppSecret: "s2"}} {
		refusal, calls := fault.New(fault.Denied, "secret-wrong", ""), 1
		if thief.AppSecret == "" {
			refusal, calls = fault.New(fault.Invalid, "secret-missing", ""), 0
		}
		w.fail = fault.New(fault.Denied, "secret-wrong", "") // the platform knows only s1
		for _, keeper := range []*token.Keeper{k, w.keeper()} {
			before, reads := w.issued, w.reads
			for _, refused := range []string{"", "T1"} {
				got, err := keeper.Token(t.Context(), thief, refused)
				if got != "" || fault.CodeOf(err) != fault.CodeOf(refusal) || fault.KindOf(err) != fault.KindOf(refusal) {
					t.Errorf("%s, with %q refused: got %q, %v; want %v", thief.ID, refused, got, err, refusal)
				}
			}
			if asked := w.issued - before; asked != 2*calls || (calls == 0 && w.reads != reads) {
				t.Errorf("%s: got %d calls of the platform and %d reads of the store, want %d calls and, without a secret, no read",
					thief.ID, asked, w.reads-reads, 2*calls)
			}
		}
	}
	w.fail = nil
	want(t, k, "", "T1")
	want(t, w.keeper(), "", "T1")
}

// A lease of one secret and its forced refreshes hold up nobody with another.
func TestLeasesAndForcesAreOfOneSecret(t *testing.T) {
	t.Parallel()
	w := newWorld()
	k := w.keeper()
	other := shop
	other.AppSecret = "s2"
	if err := w.LeaseToken(t.Context(), credential(other), start, start.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	want(t, k, "", "T1")
	w.next = stale("T1", "forced")
	want(t, k, "T1", "forced")
	other.AppSecret = "s3"
	w.next = stale("dead", "alive")
	if got, err := k.Token(t.Context(), other, "dead"); err != nil || got != "alive" {
		t.Errorf("got %q, %v; want a forced token, whoever forced one before", got, err)
	}
}

func TestMemoryLastsAMinute(t *testing.T) {
	t.Parallel()
	w := newWorld()
	k := w.keeper()
	want(t, k, "", "T1")
	w.keep("other", time.Hour)
	w.pass(time.Minute - time.Nanosecond)
	want(t, k, "", "T1")
	w.pass(time.Nanosecond)
	want(t, k, "", "other")
}

func TestRefreshBeforeTheEnd(t *testing.T) {
	t.Parallel()
	for left, value := range map[time.Duration]string{
		time.Hour: "old", 4*time.Minute + time.Nanosecond: "old",
		4 * time.Minute: "T1", 30 * time.Second: "T1", 0: "T1", -time.Hour: "T1",
	} {
		w := newWorld()
		w.keep("old", left)
		want(t, w.keeper(), "", value)
	}
}

func TestOldTokenIsUsedWhileAnotherFetches(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.keep("old", 3*time.Minute)
	if err := w.LeaseToken(t.Context(), by, start, start.Add(20*time.Second)); err != nil {
		t.Fatal(err)
	}
	want(t, w.keeper(), "", "old")
	wantCounts(t, w, 0, 0)
	if len(w.waited) != 0 {
		t.Errorf("got waits %v, want none", w.waited)
	}
}

func TestOldTokenIsUsedWhenThePlatformFails(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.keep("old", 3*time.Minute)
	w.fail = fault.New(fault.Denied, "secret-wrong", "")
	k := w.keeper()
	want(t, k, "", "old")
	want(t, k, "", "old") // from memory: the platform is not asked at every call
	wantCounts(t, w, 1, 0)
	w.pass(2*time.Minute + 31*time.Second) // 29 s left: too little for a call
	if _, err := k.Token(t.Context(), shop, ""); fault.CodeOf(err) != "secret-wrong" {
		t.Errorf("got %v, want secret-wrong", err)
	}
}

func TestWaitsForTheOneWhoFetches(t *testing.T) {
	t.Parallel()
	w := newWorld()
	if err := w.LeaseToken(t.Context(), by, start, start.Add(20*time.Second)); err != nil {
		t.Fatal(err)
	}
	w.waiting = func(n int) {
		if n == 3 {
			w.keep("theirs", 2*time.Hour)
		}
	}
	want(t, w.keeper(), "", "theirs")
	wantCounts(t, w, 0, 0)
	if w.leases != 1 {
		t.Errorf("got %d tries to take the lease, want none while it is seen to run", w.leases-1)
	}
}

func TestWaitIsBounded(t *testing.T) {
	t.Parallel()
	w := newWorld()
	if err := w.LeaseToken(t.Context(), by, start, start.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	_, err := w.keeper().Token(t.Context(), shop, "")
	if fault.KindOf(err) != fault.Unavailable || fault.CodeOf(err) != "token-busy" {
		t.Errorf("got %v, want unavailable token-busy", err)
	}
	if got := w.clock().Sub(start); got > 10*time.Second {
		t.Errorf("got a wait of %v, want at most 10 s", got)
	}
}

func TestLeaseOfADeadInstanceIsTakenOver(t *testing.T) {
	t.Parallel()
	w := newWorld()
	if err := w.LeaseToken(t.Context(), by, start, start.Add(time.Second)); err != nil {
		t.Fatal(err)
	}
	want(t, w.keeper(), "", "T1")
}

func TestFailureEndsTheLease(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.fail = fault.New(fault.Denied, "ip-not-allowed", "")
	for range 2 {
		if _, err := w.keeper().Token(t.Context(), shop, ""); fault.CodeOf(err) != "ip-not-allowed" {
			t.Errorf("got %v, want ip-not-allowed at once, and not a wait for the lease", err)
		}
	}
	w.fail = nil
	want(t, w.keeper(), "", "T3")
}

func TestLateFailureLeavesAnotherOnesToken(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.fail = fault.New(fault.Unavailable, "", "")
	w.during = func(context.Context) {
		w.pass(time.Minute) // the lease has run out and another has fetched
		w.keep("theirs", time.Hour)
	}
	if _, err := w.keeper().Token(t.Context(), shop, ""); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("got %v, want unavailable", err)
	}
	if got := w.kept[by].Value.Reveal(); got != "theirs" {
		t.Errorf("got %q kept, want theirs", got)
	}
}

func TestTokenIsUsedEvenIfItCannotBeKept(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.saveErr = fault.New(fault.Unavailable, "", "")
	want(t, w.keeper(), "", "T1")
}

func TestStoreErrorsPass(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.readErr = fault.Wrap(fault.Unavailable, "", errors.New("disk"))
	if _, err := w.keeper().Token(t.Context(), shop, ""); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("got %v, want unavailable", err)
	}
	wantCounts(t, w, 0, 0)
}

func TestFiftyCallersFetchOnce(t *testing.T) {
	t.Parallel()
	for name, refused := range map[string]string{"first token": "", "refused token": "dead"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld()
			if refused != "" {
				w.keep(refused, time.Hour)
			}
			// The platform answers once another instance has had to wait, and that one waits for the token to be there.
			release, kept := make(chan struct{}), make(chan struct{})
			w.during = func(context.Context) { <-release }
			w.saved = sync.OnceFunc(func() { close(kept) })
			atLast := sync.OnceFunc(func() { close(release) })
			keepers := make([]*token.Keeper, 5)
			for i := range keepers {
				keepers[i] = w.keeper()
				keepers[i].Wait = func(context.Context, time.Duration) error {
					atLast()
					<-kept
					return nil
				}
			}
			var callers sync.WaitGroup
			for i := range 50 {
				callers.Go(func() {
					got, err := keepers[i%len(keepers)].Token(t.Context(), shop, refused)
					if err != nil || got != "T1" {
						t.Errorf("got %q, %v; want T1", got, err)
					}
				})
			}
			callers.Wait()
			wantCounts(t, w, 1, 0)
		})
	}
}

func TestFollowersSurviveALeaderWhoLeaves(t *testing.T) {
	t.Parallel()
	w := newWorld()
	k := w.keeper()
	entered := make(chan struct{})
	ctx, cancel := context.WithCancel(t.Context())
	var once sync.Once
	w.fail = errors.New("left")
	w.during = func(ctx context.Context) {
		first := false
		once.Do(func() { first = true })
		if first {
			close(entered)
			<-ctx.Done()
			w.mu.Lock()
			w.fail = nil
			w.mu.Unlock()
		}
	}
	var callers sync.WaitGroup
	callers.Go(func() {
		if _, err := k.Token(ctx, shop, ""); err == nil {
			t.Error("leader: got a token, want an error")
		}
	})
	<-entered
	for range 10 {
		callers.Go(func() {
			if got, err := k.Token(t.Context(), shop, ""); err != nil || got != "T2" {
				t.Errorf("follower: got %q, %v; want T2", got, err)
			}
		})
	}
	cancel()
	callers.Wait()
	wantCounts(t, w, 2, 0)
}

func TestWrongSecretOfOneAccountIsNotTheOthersFailure(t *testing.T) {
	t.Parallel()
	w := newWorld()
	k := w.keeper()
	w.fail = fault.New(fault.Denied, "secret-wrong", "")
	if _, err := k.Token(t.Context(), account.Account{ID: "bad", AppID: "wx1", AppSecret: "wrong"}, ""); fault.CodeOf(err) != "secret-wrong" {
		t.Errorf("got %v, want secret-wrong", err)
	}
	w.fail = nil
	want(t, k, "", "T2")
}

func TestCallerWhoLeaves(t *testing.T) {
	t.Parallel()
	w := newWorld()
	if err := w.LeaseToken(t.Context(), by, start, start.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	w.waiting = func(int) { cancel() }
	if _, err := w.keeper().Token(ctx, shop, ""); fault.KindOf(err) != fault.Unavailable || !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want unavailable for the caller's leaving", err)
	}
	if len(w.waited) != 1 {
		t.Errorf("got %d waits, want 1", len(w.waited))
	}
}

func TestDefaultWaitHeedsItsCaller(t *testing.T) {
	t.Parallel()
	w := newWorld()
	if err := w.LeaseToken(t.Context(), by, start, start.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	k := w.keeper()
	k.Wait = nil
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if _, err := k.Token(ctx, shop, ""); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("got %v, want unavailable", err)
	}
}
