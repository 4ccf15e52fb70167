package doctor

import (
	"maps"
	"sync"
	"time"

	"kefu/shared/core/account"
)

const (
	// noteEvery is short enough that who mends his settings and tries again sees what came of it.
	noteEvery = 15 * time.Second
	// maxSlots bounds the memory of a process. When it is full of fresh ones, nothing
	// more is let through: a limit that gives way under load is none.
	maxSlots = 4096
)

// slot is what is limited by itself.
type slot struct {
	account account.Scope
	kind    string
}

// limiter lets one of each slot through per noteEvery and counts the others. The zero
// value is ready.
type limiter struct {
	mu    sync.Mutex
	slots map[slot]passed
	swept time.Time
}

// passed is when a slot last let one through, and how many it has held back since.
type passed struct {
	at   time.Time
	held int64
}

// fresh reports whether noteEvery is not over. A clock that was set back ends it.
func (p passed) fresh(now time.Time) bool {
	age := now.Sub(p.at)
	return age >= 0 && age < noteEvery
}

// take reports whether one may pass at now, and for how many it stands: itself, and
// those that were held back before it.
func (l *limiter) take(s slot, now time.Time) (count int64, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	p, known := l.slots[s]
	if known && p.fresh(now) {
		p.held++
		l.slots[s] = p
		return 0, false
	}
	if !known && !l.room(now) {
		return 0, false
	}
	l.slots[s] = passed{at: now}
	return p.held + 1, true
}

// room makes place for one more slot, if need be of those whose time is over.
func (l *limiter) room(now time.Time) bool {
	if l.slots == nil {
		l.slots = map[slot]passed{}
	}
	if len(l.slots) >= maxSlots && now.Sub(l.swept).Abs() >= time.Second { // a look at each of them
		l.swept = now
		maps.DeleteFunc(l.slots, func(_ slot, p passed) bool { return !p.fresh(now) })
	}
	return len(l.slots) < maxSlots
}
