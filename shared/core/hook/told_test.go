package hook_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kefu/shared/core/account"
	"kefu/shared/core/fault"
	"kefu/shared/core/hook"
	"kefu/shared/core/message"
	"kefu/shared/core/session"
)

// TestReadTell: what the shell puts into the queue is read.
func TestReadTell(t *testing.T) {
	t.Parallel()
	want := told(7)
	body, err := json.Marshal(want.Tell)
	if err != nil {
		t.Fatal(err)
	}
	got, err := hook.Read(body)
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("got %v, want (-) and got (+):\n%s", err, diff)
	}
	if got.ID() != "evt_s1-7" {
		t.Errorf("got id %s, want evt_s1-7", got.ID())
	}
	for name, body := range map[string]string{
		"no JSON":     "x",
		"empty":       "{}",
		"no account":  `{"customer":"o","news":{"q":1,"e":"message.in","a":"2026-11-22T08:00:00Z","s":"s1"}}`,
		"no customer": `{"account":"a","news":{"q":1,"e":"message.in","a":"2026-11-22T08:00:00Z","s":"s1"}}`,
		"no sequence": `{"account":"a","customer":"o","news":{"e":"message.in","a":"2026-11-22T08:00:00Z","s":"s1"}}`,
		"no event":    `{"account":"a","customer":"o","news":{"q":1,"a":"2026-11-22T08:00:00Z","s":"s1"}}`,
		"no time":     `{"account":"a","customer":"o","news":{"q":1,"e":"message.in","s":"s1"}}`,
		"no session":  `{"account":"a","customer":"o","news":{"q":1,"e":"message.in","a":"2026-11-22T08:00:00Z"}}`,
	} {
		if _, err := hook.Read([]byte(body)); fault.KindOf(err) != fault.Invalid || fault.CodeOf(err) != "not-news" {
			t.Errorf("%s: got %v, want Invalid not-news", name, err)
		}
	}
}

func TestPayload(t *testing.T) {
	t.Parallel()
	created := began.Add(-time.Second)
	in := message.Message{
		ID: "s1-4", N: 4, Tenant: "t", Account: "shop", Customer: "o1", Session: "s1", Direction: message.In, Push: "push key", Raw: []byte("raw"),
		Content: message.Content{Type: message.TypeText, Text: &message.Text{Content: "你好"}}, State: message.Received, CreatedAt: created,
	}
	out := in
	out.Direction, out.State, out.By, out.ID = message.Out, message.Pending, "li", "s1-5"
	strange := in
	strange.Content = message.Content{Type: message.TypeUnknown, Unknown: &message.Raw{Type: "hologram"}}
	for name, tc := range map[string]struct {
		change func(*session.News)
		row    *message.Message
		want   string
	}{
		"a session opened": {
			func(*session.News) {}, nil,
			`{"type":"session.opened","timestamp":"2026-11-22T08:00:00Z","data":{"account":"shop","channel":"miniprogram","customer":"o1","session":"s1","sequence":3,"state":"queued"}}`,
		},
		"assigned": {
			func(n *session.News) { n.Event, n.State, n.Agent = account.SessionAssigned, session.Serving, "li" }, nil,
			`{"type":"session.assigned","timestamp":"2026-11-22T08:00:00Z","data":{"account":"shop","channel":"miniprogram","customer":"o1","session":"s1","sequence":3,"state":"serving","agent":"li"}}`,
		},
		"the customer wrote": {
			func(n *session.News) { n.Event, n.Message = account.MessageIn, in.ID }, &in,
			`{"type":"message.in","timestamp":"2026-11-22T08:00:00Z","data":{"account":"shop","channel":"miniprogram","customer":"o1","session":"s1","sequence":3,"state":"queued",` +
				`"message":{"id":"s1-4","direction":"in","type":"text","text":{"content":"你好"},"state":"received","created_at":"2026-11-22T07:59:59Z"}}}`,
		},
		"an answer went out, the row says pending still": {
			func(n *session.News) { n.Event, n.Message, n.Ended = account.MessageOut, out.ID, message.Sent }, &out,
			`{"type":"message.out","timestamp":"2026-11-22T08:00:00Z","data":{"account":"shop","channel":"miniprogram","customer":"o1","session":"s1","sequence":3,"state":"queued",` +
				`"message":{"id":"s1-5","direction":"out","type":"text","text":{"content":"你好"},"state":"sent","by":"li","created_at":"2026-11-22T07:59:59Z","sent_at":"2026-11-22T08:00:00Z"}}}`,
		},
		"an answer failed": {
			func(n *session.News) {
				n.Event, n.Message, n.Ended, n.Reason = account.MessageOut, out.ID, message.Failed, "window-closed"
			}, &out,
			`{"type":"message.out","timestamp":"2026-11-22T08:00:00Z","data":{"account":"shop","channel":"miniprogram","customer":"o1","session":"s1","sequence":3,"state":"queued",` +
				`"message":{"id":"s1-5","direction":"out","type":"text","text":{"content":"你好"},"state":"failed","reason":"window-closed","by":"li","created_at":"2026-11-22T07:59:59Z"}}}`,
		},
		"what Kefu can't read": {
			func(n *session.News) { n.Event, n.Message = account.MessageIn, in.ID }, &strange,
			`{"type":"message.in","timestamp":"2026-11-22T08:00:00Z","data":{"account":"shop","channel":"miniprogram","customer":"o1","session":"s1","sequence":3,"state":"queued",` +
				`"message":{"id":"s1-4","direction":"in","type":"unknown","unknown":{"type":"hologram","body":"raw"},"state":"received","created_at":"2026-11-22T07:59:59Z"}}}`,
		},
	} {
		n := told(3)
		tc.change(&n.News)
		got, err := hook.Payload(n, account.MiniProgram, tc.row)
		if err != nil || string(got) != tc.want {
			t.Errorf("%s: got  %s, %v\nwant %s", name, got, err, tc.want)
		}
	}
	if strange.Content.Unknown.Body != "" {
		t.Error("the row was changed")
	}
}

// TestDead: what is buried can be shown and told again, and holds no word of what anybody wrote.
func TestDead(t *testing.T) {
	t.Parallel()
	n := told(3)
	n.News.Event, n.News.Message = account.MessageIn, "s1-4"
	kept, err := hook.Bury(n, "http-500", began.Add(24*time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	if kept.Push.Account != "-hooks-shop" || kept.Push.Key != "evt_s1-3" || account.ValidID(string(kept.Push.Account)) {
		t.Errorf("got kept under %s as %s, want -hooks-shop, evt_s1-3 and no id that an account may have", kept.Push.Account, kept.Push.Key)
	}
	want := hook.Dead{
		Key: "evt_s1-3", ID: "evt_s1-3", Event: account.MessageIn, At: began, Customer: "o1", Session: "s1", Sequence: 3, Message: "s1-4",
		Reason: "http-500", DiedAt: began.Add(24 * time.Hour),
	}
	got, err := hook.ReadDead(kept)
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("shown: got %v, want (-) and got (+):\n%s", err, diff)
	}
	later := began.Add(48 * time.Hour)
	ref, body, err := hook.Again(kept, later)
	if err != nil || ref != n.Ref {
		t.Fatalf("again: got %v, %v, want the conversation %v", ref, err, n.Ref)
	}
	again, err := hook.Read(body)
	if err != nil || again.ID() != n.ID() || !again.AgainAt.Equal(later) {
		t.Errorf("again: got %+v, %v, want the same id and the time", again, err)
	}
	if pause, more := again.Next(1, 0, later); !more || pause != 5*time.Second {
		t.Errorf("again: got %s, %t, want as many tries as before", pause, more)
	}
	twice, err := hook.Bury(again, "timeout", later.Add(24*time.Hour))
	if err != nil || twice.Push.Key == kept.Push.Key {
		t.Errorf("dead again: got key %s, %v, want one of its own", twice.Push.Key, err)
	}
	if _, err := hook.ReadDead(message.RawPush{Push: message.Push{Body: []byte("<xml>")}}); fault.CodeOf(err) != "not-news" {
		t.Errorf("what is no news: got %v, want not-news", err)
	}
	if _, _, err := hook.Again(message.RawPush{Push: message.Push{Body: []byte("<xml>")}}, later); fault.CodeOf(err) != "not-news" {
		t.Errorf("again, what is no news: got %v, want not-news", err)
	}
}
