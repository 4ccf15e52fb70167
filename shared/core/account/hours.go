package account

import (
	"slices"
	"time"
)

// Hours are an account's service hours. None means always.
type Hours struct {
	// UTCOffset is the clock that the hours are told by. Default +08:00, China.
	UTCOffset string `json:"utc_offset,omitempty"`
	// Open lists the spans of the week.
	Open []Span `json:"open,omitempty"`
	// Closed lists days (2026-10-01) on which nobody is there.
	Closed []string `json:"closed,omitempty"`
	// Text answers whoever would join the queue outside the hours.
	Text string `json:"text,omitempty"`
	// Then is where his session goes: queue (default) or bot.
	Then Then `json:"then,omitempty"`
}

// Span is one stretch of service on some days of the week.
type Span struct {
	Days []string `json:"days"` // mon, tue, wed, thu, fri, sat, sun
	From string   `json:"from"` // 09:00
	To   string   `json:"to"`   // 18:00, or 24:00; later than From
}

var weekdays = []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

// DefaultUTCOffset is China's, in one zone and without summer time.
const DefaultUTCOffset = 8 * time.Hour

// IsOpen reports whether somebody serves at the time.
func (h Hours) IsOpen(at time.Time) bool {
	if len(h.Open) == 0 {
		return true
	}
	offset, err := h.offset()
	if err != nil {
		offset = DefaultUTCOffset // it was checked when it was stored
	}
	local := at.UTC().Add(offset)
	if slices.Contains(h.Closed, local.Format(time.DateOnly)) {
		return false
	}
	now := time.Duration(local.Hour())*time.Hour + time.Duration(local.Minute())*time.Minute
	for _, s := range h.Open {
		from, _ := clock(s.From)
		to, _ := clock(s.To)
		if slices.Contains(s.Days, weekdays[local.Weekday()]) && from <= now && now < to {
			return true
		}
	}
	return false
}

// clock reads "09:30" as the time since midnight; "24:00" is the end of the day.
func clock(s string) (time.Duration, bool) {
	if s == "24:00" {
		return 24 * time.Hour, true
	}
	t, err := time.Parse("15:04", s)
	return time.Duration(t.Hour())*time.Hour + time.Duration(t.Minute())*time.Minute, err == nil && len(s) == len("15:04")
}

func (h Hours) offset() (time.Duration, error) {
	if h.UTCOffset == "" {
		return DefaultUTCOffset, nil
	}
	t, err := time.Parse("-07:00", h.UTCOffset)
	if err != nil {
		return 0, wrongRouting("hours.utc_offset is %q; want one such as +08:00", h.UTCOffset)
	}
	_, seconds := t.Zone()
	return time.Duration(seconds) * time.Second, nil
}

func (h Hours) check() error {
	if _, err := h.offset(); err != nil {
		return err
	}
	if len(h.Open) > 50 || len(h.Closed) > 400 {
		return wrongRouting("hours has more than 50 spans or more than 400 closed days")
	}
	for i, s := range h.Open {
		from, fine := clock(s.From)
		to, fine2 := clock(s.To)
		if !fine || !fine2 || from >= to {
			return wrongRouting("hours.open[%d] must go from a time such as 09:00 to a later one such as 18:00 (24:00 is midnight)", i)
		}
		if len(s.Days) == 0 {
			return wrongRouting("hours.open[%d].days is missing; want some of mon, tue, wed, thu, fri, sat, sun", i)
		}
		for _, d := range s.Days {
			if !slices.Contains(weekdays, d) {
				return wrongRouting("hours.open[%d].days has %q; want mon, tue, wed, thu, fri, sat or sun", i, d)
			}
		}
	}
	for i, d := range h.Closed {
		if _, err := time.Parse(time.DateOnly, d); err != nil {
			return wrongRouting("hours.closed[%d] is %q; want a day such as 2026-10-01", i, d)
		}
	}
	if len(h.Open) == 0 && (len(h.Closed) > 0 || h.Text != "" || h.Then != "") {
		return wrongRouting("hours.open is missing: without it an account is always open")
	}
	if err := checkText("hours.text", h.Text); err != nil {
		return err
	}
	return checkThen("hours.then", h.Then, ThenQueue, ThenBot)
}
