package app_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"kefu/shared/adapter/wechat/wxfake"
)

// TestAutomaticAssignment gives sessions to whoever is free, never above
// capacity, and the rest as soon as somebody is.
func TestAutomaticAssignment(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.account("shop", wxfake.MiniProgram, wxfake.Secure, wxfake.JSON)
	r.must("admin", "PUT", "/accounts/shop/routing", m{"assign": m{"mode": "auto"}}, 200)
	r.agent("ann", "agent", 3, "shop")
	r.agent("bo", "agent", 2, "shop")
	r.agent("elsewhere", "agent", 9)
	var crowd []*wxfake.Customer
	for i := range 8 {
		c := r.platform.Named("wxshop", fmt.Sprint("customer ", i))
		crowd = append(crowd, c)
		r.ok(c.Say(r.ctx, "hello"))
		r.pump()
		r.time.Add(int64(time.Second))
	}
	r.want("loads", r.loads("ann", "bo", "elsewhere"), "3 2 0")
	r.want("position of the last", r.session(crowd[7]).num("queue_position"), 3)

	// A seat becomes free: the longest waiting gets it at once.
	r.must("ann", "POST", "/sessions/"+r.sessionOf("ann")+"/close", nil, 200)
	r.pump()
	r.want("the next", r.session(crowd[5]).str("state")+" "+r.session(crowd[5]).str("agent"), "serving ann")
	r.want("loads", r.loads("ann", "bo"), "3 2")

	// Somebody comes: he gets the rest.
	r.agent("cy", "agent", 5, "shop")
	r.pump()
	r.want("loads", r.loads("ann", "bo", "cy"), "3 2 2")

	// Away and paused agents get nothing, and nobody is forgotten.
	r.must("cy", "PUT", "/agents/me/status", m{"status": "paused"}, 200)
	late := r.platform.Named("wxshop", "late")
	r.ok(late.Say(r.ctx, "hello"))
	r.pump()
	r.want("late", r.session(late).str("state"), "queued")
	r.must("cy", "PUT", "/agents/me/status", m{"status": "online"}, 200)
	r.pump()
	r.want("late", r.session(late).str("agent"), "cy")
}

func (r *rig) loads(agents ...string) string {
	r.t.Helper()
	out := ""
	for i, a := range agents {
		if i > 0 {
			out += " "
		}
		out += fmt.Sprint(r.must("admin", "GET", "/agents/"+a, nil, 200).num("load"))
	}
	return out
}

func (r *rig) sessionOf(agent string) string {
	r.t.Helper()
	list := r.must("admin", "GET", "/sessions?state=serving&agent="+agent, nil, 200).items()
	if len(list) == 0 {
		r.t.Fatalf("%s serves nobody", agent)
	}
	return list[0].str("id")
}

// TestManyAtOnce lets ten agents with one seat each reach for twelve sessions at
// the same time.
func TestManyAtOnce(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.account("shop", wxfake.MiniProgram, wxfake.Plaintext, wxfake.JSON)
	const agents, sessions = 10, 12
	var ids []string
	for i := range sessions {
		c := r.platform.Named("wxshop", fmt.Sprint("customer ", i))
		r.ok(c.Say(r.ctx, "hello"))
		r.pump()
		ids = append(ids, r.session(c).str("id"))
	}
	for i := range agents {
		r.agent(fmt.Sprint("a", i), "agent", 1, "shop")
	}
	var mu sync.Mutex
	won := map[string]int{}
	var all sync.WaitGroup
	for i := range agents {
		all.Go(func() {
			for _, id := range ids {
				code, v := r.call(fmt.Sprint("a", i), "POST", "/sessions/"+id+"/accept", nil)
				mu.Lock()
				switch {
				case code == 200:
					won[id]++
				case code != 409 || !slices.Contains([]string{"already-taken", "capacity-full"}, v.str("code")):
					t.Errorf("accept answered %d %v", code, v)
				}
				mu.Unlock()
			}
		})
	}
	all.Wait()
	for id, n := range won {
		if n != 1 {
			t.Errorf("session %s was accepted %d times", id, n)
		}
	}
	r.want("sessions served", len(won), agents)
	for i := range agents {
		r.want("load", r.must("admin", "GET", fmt.Sprint("/agents/a", i), nil, 200).num("load"), 1)
	}
}

// TestLostWakeUps: the router and the sender hear nothing; the sweep makes up for it.
func TestLostWakeUps(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.account("shop", wxfake.MiniProgram, wxfake.Secure, wxfake.JSON)
	r.must("admin", "PUT", "/accounts/shop/routing", m{"assign": m{"mode": "auto"}}, 200)
	r.agent("ann", "agent", 3, "shop")
	mei := r.platform.Named("wxshop", "mei")
	r.ok(mei.Say(r.ctx, "hello"))
	r.consume("inbound")
	r.drain("route")
	r.want("nobody was woken", r.session(mei).str("state"), "queued")
	r.pass(time.Minute)
	r.want("a minute later", r.session(mei).str("agent"), "ann")
	r.must("ann", "POST", "/sessions/"+r.session(mei).str("id")+"/messages", text("hi"), 202)
	r.drain("outbound")
	r.want("received", len(mei.Texts()), 0)
	r.pass(time.Minute)
	r.want("a minute later", len(mei.Texts()), 1)
}

// drain loses what is in a queue.
func (r *rig) drain(name string) {
	r.t.Helper()
	for {
		batch, err := r.queues()[name].Receive(r.ctx, 10)
		if err != nil {
			r.t.Fatal(err)
		}
		if len(batch) == 0 {
			return
		}
		for _, d := range batch {
			if err := r.queues()[name].Ack(r.ctx, d.Receipt); err != nil {
				r.t.Fatal(err)
			}
		}
	}
}
