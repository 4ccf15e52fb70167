package route_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"kefu/shared/adapter/bolt"
	"kefu/shared/core/account"
	"kefu/shared/core/agent"
	"kefu/shared/core/message"
	"kefu/shared/core/quota"
	"kefu/shared/core/session"
	"kefu/shared/core/tenant"
	"kefu/shared/flow/route"
	"kefu/shared/shell"
)

var nine = time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)

// world is a router on the embedded engine, with a clock that only moves by pass.
type world struct {
	t      *testing.T
	store  *counting
	shell  *shell.Shell
	router *route.Router
	wakes  *wakes

	mu  sync.Mutex
	now time.Time
	log strings.Builder
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, now: nine, wakes: &wakes{}}
	db, err := bolt.Open(bolt.Options{Path: filepath.Join(t.TempDir(), "kefu.db"), Now: w.clock})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	w.store = &counting{Store: db.Store(), calls: map[string]int{}}
	w.shell = &shell.Shell{Store: w.store, Route: w.wakes, Outbound: silent{}, Hooks: silent{}, Now: w.clock}
	w.router = &route.Router{
		Accounts: w.store, Sessions: w.store, Messages: w.store, Agents: w.store, Shell: w.shell, Now: w.clock,
		Log: slog.New(slog.NewJSONHandler(&w.log, nil)),
	}
	return w
}

func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *world) pass(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// account makes an account, or replaces its routing rules.
func (w *world) account(id account.ID, r account.Routing) {
	w.t.Helper()
	w.must(r.Check())
	_, err := w.store.PutAccount(w.t.Context(), account.Account{
		ID: id, Tenant: "t", Channel: account.MiniProgram, AppID: "wx-" + string(id), Token: "t", Mode: account.Plaintext, Format: account.JSON,
	})
	w.must(err)
	w.must(w.store.SetRouting(w.t.Context(), id, r))
}

// auto are rules that give sessions to agents at once.
func auto(change ...func(*account.Routing)) account.Routing {
	r := account.Routing{Assign: account.Assign{Mode: account.Auto}}
	for _, c := range change {
		c(&r)
	}
	return r
}

// agent makes an agent who is online, with a lease if one is given.
func (w *world) agent(id agent.ID, capacity int, lease time.Duration, bound ...account.ID) {
	w.t.Helper()
	_, err := w.store.PutAgent(w.t.Context(), agent.Agent{ID: id, Tenant: "t", Name: string(id), Role: agent.RoleAgent, Capacity: capacity, Accounts: bound})
	w.must(err)
	w.status(id, agent.Online, lease)
}

func (w *world) status(id agent.ID, s agent.Status, lease time.Duration) {
	w.t.Helper()
	until := time.Time{}
	if lease > 0 {
		until = w.clock().Add(lease)
	}
	_, err := w.store.SetStatus(w.t.Context(), "t", id, s, w.clock(), until)
	w.must(err)
}

// says lets a customer write, and returns his session.
func (w *world) says(to account.ID, who account.Customer, text string) session.Session {
	w.t.Helper()
	a, err := w.store.Account(w.t.Context(), to)
	w.must(err)
	at := w.clock()
	c := message.Content{Type: message.TypeText, Text: &message.Text{Content: text}}
	row := func(ctx context.Context, s session.Session, e session.Store) error {
		in, n, _ := e.Message.Split()
		return w.store.PutMessage(ctx, message.Message{
			ID: e.Message, N: n, Tenant: s.Tenant, Account: s.Account, Customer: s.Customer, Session: in,
			Direction: message.In, Content: c, State: message.Received, CreatedAt: at,
		})
	}
	n := w.store.count("says")
	res, err := w.shell.Do(w.t.Context(), session.Ref{Account: to, Customer: who}, session.RulesOf(a), row, session.Arrived{
		ID: session.ID(fmt.Sprintf("s%06d", n)), Account: to, Customer: who, Key: fmt.Sprint("push", n), At: at,
		Action: quota.Message, FromCustomer: true, Text: text,
	})
	w.must(err)
	return res.Session
}

// do applies events to a customer's conversation.
func (w *world) do(to account.ID, who account.Customer, events ...session.Event) {
	w.t.Helper()
	a, err := w.store.Account(w.t.Context(), to)
	w.must(err)
	_, err = w.shell.Do(w.t.Context(), session.Ref{Account: to, Customer: who}, session.RulesOf(a), nil, events...)
	w.must(err)
}

func (w *world) session(of account.ID, who account.Customer) session.Session {
	w.t.Helper()
	s, err := w.store.Session(w.t.Context(), of, who)
	w.must(err)
	return s
}

// stands tells a customer's session as "state agent".
func (w *world) stands(of account.ID, who account.Customer) string {
	w.t.Helper()
	s := w.session(of, who)
	return strings.TrimSpace(string(s.State) + " " + string(s.Agent))
}

func (w *world) want(what, got, want string) {
	w.t.Helper()
	if got != want {
		w.t.Errorf("%s: got %q, want %q", what, got, want)
	}
}

// load is how many seats an agent has taken.
func (w *world) load(id agent.ID) string {
	w.t.Helper()
	d, err := w.store.Desk(w.t.Context(), "t", id)
	w.must(err)
	return fmt.Sprint(len(d.Seats))
}

// handle hands the router a wake-up.
func (w *world) handle(wake shell.Wake) {
	w.t.Helper()
	b, err := json.Marshal(wake)
	w.must(err)
	w.must(w.router.Handle(w.t.Context(), b))
}

// wakes is the router's own queue, of which nothing comes back by itself.
type wakes struct {
	mu   sync.Mutex
	sent []string // "delay body"
}

func (q *wakes) Send(_ context.Context, _ string, delay time.Duration, body []byte) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.sent = append(q.sent, delay.String()+" "+string(body))
	return nil
}

// take returns what was sent since the last time.
func (q *wakes) take() []string {
	q.mu.Lock()
	defer q.mu.Unlock()
	sent := q.sent
	q.sent = nil
	return sent
}

type silent struct{}

func (silent) Send(context.Context, string, time.Duration, []byte) error { return nil }

// counting counts what is read.
type counting struct {
	*bolt.Store
	mu    sync.Mutex
	calls map[string]int
}

func (c *counting) count(what string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.calls[what]++
	return c.calls[what]
}

// since returns how often each was read since the last time, and how many sessions lists
// had, as "Desk 2, Sessions 1, listed 20".
func (c *counting) since() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var all []string
	for _, what := range []string{"AgentsOf", "Desk", "Desks", "SessionByID", "Sessions", "listed"} {
		if n := c.calls[what]; n > 0 {
			all = append(all, fmt.Sprint(what, " ", n))
		}
		delete(c.calls, what)
	}
	return strings.Join(all, ", ")
}

func (c *counting) Sessions(ctx context.Context, q session.Query) ([]session.Session, string, error) {
	c.count("Sessions")
	items, next, err := c.Store.Sessions(ctx, q)
	for range items {
		c.count("listed")
	}
	return items, next, err
}

func (c *counting) SessionByID(ctx context.Context, id session.ID) (session.Session, error) {
	c.count("SessionByID")
	return c.Store.SessionByID(ctx, id)
}

func (c *counting) AgentsOf(ctx context.Context, t tenant.ID, id account.ID) ([]agent.Agent, error) {
	c.count("AgentsOf")
	return c.Store.AgentsOf(ctx, t, id)
}

func (c *counting) Desk(ctx context.Context, t tenant.ID, a agent.ID) (agent.Desk, error) {
	c.count("Desk")
	return c.Store.Desk(ctx, t, a)
}

func (c *counting) Desks(ctx context.Context, t tenant.ID, agents []agent.ID) ([]agent.Desk, error) {
	c.count("Desks")
	return c.Store.Desks(ctx, t, agents)
}
