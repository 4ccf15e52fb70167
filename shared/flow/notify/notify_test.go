package notify_test

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"kefu/shared/core/account"
	"kefu/shared/core/fault"
	"kefu/shared/core/hook"
	"kefu/shared/core/message"
	"kefu/shared/core/queue"
	"kefu/shared/core/session"
)

// TestDownThenUp: a receiver is down for an hour. Nothing is lost, each conversation keeps its order, each event its id,
// and another account's receiver doesn't notice.
func TestDownThenUp(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.account("twin")
	w.answer = func(at time.Duration, id string) hook.Outcome {
		if at < time.Hour && !strings.HasPrefix(id, "evt_stwin") {
			return down
		}
		return delivered
	}
	for seq := range int64(3) {
		w.news("shop", "a", seq+1)
	}
	w.news("twin", "twin", 1)
	w.news("twin", "twin", 2)
	w.run(30 * time.Minute)
	w.news("shop", "b", 1)
	w.run(24 * time.Hour)
	w.wantDiary(`
		0s shop evt_sa-1 failed
		0s twin evt_stwin-1 delivered
		0s twin evt_stwin-2 delivered
		5s shop evt_sa-1 failed
		35s shop evt_sa-1 failed
		2m35s shop evt_sa-1 failed
		12m35s shop evt_sa-1 failed
		30m0s shop evt_sb-1 failed
		30m5s shop evt_sb-1 failed
		30m35s shop evt_sb-1 failed
		32m35s shop evt_sb-1 failed
		42m35s shop evt_sa-1 failed
		42m35s shop evt_sb-1 failed
		1h12m35s shop evt_sb-1 delivered
		1h42m35s shop evt_sa-1 delivered
		1h42m35s shop evt_sa-2 delivered
		1h42m35s shop evt_sa-3 delivered`)
	if dead := w.dead("shop"); len(dead) > 0 {
		t.Errorf("got %d dead, want none", len(dead))
	}
}

// TestADayDown: after a day news are dead, listed with the reason, and their followers have their turn. They can be told
// again, for another day and under the same id.
func TestADayDown(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.answer = func(time.Duration, string) hook.Outcome { return down }
	w.news("shop", "a", 1)
	w.now = start.Add(time.Minute)
	w.news("shop", "a", 2)
	w.now = start
	w.run(25 * time.Hour)
	dead := w.dead("shop")
	if len(dead) != 2 || dead[0].ID != "evt_sa-1" || dead[1].ID != "evt_sa-2" {
		t.Fatalf("got dead %+v, want both, the first first", dead)
	}
	if d := dead[0]; !d.DiedAt.Equal(start.Add(hook.GiveUp)) || d.Reason != "http-500" || d.Customer != "a" || d.Event != account.SessionOpened {
		t.Errorf("got %+v, want it dead a day later, for http-500", d)
	}
	if d := dead[1]; d.DiedAt.Before(start.Add(hook.GiveUp+time.Minute)) || d.DiedAt.After(start.Add(hook.GiveUp+2*time.Minute)) {
		t.Errorf("got the follower dead at %s, want it a day after its own time", d.DiedAt)
	}
	last := w.diary[len(w.diary)-1]
	if tries := len(w.diary); tries < 30 || tries > 39 || !strings.HasPrefix(last, "24h1m0s shop evt_sa-2") {
		t.Errorf("got %d tries, the last %s; want some thirty, the last of the follower at the end of its day", tries, last)
	}
	if letters, err := w.queue.Dead(t.Context(), 10); err != nil || len(letters) != 0 {
		t.Errorf("got %d dead letters, %v, want none: they are for what nobody can read", len(letters), err)
	}

	w.diary = nil
	w.again("shop")
	w.run(26 * time.Hour)
	w.answer = func(time.Duration, string) hook.Outcome { return delivered }
	w.run(50 * time.Hour)
	if got := w.diary[len(w.diary)-2:]; !slices.Equal(got, []string{"26h42m35s shop evt_sa-1 delivered", "26h42m35s shop evt_sa-2 delivered"}) {
		t.Errorf("told again: got %q, want both delivered in order under their ids", w.diary)
	}
}

// TestGone: the receiver's 410 ends it at once, and the next one is told all the same.
func TestGone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.answer = func(_ time.Duration, id string) hook.Outcome {
		if id == "evt_sa-1" {
			return hook.Outcome{Kind: hook.Gone, Reason: "gone", Status: 410}
		}
		return delivered
	}
	w.news("shop", "a", 1)
	w.news("shop", "a", 2)
	w.run(time.Minute)
	w.wantDiary(`
		0s shop evt_sa-1 gone
		0s shop evt_sa-2 delivered`)
	if dead := w.dead("shop"); len(dead) != 1 || dead[0].Reason != "gone" || !dead[0].DiedAt.Equal(start) {
		t.Errorf("got dead %+v, want the one that was refused, at once", dead)
	}
}

// TestRetryAfter: the receiver may ask for a longer pause.
func TestRetryAfter(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.answer = func(at time.Duration, _ string) hook.Outcome {
		if at < 7*time.Minute {
			return hook.Outcome{Kind: hook.Failed, Reason: "http-503", Status: 503, After: 7 * time.Minute}
		}
		return delivered
	}
	w.news("shop", "a", 1)
	w.run(time.Hour)
	w.wantDiary(`
		0s shop evt_sa-1 failed
		7m0s shop evt_sa-1 delivered`)
}

// TestNobodyListens: what the account doesn't tell, or an account that has gone, costs no request.
func TestNobodyListens(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.account("picky", account.MessageIn)
	w.account("quiet")
	if err := w.store.SetWebhook(t.Context(), "quiet", account.Webhook{}, account.Signing{}); err != nil {
		t.Fatal(err)
	}
	w.news("picky", "a", 1)
	w.news("quiet", "a", 1)
	w.news("deleted", "a", 1)
	w.run(time.Minute)
	w.wantDiary("")
}

// TestRow: what a message says is read when it is told; as long as its row isn't there, that waits.
func TestRow(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.news("shop", "o", 1, func(n *session.News) { n.Event, n.Message = account.MessageIn, "so-1" })
	w.news("shop", "o", 2)
	w.run(10 * time.Second)
	w.wantDiary("")
	w.row("so-1", "在吗")
	w.run(time.Minute)
	w.wantDiary(`
		35s shop evt_so-1 delivered
		35s shop evt_so-2 delivered`)
	var got struct {
		Type string
		Data struct {
			Message struct {
				ID   message.ID
				Text message.Text
			}
		}
	}
	if err := json.Unmarshal(w.bodies["evt_so-1"], &got); err != nil || got.Type != account.MessageIn || got.Data.Message.Text.Content != "在吗" {
		t.Errorf("got %s, %v, want the message", w.bodies["evt_so-1"], err)
	}
	if strings.Contains(w.log.String(), "在吗") {
		t.Errorf("the log tells what the customer wrote:\n%s", w.log.String())
	}
	w.news("shop", "o", 3, func(n *session.News) { n.Event, n.Message = account.MessageIn, "so-99" })
	w.run(48 * time.Hour)
	if dead := w.dead("shop"); len(dead) != 1 || dead[0].Reason != "message-missing" || dead[0].Message != "so-99" {
		t.Errorf("a row that never comes: got dead %+v, want it for message-missing", dead)
	}
}

// TestToldTwice: whoever dies between the receiver's answer and the acknowledgement tells it again, under the same id.
func TestToldTwice(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.news("shop", "a", 1)
	d, err := w.queue.Receive(t.Context(), 1)
	if err != nil || len(d) != 1 {
		t.Fatalf("got %d messages, %v", len(d), err)
	}
	if err := w.Handle(t.Context(), d[0]); err != nil {
		t.Fatal(err)
	}
	first := string(w.bodies["evt_sa-1"])
	w.run(2 * time.Minute) // its visibility is over then
	w.wantDiary(`
		0s shop evt_sa-1 delivered
		1m0s shop evt_sa-1 delivered`)
	if again := string(w.bodies["evt_sa-1"]); again != first {
		t.Errorf("got %s the second time, want what it was: %s", again, first)
	}
}

// TestPoison: what is no news is for the parking place of the queue's consumer.
func TestPoison(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, body := range []string{"", "{}", "[]", `{"account":"shop"}`} {
		if err := w.Handle(t.Context(), queue.Delivery{Body: []byte(body)}); fault.KindOf(err) != fault.Invalid || fault.Decide(err).Action != fault.Park {
			t.Errorf("%q: got %v, want Invalid, to be parked", body, err)
		}
	}
}

// broken fails where it is told to.
type broken struct{ err error }

func (b broken) Account(context.Context, account.ID) (account.Account, error) {
	return account.Account{}, b.err
}

func (b broken) Message(context.Context, message.ID) (message.Message, error) {
	return message.Message{}, b.err
}

func (b broken) KeepRaw(context.Context, message.RawPush) error { return b.err }

// TestStoreDown: when our own store fails, news wait; they are never dropped, not even when they are to be buried.
func TestStoreDown(t *testing.T) {
	t.Parallel()
	down := fault.New(fault.Unavailable, "store-down", "")
	body, err := json.Marshal(session.Tell{
		Ref:  session.Ref{Account: "shop", Customer: "a"},
		News: session.News{Seq: 1, Event: account.MessageIn, At: start, Session: "sa", Message: "sa-1"},
	})
	if err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		fail func(*world)
		code string
		wait time.Duration
	}{
		"accounts": {func(w *world) { w.Accounts = broken{down} }, "not-told", 30 * time.Second},
		"messages": {func(w *world) { w.Messages = broken{down} }, "not-told", 30 * time.Second},
		"accounts, a day later": {func(w *world) {
			w.Accounts, w.Dead, w.now = broken{down}, broken{down}, start.Add(hook.GiveUp)
		}, "not-kept", 30 * time.Second},
		"a grave": {func(w *world) {
			w.row("sa-1", "x")
			w.Dead = broken{down}
			w.answer = func(time.Duration, string) hook.Outcome { return hook.Outcome{Kind: hook.Gone, Reason: "gone"} }
		}, "not-kept", 30 * time.Second},
	} {
		w := newWorld(t)
		tc.fail(w)
		err := w.Handle(t.Context(), queue.Delivery{Body: body, Receives: 2})
		if fault.CodeOf(err) != tc.code || fault.RetryAfter(err) != tc.wait || !errors.Is(err, down) {
			t.Errorf("%s: got %v after %s, want %s after %s, with the cause", name, err, fault.RetryAfter(err), tc.code, tc.wait)
		}
	}
}
