package app_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"kefu/shared/adapter/wechat/wxfake"
	"kefu/shared/app"
	"kefu/shared/core/account"
	"kefu/shared/core/hook"
	"kefu/shared/core/message"
	"kefu/shared/core/session"
	"kefu/shared/shell"
)

// yard is what these tests need of the engine's store.
type yard interface {
	SetWebhook(ctx context.Context, id account.ID, w account.Webhook, s account.Signing) error
	RawPushes(ctx context.Context, a account.Scope, cursor string, limit int) (items []message.RawPush, next string, err error)
}

func (r *rig) yard() yard {
	r.t.Helper()
	s, ok := r.system.Store().(yard)
	if !ok {
		r.t.Fatalf("%T keeps no webhooks", r.system.Store())
	}
	return s
}

// business is the business's own software: it says what it is told to, and checks every signature.
type business struct {
	t       *testing.T
	url     string
	signing account.Signing

	mu     sync.Mutex
	status int
	told   []string // webhook-ids that it took
	bodies []m
	tried  int
}

func (r *rig) business(id account.ID) *business {
	r.t.Helper()
	secret, err := hook.NewSecret(strings.NewReader(strings.Repeat("x", 32)))
	if err != nil {
		r.t.Fatal(err)
	}
	b := &business{t: r.t, status: http.StatusOK, signing: account.Signing{Secret: secret, ChangedAt: r.now()}}
	web := httptest.NewServer(b)
	r.t.Cleanup(web.Close)
	b.url = web.URL
	if err := r.yard().SetWebhook(r.ctx, id, account.Webhook{URL: b.url}, b.signing); err != nil {
		r.t.Fatal(err)
	}
	return b
}

func (b *business) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		b.t.Error(err)
	}
	id, stamp := r.Header.Get("webhook-id"), r.Header.Get("webhook-timestamp")
	var seconds int64
	if _, err := fmt.Sscan(stamp, &seconds); err != nil {
		b.t.Errorf("timestamp %q: %v", stamp, err)
	}
	want, err := hook.Sign(b.signing, id, time.Unix(seconds, 0), body)
	if got := r.Header.Get("webhook-signature"); err != nil || got != want {
		b.t.Errorf("%s: got signature %s, %v, want %s", id, got, err, want)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.tried++
	if b.status == http.StatusOK {
		var v m
		if err := json.Unmarshal(body, &v); err != nil {
			b.t.Errorf("%s: %v", id, err)
		}
		b.told, b.bodies = append(b.told, id), append(b.bodies, v)
	}
	w.WriteHeader(b.status)
}

func (b *business) says(status int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.status = status
}

// heard is what it took, of one conversation or of all.
func (b *business) heard(of string) (list []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, id := range b.told {
		if strings.HasPrefix(id, "evt_"+of) {
			list = append(list, id)
		}
	}
	return list
}

// news puts news of a conversation into the queue, as the shell does.
func (r *rig) news(of account.ID, customer string, from, to int64) {
	r.t.Helper()
	a, err := r.system.Store().Account(r.ctx, of)
	if err != nil {
		r.t.Fatal(err)
	}
	ref := session.Ref{Account: of, Customer: account.Customer(customer)}
	for seq := from; seq <= to; seq++ {
		body, err := json.Marshal(session.Tell{Ref: ref, Owner: a.Owner(), News: session.News{
			Seq: seq, Event: account.SessionOpened, At: r.now(), Session: session.ID("s" + customer), State: session.Queued,
		}})
		if err != nil {
			r.t.Fatal(err)
		}
		if err := r.system.Queues().Hooks.Send(r.ctx, shell.Group(ref), 0, body); err != nil {
			r.t.Fatal(err)
		}
	}
}

// ids are the webhook-ids of a conversation's news.
func ids(customer string, from, to int) (list []string) {
	for seq := from; seq <= to; seq++ {
		list = append(list, fmt.Sprintf("evt_s%s-%d", customer, seq))
	}
	return list
}

func (b *business) want(of string, want []string) {
	b.t.Helper()
	if got := b.heard(of); !slices.Equal(got, want) {
		b.t.Errorf("the business heard %q of %q, want %q", got, of, want)
	}
}

// TestWebhooksOfAConversation: the business hears all of a conversation, in order, and what was said.
func TestWebhooksOfAConversation(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.account("shop", wxfake.MiniProgram, wxfake.Secure, wxfake.JSON)
	r.agent("ann", "agent", 10, "shop")
	shop := r.business("shop")
	mei := r.platform.Named("wxshop", "mei")
	r.ok(mei.Say(r.ctx, "在吗"))
	r.pump()
	id := r.session(mei).str("id")
	r.must("ann", "POST", "/sessions/"+id+"/accept", nil, 200)
	r.must("ann", "POST", "/sessions/"+id+"/messages", text("在的"), 202)
	r.pump()
	r.must("ann", "POST", "/sessions/"+id+"/close", nil, 200)
	r.pump()
	var got []string
	for i, v := range shop.bodies {
		data := v.obj("data")
		said := data.obj("message")
		line := v.str("type") + " " + data.str("state") + " " + data.str("agent")
		got = append(got, strings.Join(strings.Fields(line+" "+said.obj("text").str("content")+" "+said.str("state")), " "))
		if data.str("account") != "shop" || data.str("session") != id || data.str("customer") != mei.OpenID() || data.num("sequence") != i+1 {
			t.Errorf("event %d: got %v, want it to be of the conversation, with the number %d", i, data, i+1)
		}
	}
	want := []string{
		"session.opened queued", "message.in queued 在吗 received", "session.queued queued", "session.assigned serving ann",
		"message.out serving ann 在的 sent", "session.closed closed ann",
	}
	if !slices.Equal(got, want) {
		t.Errorf("the business heard\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if text := r.log.String(); strings.Contains(text, "在吗") || strings.Contains(text, "在的") {
		t.Error("got what was said in the log, want none of it there")
	}
}

// TestWebhooksInOrder: a receiver is down for two hours. All arrives afterwards, in order within each conversation, once;
// and another account's receiver doesn't notice.
func TestWebhooksInOrder(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.account("shop", wxfake.MiniProgram, wxfake.Secure, wxfake.JSON)
	r.account("twin", wxfake.MiniProgram, wxfake.Secure, wxfake.JSON)
	shop, twin := r.business("shop"), r.business("twin")
	shop.says(http.StatusInternalServerError)
	r.news("shop", "a", 1, 3)
	r.news("twin", "z", 1, 3)
	r.pump()
	shop.want("", nil)
	twin.want("", ids("z", 1, 3))
	r.news("shop", "b", 1, 2)
	for range 4 {
		r.pass(30 * time.Minute)
	}
	shop.want("", nil)
	shop.says(http.StatusOK)
	r.news("shop", "a", 4, 5)
	r.pass(time.Hour)
	r.pass(time.Hour)
	shop.want("sa", ids("a", 1, 5))
	shop.want("sb", ids("b", 1, 2))
	twin.want("", ids("z", 1, 3))
	if text := r.log.String(); strings.Contains(text, shop.url) || strings.Contains(text, shop.signing.Secret.Reveal()) {
		t.Error("got the receiver's address or secret in the log, want neither there")
	}
}

// TestDeadWebhooks: after a day news are dead and listed; a 410 ends them at once; told again they arrive under their old
// id; poison is parked. Nothing of it blocks the conversation.
func TestDeadWebhooks(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.account("shop", wxfake.MiniProgram, wxfake.Secure, wxfake.JSON)
	shop := r.business("shop")
	shop.says(http.StatusInternalServerError)
	r.news("shop", "a", 1, 2)
	r.pump()
	for range 27 {
		r.pass(time.Hour)
	}
	if got := r.dead("shop"); !slices.Equal(got, []string{"evt_sa-1 http-500", "evt_sa-2 http-500"}) {
		t.Errorf("after a day: got dead %q, want both for http-500", got)
	}
	if letters, err := r.system.Queues().Hooks.Dead(r.ctx, 10); err != nil || len(letters) > 0 {
		t.Errorf("got %d dead letters, %v, want none: they are for what nobody can read", len(letters), err)
	}
	shop.says(http.StatusGone)
	r.news("shop", "a", 3, 3)
	if err := r.system.Queues().Hooks.Send(r.ctx, "shop/a", 0, []byte(`{"poison":true}`)); err != nil {
		t.Fatal(err)
	}
	r.pump()
	if got := r.dead("shop"); len(got) != 3 || got[2] != "evt_sa-3 gone" {
		t.Errorf("after a 410: got dead %q, want the third for gone", got)
	}
	parked, _, err := r.yard().RawPushes(r.ctx, "-webhook", "", 10)
	if err != nil || len(parked) != 1 || !strings.Contains(string(parked[0].Push.Body), "poison") {
		t.Errorf("got %d parked messages, %v, want the poison", len(parked), err)
	}
	shop.says(http.StatusOK)
	kept, _, err := r.yard().RawPushes(r.ctx, r.yardOf("shop"), "", 10)
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range kept {
		ref, body, err := hook.Again(k, r.now())
		if err != nil {
			t.Fatal(err)
		}
		if err := r.system.Queues().Hooks.Send(r.ctx, shell.Group(ref), 0, body); err != nil {
			t.Fatal(err)
		}
	}
	r.pump()
	shop.want("", ids("a", 1, 3))
}

// TestWebhookToldTwice: a process that dies after the receiver's answer leaves the message to the next one, which tells it
// again under the same id.
func TestWebhookToldTwice(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.account("shop", wxfake.MiniProgram, wxfake.Secure, wxfake.JSON)
	shop := r.business("shop")
	r.news("shop", "a", 1, 2)
	batch, err := r.system.Queues().Hooks.Receive(r.ctx, 1)
	if err != nil || len(batch) != 1 {
		t.Fatalf("got %d messages, %v, want one", len(batch), err)
	}
	r.invoke("hooks", batch)
	shop.want("", ids("a", 1, 1))
	r.restart() // the embedded engine knows that whoever had it is gone
	r.pump()
	shop.want("", append(ids("a", 1, 1), ids("a", 1, 2)...))
}

// TestWebhookGuard: without the setting nobody's address may lead into the deployment's own network.
func TestWebhookGuard(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(c *app.Config) { c.PrivateHooks = false })
	r.account("shop", wxfake.MiniProgram, wxfake.Secure, wxfake.JSON)
	shop := r.business("shop")
	r.news("shop", "a", 1, 1)
	r.pump()
	if shop.tried > 0 || !strings.Contains(r.log.String(), `"reason":"bad-address"`) {
		t.Errorf("got %d requests, want none, and the reason in the log", shop.tried)
	}
}

// yardOf is where an account's dead news are kept.
func (r *rig) yardOf(of account.ID) account.Scope {
	r.t.Helper()
	a, err := r.system.Store().Account(r.ctx, of)
	if err != nil {
		r.t.Fatal(err)
	}
	return hook.Yard(a.Scope())
}

// dead are an account's dead news, by id and reason.
func (r *rig) dead(of account.ID) (list []string) {
	r.t.Helper()
	kept, _, err := r.yard().RawPushes(r.ctx, r.yardOf(of), "", 100)
	if err != nil {
		r.t.Fatal(err)
	}
	for _, k := range kept {
		d, err := hook.ReadDead(k)
		if err != nil {
			r.t.Fatal(err)
		}
		list = append(list, d.ID+" "+d.Reason)
	}
	return list
}
