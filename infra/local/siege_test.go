package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"kefu/shared/adapter/wechat/wxfake"
)

// siege is a crowd that writes, agents who answer, and a platform that repeats and loses, while a test does its worst
// to the system. Begin it, run load, and when everything has come to rest check guarantees 1 to 7 against what the
// simulator saw: settle, checkWindows, then, after everything has run out, ended and checkMessages.
type siege struct {
	t        *testing.T
	ctx      context.Context
	platform *wxfake.Platform
	admin    client
	crowd    []*wxfake.Customer
	refused  float64 // how large a part of what was sent the platform may have refused over the window's count; see checkWindows

	mu       sync.Mutex
	wrote    map[string][]string // customer -> texts that were answered with success
	accepted map[string][]string // customer -> texts of answers that were answered with 202, by id order
}

// besieging is how the simulator behaves: impatient, and within seconds.
var besieging = wxfake.Options{Seed: 7, RetryGap: 200 * time.Millisecond, Deliveries: 3, PushTimeout: 2 * time.Second}

// begin gathers the crowd of an account and lets the platform misbehave.
func (s *siege) begin(appID string, customers int) {
	s.wrote, s.accepted = map[string][]string{}, map[string][]string{}
	s.platform.Inject(wxfake.Fault{Kind: wxfake.FaultLostAnswer, Path: "custom/send", Chance: 0.02})
	s.platform.Inject(wxfake.Fault{Kind: wxfake.FaultCode, Code: -1, Path: "custom/send", Chance: 0.05})
	for i := range customers {
		s.crowd = append(s.crowd, s.platform.Named(appID, fmt.Sprint("customer ", i)))
	}
}

// round sets how pushes come: once, so that a lost one is lost, or at least twice, in turns.
func (s *siege) round(n int) {
	s.platform.SetPushFaults(wxfake.PushFaults{LoseAnswers: n % 2})
}

// load has everybody write and be answered until stop is called, which returns when the last call is over.
func (s *siege) load() (stop func()) {
	ctx, cancel := context.WithCancel(s.ctx)
	var all sync.WaitGroup
	for i := range s.crowd {
		all.Go(func() { s.customer(ctx, i) })
		all.Go(func() { s.writer(ctx, i) })
	}
	return func() {
		cancel()
		all.Wait()
	}
}

func (s *siege) rest(d time.Duration) { _ = pause(s.ctx, d) }

// customer writes until ctx ends, and remembers what was answered with success.
func (s *siege) customer(ctx context.Context, i int) {
	c := s.crowd[i]
	for n := 0; ctx.Err() == nil; n++ {
		text := fmt.Sprintf("message %d of customer %d", n, i)
		if push := c.Say(context.WithoutCancel(ctx), text); push.Accepted {
			s.mu.Lock()
			s.wrote[c.OpenID()] = append(s.wrote[c.OpenID()], text)
			s.mu.Unlock()
		}
		_ = pause(ctx, time.Duration(20+rand.IntN(500))*time.Millisecond)
	}
}

// writer answers one customer, each answer until it is taken, with an idempotency
// key, so that the order of acceptance is known.
func (s *siege) writer(ctx context.Context, i int) {
	c := s.crowd[i]
	for n := 0; ctx.Err() == nil; n++ {
		var list page[sessionView]
		if s.admin.do(ctx, "GET", "/sessions?limit=1&customer="+c.OpenID(), nil, &list) != nil || len(list.Items) == 0 {
			_ = pause(ctx, 20*time.Millisecond)
			continue
		}
		text := fmt.Sprintf("answer %d to customer %d", n, i)
		if s.answer(context.WithoutCancel(ctx), list.Items[0].ID, text) {
			s.mu.Lock()
			s.accepted[c.OpenID()] = append(s.accepted[c.OpenID()], text)
			s.mu.Unlock()
		}
		_ = pause(ctx, time.Duration(rand.IntN(200))*time.Millisecond)
	}
}

// answer repeats a call until it is answered; it reports whether it was accepted.
func (s *siege) answer(ctx context.Context, session, text string) bool {
	body := map[string]any{"type": "text", "text": map[string]string{"content": text}}
	for {
		err := s.admin.idempotent(ctx, text, "POST", "/sessions/"+session+"/messages", body, nil)
		var p *problem
		switch {
		case err == nil:
			return true
		case errors.As(err, &p) && (p.Code == "in-progress" || p.Status >= 500):
		case errors.As(err, &p):
			return false // the queue of this customer is full, say
		}
		if pause(ctx, 50*time.Millisecond) != nil {
			return false
		}
	}
}

// conversation is everything that Kefu has of a customer, in order.
func (s *siege) conversation(c *wxfake.Customer) (sessions []sessionView, messages []messageView) {
	s.t.Helper()
	var list page[sessionView]
	if err := s.admin.do(s.ctx, "GET", "/sessions?limit=200&customer="+c.OpenID(), nil, &list); err != nil {
		s.t.Fatal(err)
	}
	for _, one := range slices.Backward(list.Items) {
		for cursor := ""; ; {
			var rows page[messageView]
			if err := s.admin.do(s.ctx, "GET", "/sessions/"+one.ID+"/messages?limit=200&cursor="+cursor, nil, &rows); err != nil {
				s.t.Fatal(err)
			}
			messages = append(messages, rows.Items...)
			if cursor = rows.Next; cursor == "" {
				break
			}
		}
	}
	return list.Items, messages
}

// settle waits until nothing is on its way any more.
func (s *siege) settle() {
	s.t.Helper()
	s.await("nothing is on its way", func(m messageView) bool {
		return m.State != "pending" && m.State != "sending" && m.Reason != "retrying"
	})
}

// ended waits until each message has ended.
func (s *siege) ended() {
	s.t.Helper()
	s.await("everything has ended", func(m messageView) bool {
		return slices.Contains([]string{"sent", "failed", "expired", "cancelled", "unknown", "received"}, m.State)
	})
}

func (s *siege) await(what string, ok func(messageView) bool) {
	s.t.Helper()
	for _, c := range s.crowd {
		for try := 0; ; try++ {
			_, list := s.conversation(c)
			i := slices.IndexFunc(list, func(m messageView) bool { return !ok(m) })
			if i < 0 {
				break
			}
			if try > 1500 {
				s.t.Fatalf("%s: not so: %+v", what, list[i])
			}
			s.rest(20 * time.Millisecond)
		}
	}
}

// checkWindows: never over the window, and nothing withheld that it would take.
//
// When a customer acts at the very moment in which a call for him is under way,
// nobody but the platform knows on which side of the refill the call was counted.
// Kefu then sends rather than withholds, and the platform may refuse that one
// message for now; it must stay at that. The longer a push waits in its queue, the
// more often this happens.
func (s *siege) checkWindows() {
	s.t.Helper()
	refused, sent := s.platform.Refused(), s.platform.Stats().Sent
	if n := refused[45015]; n > 0 {
		s.t.Errorf("the platform refused %d messages after the window's end", n)
	}
	if n := refused[45047]; float64(n) > 1+s.refused*float64(sent) {
		s.t.Errorf("the platform refused %d of %d messages over the window's count", n, sent)
	}
	for _, c := range s.crowd {
		sessions, list := s.conversation(c)
		held, unknown := 0, 0
		for _, m := range list {
			if m.State == "held" {
				held++
			}
			if m.State == "unknown" {
				unknown++
			}
		}
		w := sessions[0].Window
		if left := c.Window().Remaining(); held > 0 && left > 0 && left > unknown {
			s.t.Errorf("%d messages are held and the platform would take %d (the ledger says %d of %d used)", held, left, w.Used, w.Limit)
		}
	}
}

// checkMessages compares what customers wrote and got with what Kefu says.
func (s *siege) checkMessages() {
	s.t.Helper()
	states := map[string]int{}
	written, answered := 0, 0
	for _, c := range s.crowd {
		sessions, list := s.conversation(c)
		active := 0
		for _, one := range sessions {
			if one.State != "closed" && one.State != "expired" {
				active++
			}
		}
		if active > 1 || len(sessions) != 1 {
			s.t.Errorf("%d sessions, %d active; the customer never stopped writing", len(sessions), active)
		}
		var in, out, sent []string
		for _, m := range list {
			states[m.Direction+" "+m.State]++
			switch {
			case m.Direction == "in":
				in = append(in, m.Text.Content)
			case m.Reason == "never-accepted":
				continue
			default:
				out = append(out, m.Text.Content)
			}
			if m.State == "sent" || (m.State == "unknown" && slices.Contains(c.Texts(), m.Text.Content)) {
				sent = append(sent, m.Text.Content)
			}
		}
		written += len(s.wrote[c.OpenID()])
		answered += len(s.accepted[c.OpenID()])
		s.exactlyOnce("from the customer", in, s.wrote[c.OpenID()])
		s.exactlyOnce("from the agent", out, s.accepted[c.OpenID()])
		if !slices.Equal(out, s.accepted[c.OpenID()]) {
			s.t.Errorf("the answers are not stored in the order in which they were accepted:\n stored   %q\n accepted %q", out, s.accepted[c.OpenID()])
		}
		if got := c.Texts(); !slices.Equal(got, sent) {
			s.t.Errorf("the customer got %d texts, Kefu says %d were sent, or in another order:\n got  %q\n says %q", len(got), len(sent), got, sent)
		}
		for _, r := range c.Inbox() {
			if r.Overlapped {
				s.t.Errorf("two calls for one customer at the same time: %q", r.Text)
			}
		}
	}
	s.t.Logf("%d messages of customers, %d answers; states %v; platform %+v", written, answered, states, s.platform.Stats())
	if written < len(s.crowd)*5 || answered < len(s.crowd)*5 {
		s.t.Errorf("only %d messages and %d answers: the test has not tested much", written, answered)
	}
}

// exactlyOnce: everything that was confirmed is stored once. What was stored and
// whose confirmation was cut may be there too, once.
func (s *siege) exactlyOnce(what string, stored, confirmed []string) {
	s.t.Helper()
	seen := map[string]int{}
	for _, text := range stored {
		if seen[text]++; seen[text] > 1 {
			s.t.Errorf("%s: %q is stored %d times", what, text, seen[text])
		}
	}
	for _, text := range confirmed {
		if seen[text] == 0 {
			s.t.Errorf("%s: %q was confirmed and is lost", what, text)
		}
	}
}
