package doctor

import (
	"fmt"
	"time"
)

// moment writes a time as the interface does.
func moment(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// span writes how long, as a person would say it.
func span(d time.Duration) string {
	switch d = d.Abs(); {
	case d < time.Minute:
		return plural(int64(d/time.Second), "second")
	case d < 2*time.Hour:
		return plural(int64(d/time.Minute), "minute")
	case d < 48*time.Hour:
		return plural(int64(d/time.Hour), "hour")
	}
	return plural(int64(d/(24*time.Hour)), "day")
}

func plural(n int64, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

func seconds(d time.Duration) int64 { return int64(d / time.Second) }
