package route_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"kefu/shared/core/account"
	"kefu/shared/core/message"
	"kefu/shared/shell"
)

// heard are the texts that rules have said to a customer.
func (w *world) heard(of account.ID, who account.Customer) string {
	w.t.Helper()
	rows, _, err := w.store.Messages(w.t.Context(), w.session(of, who).ID, "", 100)
	w.must(err)
	var all []string
	for _, m := range rows {
		if m.Direction == message.Out {
			all = append(all, m.Content.Text.Content)
		}
	}
	return strings.Join(all, "|")
}

func TestWhoWaitsIsToldHisPlace(t *testing.T) {
	t.Parallel()
	place := account.Queue{Text: "you are number {position}"}
	for _, rules := range []account.Routing{{Queue: place}, auto(func(r *account.Routing) { r.Queue = place })} {
		w := newWorld(t)
		w.account("shop", rules)
		w.agent("ann", 2, 0, "shop")
		wait := 0
		for i := range 5 {
			w.says("shop", account.Customer(fmt.Sprint("c", i)), "hello")
			w.pass(time.Second)
		}
		w.handle(shell.Wake{Account: "shop"})
		for i := range 5 {
			who := account.Customer(fmt.Sprint("c", i))
			want := ""
			if w.stands("shop", who) == "queued" {
				wait++
				want = fmt.Sprint("you are number ", wait)
			}
			w.want(string(who), w.heard("shop", who), want)
		}
		if want := map[account.AssignMode]int{"": 5, account.Auto: 3}[rules.Assign.Mode]; wait != want {
			t.Errorf("mode %q: got %d who wait, want %d", rules.Assign.Mode, wait, want)
		}
		w.handle(shell.Wake{Account: "shop"})
		w.want("told once", w.heard("shop", "c4"), fmt.Sprint("you are number ", wait))
	}
}

// TestPlacesBehindTheFirstPage counts on over pages.
func TestPlacesBehindTheFirstPage(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.account("shop", account.Routing{Queue: account.Queue{Text: "{position}"}})
	for i := range 203 {
		w.says("shop", account.Customer(fmt.Sprint("c", i)), "hello")
		w.pass(time.Millisecond)
	}
	w.handle(shell.Wake{Account: "shop"})
	w.want("the last", w.heard("shop", "c202"), "203")
}

// TestOutsideTheHoursNobodyIsToldAPlace, and the router doesn't wake itself over it.
func TestOutsideTheHoursNobodyIsToldAPlace(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	days := []string{"mon", "tue", "wed", "thu", "fri"}
	w.account("shop", auto(func(r *account.Routing) { // the clock stands at a Saturday
		r.Queue.Text = "you are number {position}"
		r.Hours = account.Hours{Open: []account.Span{{Days: days, From: "09:00", To: "18:00"}}, Text: "we sleep"}
	}))
	w.says("shop", "mei", "hello")
	w.wakes.take()
	w.handle(shell.Wake{Account: "shop"})
	w.want("mei", w.heard("shop", "mei"), "we sleep")
	w.want("wake-ups", strings.Join(w.wakes.take(), " "), "")
}

func TestNothingToTellInManualMode(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.account("shop", account.Routing{})
	w.says("shop", "mei", "hello")
	w.store.since()
	w.handle(shell.Wake{Account: "shop"})
	w.want("reads", w.store.since(), "")
}
