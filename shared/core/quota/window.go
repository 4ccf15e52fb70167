package quota

import (
	"slices"
	"time"
)

// Window is what is known of one customer's window. The zero value is closed.
// It is a value: every method leaves its receiver alone and returns the next one.
type Window struct {
	Live []Live `json:"l,omitempty"` // the newest grant of each action
	Took []Take `json:"t,omitempty"` // sends since the last refill
	// Epoch counts the grants that were applied, so that a correction which
	// speaks of an older state is recognised.
	Epoch int64 `json:"e,omitempty"`
	// RefusedAt is when the platform last said that the window is closed or
	// used up; zero once a later action of the customer has refilled it.
	RefusedAt time.Time `json:"r,omitzero"`
	// Spent: the platform said that the count is used up (the time is not over).
	Spent bool `json:"s,omitempty"`
}

// Live is a grant with its own end.
type Live struct {
	Action Action    `json:"a"`
	At     time.Time `json:"at"`
	Push   string    `json:"p"` // which push brought it
	Limit  int       `json:"n"`
	Until  time.Time `json:"u"` // first instant at which it no longer holds
	// Message names the row of the push that brought it.
	Message string `json:"m,omitempty"`
}

// Take is a reservation: one message, counted n times (a long text has parts).
type Take struct {
	ID string    `json:"i"`
	N  int       `json:"n"`
	At time.Time `json:"a"`
}

// State is a window read at one instant.
type State struct {
	Limit, Used int
	Until       time.Time // end of the latest grant; in the past when all are over
}

// Remaining is how many messages may be sent.
func (s State) Remaining() int { return max(0, s.Limit-s.Used) }

// Open reports whether at least one message may be sent. A used-up window is closed.
func (s State) Open() bool { return s.Remaining() > 0 }

// At reads the window at now. A grant counts until just before its own end.
func (w Window) At(now time.Time) State {
	var s State
	for _, g := range w.Live {
		if g.Until.After(s.Until) {
			s.Until = g.Until
		}
		if now.Before(g.Until) {
			s.Limit = max(s.Limit, g.Limit)
		}
	}
	if s.Limit == 0 {
		return s
	}
	for _, t := range w.Took {
		s.Used += t.N
	}
	if w.Spent {
		s.Used = max(s.Used, s.Limit)
	}
	return s
}

// Ground is the grant that a message sent at now answers: the newest that counts.
func (w Window) Ground(now time.Time) (Live, bool) {
	var newest Live
	for _, g := range w.Live {
		if now.Before(g.Until) && !g.At.Before(newest.At) {
			newest = g
		}
	}
	return newest, newest.Limit > 0
}

// Notice is how a grant became known.
type Notice struct {
	Push string // which push told of it
	// At is when the customer acted by the platform's clock, in whole seconds; it is
	// never taken to be later than Heard.
	At time.Time
	// Heard is when the push reached us, which the customer's action cannot follow.
	Heard time.Time
	// Message names the row of that push.
	Message string
}

// Grant applies what a customer's action adds.
//
// A grant older than the newest of its kind changes nothing, nor does the same
// push twice. One of the same second from another push refills.
func (w Window) Grant(a Action, g Grant, n Notice, now time.Time) Window {
	if g.Limit <= 0 || g.For <= 0 {
		return w
	}
	at, push := n.At, n.Push
	if at.After(n.Heard) {
		at = n.Heard
	}
	i := slices.IndexFunc(w.Live, func(l Live) bool { return l.Action == a })
	if i >= 0 && (at.Before(w.Live[i].At) || w.Live[i].Push == push) {
		return w
	}
	second := at.Truncate(time.Second)
	if !w.RefusedAt.IsZero() && second.Before(w.RefusedAt.Truncate(time.Second)) {
		// The platform knew of this action when it refused.
		return w
	}
	next := w
	next.Epoch++
	next.RefusedAt, next.Spent = time.Time{}, false
	live := Live{Action: a, At: at, Push: push, Limit: g.Limit, Until: at.Add(g.For), Message: n.Message}
	next.Live = make([]Live, 0, len(w.Live)+1)
	for j, l := range w.Live {
		if j != i && now.Before(l.Until) {
			next.Live = append(next.Live, l)
		}
	}
	next.Live = append(next.Live, live)
	next.Took = nil
	if i >= 0 && w.Live[i].At.Equal(at) {
		return next // two actions of one second: nothing tells which came last
	}
	for _, t := range w.Took {
		if t.At.Truncate(time.Second).After(second) || t.At.After(n.Heard) {
			next.Took = append(next.Took, t)
		}
	}
	return next
}

// Take reserves n messages for the message id and reports whether it could.
// Taking again for the same id is recognised and takes nothing more.
func (w Window) Take(id string, n int, now time.Time) (Window, bool) {
	s := w.At(now)
	if w.took(id) >= 0 {
		return w, now.Before(s.Until)
	}
	if n <= 0 || s.Remaining() < n {
		return w, false
	}
	next := w
	next.Took = append(slices.Clone(w.Took), Take{ID: id, N: n, At: now})
	return next, true
}

// Refund gives back n of what id took: calls that were never made or that the
// platform refused. What was taken before the last refill is no longer there
// to be given back.
func (w Window) Refund(id string, n int) Window {
	i := w.took(id)
	if i < 0 || n <= 0 {
		return w
	}
	next := w
	next.Took = slices.Clone(w.Took)
	next.Took[i].N -= n
	if next.Took[i].N <= 0 {
		next.Took = slices.Delete(next.Took, i, i+1)
	}
	return next
}

// Correction is how the platform disagreed.
type Correction int

// Closed: outside the reply time (45015). UsedUp: out of response count (45047).
const (
	Closed Correction = iota + 1
	UsedUp
)

// Correct believes the platform, which refused a call that was reserved in the
// given epoch at the given time. A grant that was applied since then is newer
// than the refusal and stands.
func (w Window) Correct(c Correction, epoch int64, at time.Time) Window {
	if w.Epoch != epoch {
		return w
	}
	next := w
	next.RefusedAt = at
	switch c {
	case Closed:
		next.Live, next.Took, next.Spent = nil, nil, false
	case UsedUp:
		next.Spent = true
	}
	return next
}

// Prune drops grants that are over and, with the last of them, everything that
// was counted against them.
func (w Window) Prune(now time.Time) Window {
	next := w
	next.Live = slices.DeleteFunc(slices.Clone(w.Live), func(l Live) bool { return !now.Before(l.Until) })
	if len(next.Live) == 0 {
		next.Live, next.Took, next.Spent = nil, nil, false
	}
	return next
}

func (w Window) took(id string) int {
	return slices.IndexFunc(w.Took, func(t Take) bool { return t.ID == id })
}
