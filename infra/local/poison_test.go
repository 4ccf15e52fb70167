package main

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"kefu/infra/local/stack"
	"kefu/shared/adapter/wechat/wxfake"
	"kefu/shared/core/message"
	"kefu/shared/faas"
)

// poisonInTheCloud: a push whose body can't be had fails five times and is a dead letter then. Other customers don't
// notice; what its own customer writes after it waits and then passes, in order. When the body is back, an operator sends
// the letter again, and it passes too.
func poisonInTheCloud(t *testing.T, w sky) {
	tries := &deliveries{}
	o := w.options(t)
	o.hurry = tries.hurry
	l, c := w.start(t, o, wxfake.Options{})
	app := l.demo.Accounts[0]
	mei, lin := l.platform.Named(app.AppID, "Mei 梅"), l.platform.Named(app.AppID, "Lin 林")
	key, body := "queue/2026-01-01/LOST", pushOf(t, mei, app, "from the bucket")
	tries.text = fmt.Sprintf("kefu1.object.%d.%x.%s", len(body), sha256.Sum256(body), key)
	if err := c.stack.Inbound.Send(t.Context(), "demo/"+mei.OpenID(), tries.text); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"after 1", "after 2"} {
		say(t, mei, text)
		say(t, lin, text)
	}
	l.wantTexts(t, lin, "after 1", "after 2")
	if n := tries.count(); n >= 5 {
		t.Errorf("the other customer waited for %d deliveries of the poison, want not for the last", n)
	}
	l.wantTexts(t, mei, "after 1", "after 2")
	tries.check(t)
	if text := c.dead(t); !strings.Contains(text, "inbound   1 dead letters\n") || !strings.Contains(text, "group=demo/"+mei.OpenID()) ||
		!strings.Contains(text, "receives=5") || strings.Count(text, " 0 dead letters\n") != len(stack.Rules())-1 {
		t.Errorf("dead: got %swant one letter of the inbound queue, with its group and five receives", text)
	}

	if err := c.stack.Put(t.Context(), key, body); err != nil {
		t.Fatal(err)
	}
	if text := c.dead(t, "-redrive"); !strings.Contains(text, "inbound   1 sent again\n") {
		t.Errorf("dead -redrive: got %swant one sent again", text)
	}
	l.wantTexts(t, mei, "after 1", "after 2", "from the bucket")
	if text := c.dead(t); strings.Count(text, " 0 dead letters\n") != len(stack.Rules()) {
		t.Errorf("dead: got %swant none", text)
	}
}

// deliveries watches one message.
type deliveries struct {
	text string

	mu     sync.Mutex
	at     []time.Time
	counts []int
}

// hurry leaves the first pause to the function, which has asked for two seconds, and shortens the others.
func (d *deliveries) hurry(_ string, m faas.Message) (time.Duration, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if m.Body != d.text {
		return 0, false
	}
	d.at, d.counts = append(d.at, time.Now()), append(d.counts, m.Receives)
	return time.Second, m.Receives > 1
}

func (d *deliveries) count() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.at)
}

// check: five deliveries; the second after the function's own pause, long before the queue's visibility is over.
func (d *deliveries) check(t *testing.T) {
	t.Helper()
	d.mu.Lock()
	defer d.mu.Unlock()
	if want := []int{1, 2, 3, 4, 5}; !slices.Equal(d.counts, want) {
		t.Fatalf("got deliveries %v, want %v", d.counts, want)
	}
	if pause := d.at[1].Sub(d.at[0]); pause < time.Second || pause > 30*time.Second {
		t.Errorf("got a pause of %s after the first delivery, want the function's two seconds, more or less", pause)
	}
}

// pushOf is what the callback function puts into the queue when a customer writes.
func pushOf(t *testing.T, c *wxfake.Customer, a demoAccount, text string) []byte {
	t.Helper()
	now := time.Now().UTC()
	inner, err := json.Marshal(map[string]any{
		"ToUserName": a.OriginalID, "FromUserName": c.OpenID(), "CreateTime": now.Unix(), "MsgType": "text", "Content": text, "MsgId": 4711,
	})
	if err != nil {
		t.Fatal(err)
	}
	body, err := json.Marshal(message.Push{Account: "demo", Customer: "", Key: "m:of-a-test", Body: inner, ReceivedAt: now})
	if err != nil {
		t.Fatal(err)
	}
	return body
}

func say(t *testing.T, c *wxfake.Customer, text string) {
	t.Helper()
	if push := c.Say(t.Context(), text); push.Err != nil {
		t.Fatalf("%s: %v", text, push.Err)
	}
}

// wantTexts waits until exactly these texts of a customer are stored, in this order.
func (l *local) wantTexts(t *testing.T, c *wxfake.Customer, want ...string) {
	t.Helper()
	p := &play{local: l, customer: c, agent: l.admin}
	var got []string
	if err := until(t.Context(), "they are stored", func() (bool, error) {
		got = nil
		s, err := p.current(t.Context())
		if err != nil || s.ID == "" {
			return false, err
		}
		p.session = s.ID
		list, err := p.messages(t.Context())
		for _, m := range list {
			got = append(got, m.Text.Content)
		}
		return len(got) >= len(want), err
	}); err != nil {
		t.Fatalf("%v: got %q, want %q", err, got, want)
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
