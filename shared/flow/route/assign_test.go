package route_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"kefu/shared/core/account"
	"kefu/shared/core/agent"
	"kefu/shared/core/fault"
	"kefu/shared/core/session"
	"kefu/shared/shell"
)

func TestHandleRefusesWhatIsNoWakeUp(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, body := range []string{"", "no JSON", "{}", `{"customer":"mei"}`, `{"agent":"ann"}`, `{"tenant":"t"}`} {
		if err := w.router.Handle(t.Context(), []byte(body)); !errors.Is(err, fault.Invalid) {
			t.Errorf("%q: got %v, want kind invalid", body, err)
		}
	}
	w.handle(shell.Wake{Account: "deleted"})
	w.handle(shell.Wake{Account: "deleted", Customer: "mei"})
}

// TestStrategies: the account's strategy decides, each with the same three agents, of
// whom only bo has been given something before.
func TestStrategies(t *testing.T) {
	t.Parallel()
	for strategy, want := range map[account.Strategy]string{
		"":                  "cy", // 5 of 5 free, never given one, before dee by name
		account.IdleRate:    "cy",
		account.RoundRobin:  "cy",
		account.LongestIdle: "dee", // came a minute before cy
	} {
		w := newWorld(t)
		w.account("shop", auto(func(r *account.Routing) { r.Assign.Strategy = strategy }))
		w.agent("bo", 5, 0, "shop")
		w.says("shop", "first", "hello")
		w.handle(shell.Wake{Account: "shop"})
		w.want("first", w.stands("shop", "first"), "serving bo")
		w.pass(time.Minute)
		w.agent("dee", 5, 0, "shop")
		w.pass(time.Minute)
		w.agent("cy", 5, 0, "shop")
		w.says("shop", "mei", "hello")
		w.handle(shell.Wake{Account: "shop"})
		w.want("strategy "+string(strategy), w.stands("shop", "mei"), "serving "+want)
	}
}

func TestRoundRobinGoesRound(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.account("shop", auto(func(r *account.Routing) { r.Assign.Strategy = account.RoundRobin }))
	w.agent("ann", 10, 0, "shop")
	w.agent("bo", 10, 0, "shop")
	w.agent("cy", 1, 0, "shop")
	var got []string
	for i := range 7 {
		who := account.Customer(fmt.Sprint("c", i))
		w.says("shop", who, "hello")
		w.pass(time.Second)
		w.handle(shell.Wake{Account: "shop"})
		got = append(got, string(w.session("shop", who).Agent))
	}
	w.want("turns", strings.Join(got, " "), "ann bo cy ann bo ann bo")
}

func TestTheAgentOfLastTimeComesFirst(t *testing.T) {
	t.Parallel()
	no := false
	for _, prefer := range []*bool{nil, &no} {
		w := newWorld(t)
		w.account("shop", auto(func(r *account.Routing) { r.Assign.PreferLast = prefer }))
		w.agent("ann", 10, 0, "shop")
		w.agent("bo", 1, 0, "shop")
		w.says("shop", "mei", "hello")
		w.do("shop", "mei", session.Accept{Agent: "ann"}, session.Close{By: "ann"})
		w.says("shop", "other", "hello")
		w.do("shop", "other", session.Accept{Agent: "ann"})
		_, err := w.store.TakeSeat(t.Context(), "t", "ann", w.session("shop", "other").ID, 10, w.clock())
		w.must(err)
		w.says("shop", "mei", "me again")
		w.handle(shell.Wake{Account: "shop"})
		want := "serving ann"
		if prefer != nil {
			want = "serving bo" // all of his seats are free
		}
		w.want("back again", w.stands("shop", "mei"), want)
	}
}

// TestPriorityOfAccounts: an agent of two accounts serves the one with the higher
// priority first, whichever of them the wake-up names.
func TestPriorityOfAccounts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.account("low", auto())
	w.account("high", auto(func(r *account.Routing) { r.Assign.Priority = 5 }))
	w.account("higher", auto(func(r *account.Routing) { r.Assign.Priority = 7 }))
	w.account("manual", account.Routing{Assign: account.Assign{Priority: 9}})
	w.says("low", "a", "hello")
	w.pass(time.Second)
	for _, id := range []account.ID{"high", "higher", "manual"} {
		w.says(id, "b", "hello")
	}
	w.agent("ann", 2, 0, "low", "high", "higher", "manual", "deleted")
	w.handle(shell.Wake{Account: "low"})
	w.want("low", w.stands("low", "a"), "queued")
	w.want("high", w.stands("high", "b"), "serving ann")
	w.want("higher", w.stands("higher", "b"), "serving ann")
	w.want("manual", w.stands("manual", "b"), "queued")

	// Whoever serves only the lower account isn't kept from it.
	w.agent("bo", 1, 0, "low")
	w.handle(shell.Wake{Account: "low"})
	w.want("low", w.stands("low", "a"), "serving bo")
}

// TestReads: each queue and each agent's seats are read once, however many wait, and
// other accounts' only when their priority is higher.
func TestReads(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.account("shop", auto())
	w.account("same", auto())
	w.account("low", account.Routing{Assign: account.Assign{}})
	w.says("same", "x", "hello")
	for i := range 30 {
		w.says("shop", account.Customer(fmt.Sprint("c", i)), "hello")
	}
	for _, id := range []agent.ID{"ann", "bo", "cy"} {
		w.agent(id, 9, 0, "shop", "same", "low")
	}
	w.store.since()
	w.handle(shell.Wake{Account: "shop"})
	w.want("30 wait", w.store.since(), "AgentsOf 1, Desks 1, Sessions 1, listed 27")
	w.want("loads", w.load("ann")+w.load("bo")+w.load("cy"), "999")
	w.store.since()

	// All are full: their sessions aren't looked at, but for seats that may be left over.
	w.handle(shell.Wake{Account: "shop"})
	w.want("all full", w.store.since(), "AgentsOf 1, Desks 1")
	w.pass(2 * time.Minute)
	w.handle(shell.Wake{Account: "shop"})
	w.want("all full for long", w.store.since(), "AgentsOf 1, Desks 1, SessionByID 27")
	w.handle(shell.Wake{Account: "shop"})
	w.want("and again at once", w.store.since(), "AgentsOf 1, Desks 1")

	w.account("empty", auto())
	w.handle(shell.Wake{Account: "empty"})
	w.want("nobody is there", w.store.since(), "AgentsOf 1")
	w.agent("dee", 9, 0, "empty")
	w.handle(shell.Wake{Account: "empty"})
	w.want("nobody waits", w.store.since(), "AgentsOf 1, Desks 1, Sessions 1")
}

// TestReadsDontGrowWithTheQueue: what a wake-up reads depends on the free seats, not on
// how many wait.
func TestReadsDontGrowWithTheQueue(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.account("shop", auto(func(r *account.Routing) { r.Assign.AutoAbove = 2 }))
	waiting := 0
	for _, n := range []int{10, 450} {
		for ; waiting < n; waiting++ {
			w.says("shop", account.Customer(fmt.Sprint("c", waiting)), "hello")
			w.pass(time.Millisecond)
		}
		w.agent("ann", 1, 0, "shop")
		w.status("ann", agent.Away, 0)
		w.store.since()
		w.handle(shell.Wake{Account: "shop"})
		w.want(fmt.Sprint("nobody online, ", n), w.store.since(), "AgentsOf 1")
		id := agent.ID(fmt.Sprint("full", n))
		w.agent(id, 1, 0, "shop")
		w.handle(shell.Wake{Account: "shop"})
		w.want(fmt.Sprint("one free seat, ", n), w.store.since(), "AgentsOf 1, Desks 1, Sessions 1, listed 3")
		w.handle(shell.Wake{Account: "shop"})
		w.want(fmt.Sprint("all full, ", n), w.store.since(), "AgentsOf 1, Desks 1")
		w.status(id, agent.Away, 0)
	}
}

// TestAutoAboveCountsAll: the threshold may be larger than a page of the queue.
func TestAutoAboveCountsAll(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.account("shop", auto(func(r *account.Routing) { r.Assign.AutoAbove = 250 }))
	w.agent("ann", 100, 0, "shop")
	for i := range 253 {
		w.says("shop", account.Customer(fmt.Sprint("c", i)), "hello")
		w.pass(time.Millisecond)
	}
	w.handle(shell.Wake{Account: "shop"})
	w.want("load", w.load("ann"), "3")
	w.want("who waited longest", w.stands("shop", "c0"), "serving ann")
	w.want("the next", w.stands("shop", "c3"), "queued")
}

// TestWhoseLeaseHasEndedGetsNothing, also before anybody has set him offline.
func TestWhoseLeaseHasEndedGetsNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.account("shop", auto())
	w.agent("ann", 5, time.Minute, "shop")
	w.pass(time.Minute)
	w.says("shop", "mei", "hello")
	w.handle(shell.Wake{Account: "shop"})
	w.want("mei", w.stands("shop", "mei"), "queued")
	w.status("ann", "online", time.Minute)
	w.handle(shell.Wake{Account: "shop"})
	w.want("mei", w.stands("shop", "mei"), "serving ann")
}

// TestASessionThatIsLostGivesTheSeatBack: the list was behind, somebody had been faster.
func TestASessionThatIsLostGivesTheSeatBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.account("shop", auto())
	w.agent("ann", 1, 0, "shop")
	w.says("shop", "mei", "hello")
	old := w.session("shop", "mei")
	w.do("shop", "mei", session.Accept{Agent: "zoe"})
	w.pass(time.Second)
	w.says("shop", "bei", "hello")
	w.router.Sessions = behind{w.store, old}
	w.wakes.take()
	w.handle(shell.Wake{Account: "shop"})
	w.want("mei", w.stands("shop", "mei"), "serving zoe")
	w.want("bei", w.stands("shop", "bei"), "serving ann")
	w.want("load", w.load("ann"), "1")
	w.want("who looked meanwhile looks again", strings.Join(w.wakes.take(), " "), `0s {"account":"shop","tenant":"t"}`)
}

// TestASeatThatACrashLeftIsFound when its agent has no other.
func TestASeatThatACrashLeftIsFound(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.account("shop", auto())
	w.agent("ann", 1, 0, "shop")
	_, err := w.store.TakeSeat(t.Context(), "t", "ann", "of a dead router", 1, w.clock())
	w.must(err)
	w.says("shop", "mei", "hello")
	w.handle(shell.Wake{Account: "shop"})
	w.want("at once", w.stands("shop", "mei"), "queued")
	w.pass(time.Minute)
	w.handle(shell.Wake{Account: "shop"})
	w.want("a minute later", w.stands("shop", "mei"), "serving ann")
}

// TestASeatThatACrashLeftForThisSession: the router that took it died before it gave
// the session; the next leaves it to him for a minute.
func TestASeatThatACrashLeftForThisSession(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.account("shop", auto())
	w.agent("ann", 5, 0, "shop")
	mei := w.says("shop", "mei", "hello")
	_, err := w.store.TakeSeat(t.Context(), "t", "ann", mei.ID, 5, w.clock())
	w.must(err)
	w.handle(shell.Wake{Account: "shop"})
	w.want("at once", w.stands("shop", "mei"), "queued")
	w.pass(time.Minute)
	w.wakes.take()
	w.handle(shell.Wake{Account: "shop"})
	w.want("comes again", strings.Join(w.wakes.take(), " "), `0s {"account":"shop","tenant":"t"}`)
	w.handle(shell.Wake{Account: "shop"})
	w.want("a minute later", w.stands("shop", "mei"), "serving ann")
	w.want("load", w.load("ann"), "1")
}
