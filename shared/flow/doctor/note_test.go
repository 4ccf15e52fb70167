package doctor

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"kefu/shared/core/account"
	"kefu/shared/core/doctor"
	"kefu/shared/core/fault"
)

var start = time.Date(2026, 11, 21, 8, 0, 0, 0, time.UTC)

// notebook is a store of sightings that can fail or hang.
type notebook struct {
	mu    sync.Mutex
	all   []doctor.Sighting
	fails error
	hangs bool
}

func (n *notebook) NoteSighting(ctx context.Context, s doctor.Sighting) error {
	if n.hangs {
		<-ctx.Done()
		return ctx.Err()
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.all = append(n.all, s)
	return n.fails
}

func (n *notebook) Sightings(context.Context, account.Scope) (doctor.Sightings, error) {
	return doctor.Sightings{}, n.fails
}

func (n *notebook) lines() (out []string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, s := range n.all {
		out = append(out, fmt.Sprintf("%s %s %d", s.Account, kindOf(s), s.Count))
	}
	return out
}

func TestNoterNotesOncePerTimeAndKind(t *testing.T) {
	t.Parallel()
	now, book := start, &notebook{}
	n := &Noter{Store: book, Now: func() time.Time { return now }, Log: slog.New(slog.DiscardHandler)}
	bad := doctor.Sighting{Account: "shop", Reason: doctor.WrongToken}
	good := doctor.Sighting{Account: "shop", Mode: account.Secure, Format: account.JSON}
	for range 1000 {
		n.Note(t.Context(), bad)
		n.Note(t.Context(), good)
	}
	good.Format = account.XML // the console was changed: worth a write at once
	n.Note(t.Context(), good)
	n.Note(t.Context(), doctor.Sighting{Account: "shop", Check: true})
	n.Note(t.Context(), doctor.Sighting{Account: "oa", Reason: doctor.WrongToken})
	now = start.Add(noteEvery - 1)
	n.Note(t.Context(), bad)
	now = start.Add(noteEvery)
	n.Note(t.Context(), bad)
	n.Note(t.Context(), bad)
	now = start // the clock was set back
	n.Note(t.Context(), bad)
	want := []string{
		"shop refused signature 1", "shop push secure json 1", "shop push secure xml 1", "shop check 1", "oa refused signature 1",
		"shop refused signature 1001", "shop refused signature 2",
	}
	if got := book.lines(); strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// TestNoterNeverHoldsUp: a store that hangs or fails costs 300 ms and a line of log, also when the caller has left.
func TestNoterNeverHoldsUp(t *testing.T) {
	t.Parallel()
	for name, book := range map[string]*notebook{"hangs": {hangs: true}, "fails": {fails: fault.New(fault.Unavailable, "disk", "full")}} {
		var log bytes.Buffer
		n := &Noter{Store: book, Now: func() time.Time { return start }, Log: slog.New(slog.NewJSONHandler(&log, nil))}
		began := time.Now()
		n.Note(t.Context(), doctor.Sighting{Account: "shop", Found: "wx2", Reason: doctor.WrongAppID})
		if took := time.Since(began); took > 10*noteFor {
			t.Errorf("%s: took %v", name, took)
		}
		if strings.Count(log.String(), "\n") != 1 || !strings.Contains(log.String(), `"account":"shop"`) {
			t.Errorf("%s: logged %q; want one line", name, log.String())
		}
	}
	left, leave := context.WithCancel(t.Context())
	leave()
	book := &notebook{}
	(&Noter{Store: book, Now: func() time.Time { return start }, Log: slog.New(slog.DiscardHandler)}).Note(left, doctor.Sighting{Account: "shop"})
	if len(book.lines()) != 1 {
		t.Error("a caller who has left was not noted")
	}
}

// TestLimiterHolds: its memory is bounded, and full of fresh slots it lets nothing more through.
func TestLimiterHolds(t *testing.T) {
	t.Parallel()
	var l limiter
	passedNow := 0
	at := func(i int) slot { return slot{account.Scope(fmt.Sprint("a", i)), "push"} }
	for i := range 3 * maxSlots {
		if _, ok := l.take(at(i), start); ok {
			passedNow++
		}
	}
	if passedNow != maxSlots || len(l.slots) != maxSlots {
		t.Errorf("got %d through and %d kept; want %d", passedNow, len(l.slots), maxSlots)
	}
	if _, ok := l.take(at(3*maxSlots), start.Add(noteEvery)); !ok || len(l.slots) != 1 {
		t.Errorf("a minute later: got %v with %d kept; want room again", ok, len(l.slots))
	}
}

func TestLimiterIsRightUnderARace(t *testing.T) {
	t.Parallel()
	var l limiter
	var all sync.WaitGroup
	var mu sync.Mutex
	passedNow := 0
	for range 8 {
		all.Go(func() {
			for range 500 {
				if _, ok := l.take(slot{"shop", "push"}, start); ok {
					mu.Lock()
					passedNow++
					mu.Unlock()
				}
			}
		})
	}
	all.Wait()
	if count, ok := l.take(slot{"shop", "push"}, start.Add(noteEvery)); passedNow != 1 || !ok || count != 4000 {
		t.Errorf("got %d through, then one for %d (%v); want 1, then 4000", passedNow, count, ok)
	}
}
