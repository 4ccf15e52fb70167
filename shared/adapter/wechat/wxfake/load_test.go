package wxfake

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

func TestManyCustomersAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	token := w.token(miniApp)
	w.p.Inject(Fault{Kind: FaultCode, Code: -1, Chance: 0.2, Path: "custom/send"})
	const customers, senders = 40, 8
	var all sync.WaitGroup
	for n := range customers {
		c := w.p.Named(miniApp, fmt.Sprint(n))
		all.Go(func() {
			if push := c.Say(t.Context(), "hi"); !push.Accepted {
				t.Errorf("push: got %+v", push)
			}
			var accepted atomic.Int64
			var some sync.WaitGroup
			for s := range senders {
				some.Go(func() {
					if w.post(sendPath+token, textTo(c.OpenID(), fmt.Sprint(s))).Code == 0 {
						accepted.Add(1)
					}
				})
			}
			some.Wait()
			inbox, window := c.Inbox(), c.Window()
			if int64(len(inbox)) != accepted.Load() || window.Used != len(inbox) || len(inbox) > 5 {
				t.Errorf("got %d in the inbox, %d accepted, %d counted", len(inbox), accepted.Load(), window.Used)
			}
			if !slices.IsSortedFunc(inbox, func(a, b Received) int { return int(a.Seq) - int(b.Seq) }) {
				t.Errorf("inbox is out of order: %v", inbox)
			}
		})
	}
	all.Go(func() {
		for range 20 {
			w.p.Traffic(0)
			w.p.ExpireTokens(oaApp)
			w.token(oaApp)
			w.state(miniApp, "1", 0)
		}
	})
	all.Wait()
	ids := map[int64]bool{}
	a, _ := w.p.Account(miniApp)
	for _, s := range w.shop.requests() {
		in, _, err := oracleReceive(a, s)
		if err != nil {
			t.Fatal(err)
		}
		ids[in.ID] = true
	}
	if len(ids) != customers {
		t.Errorf("MsgIds: got %d, want %d different ones", len(ids), customers)
	}
	if s := w.p.Stats(); s.Pushes != customers || s.Deliveries != customers || s.Sent+s.Refused > s.Calls {
		t.Errorf("stats: got %+v", s)
	}
}

func TestTrafficIsBounded(t *testing.T) {
	t.Parallel()
	var l trafficLog
	for range trafficKept + 100 {
		l.add(Exchange{})
	}
	all := l.since(0)
	if len(all) != trafficKept || all[0].Seq != 101 || all[len(all)-1].Seq != trafficKept+100 {
		t.Errorf("got %d from %d to %d", len(all), all[0].Seq, all[len(all)-1].Seq)
	}
	if got := l.since(trafficKept + 99); len(got) != 1 {
		t.Errorf("since the last but one: got %d, want 1", len(got))
	}
	long := clip([]byte(strings.Repeat("好", bodyKept)))
	if len(long) > bodyKept+len("…") || !strings.HasSuffix(string(long), "好…") {
		t.Errorf("clip: got %d bytes", len(long))
	}
	if got := string(clip([]byte{0xff, 0xfe})); got != "(binary)" {
		t.Errorf("clip of bytes: got %q", got)
	}
}

func TestInboxIsBounded(t *testing.T) {
	t.Parallel()
	c := New(Options{}).Customer("wx", "o")
	for range inboxKept + inboxKept/5 {
		c.mu.Lock()
		c.showLocked(Received{})
		c.mu.Unlock()
	}
	in := c.Inbox()
	if len(in) != inboxKept || in[len(in)-1].Seq != inboxKept+inboxKept/5 {
		t.Errorf("got %d up to %d", len(in), in[len(in)-1].Seq)
	}
}

// BenchmarkSend measures custom/send without a network: what the simulator adds to a load test.
func BenchmarkSend(b *testing.B) {
	w := newWorld(b, func(o *Options) {
		o.Rules = map[Channel]Rules{MiniProgram: {TriggerMessage: {1 << 40, 1 << 50}}}
	})
	target, h := sendPath+w.token(miniApp), w.p.Handler()
	var n atomic.Int64
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		c := w.p.Named(miniApp, fmt.Sprint(n.Add(1)))
		c.Grant(TriggerMessage)
		body := textTo(c.OpenID(), "您好，请问有什么可以帮您？")
		for pb.Next() {
			rec := httptest.NewRecorder()
			h.ServeHTTP(rec, httptest.NewRequest(http.MethodPost, target, strings.NewReader(body)))
			if !strings.HasPrefix(rec.Body.String(), `{"errcode":0`) {
				b.Fatal(rec.Body.String())
			}
		}
	})
}

// BenchmarkPush measures a customer's message, signed, encrypted and delivered over loopback.
func BenchmarkPush(b *testing.B) {
	w := newWorld(b)
	s := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		_, _ = io.WriteString(rw, "success")
	}))
	b.Cleanup(s.Close)
	w.update(miniApp, func(a *Account) { a.CallbackURL = s.URL })
	var n atomic.Int64
	b.SetParallelism(16)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		c := w.p.Named(miniApp, fmt.Sprint(n.Add(1)))
		for pb.Next() {
			if push := c.Say(b.Context(), "hello"); !push.Accepted {
				b.Fatal(push.Err)
			}
		}
	})
}
