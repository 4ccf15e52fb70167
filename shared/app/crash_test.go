package app_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"kefu/shared/adapter/bolt"
	"kefu/shared/app"
	"kefu/shared/core/account"
	"kefu/shared/core/fault"
	"kefu/shared/core/message"
	"kefu/shared/core/quota"
	"kefu/shared/core/session"
	"kefu/shared/core/tenant"
	"kefu/shared/flow/agent"
	"kefu/shared/flow/expire"
	"kefu/shared/flow/ingest"
	"kefu/shared/flow/send"
	"kefu/shared/shell"

	core "kefu/shared/core/agent"
)

// TestCrashAnywhere plays one conversation again and again, and each time the
// process dies at another write, before or after it took effect: a step of the
// store, a message to a queue, a call to the platform. Then it starts again, the
// queues deliver what was not acknowledged, the client repeats what was not
// answered. Whatever the point, the end is the same.
func TestCrashAnywhere(t *testing.T) { crashAnywhere(t, nil) }

// crashAnywhere does that on the store that open makes; nil: the embedded engine's.
func crashAnywhere(t *testing.T, open func(t *testing.T, now func() time.Time) app.Store) {
	t.Parallel()
	quiet := newCrashRig(t, open, 0, false)
	quiet.play()
	quiet.check()
	points := int(quiet.fuse.ops.Load())
	if points < 30 {
		t.Fatalf("only %d points to crash at: the rig doesn't see the writes", points)
	}
	for _, after := range []bool{false, true} {
		for k := 1; k <= points; k++ {
			if open != nil && (k%2 == 0) == after {
				continue // a slow engine dies at each point once, before or after in turn
			}
			t.Run(fmt.Sprintf("point %d of %d, after=%v", k, points, after), func(t *testing.T) {
				t.Parallel()
				r := newCrashRig(t, open, k, after)
				r.play()
				if !r.fuse.blown.Load() {
					t.Errorf("the process never died: %d writes in all", r.fuse.ops.Load())
				}
				r.check()
			})
		}
	}
}

// fuse ends the process at its k-th operation: that one fails before or after
// having taken effect, and nothing more has any until the restart.
type fuse struct {
	at    int64
	after bool
	ops   atomic.Int64
	blown atomic.Bool
	dead  atomic.Bool
}

var errDied = fault.New(fault.Unavailable, "died", "the process has died here")

func (f *fuse) op(do func() error) error {
	if f.dead.Load() {
		return errDied
	}
	if f.ops.Add(1) != f.at {
		return do()
	}
	f.blown.Store(true)
	f.dead.Store(true)
	if f.after {
		_ = do() // it took effect, and nobody heard of it
	}
	return errDied
}

type mortalStore struct {
	app.Store
	f *fuse
}

func (s mortalStore) SaveSession(ctx context.Context, v session.Session, was int64) error {
	return s.f.op(func() error { return s.Store.SaveSession(ctx, v, was) })
}

func (s mortalStore) ArchiveSession(ctx context.Context, v session.Session) error {
	return s.f.op(func() error { return s.Store.ArchiveSession(ctx, v) })
}

func (s mortalStore) SettleMessage(ctx context.Context, v message.Settlement) (wrote bool, err error) {
	err = s.f.op(func() error { wrote, err = s.Store.SettleMessage(ctx, v); return err })
	return wrote, err
}

func (s mortalStore) PutMessage(ctx context.Context, v message.Message) error {
	return s.f.op(func() error { return s.Store.PutMessage(ctx, v) })
}

func (s mortalStore) MarkSeen(ctx context.Context, a account.Scope, v message.Seen) error {
	return s.f.op(func() error { return s.Store.MarkSeen(ctx, a, v) })
}

func (s mortalStore) RecordDrop(ctx context.Context, a account.Scope, key string, at time.Time) error {
	return s.f.op(func() error { return s.Store.RecordDrop(ctx, a, key, at) })
}

func (s mortalStore) TakeSeat(ctx context.Context, t tenant.ID, a core.ID, id session.ID, n int, at time.Time) (taken bool, err error) {
	err = s.f.op(func() error { taken, err = s.Store.TakeSeat(ctx, t, a, id, n, at); return err })
	return taken, err
}

func (s mortalStore) FreeSeat(ctx context.Context, t tenant.ID, a core.ID, id session.ID, at time.Time) error {
	return s.f.op(func() error { return s.Store.FreeSeat(ctx, t, a, id, at) })
}

type mortalQueue struct {
	*bolt.Queue
	f *fuse
}

func (q mortalQueue) Send(ctx context.Context, group string, d time.Duration, body []byte) error {
	return q.f.op(func() error { return q.Queue.Send(ctx, group, d, body) })
}

// tinyPlatform is the least that counts windows and remembers what arrived.
type tinyPlatform struct {
	f     *fuse
	left  int
	texts []string
}

func (p *tinyPlatform) Send(_ context.Context, _ account.Account, _ account.Customer, c message.Content, _ map[string]string) session.Outcome {
	refused := false
	if err := p.f.op(func() error {
		if p.left == 0 {
			refused = true
			return nil
		}
		p.left--
		p.texts = append(p.texts, c.Text.Content)
		return nil
	}); err != nil {
		return session.Outcome{Kind: session.Lost} // nobody will hear it
	}
	if refused {
		return session.Outcome{Kind: session.QuotaUsedUp, Code: 45047}
	}
	return session.Outcome{Kind: session.Sent}
}

// reader reads the pushes of this test: the body is the text.
type reader struct{}

func (reader) Read(_ account.Account, p message.Push) (message.Inbound, error) {
	return message.Inbound{
		Customer: p.Customer, Key: p.Key, At: p.ReceivedAt.Truncate(time.Second), Action: quota.Message, FromCustomer: true,
		Content: message.Content{Type: message.TypeText, Text: &message.Text{Content: string(p.Body)}},
	}, nil
}

type noMedia struct{}

func (noMedia) Expect(context.Context, account.Account, []message.PlatformMedia, time.Time) error {
	return nil
}

func (noMedia) PlatformID(context.Context, account.Account, string, bool) (string, error) {
	return "", errors.New("no media here")
}
func (noMedia) Fetch(context.Context, string) error { return errors.New("no media here") }
func (noMedia) Add(context.Context, account.Account, string, string, string, []byte) (message.Media, error) {
	return message.Media{}, errors.New("no media here")
}

func (noMedia) Open(context.Context, string) (message.Media, []byte, error) {
	return message.Media{}, nil, errors.New("no media here")
}

func (noMedia) Typing(context.Context, account.Account, account.Customer, bool) error { return nil }

// crashRig is one mortal process after the other on the same data.
type crashRig struct {
	t        *testing.T
	fuse     *fuse
	now      time.Time
	store    app.Store
	platform *tinyPlatform
	ingest   *ingest.Ingest
	sender   *send.Sender
	sweep    *expire.Sweep
	api      http.Handler
	inbound  *bolt.Queue
	outbound *bolt.Queue
	hooks    *bolt.Queue
	sh       *shell.Shell
	session  string
	accepted []string // texts answered with 202
	key      string
}

func newCrashRig(t *testing.T, open func(*testing.T, func() time.Time) app.Store, at int, after bool) *crashRig {
	t.Helper()
	r := &crashRig{t: t, fuse: &fuse{at: int64(at), after: after}, now: time.Date(2026, 11, 21, 8, 0, 0, 0, time.UTC)}
	db, err := bolt.Open(bolt.Options{Path: filepath.Join(t.TempDir(), "kefu.db"), Now: r.clock})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	r.store, r.platform = app.Store(db.Store()), &tinyPlatform{f: r.fuse}
	if open != nil {
		r.store = open(t, r.clock)
	}
	store := mortalStore{r.store, r.fuse}
	options := bolt.QueueOptions{Visibility: time.Minute, MaxReceives: 10}
	r.inbound, r.outbound = db.Queue("inbound", options), db.Queue("outbound", options)
	route := mortalQueue{db.Queue("route", options), r.fuse}
	r.hooks = db.Queue("hooks", options)
	sh := &shell.Shell{Store: store, Route: route, Outbound: mortalQueue{r.outbound, r.fuse}, Hooks: mortalQueue{r.hooks, r.fuse}, Now: r.clock}
	r.sh = sh
	log := slog.New(slog.DiscardHandler)
	r.ingest = &ingest.Ingest{Accounts: store, Channel: reader{}, Store: store, Shell: sh, Media: noMedia{}, Fetch: r.outbound, Now: r.clock, Log: log}
	r.sender = &send.Sender{Accounts: store, Messenger: r.platform, Media: noMedia{}, Shell: sh, Now: r.clock, Log: log}
	r.sweep = &expire.Sweep{Accounts: store, Index: store, Shell: sh, Now: r.clock, Log: log}
	r.api = (&agent.API{Store: store, Shell: sh, Media: noMedia{}, Typer: noMedia{}, Now: r.clock, Rand: rand.Reader, Log: log, AdminKey: agent.HashKey(adminKey)}).Handler()
	r.prepare(r.store)
	return r
}

func (r *crashRig) clock() time.Time { return r.now }

func (r *crashRig) prepare(s app.Store) {
	r.t.Helper()
	ctx := r.t.Context()
	_, err := s.PutAccount(ctx, account.Account{ID: "shop", Tenant: tenant.Default, Channel: account.MiniProgram, AppID: "wx1", Token: "t", Mode: account.Plaintext, Format: account.XML})
	if err != nil {
		r.t.Fatal(err)
	}
	if _, err := s.PutAgent(ctx, core.Agent{ID: "ann", Tenant: tenant.Default, Name: "Ann", Role: core.RoleAgent, Accounts: []account.ID{"shop"}, Capacity: 1}); err != nil {
		r.t.Fatal(err)
	}
	if _, err := s.SetStatus(ctx, tenant.Default, "ann", core.Online, r.now, time.Time{}); err != nil {
		r.t.Fatal(err)
	}
	stored, key, err := agent.NewKey(rand.Reader)
	if err != nil {
		r.t.Fatal(err)
	}
	stored.Tenant, stored.Agent = tenant.Default, "ann"
	if err := s.PutKey(ctx, stored); err != nil {
		r.t.Fatal(err)
	}
	r.key = key
}

// play is the conversation: he writes twice, Ann accepts, sends seven texts, he
// writes again, she closes.
func (r *crashRig) play() {
	r.write("p1", "hello")
	r.write("p2", "anybody there?")
	r.work()
	r.find()
	r.call("POST", "/accept", nil, "")
	for i := range 7 {
		r.answer(fmt.Sprint("answer ", i))
		r.work()
	}
	r.now = r.now.Add(10 * time.Second)
	r.write("p3", "thanks")
	r.work()
	r.call("POST", "/close", nil, "")
	for range 5 { // sweeps, as long as a lost wake-up or a lost answer can take
		r.now = r.now.Add(61 * time.Second)
		r.alive(func() error { return r.sweep.Run(r.t.Context()) })
		r.work()
	}
}

// alive runs do, and again after a restart if the process dies in it.
func (r *crashRig) alive(do func() error) {
	r.t.Helper()
	for try := 0; ; try++ {
		err := do()
		if r.fuse.dead.Swap(false) {
			r.now = r.now.Add(61 * time.Second) // visibility and leases run out
			continue
		}
		if err != nil && try > 3 {
			r.t.Fatal(err)
		}
		if err == nil {
			return
		}
		r.now = r.now.Add(2 * time.Second)
	}
}

// write is the customer writing; the push is durable before he sees it accepted.
func (r *crashRig) write(key, text string) {
	r.t.Helper()
	r.platform.left = 5
	body, err := json.Marshal(message.Push{Account: "shop", Customer: "mei", Key: key, Body: []byte(text), ReceivedAt: r.now})
	if err != nil {
		r.t.Fatal(err)
	}
	if err := r.inbound.Send(r.t.Context(), "shop/mei", 0, body); err != nil {
		r.t.Fatal(err)
	}
	r.now = r.now.Add(time.Second)
}

// work lets both consumers work until nothing is ready. A message that fails, or
// whose consumer dies, is not acknowledged and comes again.
func (r *crashRig) work() {
	r.t.Helper()
	ctx := r.t.Context()
	for range 200 {
		idle := true
		for _, c := range []struct {
			queue  *bolt.Queue
			handle func(context.Context, []byte) error
		}{{r.inbound, r.ingest.Handle}, {r.outbound, r.sender.Handle}} {
			q, handle := c.queue, c.handle
			batch, err := q.Receive(ctx, 1)
			if err != nil {
				r.t.Fatal(err)
			}
			for _, d := range batch {
				idle = false
				err := handle(ctx, d.Body)
				if r.fuse.dead.Swap(false) {
					r.now = r.now.Add(61 * time.Second)
					continue
				}
				if err != nil {
					err = q.Retry(ctx, d.Receipt, time.Second)
					r.now = r.now.Add(time.Second)
				} else {
					err = q.Ack(ctx, d.Receipt)
				}
				if err != nil {
					r.t.Fatal(err)
				}
			}
		}
		if idle {
			return
		}
	}
	r.t.Fatal("the queues never come to rest")
}

func (r *crashRig) find() {
	r.t.Helper()
	s, err := r.store.Session(r.t.Context(), "shop", "mei")
	if err != nil {
		r.t.Fatal(err)
	}
	r.session = string(s.ID)
}

// call makes one call with an idempotency key until it is answered.
func (r *crashRig) call(method, path string, body any, idempotency string) {
	r.t.Helper()
	r.alive(func() error {
		var b []byte
		if body != nil {
			b, _ = json.Marshal(body)
		}
		req := httptest.NewRequest(method, "/v1/sessions/"+r.session+path, bytes.NewReader(b)).WithContext(r.t.Context())
		req.Header.Set("Authorization", "Bearer "+r.key)
		req.Header.Set("Content-Type", "application/json")
		if idempotency != "" {
			req.Header.Set("Idempotency-Key", idempotency)
		}
		w := httptest.NewRecorder()
		r.api.ServeHTTP(w, req)
		if r.fuse.dead.Load() {
			return errDied // the answer, whatever it was, is lost with the process
		}
		if w.Code >= 300 && w.Code != http.StatusConflict {
			return fmt.Errorf("%s %s: %d %s", method, path, w.Code, w.Body)
		}
		return nil
	})
}

func (r *crashRig) answer(text string) {
	r.t.Helper()
	r.call("POST", "/messages", m{"type": "text", "text": m{"content": text}}, text)
	r.accepted = append(r.accepted, text)
}

// check finds everything exactly once, in order, ended, and paid for.
func (r *crashRig) check() {
	r.t.Helper()
	ctx, store := r.t.Context(), r.store
	rows, _, err := store.Messages(ctx, session.ID(r.session), "", 200)
	if err != nil {
		r.t.Fatal(err)
	}
	var in, out, sent []string
	for _, row := range rows {
		switch {
		case row.Direction == message.In:
			in = append(in, row.Content.Text.Content)
		case row.Reason == "never-accepted":
		default:
			out = append(out, row.Content.Text.Content)
			if !row.State.Final() {
				r.t.Errorf("%q has not ended: %s", row.Content.Text.Content, row.State)
			}
			if row.State == message.Sent || (row.State == message.Unknown && slices.Contains(r.platform.texts, row.Content.Text.Content)) {
				sent = append(sent, row.Content.Text.Content)
			}
		}
	}
	if want := []string{"hello", "anybody there?", "thanks"}; !slices.Equal(in, want) {
		r.t.Errorf("stored from the customer: %q, want %q", in, want)
	}
	if !slices.Equal(out, r.accepted) {
		r.t.Errorf("stored from the agent: %q, want each accepted one once: %q", out, r.accepted)
	}
	if !slices.Equal(sent, r.platform.texts) {
		r.t.Errorf("the customer got %q, the rows say %q", r.platform.texts, sent)
	}
	if n := len(r.accepted) - len(r.platform.texts); n > 1 {
		r.t.Errorf("%d messages did not arrive, and only one call can have been cut: %q", n, r.platform.texts)
	}
	s, err := store.Session(ctx, "shop", "mei")
	if err != nil || string(s.ID) != r.session || s.State != session.Closed {
		r.t.Errorf("the session is %s %s (%v), want %s closed", s.ID, s.State, err, r.session)
	}
	if d, err := store.Desk(ctx, tenant.Default, "ann"); err != nil || (len(d.Seats) > 0 && !r.fuse.blown.Load()) {
		r.t.Errorf("seats left taken: %v (%v)", d.Seats, err)
	}
}
