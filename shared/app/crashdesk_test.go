package app_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"kefu/shared/app"
	"kefu/shared/core/account"
	"kefu/shared/core/message"
	"kefu/shared/core/session"
)

// TestCrashInTheDesk is TestCrashAnywhere for what the rules of the desk do: the bot
// answers, a human is called, an agent takes the session by writing, texts go out as
// one, and the business's software is told of all that.
func TestCrashInTheDesk(t *testing.T) { crashInTheDesk(t, nil) }

// TestCrashInTheDeskInCloud is that with the store in DynamoDB.
func TestCrashInTheDeskInCloud(t *testing.T) { crashInTheDesk(t, openDynamo) }

func crashInTheDesk(t *testing.T, open func(t *testing.T, now func() time.Time) app.Store) {
	t.Parallel()
	quiet := newDeskRig(t, open, 0, false)
	quiet.playDesk()
	quiet.checkDesk()
	points := int(quiet.fuse.ops.Load())
	if points < 50 {
		t.Fatalf("only %d points to crash at: the rig doesn't see the writes", points)
	}
	for k := 1; k <= points; k++ {
		for _, after := range []bool{false, true} {
			if open != nil && (k%2 == 0 || (k/2%2 == 0) == after) {
				continue // a slow engine dies at every second point, before or after in turn
			}
			t.Run(fmt.Sprintf("point %d of %d, after=%v", k, points, after), func(t *testing.T) {
				t.Parallel()
				r := newDeskRig(t, open, k, after)
				r.playDesk()
				if !r.fuse.blown.Load() {
					t.Errorf("the process never died: %d writes in all", r.fuse.ops.Load())
				}
				r.checkDesk()
			})
		}
	}
}

func newDeskRig(t *testing.T, open func(*testing.T, func() time.Time) app.Store, at int, after bool) *crashRig {
	t.Helper()
	r := newCrashRig(t, open, at, after)
	rules := account.Routing{
		Handoff: account.Handoff{Enabled: true, Keywords: []string{"人工"}, Notice: "正在接入"},
		Bot:     account.Bot{Enabled: true, Fallback: "请换个说法"},
		Spend:   account.Spend{Merge: true},
	}
	if err := r.store.SetRouting(t.Context(), "shop", rules); err != nil {
		t.Fatal(err)
	}
	if err := r.store.SetWebhook(t.Context(), "shop", account.Webhook{URL: "https://shop.example/hook"}, account.Signing{Secret: "s"}); err != nil {
		t.Fatal(err)
	}
	return r
}

func (r *crashRig) playDesk() {
	r.write("p1", "你好")
	r.work()
	r.write("p2", "人工")
	r.work()
	r.find()
	for i := range 7 {
		r.answer(fmt.Sprint("answer ", i)) // the first makes the session hers
	}
	r.work()
	r.now = r.now.Add(10 * time.Second)
	r.write("p3", "谢谢")
	r.work()
	r.call("POST", "/close", nil, "")
	for range 5 {
		r.now = r.now.Add(61 * time.Second)
		r.alive(func() error { return r.sweep.Run(r.t.Context()) })
		r.work()
	}
}

// checkDesk finds everything said once, in order, and told.
func (r *crashRig) checkDesk() {
	r.t.Helper()
	rows, _, err := r.store.Messages(r.t.Context(), session.ID(r.session), "", 200)
	if err != nil {
		r.t.Fatal(err)
	}
	var out []string
	ends := map[message.ID]message.State{}
	for _, row := range rows {
		if row.Direction == message.In || row.Reason == "never-accepted" {
			continue
		}
		out = append(out, row.Content.Text.Content)
		ends[row.ID] = row.State
		if !row.State.Final() {
			r.t.Errorf("%q has not ended: %s", row.Content.Text.Content, row.State)
		}
	}
	if want := slices.Concat([]string{"请换个说法", "正在接入"}, r.accepted); !slices.Equal(out, want) {
		r.t.Errorf("rows of what was said: %q, want %q", out, want)
	}
	// What arrived are these texts in their order, some of them as one, and one call's may have been cut off.
	arrived := strings.Split(strings.Join(r.platform.texts, "\n"), "\n")
	if !inOrderOf(arrived, out) {
		r.t.Errorf("the customer got %q, want %q in that order, each at most once", arrived, out)
	}
	r.checkTold(ends)
}

// inOrderOf reports whether all of list stands in that order in of.
func inOrderOf(list, of []string) bool {
	for _, s := range list {
		i := slices.Index(of, s)
		if i < 0 {
			return false
		}
		of = of[i+1:]
	}
	return true
}

// checkTold reads the queue of what the business is told: repetitions aside, all of it, in order.
func (r *crashRig) checkTold(ends map[message.ID]message.State) {
	r.t.Helper()
	var told []session.News
	for {
		batch, err := r.hooks.Receive(r.t.Context(), 10)
		if err != nil {
			r.t.Fatal(err)
		}
		if len(batch) == 0 {
			break
		}
		for _, d := range batch {
			var tell session.Tell
			if err := json.Unmarshal(d.Body, &tell); err != nil {
				r.t.Fatal(err)
			}
			if n := tell.News; n.Seq > int64(len(told)) {
				told = append(told, n)
			}
			if err := r.hooks.Ack(r.t.Context(), d.Receipt); err != nil {
				r.t.Fatal(err)
			}
		}
	}
	events := map[string]int{}
	for i, n := range told {
		if n.Seq != int64(i+1) {
			r.t.Fatalf("news %d was told before news %d", n.Seq, i+1)
		}
		events[n.Event]++
		if n.Event == account.MessageOut && ends[n.Message] != n.Ended && ends[n.Message] != "" {
			r.t.Errorf("%s was told as %s and is %s", n.Message, n.Ended, ends[n.Message])
		}
	}
	for event, want := range map[string]int{
		account.SessionOpened: 1, account.SessionQueued: 1, account.SessionAssigned: 1, account.SessionClosed: 1,
		account.MessageIn: 3, account.MessageOut: len(ends),
	} {
		if got := events[event]; got != want && !(event == account.MessageOut && got > want) { // a buried one is told too
			r.t.Errorf("%s was told %d times, want %d", event, got, want)
		}
	}
}

// TestDeskCallWithoutHooks: a process without that queue refuses nothing to an account that tells nobody.
func TestDeskCallWithoutHooks(t *testing.T) {
	t.Parallel()
	r := newCrashRig(t, nil, 0, false)
	r.sh.Hooks = nil
	r.write("p1", "你好")
	r.work()
	r.find()
	r.call(http.MethodPost, "/accept", nil, "")
}
