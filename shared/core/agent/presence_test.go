package agent

import (
	"testing"
	"time"
)

var nine = time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)

func TestAPresenceEndsWithItsLease(t *testing.T) {
	t.Parallel()
	end := nine.Add(3 * time.Minute)
	for _, tt := range []struct {
		name   string
		is     Status
		until  time.Time
		after  time.Duration
		reads  Status
		readAt time.Time
	}{
		{"within the lease", Online, end, 3*time.Minute - 1, Online, nine},
		{"at its very end", Online, end, 3 * time.Minute, Offline, end},
		{"long after", Online, end, time.Hour, Offline, end},
		{"away ends too", Away, end, time.Hour, Offline, end},
		{"paused ends too", Paused, end, time.Hour, Offline, end},
		{"no lease, no end", Online, time.Time{}, 1000 * time.Hour, Online, nine},
		{"offline stays offline", Offline, end, time.Hour, Offline, nine},
	} {
		got := Agent{Status: tt.is, StatusAt: nine, Until: tt.until}.At(nine.Add(tt.after))
		if got.Status != tt.reads || !got.StatusAt.Equal(tt.readAt) {
			t.Errorf("%s: got %s since %v, want %s since %v", tt.name, got.Status, got.StatusAt, tt.reads, tt.readAt)
		}
	}
}

func TestPresentKeepsSinceWhen(t *testing.T) {
	t.Parallel()
	end := nine.Add(3 * time.Minute)
	a := Agent{Status: Online, StatusAt: nine, Until: end}
	for _, tt := range []struct {
		name  string
		s     Status
		at    time.Time
		since time.Time
	}{
		{"the same again", Online, nine.Add(time.Minute), nine},
		{"another", Away, nine.Add(time.Minute), nine.Add(time.Minute)},
		{"the same after it had ended", Online, end, end},
	} {
		got := a.Present(tt.s, tt.at, tt.at.Add(time.Hour))
		if got.Status != tt.s || !got.StatusAt.Equal(tt.since) || !got.Until.Equal(tt.at.Add(time.Hour)) {
			t.Errorf("%s: got %s since %v until %v, want %s since %v and an hour", tt.name, got.Status, got.StatusAt, got.Until, tt.s, tt.since)
		}
	}
}

func TestRenew(t *testing.T) {
	t.Parallel()
	const lease = 3 * time.Minute
	minute := func(n int) time.Time { return nine.Add(time.Duration(n) * time.Minute) }
	for _, tt := range []struct {
		name  string
		a     Agent
		s     Status
		lease time.Duration
		write bool
		until time.Time
	}{
		{"comes online", Agent{Status: Offline}, Online, lease, true, minute(3)},
		{"comes online for good", Agent{Status: Offline}, Online, 0, true, time.Time{}},
		{"is online for good", Agent{Status: Online}, Online, 0, false, time.Time{}},
		{"a lease after none", Agent{Status: Online}, Online, lease, true, minute(3)},
		{"none after a lease", Agent{Status: Online, Until: minute(2)}, Online, 0, true, time.Time{}},
		{"more than half is left", Agent{Status: Online, Until: minute(2)}, Online, lease, false, minute(2)},
		{"just more than half", Agent{Status: Online, Until: nine.Add(90*time.Second + 1)}, Online, lease, false, nine.Add(90*time.Second + 1)},
		{"half is left", Agent{Status: Online, Until: nine.Add(90 * time.Second)}, Online, lease, true, minute(3)},
		{"it has ended", Agent{Status: Online, Until: minute(-1)}, Online, lease, true, minute(3)},
		{"a shorter one", Agent{Status: Online, Until: minute(10)}, Online, lease, true, minute(3)},
		{"another status", Agent{Status: Online, Until: minute(3)}, Paused, lease, true, minute(3)},
		{"goes", Agent{Status: Online, Until: minute(3)}, Offline, lease, true, time.Time{}},
		{"is gone", Agent{Status: Offline}, Offline, lease, false, time.Time{}},
		{"says that he goes after his lease has ended", Agent{Status: Online, Until: minute(-1)}, Offline, 0, false, time.Time{}},
	} {
		write, until := Renew(tt.a, tt.s, tt.lease, nine)
		if write != tt.write || !until.Equal(tt.until) {
			t.Errorf("%s: got write %v until %v, want %v until %v", tt.name, write, until, tt.write, tt.until)
		}
	}
}
