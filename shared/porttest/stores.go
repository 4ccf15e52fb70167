package porttest

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"kefu/shared/core/fault"
	"kefu/shared/core/session"
)

// Stores tells [TestStore] how to make the stores that it tries, and what to put up with.
type Stores struct {
	// Open returns an empty store of the subtest's own, whose end the engine ties to t.
	Open func(t *testing.T) Store
	// Lag is how long a list, or Seen, may take to show what was written: zero for an engine whose reads see
	// everything at once. Conditions and reads by key never lag.
	Lag time.Duration
	// Crowd puts queued sessions into an empty store that Open has given, with all that a list shows of them, in less
	// time than a thousand of SaveSession would take. Nil saves them.
	Crowd func(t *testing.T, s Store, queued []session.Session)
	// Skip names clauses that the engine can't keep, with the reason.
	Skip map[string]string
}

// storeClause is one sentence of the contract.
type storeClause struct {
	name  string
	check func(t *testing.T, s storeCase)
}

// storeCase is what one subtest works with.
type storeCase struct {
	Store
	lag   time.Duration
	crowd func(t *testing.T, s Store, queued []session.Session)
}

// TestStore runs every clause of the [Store] contract against fresh stores, in parallel.
func TestStore(t *testing.T, o Stores) {
	t.Helper()
	for _, clauses := range [][]storeClause{
		generalClauses, tenantClauses, accountClauses, claimClauses, agentClauses, seatClauses, sessionClauses, archiveClauses,
		sessionListClauses, queuePlaceClauses, dueClauses, messageClauses, seenClauses, rawClauses, callClauses,
		tokenClauses, mediaClauses, sightingClauses,
	} {
		for _, c := range clauses {
			t.Run(c.name, func(t *testing.T) {
				t.Parallel()
				if why, ok := o.Skip[c.name]; ok {
					t.Skip(why)
				}
				c.check(t, storeCase{Store: o.Open(t), lag: o.Lag, crowd: o.Crowd})
			})
		}
	}
}

// soon runs check until it finds nothing wrong or the lag is over; then what is wrong fails the test.
func (s storeCase) soon(t *testing.T, check func() string) {
	t.Helper()
	var wrong string
	for end := time.Now().Add(s.lag); ; {
		if wrong = check(); wrong == "" {
			return
		}
		if !time.Now().Before(end) {
			t.Fatal(wrong)
		}
		pause(t)
	}
}

// caller is what tests, and the cases of a property, have in common.
type caller interface {
	Helper()
	Context() context.Context
}

// pause gives a lagging engine a moment. Engines without lag never come here.
func pause(t caller) {
	t.Helper()
	select {
	case <-t.Context().Done():
	case <-time.After(20 * time.Millisecond):
	}
}

// must ends the test on an error.
func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("got error %v; want none", err)
	}
}

// got returns the value of a call that must not fail.
func got[T any](t *testing.T) func(v T, err error) T {
	return func(v T, err error) T {
		t.Helper()
		must(t, err)
		return v
	}
}

// wantKind ends the test unless err is of the kind.
func wantKind(t *testing.T, what string, err error, kind fault.Kind) {
	t.Helper()
	if err == nil || fault.KindOf(err) != kind {
		t.Fatalf("%s: got error %v; want kind %s", what, err, kind)
	}
}

// wantCode ends the test unless err has the kind and the code.
func wantCode(t *testing.T, what string, err error, kind fault.Kind, code string) {
	t.Helper()
	wantKind(t, what, err, kind)
	if fault.CodeOf(err) != code {
		t.Fatalf("%s: got code %q; want %q", what, fault.CodeOf(err), code)
	}
}

// diff is empty for equal values; an empty slice and none are equal.
func diff(want, got any) string {
	if d := cmp.Diff(want, got, cmpopts.EquateEmpty()); d != "" {
		return "want (-) and got (+) differ:\n" + d
	}
	return ""
}

// wantEqual ends the test unless the values are equal.
func wantEqual[T any](t *testing.T, what string, got, want T) {
	t.Helper()
	if d := diff(want, got); d != "" {
		t.Fatalf("%s: %s", what, d)
	}
}

// lister is a list with its cursor and limit open.
type lister[T any] func(ctx context.Context, cursor string, limit int) ([]T, string, error)

// all walks a list to its end in pages of the given size.
func all[T any](ctx context.Context, l lister[T], limit int) (items []T, err error) {
	cursor := ""
	for range 1000 {
		page, next, err := l(ctx, cursor, limit)
		if err != nil {
			return nil, err
		}
		if len(page) > limit {
			return nil, fault.New(fault.Internal, "page-too-long", "the page is longer than the limit")
		}
		items = append(items, page...)
		if next == "" {
			return items, nil
		}
		cursor = next
	}
	return nil, fault.New(fault.Internal, "endless-list", "the list has no end")
}

// wantList fails unless a list, walked in pages of several sizes, has exactly the wanted names in order.
func wantList[T any](t *testing.T, s storeCase, what string, l lister[T], name func(T) string, want ...string) {
	t.Helper()
	for _, limit := range []int{1, 2, 3, 200} {
		s.soon(t, func() string {
			items, err := all(t.Context(), l, limit)
			if err != nil {
				return what + ": " + err.Error()
			}
			names := make([]string, 0, len(items))
			for _, item := range items {
				names = append(names, name(item))
			}
			if d := diff(want, names); d != "" {
				return what + " in pages: " + d
			}
			return ""
		})
	}
}

// tried runs f many times at once and returns what each got.
func tried[T any](n int, f func(i int) T) []T {
	start, results := make(chan struct{}), make(chan T, n)
	for i := range n {
		go func() {
			<-start
			results <- f(i)
		}()
	}
	close(start)
	out := make([]T, 0, n)
	for range n {
		out = append(out, <-results)
	}
	return out
}

// count counts what f holds for.
func count[T any](items []T, f func(T) bool) (n int) {
	for _, v := range items {
		if f(v) {
			n++
		}
	}
	return n
}
