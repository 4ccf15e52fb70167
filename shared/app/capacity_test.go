package app_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	mathrand "math/rand/v2"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"kefu/shared/adapter/bolt"
	"kefu/shared/app"
	"kefu/shared/core/account"
	"kefu/shared/core/fault"
	"kefu/shared/core/quota"
	"kefu/shared/core/session"
	"kefu/shared/core/tenant"
	"kefu/shared/flow/agent"
	"kefu/shared/flow/expire"
	"kefu/shared/flow/route"
	"kefu/shared/shell"

	core "kefu/shared/core/agent"
)

// TestCapacity is guarantee 9: a thousand sessions arrive at once at fifty agents, while
// agents accept by hand, supervisors transfer, and wake-ups are lost and doubled. Nobody
// ever serves more than his capacity; and a minute later nobody waits whom a free agent
// could serve.
func TestCapacity(t *testing.T) {
	t.Parallel()
	capacity(t, func(t *testing.T, now func() time.Time) app.Store {
		db, err := bolt.Open(bolt.Options{Path: filepath.Join(t.TempDir(), "kefu.db"), Now: now})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := db.Close(); err != nil {
				t.Error(err)
			}
		})
		return db.Store()
	})
}

// TestCapacityInCloud is TestCapacity with the store in DynamoDB.
func TestCapacityInCloud(t *testing.T) {
	t.Parallel()
	capacity(t, openDynamo)
}

func capacity(t *testing.T, open func(*testing.T, func() time.Time) app.Store) {
	t.Helper()
	t.Run("room for all", func(t *testing.T) {
		t.Parallel()
		h := newHall(t, open, 10)
		if h.seats < 1000 {
			t.Fatalf("got %d seats, want room for a thousand", h.seats)
		}
		h.play()
	})
	t.Run("too few seats", func(t *testing.T) {
		t.Parallel()
		h := newHall(t, open, 5)
		if h.seats >= 1000 {
			t.Fatalf("got %d seats, want fewer than a thousand", h.seats)
		}
		h.play()
	})
}

const (
	hallAgents   = 50
	hallSessions = 1000
	hallRouters  = 4
)

// hall is the system with several of each process, a store that watches, and a queue
// of wake-ups that loses and doubles.
type hall struct {
	t       *testing.T
	clock   atomic.Int64
	store   *seatWatch
	wakes   *lossy
	routers []*route.Router
	api     http.Handler
	sweep   *expire.Sweep
	agents  map[core.ID]int // capacities
	keys    map[string]string
	seats   int
	next    atomic.Int64 // who arrives
	byHand  atomic.Int64 // accepts and transfers that were answered with 200
}

func newHall(t *testing.T, open func(*testing.T, func() time.Time) app.Store, least int) *hall {
	t.Helper()
	h := &hall{t: t, agents: map[core.ID]int{}, keys: map[string]string{}}
	h.clock.Store(time.Date(2026, 11, 21, 8, 0, 0, 0, time.UTC).UnixNano())
	h.wakes = newLossy(uint64(least))
	h.store = &seatWatch{Store: open(t, h.now), t: t, capacity: h.agents, of: map[session.Ref]held{}, load: map[core.ID]int{}}
	log := slog.New(slog.DiscardHandler)
	for range hallRouters {
		h.routers = append(h.routers, &route.Router{
			Accounts: h.store, Sessions: h.store, Messages: h.store, Agents: h.store, Shell: h.shell(), Now: h.now, Log: log,
		})
	}
	h.sweep = &expire.Sweep{Accounts: h.store, Index: h.store, Shell: h.shell(), Now: h.now, Log: log}
	h.api = (&agent.API{
		Store: h.store, Shell: h.shell(), Media: noMedia{}, Typer: noMedia{}, Now: h.now, Rand: rand.Reader, Log: log,
		AdminKey: agent.HashKey(adminKey),
	}).Handler()
	h.furnish(least)
	return h
}

// now is a clock that no two readings find at the same time.
func (h *hall) now() time.Time { return time.Unix(0, h.clock.Add(1000)).UTC() }

// shell is that of a process of its own: nobody takes turns with others.
func (h *hall) shell() *shell.Shell {
	return &shell.Shell{Store: h.store, Route: h.wakes, Outbound: nobody{}, Hooks: nobody{}, Now: h.now}
}

type nobody struct{}

func (nobody) Send(context.Context, string, time.Duration, []byte) error { return nil }

// furnish makes the account and its agents, who have least seats or more.
func (h *hall) furnish(least int) {
	h.t.Helper()
	ctx := h.t.Context()
	must := func(err error) {
		h.t.Helper()
		if err != nil {
			h.t.Fatal(err)
		}
	}
	_, err := h.store.PutAccount(ctx, account.Account{ID: "shop", Tenant: tenant.Default, Channel: account.MiniProgram, AppID: "wx1", Token: "t", Mode: account.Plaintext, Format: account.XML})
	must(err)
	must(h.store.SetRouting(ctx, "shop", account.Routing{Assign: account.Assign{Mode: account.Auto}}))
	for i := range hallAgents {
		id, role := core.ID(fmt.Sprint("agent", i)), core.RoleAgent
		if i%10 == 0 {
			role = core.RoleSupervisor
		}
		g := core.Agent{ID: id, Tenant: tenant.Default, Name: string(id), Role: role, Accounts: []account.ID{"shop"}, Capacity: least + i*7%25}
		h.agents[id] = g.Capacity
		h.seats += g.Capacity
		_, err := h.store.PutAgent(ctx, g)
		must(err)
		_, err = h.store.SetStatus(ctx, tenant.Default, id, core.Online, h.now(), time.Time{})
		must(err)
		k, key, err := agent.NewKey(rand.Reader)
		must(err)
		k.Tenant, k.Agent = tenant.Default, id
		must(h.store.PutKey(ctx, k))
		h.keys[string(id)] = key
	}
}

func (h *hall) play() {
	h.t.Helper()
	h.wakes.lose, h.wakes.double = 0.8, 0.1
	closed := h.work()
	arrived := make(chan int, hallSessions)
	var crowd, meddlers sync.WaitGroup
	for range 8 {
		crowd.Go(func() { h.arrive(arrived) })
	}
	for i := range 6 {
		meddlers.Go(func() { h.meddle(i, arrived) })
	}
	crowd.Wait()
	close(arrived)
	meddlers.Wait()
	h.wakes.settle()
	// A minute later, the sweep has come by; of all its wake-ups one is enough.
	h.clock.Add(int64(time.Minute))
	if err := h.sweep.Run(h.t.Context()); err != nil {
		h.t.Errorf("sweep: %v", err)
	}
	h.wakes.settle()
	h.wakes.lose = 0
	if err := h.shell().WakeRouter(h.t.Context(), "shop", account.Owner{}); err != nil {
		h.t.Errorf("wake: %v", err)
	}
	h.wakes.settle()
	close(h.wakes.bodies)
	closed.Wait()
	h.check()
}

// work starts the routers.
func (h *hall) work() *sync.WaitGroup {
	var all sync.WaitGroup
	for _, r := range h.routers {
		all.Go(func() {
			for body := range h.wakes.bodies {
				err := r.Handle(h.t.Context(), body)
				if fault.Decide(err).Action == fault.Redeliver {
					h.wakes.again(body)
				} else if err != nil {
					h.t.Errorf("router: %v", err)
				}
				h.wakes.worked()
			}
		})
	}
	return &all
}

// arrive has customers write, until all have.
func (h *hall) arrive(arrived chan<- int) {
	sh, rules := h.shell(), session.RulesOf(account.Account{Tenant: tenant.Default, Channel: account.MiniProgram})
	rules.Auto = true
	for n := h.next.Add(1) - 1; n < hallSessions; n = h.next.Add(1) - 1 {
		id := fmt.Sprintf("s%04d", n)
		ref := session.Ref{Account: "shop", Customer: account.Customer("of " + id)}
		push := session.Arrived{ID: session.ID(id), Account: "shop", Customer: ref.Customer, Key: id, At: h.now(), Action: quota.Message, FromCustomer: true}
		if _, err := sh.Do(h.t.Context(), ref, rules, nil, push); err != nil {
			h.t.Errorf("%s arrives: %v", id, err)
		}
		arrived <- int(n)
	}
}

// meddle accepts by hand and transfers, to agents and into the queue: in step with the
// arrivals, half of the time the session that has just come, else any that may be there.
func (h *hall) meddle(seed int, arrived <-chan int) {
	d := mathrand.New(mathrand.NewPCG(2, uint64(seed)))
	for n := range arrived {
		if d.IntN(2) == 0 {
			n = d.IntN(n + 1)
		}
		id := fmt.Sprintf("s%04d", n)
		who, to := fmt.Sprint("agent", d.IntN(hallAgents)), fmt.Sprint("agent", d.IntN(hallAgents))
		path, body := "/v1/sessions/"+id+"/accept", ""
		switch d.IntN(4) {
		case 0:
			who, path, body = fmt.Sprint("agent", 10*d.IntN(hallAgents/10)), "/v1/sessions/"+id+"/transfer", `{"to_agent":"`+to+`"}`
		case 1:
			who, path, body = fmt.Sprint("agent", 10*d.IntN(hallAgents/10)), "/v1/sessions/"+id+"/transfer", `{"to":"queue"}`
		}
		req := httptest.NewRequestWithContext(h.t.Context(), http.MethodPost, path, strings.NewReader(body))
		req.Header.Set("Authorization", "Bearer "+h.keys[who])
		if body != "" {
			req.Header.Set("Content-Type", "application/json")
		}
		rec := httptest.NewRecorder()
		h.api.ServeHTTP(rec, req)
		if rec.Code == http.StatusOK {
			h.byHand.Add(1)
		}
		// 404: not yet there; 409: taken, or full; 503: come again.
		if !slices.Contains([]int{200, 404, 409, 503}, rec.Code) {
			h.t.Errorf("%s of %s: got %d %s", path, who, rec.Code, rec.Body)
		}
	}
}

// check looks at how everybody stands in the end.
func (h *hall) check() {
	h.t.Helper()
	ctx := h.t.Context()
	queued, served, free := 0, map[core.ID]int{}, 0
	seen := map[session.ID]bool{}
	for cursor := ""; ; {
		items, next, err := h.store.Sessions(ctx, session.Query{Tenant: tenant.Default, Cursor: cursor, Limit: 200})
		if err != nil {
			h.t.Fatal(err)
		}
		for _, s := range items {
			switch {
			case seen[s.ID]:
				h.t.Errorf("%s stands there twice", s.ID)
			case s.State == session.Queued && s.Agent == "":
				queued++
			case s.State == session.Serving && h.agents[s.Agent] > 0:
				served[s.Agent]++
			default:
				h.t.Errorf("%s is %s of agent %q; want it queued of none, or served by one", s.ID, s.State, s.Agent)
			}
			seen[s.ID] = true
		}
		if cursor = next; cursor == "" {
			break
		}
	}
	for id, capacity := range h.agents {
		d, err := h.store.Desk(ctx, tenant.Default, id)
		if err != nil {
			h.t.Fatal(err)
		}
		if n := served[id]; n > capacity || len(d.Seats) < n || len(d.Seats) > capacity {
			h.t.Errorf("%s: got %d sessions on %d seats of %d", id, n, len(d.Seats), capacity)
		}
		free += capacity - served[id]
	}
	if len(seen) != hallSessions {
		h.t.Errorf("got %d sessions, want %d", len(seen), hallSessions)
	}
	if queued > 0 && free > 0 {
		h.t.Errorf("%d sessions wait, and %d seats are free", queued, free)
	}
	if h.store.peak.Load() == 0 || h.byHand.Load() == 0 || h.wakes.lost == 0 || h.wakes.doubled == 0 {
		h.t.Error("nothing was taken, or nothing by hand, or no wake-up lost or doubled: there was nothing to prove")
	}
	h.t.Logf("%d seats: %d sessions wait, %d seats free; %d by hand; %d wake-ups, %d lost, %d doubled; %d times full, most seats at once %d",
		h.seats, queued, free, h.byHand.Load(), h.wakes.sent, h.wakes.lost, h.wakes.doubled, h.store.full.Load(), h.store.peak.Load())
}
