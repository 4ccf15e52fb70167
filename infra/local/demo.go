package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"time"

	"kefu/shared/adapter/wechat/wxfake"
	"kefu/shared/app"
)

// demo plays a conversation on the whole system, on a free port and with data of its own, and checks each step; it
// returns an error at the first difference. Without cloud it runs on the embedded engine.
func demo(ctx context.Context, out io.Writer, cloud *cloudOptions) (err error) {
	var folder string
	if cloud == nil {
		if folder, err = os.MkdirTemp("", "kefu-demo-"); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	}
	c := &clock{}
	l, err := start(ctx, localOptions{
		addr: "127.0.0.1:0", clock: c, config: app.Config{Data: folder}, cloud: cloud, log: slog.New(slog.DiscardHandler), sim: impatient,
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.close()) }()
	return l.perform(ctx, out)
}

// impatient is a platform that repeats a push at once: nobody waits five seconds for it.
var impatient = wxfake.Options{Wait: func(ctx context.Context, _ time.Duration) error { return ctx.Err() }}

// perform plays all scenes.
func (l *local) perform(ctx context.Context, out io.Writer) error {
	p := &play{local: l, out: out, start: l.clock.Now(), customer: l.platform.Named(l.demo.Accounts[0].AppID, "Mei 梅")}
	p.agent = l.as("ann")
	if about := l.about(); about != "" {
		p.say("%s", about)
	}
	for _, scene := range []func(context.Context) error{p.enters, p.writesTwice, p.repeated, p.sixAnswers, p.writesAgain, p.twoDays, p.desk} {
		if err := scene(ctx); err != nil {
			_, _ = fmt.Fprintf(out, "\nNOT AS EXPECTED: %v\n", err) // the error says it again
			return fmt.Errorf("the demo failed: %w", err)
		}
	}
	_, err := fmt.Fprintf(out, "\nEverything as promised: nothing lost, nothing doubled, never over quota.\n")
	return err
}

// play is one customer's story.
type play struct {
	*local
	out      io.Writer
	start    time.Time
	customer *wxfake.Customer
	agent    client
	session  string
	sent     []string // ids of the answers
}

func (p *play) say(format string, args ...any) {
	at := p.clock.Now().Sub(p.start).Truncate(time.Second)
	_, _ = fmt.Fprintf(p.out, "%9s  %s\n", at, fmt.Sprintf(format, args...)) // a broken pipe ends the process
}

func (p *play) check(ok bool, format string, args ...any) error {
	if !ok {
		return fmt.Errorf(format, args...)
	}
	p.say("   ✓ "+format, args...)
	return nil
}

// patience is how long something may take that other functions do meanwhile: most of all on a machine that is busy.
const patience = 30 * time.Second

// until waits for what other functions do meanwhile.
func until(ctx context.Context, what string, ok func() (bool, error)) error {
	for deadline := time.Now().Add(patience); ; {
		yes, err := ok()
		if err != nil {
			return fmt.Errorf("%s: %w", what, err)
		}
		if yes {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%s: has not happened within %s", what, patience)
		}
		if err := pause(ctx, 10*time.Millisecond); err != nil {
			return err
		}
	}
}

func (p *play) current(ctx context.Context) (s sessionView, err error) {
	var list page[sessionView]
	if err := p.agent.do(ctx, "GET", "/sessions?limit=1&customer="+p.customer.OpenID(), nil, &list); err != nil || len(list.Items) == 0 {
		return s, err
	}
	return list.Items[0], nil
}

func (p *play) awaitSession(ctx context.Context, what string, ok func(sessionView) bool) (s sessionView, err error) {
	err = until(ctx, what, func() (bool, error) {
		s, err = p.current(ctx)
		return err == nil && s.ID != "" && ok(s), err
	})
	return s, err
}

func (p *play) messages(ctx context.Context) ([]messageView, error) {
	var list page[messageView]
	err := p.agent.do(ctx, "GET", "/sessions/"+p.session+"/messages?limit=200", nil, &list)
	return list.Items, err
}

func (p *play) answer(ctx context.Context, text string, more map[string]any) (m messageView, err error) {
	body := map[string]any{"type": "text", "text": map[string]string{"content": text}}
	for k, v := range more {
		body[k] = v
	}
	err = p.agent.do(ctx, "POST", "/sessions/"+p.session+"/messages", body, &m)
	return m, err
}

func (p *play) message(ctx context.Context, id string) (m messageView, err error) {
	err = p.agent.do(ctx, "GET", "/sessions/"+p.session+"/messages/"+id, nil, &m)
	return m, err
}

func (p *play) enters(ctx context.Context) error {
	p.say("Mei enters by the button: the platform grants 2 messages for a minute")
	if push := p.customer.Enter(ctx, "demo"); push.Err != nil {
		return push.Err
	}
	s, err := p.awaitSession(ctx, "a session opens", func(sessionView) bool { return true })
	if err != nil {
		return err
	}
	p.session = s.ID
	return p.check(s.State == "bot" && s.Window.Remaining == 2, "session %s, window %d of %d used", s.State, s.Window.Used, s.Window.Limit)
}

func (p *play) writesTwice(ctx context.Context) error {
	p.say("Mei writes twice: 5 messages for 48 hours, and the session waits for an agent")
	for _, text := range []string{"你好", "Is the red one back in stock?"} {
		if push := p.customer.Say(ctx, text); push.Err != nil {
			return push.Err
		}
	}
	if err := p.stored(ctx, 2); err != nil {
		return err
	}
	s, err := p.current(ctx)
	if err != nil {
		return err
	}
	return p.check(s.State == "queued" && s.Window.Remaining == 5, "session %s, window %d of %d used", s.State, s.Window.Used, s.Window.Limit)
}

// stored waits until so many texts of the customer are stored.
func (p *play) stored(ctx context.Context, want int) error {
	return until(ctx, fmt.Sprintf("%d texts are stored", want), func() (bool, error) {
		list, err := p.messages(ctx)
		n := 0
		for _, m := range list {
			if m.Direction == "in" && m.Type == "text" {
				n++
			}
		}
		if n > want {
			return false, fmt.Errorf("%d texts are stored, want %d", n, want)
		}
		return n == want, err
	})
}

func (p *play) repeated(ctx context.Context) error {
	p.say("The platform loses our answers and delivers one push three times")
	p.platform.SetPushFaults(wxfake.PushFaults{LoseAnswers: 2})
	push := p.customer.Say(ctx, "Hello?")
	p.platform.SetPushFaults(wxfake.PushFaults{})
	if push.Err != nil {
		return push.Err
	}
	if err := p.check(len(push.Deliveries) == 3, "delivered %d times", len(push.Deliveries)); err != nil {
		return err
	}
	if err := p.stored(ctx, 3); err != nil {
		return err
	}
	list, err := p.messages(ctx)
	if err != nil {
		return err
	}
	last := list[len(list)-1]
	if err := until(ctx, "two repetitions are dropped", func() (bool, error) {
		last, err = p.message(ctx, last.ID)
		return last.Duplicates.Count == 2, err
	}); err != nil {
		return err
	}
	return p.check(last.Text.Content == "Hello?", "stored once, %d repetitions dropped and noted", last.Duplicates.Count)
}

func (p *play) sixAnswers(ctx context.Context) error {
	p.say("Ann accepts and sends six texts")
	if err := p.agent.do(ctx, "POST", "/sessions/"+p.session+"/accept", nil, nil); err != nil {
		return err
	}
	for i := range 6 {
		m, err := p.answer(ctx, fmt.Sprintf("answer %d", i+1), nil)
		if err != nil {
			return err
		}
		p.sent = append(p.sent, m.ID)
	}
	if _, err := p.customer.AwaitInbox(ctx, 5); err != nil {
		return err
	}
	if err := p.check(inOrder(p.customer.Texts(), 5), "five arrive, in order: %s", strings.Join(p.customer.Texts(), ", ")); err != nil {
		return err
	}
	if err := p.state(ctx, p.sent[4], "sent"); err != nil {
		return err
	}
	m, err := p.message(ctx, p.sent[5])
	if err != nil {
		return err
	}
	if err := p.check(m.State == "held" && m.Reason == "window-closed", "the sixth is %s: %s", m.State, m.Reason); err != nil {
		return err
	}
	return p.check(len(p.customer.Refused()) == 0, "the platform had nothing to refuse")
}

func (p *play) state(ctx context.Context, id, want string) error {
	return until(ctx, "a message is "+want, func() (bool, error) {
		m, err := p.message(ctx, id)
		return m.State == want, err
	})
}

func (p *play) writesAgain(ctx context.Context) error {
	if err := p.pass(ctx, 10*time.Minute); err != nil {
		return err
	}
	p.say("Ten minutes later Mei writes again: the window refills")
	if push := p.customer.Say(ctx, "Thank you!"); push.Err != nil {
		return push.Err
	}
	if _, err := p.customer.AwaitInbox(ctx, 6); err != nil {
		return err
	}
	if err := p.state(ctx, p.sent[5], "sent"); err != nil {
		return err
	}
	return p.check(inOrder(p.customer.Texts(), 6), "the held one arrives, in order: %s", strings.Join(p.customer.Texts(), ", "))
}

func (p *play) twoDays(ctx context.Context) error {
	if err := p.pass(ctx, 48*time.Hour+time.Minute); err != nil {
		return err
	}
	p.say("48 hours pass")
	s, err := p.awaitSession(ctx, "the session expires", func(s sessionView) bool { return s.State == "expired" })
	if err != nil {
		return err
	}
	if err := p.check(s.Window.Remaining == 0, "session %s, window closed", s.State); err != nil {
		return err
	}
	p.say("Ann answers all the same, for an hour")
	m, err := p.answer(ctx, "too late", map[string]any{"expires_at": p.clock.Now().Add(time.Hour).Format(time.RFC3339)})
	if err != nil {
		return err
	}
	if err := p.check(m.State == "held", "the answer is %s", m.State); err != nil {
		return err
	}
	if err := p.pass(ctx, time.Hour+time.Minute); err != nil {
		return err
	}
	p.say("An hour passes")
	if err := p.state(ctx, m.ID, "expired"); err != nil {
		return err
	}
	if err := p.check(len(p.customer.Texts()) == 6, "the answer has expired, and Mei was not disturbed"); err != nil {
		return err
	}
	return p.check(len(p.platform.Refused()) == 0, "not one call was refused in all this time")
}

func inOrder(texts []string, n int) bool {
	if len(texts) != n {
		return false
	}
	for i, t := range texts {
		if t != fmt.Sprintf("answer %d", i+1) {
			return false
		}
	}
	return true
}
