package hook_test

import (
	"testing"
	"time"

	"kefu/shared/core/hook"
	"kefu/shared/core/session"
)

var began = time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)

func told(seq int64) hook.Told {
	return hook.Told{Tell: session.Tell{
		Ref:  session.Ref{Account: "shop", Customer: "o1"},
		News: session.News{Seq: seq, Event: "session.opened", At: began, Session: "s1", State: session.Queued},
	}}
}

func TestNext(t *testing.T) {
	t.Parallel()
	again := told(1)
	again.AgainAt = began.Add(30 * time.Hour)
	for _, tc := range []struct {
		name  string
		t     hook.Told
		tries int
		asked time.Duration
		at    time.Duration // since the news
		want  time.Duration // 0: it is over
	}{
		{"the first try", told(1), 1, 0, 0, 5 * time.Second},
		{"the second", told(1), 2, 0, time.Minute, 30 * time.Second},
		{"the third", told(1), 3, 0, time.Minute, 2 * time.Minute},
		{"the fourth", told(1), 4, 0, time.Minute, 10 * time.Minute},
		{"the fifth", told(1), 5, 0, time.Minute, 30 * time.Minute},
		{"the sixth", told(1), 6, 0, time.Hour, time.Hour},
		{"any later", told(1), 29, 0, time.Hour, time.Hour},
		{"a queue that doesn't count", told(1), 0, 0, 0, 5 * time.Second},
		{"the receiver asks for more", told(1), 1, time.Minute, 0, time.Minute},
		{"the receiver asks for less", told(1), 4, time.Second, 0, 10 * time.Minute},
		{"the receiver asks for too much", told(1), 1, 48 * time.Hour, 0, time.Hour},
		{"the last try is at the end", told(1), 20, 0, 23*time.Hour + 50*time.Minute, 10 * time.Minute},
		{"a moment before the end", told(1), 20, 0, 24*time.Hour - time.Millisecond, time.Second},
		{"at the end", told(1), 20, 0, 24 * time.Hour, 0},
		{"it came late to its first try", told(1), 1, 0, 25 * time.Hour, 0},
		{"told again, the time counts from then", again, 1, 0, 30 * time.Hour, 5 * time.Second},
		{"told again, to the end", again, 20, 0, 54 * time.Hour, 0},
	} {
		got, more := tc.t.Next(tc.tries, tc.asked, began.Add(tc.at))
		if got != tc.want || more != (tc.want > 0) {
			t.Errorf("%s: got %s, %t; want %s", tc.name, got, more, tc.want)
		}
	}
}

// TestTries plays a day of a receiver that is down. The queues must deliver a message more often than this; see
// kefu/shared/app.
func TestTries(t *testing.T) {
	t.Parallel()
	at, tries := began, 1
	for {
		pause, more := told(1).Next(tries, 0, at)
		if !more {
			break
		}
		at, tries = at.Add(pause), tries+1
	}
	if got := at.Sub(began); got != hook.GiveUp || tries < 25 || tries > 32 {
		t.Errorf("got %d tries in %s, want about thirty in a day", tries, got)
	}
}
