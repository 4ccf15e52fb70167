package notify_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"kefu/shared/adapter/bolt"
	"kefu/shared/core/account"
	"kefu/shared/core/fault"
	"kefu/shared/core/hook"
	"kefu/shared/core/message"
	"kefu/shared/core/session"
	"kefu/shared/flow/notify"
)

var start = time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)

// world is the embedded engine, a receiver whose answers the test decides, and a clock that goes from one thing that
// happens to the next.
type world struct {
	*notify.Notifier
	t     *testing.T
	now   time.Time
	store *bolt.Store
	queue *bolt.Queue
	log   bytes.Buffer
	// answer is the receiver's, by the time since the start and the webhook-id.
	answer func(at time.Duration, id string) hook.Outcome
	diary  []string // what the receiver saw
	bodies map[string][]byte
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, now: start, bodies: map[string][]byte{}}
	w.answer = func(time.Duration, string) hook.Outcome { return delivered }
	db, err := bolt.Open(bolt.Options{Path: filepath.Join(t.TempDir(), "kefu.db"), Now: w.clock})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	w.store, w.queue = db.Store(), db.Queue("hooks", bolt.QueueOptions{Visibility: time.Minute, MaxReceives: 40})
	w.Notifier = &notify.Notifier{
		Accounts: w.store, Messages: w.store, Dead: w.store, Receiver: w, Now: w.clock, Log: slog.New(slog.NewJSONHandler(&w.log, nil)),
	}
	w.account("shop")
	return w
}

func (w *world) clock() time.Time { return w.now }

var (
	delivered = hook.Outcome{Kind: hook.Delivered, Status: 200}
	down      = hook.Outcome{Kind: hook.Failed, Reason: "http-500", Status: 500}
)

// Tell is the receiver.
func (w *world) Tell(_ context.Context, a account.Account, id string, body []byte) hook.Outcome {
	at := w.now.Sub(start)
	o := w.answer(at, id)
	w.diary = append(w.diary, fmt.Sprintf("%s %s %s %s", at.Round(time.Second), a.ID, id, o.Kind))
	w.bodies[id] = body
	return o
}

// account makes an account that tells everything, or the named events.
func (w *world) account(id account.ID, events ...string) {
	w.t.Helper()
	a := account.Account{ID: id, Tenant: "t", Channel: account.MiniProgram}
	if _, err := w.store.PutAccount(w.t.Context(), a); err != nil {
		w.t.Fatal(err)
	}
	if err := w.store.SetWebhook(w.t.Context(), id, account.Webhook{URL: "https://receiver", Events: events}, account.Signing{Secret: "s"}); err != nil {
		w.t.Fatal(err)
	}
}

// news has a conversation tell its next news, now.
func (w *world) news(of account.ID, c account.Customer, seq int64, change ...func(*session.News)) {
	w.t.Helper()
	n := session.News{Seq: seq, Event: account.SessionOpened, At: w.now, Session: session.ID("s" + string(c)), State: session.Queued}
	for _, f := range change {
		f(&n)
	}
	body, err := json.Marshal(session.Tell{Ref: session.Ref{Account: of, Customer: c}, News: n})
	if err != nil {
		w.t.Fatal(err)
	}
	w.send(string(of)+"/"+string(c), body)
}

func (w *world) send(group string, body []byte) {
	w.t.Helper()
	if err := w.queue.Send(w.t.Context(), group, 0, body); err != nil {
		w.t.Fatal(err)
	}
}

// run works until nothing is left, or until a time; what fails is given back for as long as its error says.
func (w *world) run(until time.Duration) {
	w.t.Helper()
	for range 10_000 {
		batch, err := w.queue.Receive(w.t.Context(), 10)
		if err != nil {
			w.t.Fatal(err)
		}
		for _, d := range batch {
			switch err := w.Handle(w.t.Context(), d); {
			case err == nil:
				err = w.queue.Ack(w.t.Context(), d.Receipt)
				if err != nil {
					w.t.Fatal(err)
				}
			case fault.Decide(err).Action != fault.RetryLater || fault.RetryAfter(err) <= 0:
				w.t.Fatalf("%s: got %v, want to be told when it comes again", d.Body, err)
			default:
				if err := w.queue.Retry(w.t.Context(), d.Receipt, fault.RetryAfter(err)); err != nil {
					w.t.Fatal(err)
				}
			}
		}
		if len(batch) > 0 {
			continue
		}
		at, ok := w.queue.NextAt(w.t.Context())
		if !ok || at.Sub(start) > until {
			w.now = start.Add(until)
			return
		}
		w.now = at
	}
	w.t.Fatal("the queue never comes to rest")
}

// wantDiary compares what the receiver saw with a text.
func (w *world) wantDiary(want string) {
	w.t.Helper()
	want = strings.ReplaceAll(strings.TrimSpace(want), "\t", "")
	if got := strings.Join(w.diary, "\n"); got != want {
		w.t.Errorf("the receiver saw\n%s\nwant\n%s", got, want)
	}
}

// dead are the dead news of an account.
func (w *world) dead(of account.ID) (list []hook.Dead) {
	w.t.Helper()
	raw, next, err := w.store.RawPushes(w.t.Context(), hook.Yard(account.Scope(of)), "", 200)
	if err != nil || next != "" {
		w.t.Fatalf("list dead news: %v, cursor %q", err, next)
	}
	for _, r := range raw {
		d, err := hook.ReadDead(r)
		if err != nil {
			w.t.Fatal(err)
		}
		list = append(list, d)
	}
	return list
}

// again has all dead news of an account told once more.
func (w *world) again(of account.ID) {
	w.t.Helper()
	raw, _, err := w.store.RawPushes(w.t.Context(), hook.Yard(account.Scope(of)), "", 200)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, r := range raw {
		ref, body, err := hook.Again(r, w.now)
		if err != nil {
			w.t.Fatal(err)
		}
		w.send(string(ref.Account)+"/"+string(ref.Customer), body)
	}
}

func (w *world) row(id message.ID, text string) {
	w.t.Helper()
	in, n, _ := id.Split()
	err := w.store.PutMessage(w.t.Context(), message.Message{
		ID: id, N: n, Tenant: "t", Account: "shop", Customer: "o", Session: in, Direction: message.In, State: message.Received,
		Content: message.Content{Type: message.TypeText, Text: &message.Text{Content: text}}, CreatedAt: w.now,
	})
	if err != nil {
		w.t.Fatal(err)
	}
}
