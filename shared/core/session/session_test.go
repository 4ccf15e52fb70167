package session

import (
	"errors"
	"fmt"
	"reflect"
	"testing"
	"time"

	"kefu/shared/core/account"
	"kefu/shared/core/message"
	"kefu/shared/core/quota"
	"kefu/shared/core/tenant"
)

// TestAnAccountMadeAgain: what waits to be sent ends with the account, and what the former one's software was to be told
// is told to nobody. The window stays, since the platform counts on.
func TestAnAccountMadeAgain(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 21, 8, 0, 0, 0, time.UTC)
	old := RulesOf(account.Account{
		Tenant: "t", Incarnation: "one", Channel: account.MiniProgram, Webhook: account.Webhook{URL: "https://old.example"},
	})
	rules := RulesOf(account.Account{
		Tenant: "t", Incarnation: "two", Channel: account.MiniProgram, Webhook: account.Webhook{URL: "https://new.example"},
	})
	first := Arrived{ID: "s1", Account: "shop", Customer: "mei", Key: "p1", At: now, Action: quota.Message, FromCustomer: true}
	s, _, err := Step(Session{}, first, old, now)
	for _, e := range []Event{Accept{Agent: "ann"}, Enqueue{Parts: 1}, Enqueue{Parts: 1, SendAt: now.Add(time.Hour)}, Next{}} {
		if err == nil {
			s, _, err = Step(s, e, old, now)
		}
	}
	if err != nil || s.Owner() != (account.Owner{Tenant: "t", Incarnation: "one"}) {
		t.Fatalf("got %v, owner %v", err, s.Owner())
	}

	for _, e := range []Event{Accept{Agent: "bo"}, Next{}, Tick{}, Close{}, Enqueue{Parts: 1}, Replied{}} {
		if next, effects, err := Step(s, e, rules, now); !errors.Is(err, ErrAnothers) || len(effects) > 0 || !reflect.DeepEqual(next, s) {
			t.Errorf("%T under the new account's rules: got %v, %d effects; want ErrAnothers and no change", e, err, len(effects))
		}
	}
	if _, _, err := Step(s, Tick{}, RulesOf(account.Account{ID: "shop"}), now); err != nil {
		t.Errorf("a sweep by the default rules: got %v, want none", err)
	}
	again := first
	again.ID, again.Key = "s2", "p2"
	remembered := rules
	remembered.Remembered = true
	if _, _, err := Step(s, again, remembered, now); !errors.Is(err, ErrRemembered) {
		t.Errorf("an arrival under rules out of a memory: got %v, want ErrRemembered", err)
	}
	next, _, err := Step(s, again, rules, now)
	if err != nil {
		t.Fatal(err)
	}
	if next.ID != "s2" || next.Incarnation != "two" || len(next.Outbox) != 0 || next.Flight != nil || next.Window.Epoch != s.Window.Epoch+1 {
		t.Errorf("got %s of %s, %d waiting, flight %v, window %d after %d; want s2 of two, nothing waiting, the window going on",
			next.ID, next.Incarnation, len(next.Outbox), next.Flight, next.Window.Epoch, s.Window.Epoch)
	}
	for _, n := range next.News {
		if n.Session != "s2" || n.Ended != "" {
			t.Errorf("the new account's software is told %s of %s", n.Event, n.Session)
		}
	}
	if len(next.News) == 0 {
		t.Error("got no news of the new session; want some")
	}
	if _, _, err := Step(next, again, remembered, now); err != nil {
		t.Errorf("delivered again, under rules out of a memory: got %v, want none: it opens nothing", err)
	}
}

// TestAnotherTenantsAccount: an id that was deleted and taken by another business
// brings nothing of the former with it.
func TestAnotherTenantsAccount(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 21, 8, 0, 0, 0, time.UTC)
	rules := func(id tenant.ID) Rules {
		return Rules{Tenant: id, Channel: account.MiniProgram, Grants: quota.Preset(quota.MiniProgram2024), SessionFor: 48 * time.Hour, HoldFor: 48 * time.Hour}
	}
	var s Session
	step := func(e Event, r Rules) []Effect {
		t.Helper()
		next, effects, err := Step(s, e, r, now)
		if err != nil {
			t.Fatalf("%T: %v", e, err)
		}
		s = next
		return effects
	}
	first := Arrived{ID: "s1", Account: "shop", Customer: "mei", Key: "p1", At: now, Action: quota.Message, FromCustomer: true}
	step(first, rules("old"))
	step(Accept{Agent: "ann"}, rules("old"))
	for range 6 {
		step(Enqueue{Parts: 1}, rules("old"))
	}
	step(Next{}, rules("old"))

	again := first
	again.ID = "s2"
	effects := step(again, rules("new"))
	if s.ID != "s2" || s.Tenant != "new" || s.State != Queued || s.Agent != "" {
		t.Errorf("the session is %s of %s, %s by %q", s.ID, s.Tenant, s.State, s.Agent)
	}
	if len(s.Outbox) != 0 || s.Flight != nil || s.Window.At(now).Used != 0 {
		t.Errorf("something of the former business is left: %d waiting, flight %v, window %+v", len(s.Outbox), s.Flight, s.Window.At(now))
	}
	ends := map[message.State]int{}
	var archived, freed bool
	for _, e := range effects {
		switch e := e.(type) {
		case Settle:
			ends[e.Settlement.State]++
		case Archive:
			archived = e.Session.ID == "s1" && e.Session.Tenant == "old" && e.Session.State == Closed
		case FreeSeat:
			freed = e.Agent == "ann" && e.Session == "s1"
		}
	}
	if ends[message.Cancelled] != 5 || ends[message.Unknown] != 1 || !archived || !freed {
		t.Errorf("ended %v, archived %v, seat freed %v", ends, archived, freed)
	}
}

// TestCallsOutliveABusyCustomer: however much the customer writes, a repeated call
// is recognised for a day.
func TestCallsOutliveABusyCustomer(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 21, 8, 0, 0, 0, time.UTC)
	rules := Rules{Tenant: "t", Grants: quota.Preset(quota.MiniProgram2024), SessionFor: 48 * time.Hour, HoldFor: 48 * time.Hour}
	var s Session
	step := func(e Event) Store {
		t.Helper()
		next, effects, err := Step(s, e, rules, now)
		if err != nil {
			t.Fatalf("%T: %v", e, err)
		}
		s = next
		for _, e := range effects {
			if stored, ok := e.(Store); ok {
				return stored
			}
		}
		return Store{}
	}
	push := func(n int) {
		step(Arrived{ID: "s1", Key: fmt.Sprint("p", n), At: now, Action: quota.Message, FromCustomer: true})
	}
	push(0)
	first := step(Enqueue{Key: "k", Parts: 1})
	for n := range 200 {
		push(n + 1)
	}
	now = now.Add(23 * time.Hour)
	if again := step(Enqueue{Key: "k", Parts: 1}); !again.Repeat || again.Message != first.Message {
		t.Errorf("the repeated call became %+v, want %s again", again, first.Message)
	}
	now = now.Add(time.Hour)
	if later := step(Enqueue{Key: "k", Parts: 1}); later.Repeat {
		t.Error("a day later the key still means the first call")
	}
}

// TestALostAnswerKeepsWhoApproved: a message whose sender died tells who let it go and what it was sent in answer to, like
// one of which the sender himself lost the answer.
func TestALostAnswerKeepsWhoApproved(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 21, 8, 0, 0, 0, time.UTC)
	rules := Rules{Tenant: "t", Grants: quota.Preset(quota.MiniProgram2024), SessionFor: 48 * time.Hour, HoldFor: 48 * time.Hour}
	var s Session
	step := func(e Event) []Effect {
		t.Helper()
		next, effects, err := Step(s, e, rules, now)
		if err != nil {
			t.Fatalf("%T: %v", e, err)
		}
		s = next
		return effects
	}
	step(Arrived{ID: "s1", Key: "p1", At: now, Action: quota.Message, FromCustomer: true})
	step(Accept{Agent: "ann"})
	step(Enqueue{Parts: 1, By: "ann", Bytes: 10})
	step(Next{})
	step(Answered{Message: "s1-2", Outcome: Outcome{Kind: Review}})
	step(Approve{Message: "s1-2", By: "sue"})
	step(Next{})
	now = now.Add(CallLease)
	for _, e := range step(Next{}) {
		if end, ok := e.(Settle); ok {
			got := end.Settlement
			if got.State != message.Unknown || got.Approved != "sue" || got.Cause == nil || got.Cause.Message != "s1-1" {
				t.Errorf("it ended as %+v, want unknown, approved by sue, in answer to s1-1", got)
			}
			return
		}
	}
	t.Error("it has not ended")
}
