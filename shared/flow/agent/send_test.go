package agent_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"kefu/shared/core/fault"
	"kefu/shared/core/message"
	"kefu/shared/flow/agent"
)

// text is a text message as a body; more are further members.
func text(s string, more ...string) string {
	return fmt.Sprintf(`{"type":"text","text":{"content":%q}%s}`, s, strings.Join(append([]string{""}, more...), ","))
}

// served opens a session that ann serves.
func (w *world) served(to string) string {
	w.t.Helper()
	who := map[string]string{"shop": "ann", "oa": "olga"}[to]
	if to == "shop" {
		s := string(w.says("shop", "alice", "hi"))
		w.call(who, "POST", path(s, "accept"), nil).want(200)
		return s
	}
	s := string(w.says("oa", "alice", "hi"))
	w.call(who, "POST", path(s, "accept"), nil).want(200)
	return s
}

func TestSend(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.served("shop")
	w.outbound.take()
	r := w.call("ann", "POST", path(s, "messages"), text("hello & <b>")).want(202)
	r.is(s+"-2", "id").is(s, "session").is("out", "direction").is("text", "type").is("hello & <b>", "text", "content")
	r.is("pending", "state").is("ann", "by").is("2026-11-21T08:00:00Z", "created_at").is("2026-11-23T08:00:00Z", "expires_at")
	if !strings.Contains(string(r.raw), "hello & <b>") {
		t.Errorf("the text is escaped: %s", r.raw)
	}
	if got, want := w.outbound.take(), []wakeUp{{"shop/alice", 0, `{"account":"shop","customer":"alice","tenant":"default"}`}}; !slices.Equal(got, want) {
		t.Errorf("woken %v, want %v", got, want)
	}
	m, err := w.store.Message(t.Context(), message.ID(s+"-2"))
	if err != nil || m.Content.Text.Content != "hello & <b>" || m.State != message.Pending || m.N != 2 {
		t.Errorf("stored %+v, %v; want the message, pending", m, err)
	}
	w.call("ann", "GET", path(s, "messages/"+s+"-2"), nil).want(200).is("pending", "state")
	// A supervisor may write as well; software with a key of the tenant too, under nobody's name.
	w.call("sue", "POST", path(s, "messages"), text("from sue")).want(202).is("sue", "by")
	r = w.call("operator", "POST", path(s, "messages"), text("from the shop")).want(202)
	if _, there := r.json["by"]; there {
		t.Errorf("a message of the tenant's key has a writer: %s", r.raw)
	}
	w.call("bob", "POST", path(s, "messages"), text("not mine")).want(403, "not-yours")
	w.call("ann", "GET", "/v1/sessions/"+s, nil).want(200).is(3, "waiting")
}

func TestSendTypes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	shop, oa := w.served("shop"), w.served("oa")
	pic := w.upload("ann", "shop", "image", "x").want(201).text("id")
	oaPic := w.upload("olga", "oa", "image", "x").want(201).text("id")
	link := `{"type":"link","link":{"title":"t","description":"d","url":"https://example.com/a?b=1&c=2"}}`
	menu := `{"type":"msgmenu","msgmenu":{"head_content":"h","list":[{"id":"1","content":"yes"}]}}`
	tests := []struct {
		session, body string
		status        int
		code          string
	}{
		{shop, `{"type":"image","image":{"media":"` + pic + `"}}`, 202, ""},
		{shop, link, 202, ""},
		{shop, `{"type":"miniprogrampage","miniprogrampage":{"title":"t","pagepath":"p","thumb_media":"` + pic + `"}}`, 202, ""},
		{shop, `{"type":"miniprogrampage","miniprogrampage":{"title":"t","pagepath":"p","thumb_media_id":"` + pic + `"}}`, 400, "unknown-field"},
		{oa, menu, 202, ""},
		{oa, `{"type":"news","news":{"articles":[{"title":"t","url":"https://example.com"}]}}`, 202, ""},
		{oa, `{"type":"voice","voice":{"media":"` + oaPic + `"}}`, 202, ""},
		{oa, `{"type":"video","video":{"media":"` + oaPic + `","thumb_media":"` + oaPic + `","title":"t"}}`, 202, ""},
		{shop, menu, 422, "type-not-supported"},
		{oa, link, 422, "type-not-supported"},
		{shop, `{"type":"hologram","hologram":{"depth":3}}`, 422, "type-not-supported"},
		{shop, `{"type":"event","event":{"name":"enter"}}`, 422, "type-not-supported"},
		{shop, `{"text":{"content":"x"}}`, 400, "message-invalid"},
		{shop, `{"type":"text"}`, 400, "message-invalid"},
		{shop, `{"type":"text","text":{"content":""}}`, 400, "message-invalid"},
		{shop, `{"type":"text","image":{"media":"x"}}`, 400, "message-invalid"},
		{shop, `{"type":"text","text":{"content":"x"},"image":{"media":"x"}}`, 400, "message-invalid"},
		{shop, `{"type":"text","text":{"content":"x","color":"red"}}`, 400, "unknown-field"},
		{shop, `{"type":"text","text":{"content":"x"},"to":"alice"}`, 400, "unknown-field"},
		{shop, `{"type":"text","text":"x"}`, 400, "wrong-type"},
		{shop, `{"type":7}`, 400, "wrong-type"},
		{shop, `{"type":"image","image":{"media":"none"}}`, 400, "media-unknown"},
		{shop, `{"type":"image","image":{"media":"a/b"}}`, 400, "media-unknown"},
		{shop, `{"type":"image","image":{"media":"` + oaPic + `"}}`, 400, "media-unknown"},
		{shop, text("x", `"when_closed":"wait"`), 400, "message-invalid"},
		{shop, text("x", `"send_at":"tomorrow"`), 400, "wrong-type"},
		{shop, text("x", `"expires_at":12345`), 400, "wrong-type"},
		{shop, text("x", `"expires_at":"2026-11-21T08:00:00Z"`), 400, "message-invalid"},
		{shop, text("x", `"send_at":"2026-11-22T08:00:00Z"`, `"expires_at":"2026-11-21T09:00:00Z"`), 400, "message-invalid"},
		{shop, text("x", `"send_at":"2028-11-22T08:00:00Z"`), 400, "message-invalid"},
		{shop, text(strings.Repeat("x", 2048*6)), 400, "message-invalid"}, // more parts than any window holds
		{shop, text(strings.Repeat("x", 1<<20)), 413, "too-large"},
	}
	for _, tt := range tests {
		who := "ann"
		if tt.session == oa {
			who = "olga"
		}
		r := w.call(who, "POST", path(tt.session, "messages"), tt.body)
		if tt.code == "" {
			r.want(tt.status)
			w.call(who, "GET", path(tt.session, "messages/"+r.text("id")), nil).want(200)
			continue
		}
		r.want(tt.status, tt.code)
	}
	r := w.call("ann", "GET", path(shop, "messages"), nil).want(200)
	r.is(pic, "items", 3, "miniprogrampage", "thumb_media")
	if strings.Contains(string(r.raw), "thumb_media_id") {
		t.Errorf("the list speaks the platform's language: %s", r.raw)
	}
	if n := len(r.items("id")); n != 4 {
		t.Errorf("the session has %d messages, want 4: refused ones leave no trace", n)
	}
	w.pass(31 * 24 * time.Hour)
	again := string(w.says("shop", "alice", "hi"))
	w.call("sue", "POST", path(again, "messages"), `{"type":"image","image":{"media":"`+pic+`"}}`).want(400, "media-unknown")
}

// TestHolds follows messages that a used-up window holds, through the views.
func TestHolds(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.served("shop")
	for range 5 {
		w.call("ann", "POST", path(s, "messages"), text("x")).want(202).is("pending", "state")
	}
	sixth := w.call("ann", "POST", path(s, "messages"), text("six")).want(202).is("held", "state").is("window-closed", "reason").text("id")
	seventh := w.call("ann", "POST", path(s, "messages"), text("seven")).want(202).is("held", "state").is("behind-held", "reason").text("id")
	r := w.call("ann", "POST", path(s, "messages"), text("now or never", `"when_closed":"fail"`)).want(409, "window-closed")
	r.is(5, "window", "limit").is(5, "window", "remaining").is("2026-11-23T08:00:00Z", "window", "expires_at")
	later := w.call("ann", "POST", path(s, "messages"), text("later", `"send_at":"2026-11-21T08:10:00Z"`)).want(202).is("held", "state").is("send-at", "reason").text("id")
	past := w.call("ann", "POST", path(s, "messages"), text("past", `"send_at":"2026-11-21T07:00:00Z"`)).want(202)
	if _, there := past.json["send_at"]; there {
		t.Errorf("a send_at in the past is kept: %s", past.raw)
	}
	short := w.call("ann", "POST", path(s, "messages"), text("short", `"expires_at":"2026-11-21T08:01:00Z"`)).want(202).text("id")
	w.call("ann", "GET", path(s, "messages/"+short), nil).want(200).is("held", "state")
	w.pass(time.Minute)
	w.call("ann", "GET", path(s, "messages/"+short), nil).want(200).is("expired", "state").is("hold-ended", "reason")
	w.call("ann", "DELETE", path(s, "messages/"+short), nil).want(409, "already-sent")
	w.call("ann", "GET", path(s, "messages/"+sixth), nil).want(200).is("held", "state").is("window-closed", "reason")
	w.call("ann", "GET", path(s, "messages/"+seventh), nil).want(200).is("behind-held", "reason")
	w.call("ann", "GET", path(s, "messages/"+later), nil).want(200).is("send-at", "reason").is("2026-11-21T08:10:00Z", "send_at")
	long := w.call("ann", "POST", path(s, "messages"), text(strings.Repeat("长", 1000))).want(202).is(2, "parts").text("id")
	w.call("ann", "GET", path(s, "messages/"+long), nil).want(200).is(2, "parts")
}

func TestSendAtWakes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.served("shop")
	w.outbound.take()
	w.call("ann", "POST", path(s, "messages"), text("soon", `"send_at":"2026-11-21T08:05:00Z"`)).want(202)
	if got := w.outbound.take(); len(got) != 1 || got[0].delay != 5*time.Minute {
		t.Errorf("woken %v, want once in five minutes", got)
	}
	w.call("ann", "DELETE", path(s, "messages/"+s+"-2"), nil).want(204)
	w.outbound.take()
	w.call("ann", "POST", path(s, "messages"), text("tonight", `"send_at":"2026-11-21T20:00:00Z"`)).want(202)
	if got := w.outbound.take(); len(got) != 0 {
		t.Errorf("woken %v, want nothing: no queue delays that long, the sweep does it", got)
	}
}

func TestSendIntoExpired(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.served("shop")
	w.pass(48 * time.Hour)
	held := w.call("ann", "POST", path(s, "messages"), text("sorry, late")).want(202).is("held", "state").is("window-closed", "reason").is(s, "session").text("id")
	w.call("ann", "POST", path(s, "messages"), text("x", `"when_closed":"fail"`)).want(409, "window-closed").is(0, "window", "remaining")
	w.call("bob", "POST", path(s, "messages"), text("x")).want(403, "not-yours")
	w.call("ann", "GET", "/v1/agents/me", nil).want(200).is(0, "load") // the session has ended, and with it her seat
	fresh := string(w.says("shop", "alice", "back again"))
	// What was held is the customer's and may go now; ann doesn't have the new session, so she can't add to it …
	w.call("ann", "GET", path(s, "messages/"+held), nil).want(200).is("pending", "state")
	w.call("ann", "POST", path(s, "messages"), text("x")).want(409, "session-closed").is(fresh, "current_session")
	// … until she has; then the old address leads to the new session.
	w.call("ann", "POST", path(fresh, "accept"), nil).want(200)
	w.call("ann", "POST", path(s, "messages"), text("joined")).want(202).is(fresh, "session")
	w.call("ann", "GET", path(fresh, "messages"), nil).want(200).is("joined", "items", 1, "text", "content")
	w.call("bob", "POST", path(s, "messages"), text("x")).want(403, "not-yours")
	w.call("sue", "POST", path(s, "messages"), text("from sue")).want(202).is(fresh, "session")
}

func TestTooManyWaiting(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.served("shop")
	for range 100 {
		w.call("ann", "POST", path(s, "messages"), text("x")).want(202)
	}
	r := w.call("ann", "POST", path(s, "messages"), text("x"), "Idempotency-Key", "k").want(429, "too-many-waiting")
	if got := r.header.Get("Retry-After"); got != "60" {
		t.Errorf("Retry-After %q, want 60", got)
	}
	// A 429 is not kept: the same call may succeed later.
	w.call("ann", "DELETE", path(s, "messages/"+s+"-2"), nil).want(204)
	w.call("ann", "POST", path(s, "messages"), text("x"), "Idempotency-Key", "k").want(202)
}

// TestSendTogether: messages that are sent at the same time are all accepted once, each under its own number.
func TestSendTogether(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.served("shop")
	const n = 12
	got := w.together(n, func(i int) reply { return w.call("ann", "POST", path(s, "messages"), text(fmt.Sprint("m", i))) })
	ids := map[string]bool{}
	for _, r := range got {
		ids[r.want(202).text("id")] = true
	}
	if len(ids) != n {
		t.Errorf("%d messages have %d ids", n, len(ids))
	}
	if got := w.walk("ann", path(s, "messages?limit=5"), "id"); len(got) != n+1 {
		t.Errorf("the session has %d messages, want %d", len(got), n+1)
	}
}

// rowless is a store that loses or forestalls rows of messages.
type rowless struct {
	agent.Store
	put func(m message.Message) error
}

func (r rowless) PutMessage(ctx context.Context, m message.Message) error {
	if err := r.put(m); err != nil {
		return err
	}
	return r.Store.PutMessage(ctx, m)
}

// bury does what the sender does to a message whose row never comes.
func (w *world) bury(m message.Message) error {
	m.Content, m.State, m.Reason = message.Content{Type: message.TypeUnknown}, message.Cancelled, "never-accepted"
	return w.store.PutMessage(w.t.Context(), m)
}

func TestRowComesTooLate(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.served("shop")
	late := 1
	w.api.Store = rowless{Store: w.store, put: func(m message.Message) error {
		if late == 0 {
			return nil
		}
		late--
		return w.bury(m)
	}}
	w.h = w.api.Handler()
	// The one that is buried was never accepted; another takes its place.
	w.call("ann", "POST", path(s, "messages"), text("x"), "Idempotency-Key", "k").want(202).is(s+"-3", "id")
	if got, want := w.walk("ann", path(s, "messages?limit=9"), "id"), []string{s + "-1", s + "-3"}; !slices.Equal(got, want) {
		t.Errorf("messages %v, want %v", got, want)
	}
	w.call("ann", "GET", path(s, "messages/"+s+"-2"), nil).want(404, "not-found")
	w.call("ann", "DELETE", path(s, "messages/"+s+"-2"), nil).want(404, "not-found")
	late = 3
	w.call("ann", "POST", path(s, "messages"), text("y"), "Idempotency-Key", "k2").want(503, "unavailable")
	w.call("ann", "POST", path(s, "messages"), text("y")).want(202)
}

// TestCrashBeforeRow: the process dies between the save and the row; the client
// repeats the call, and has one message.
func TestCrashBeforeRow(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.served("shop")
	down := true
	w.api.Store = rowless{Store: w.store, put: func(message.Message) error {
		if down {
			return fault.Wrap(fault.Unavailable, "", errors.New("gone"))
		}
		return nil
	}}
	w.h = w.api.Handler()
	w.call("ann", "POST", path(s, "messages"), text("x"), "Idempotency-Key", "k").want(503, "unavailable")
	w.call("ann", "POST", path(s, "messages"), text("x"), "Idempotency-Key", "k").want(503, "unavailable")
	down = false
	w.call("ann", "POST", path(s, "messages"), text("x"), "Idempotency-Key", "k").want(202).is(s+"-2", "id")
	w.call("ann", "GET", "/v1/sessions/"+s, nil).want(200).is(1, "waiting")
}

func TestWakeUpFails(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.served("shop")
	w.outbound.refuse(fault.Wrap(fault.Unavailable, "", errors.New("no queue")))
	// Accepted is accepted: the conversation is due for the sweep.
	w.call("ann", "POST", path(s, "messages"), text("x")).want(202).is("pending", "state")
	refs, _, err := w.store.Due(t.Context(), w.clock().Add(2*time.Minute), "", 10)
	if err != nil || len(refs) != 1 || refs[0].Customer != "alice" {
		t.Errorf("due %v, %v; want alice's conversation", refs, err)
	}
}
