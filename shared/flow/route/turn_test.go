package route_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"kefu/shared/core/account"
	"kefu/shared/core/fault"
	"kefu/shared/core/hook"
	"kefu/shared/core/message"
	"kefu/shared/core/session"
	"kefu/shared/shell"
)

// business is a responder that notes what it is asked.
type business struct {
	asked  []hook.Ask
	left   time.Duration // of its time
	answer hook.Answer
	fail   error
}

func (b *business) Ask(ctx context.Context, _ account.Account, q hook.Ask) (hook.Answer, error) {
	b.asked = append(b.asked, q)
	end, _ := ctx.Deadline()
	b.left = time.Until(end)
	return b.answer, b.fail
}

func says(texts ...string) (all []message.Content) {
	for _, s := range texts {
		all = append(all, message.Content{Type: message.TypeText, Text: &message.Text{Content: s}})
	}
	return all
}

// botRules leave the session with a bot whose turns the business takes.
func botRules() account.Routing {
	return account.Routing{
		Handoff: account.Handoff{Enabled: true, Keywords: []string{"human"}},
		Bot: account.Bot{
			Enabled: true, Fallback: "sorry?", Keywords: []account.Keyword{{Words: []string{"price"}, Reply: account.Reply{Answer: "ten"}}},
			Responder: account.Responder{URL: "https://bot.example/ask", Timeout: account.Duration(7 * time.Second)},
		},
	}
}

func botWorld(t *testing.T) (*world, *business) {
	t.Helper()
	w, b := newWorld(t), &business{}
	w.router.Responder = b
	w.account("shop", botRules())
	return w, b
}

var meisTurn = shell.Wake{Account: "shop", Customer: "mei"}

func TestTheBusinessTakesTheTurn(t *testing.T) {
	t.Parallel()
	w, b := botWorld(t)
	w.says("shop", "mei", "one")
	s := w.says("shop", "mei", "two")
	b.answer = hook.Answer{Messages: says("yes", "no")}
	w.handle(meisTurn)
	if len(b.asked) != 1 {
		t.Fatalf("got asked %d times, want once", len(b.asked))
	}
	q := b.asked[0]
	var texts []string
	for _, m := range q.Messages {
		texts = append(texts, string(m.ID)+" "+m.Text.Content)
	}
	w.want("asked", strings.Join(texts, "|"), fmt.Sprintf("%s-1 one|%s-2 two", s.ID, s.ID))
	w.want("turn", q.ID, string(s.ID)+"-2")
	w.want("of", fmt.Sprint(q.Account, q.Session, q.Customer, q.State), fmt.Sprint("shop", s.ID, "mei", "bot"))
	if b.left <= 6*time.Second || b.left > 7*time.Second {
		t.Errorf("got %v to answer, want the account's 7s", b.left)
	}
	w.want("heard", w.heard("shop", "mei"), "yes|no")
	w.handle(meisTurn) // twice
	w.want("heard", w.heard("shop", "mei"), "yes|no")
	if len(b.asked) != 1 {
		t.Errorf("got asked %d times, want once", len(b.asked))
	}
	if log := w.log.String(); strings.Contains(log, "yes") || strings.Contains(log, "two") {
		t.Errorf("the log has what was said:\n%s", log)
	}
}

func TestTheBusinessCallsAHuman(t *testing.T) {
	t.Parallel()
	w, b := botWorld(t)
	w.says("shop", "mei", "help")
	b.answer = hook.Answer{Handoff: true}
	w.handle(meisTurn)
	w.want("mei", w.stands("shop", "mei"), "queued")
}

func TestTheBotsOwnRulesAnswerWhenTheBusinessDoesNot(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(*world, *business){
		"it fails":     func(_ *world, b *business) { b.fail = fault.New(fault.Unavailable, "responder-unavailable", "") },
		"unclassified": func(_ *world, b *business) { b.fail = errors.New("oops") },
		"says too much": func(_ *world, b *business) {
			b.answer.Messages = says("1", "2", "3", "4", "5", "6")
		},
		"says what can't be sent": func(_ *world, b *business) { b.answer.Messages = says("fine", "") },
		"it was removed": func(w *world, _ *business) {
			r := botRules()
			r.Bot.Responder = account.Responder{}
			w.account("shop", r)
		},
		"nobody can ask it": func(w *world, _ *business) { w.router.Responder = nil },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, b := botWorld(t)
			w.says("shop", "mei", "hello")
			w.says("shop", "mei", "what's the price")
			spoil(w, b)
			w.handle(meisTurn)
			w.want("heard", w.heard("shop", "mei"), "ten")
			if s := w.session("shop", "mei"); s.Turn != nil {
				t.Errorf("got a turn that is still open: %+v", *s.Turn)
			}
			if !strings.Contains(w.log.String(), `"reason"`) {
				t.Errorf("the log gives no reason:\n%s", w.log.String())
			}
		})
	}
}

// TestARowThatIsBeingWritten: the turn is taken as far as there are rows; the rest is
// asked about when its row is there.
func TestARowThatIsBeingWritten(t *testing.T) {
	t.Parallel()
	w, b := botWorld(t)
	b.answer = hook.Answer{Messages: says("yes")}
	w.says("shop", "mei", "one")
	s := w.session("shop", "mei")
	w.do("shop", "mei", session.Arrived{ // saved, and its row not yet written
		ID: "unused", Account: "shop", Customer: "mei", Key: "late", At: w.clock(), Action: "message", FromCustomer: true, Text: "two",
	})
	w.handle(meisTurn)
	if len(b.asked) != 1 || len(b.asked[0].Messages) != 1 {
		t.Fatalf("got asked %+v, want once about one message", b.asked)
	}
	w.handle(meisTurn)
	if len(b.asked) != 1 {
		t.Fatalf("got asked about nothing: %+v", b.asked[1:])
	}
	n := w.session("shop", "mei").Turn.To
	w.must(w.store.PutMessage(t.Context(), message.Message{
		ID: message.NewID(s.ID, n), N: n, Session: s.ID, Tenant: "t", Account: "shop", Customer: "mei", Direction: message.In, Content: says("two")[0],
	}))
	w.handle(meisTurn)
	if len(b.asked) != 2 || b.asked[1].Messages[0].Text.Content != "two" {
		t.Fatalf("got asked %+v, want about the second as well", b.asked)
	}
}

func TestNoTurnNoQuestion(t *testing.T) {
	t.Parallel()
	w, b := botWorld(t)
	w.handle(meisTurn) // no conversation
	w.says("shop", "mei", "hello")
	w.do("shop", "mei", session.Accept{Agent: "ann"})
	w.handle(meisTurn)
	if len(b.asked) > 0 {
		t.Errorf("got asked %+v about a session that ann has", b.asked)
	}
}

// TestAnAgentWasFaster: while the business thinks, somebody takes the session.
func TestAnAgentWasFaster(t *testing.T) {
	t.Parallel()
	w, _ := botWorld(t)
	w.says("shop", "mei", "hello")
	w.router.Responder = thinker(func() { w.do("shop", "mei", session.Accept{Agent: "ann"}) })
	w.handle(meisTurn)
	w.want("mei", w.stands("shop", "mei"), "serving ann")
	w.want("heard", w.heard("shop", "mei"), "")
}

type thinker func()

func (f thinker) Ask(context.Context, account.Account, hook.Ask) (hook.Answer, error) {
	f()
	return hook.Answer{Messages: says("too late")}, nil
}
