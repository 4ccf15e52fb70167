package app_test

import (
	"context"
	"net/http"
	"time"

	"kefu/shared/core/queue"
)

// hangs are the calls of the functions to others that get no answer: whoever is called keeps silent until the caller's
// patience ends, by the day's clock. The function waits, and the day goes on: so what a silent peer holds up shows.
type hangs struct {
	entered chan *hung // a call that has begun to wait
	waiting []*visit   // of which one has
	until   time.Time  // while it lasts, every call of the platform hangs
}

// hung is one call that gets no answer.
type hung struct {
	patience time.Duration
	cut      chan struct{} // closed when the connection ends
}

// visit is the run of a function whose call hangs, and the message that it works on.
type visit struct {
	*hung
	name   string
	with   queue.Delivery
	cancel context.CancelFunc
	over   chan outcome
}

// outcome is how a run of a function ended.
type outcome struct {
	done   []string
	failed []queue.Delivery
	died   bool
}

func newHangs() hangs { return hangs{entered: make(chan *hung)} }

// hang keeps silent. It returns when the caller has gone, or is cut off.
func (d *day) hang(r *http.Request, patience time.Duration) {
	h := &hung{patience: patience, cut: make(chan struct{})}
	d.hangs.entered <- h
	select {
	case <-h.cut:
	case <-r.Context().Done():
	}
	panic(http.ErrAbortHandler)
}

// begin runs a function until it has ended, or waits for somebody who keeps silent: then it is over later, and what it
// works on is nobody else's until then.
func (d *day) begin(name string, with queue.Delivery, run func(ctx context.Context) outcome, then func(outcome)) {
	ctx, cancel := context.WithCancel(d.ctx)
	over := make(chan outcome, 1)
	go func() { over <- run(ctx) }()
	d.await(&visit{name: name, with: with, cancel: cancel, over: over}, then)
}

// await goes on with a run up to its end, or to its next call that hangs.
func (d *day) await(v *visit, then func(outcome)) {
	select {
	case o := <-v.over:
		v.cancel()
		then(o)
	case v.hung = <-d.hangs.entered:
		d.hangs.waiting = append(d.hangs.waiting, v)
		d.in(v.patience, func() {
			if d.goes(v) {
				close(v.cut)
				d.await(v, then)
			}
		})
	}
}

// goes takes a visit off the list of those that wait; false: it was cut off before.
func (d *day) goes(v *visit) bool {
	for i, w := range d.hangs.waiting {
		if w == v {
			d.hangs.waiting = append(d.hangs.waiting[:i], d.hangs.waiting[i+1:]...)
			return true
		}
	}
	return false
}

// terminate is what a process does that is told to end: it takes nothing new, and cuts off what still waits for others.
// What was cut off is not acknowledged: the next process gets it again.
func (d *day) terminate() {
	waiting := d.hangs.waiting
	d.hangs.waiting = nil
	for _, v := range waiting {
		v.cancel()
		for ended := false; !ended; {
			select {
			case <-v.over:
				ended = true
			case <-d.hangs.entered: // it tries another, whose context has ended as well
			}
		}
		d.trouble.count("cut off by an end")
		d.mourn(v.name, v.with)
	}
}

// outage lets every call of the platform hang for a while, and ends the process in the middle of it.
func (d *day) outage() {
	const lasts = 20 * time.Second
	d.hangs.until = d.now().Add(lasts)
	d.in(lasts/2, func() {
		d.terminate()
		d.hangs.until = time.Time{}
		d.replace()
	})
}
