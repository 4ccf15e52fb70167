package session

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"kefu/shared/core/account"
	"kefu/shared/core/agent"
	"kefu/shared/core/message"
	"kefu/shared/core/quota"
	"kefu/shared/scripttest"
)

// TestScripts plays testdata/*.txt. A script is read by people first: a block is
// one or more lines of what happens, "----", then the effects and the session
// as they are afterwards, up to an empty line. Lines with # are remarks.
func TestScripts(t *testing.T) {
	t.Parallel()
	scripttest.Files(t, "testdata/*.txt", play)
}

// stage is where a script plays.
type stage struct {
	start, now time.Time
	rules      Rules
	s          Session
	sessions   int
}

func play(t *testing.T, script string) string {
	t.Helper()
	start := time.Date(2026, 11, 21, 8, 0, 0, 0, time.UTC)
	st := &stage{start: start, now: start, rules: Rules{
		Tenant: "default", Channel: account.MiniProgram, Grants: quota.Preset(quota.MiniProgram2024),
		SessionFor: 48 * time.Hour, HoldFor: 48 * time.Hour,
	}}
	return scripttest.Blocks(t, script, st.do, st.describe)
}

// do plays one line and returns its effects in words.
func (st *stage) do(line string) ([]string, error) {
	if d, ok := strings.CutPrefix(line, "+"); ok {
		pause, err := time.ParseDuration(d)
		st.now = st.now.Add(pause)
		return nil, err
	}
	f := strings.Fields(line)
	if f[0] == "rules" {
		return nil, st.rule(f[1:])
	}
	e, err := st.event(f)
	if err != nil {
		return nil, err
	}
	next, effects, err := Step(st.s, e, st.rules, st.now)
	if err != nil {
		return []string{"refused: " + err.Error()}, nil
	}
	if next.ID != st.s.ID {
		st.sessions++
	}
	st.s = next
	var words []string
	for _, e := range effects {
		words = append(words, "-> "+st.effect(e))
	}
	return words, nil
}

// rule sets one rule of the account, such as "rules handoff 人工 客服".
func (st *stage) rule(f []string) error {
	r, opt := &st.rules, options(f)
	text := strings.ReplaceAll(opt["text"], "_", " ")
	switch f[0] {
	case "auto":
		r.Auto = true
	case "preset":
		r.Grants = quota.Preset(f[1])
	case "official":
		r.Channel, r.Grants = account.Official, quota.Preset(quota.Official2023)
	case "silence":
		r.Silence, _ = time.ParseDuration(f[1])
	case "priority":
		r.Priority, _ = strconv.Atoi(f[1])
	case "handoff":
		r.Handoff.Enabled, r.Handoff.Keywords = f[1] != "off", f[1:]
	case "notice":
		r.Handoff.Notice = f[1]
	case "urgent":
		r.Handoff.Urgent = []account.Urgent{{Words: f[1:2], Priority: opt.num("priority", 1)}}
	case "queue":
		r.Queue = account.Queue{Text: text, Timeout: account.Duration(opt.dur("timeout")), TimeoutText: opt["timeout_text"], Then: account.Then(opt["then"])}
	case "hours":
		from, to, _ := strings.Cut(f[1], "-")
		r.Hours = account.Hours{
			UTCOffset: "+00:00", Text: text, Then: account.Then(opt["then"]),
			Open: []account.Span{{Days: []string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"}, From: from, To: to}},
		}
	case "bot":
		r.Bot.Enabled, r.Bot.Greeting, r.Bot.Fallback = f[1] != "off", opt["greeting"], opt["fallback"]
	case "keyword":
		r.Bot.Keywords = append(r.Bot.Keywords, account.Keyword{Words: f[1:2], Reply: account.Reply{Answer: opt["answer"], Handoff: opt["then"] == "handoff"}})
	case "responder":
		r.Bot.Responder.URL = f[1]
	case "keep":
		n := opt.num("keep", 0)
		if len(f) > 1 {
			n, _ = strconv.Atoi(f[1])
		}
		r.Spend.KeepForHuman = &n
	case "budget":
		r.Spend.BotBudget, _ = strconv.Atoi(f[1])
	case "merge":
		r.Spend.Merge = f[1] != "off"
	case "one-sender":
		r.Spend.OneSender = true
	case "webhook":
		r.Webhook = account.Webhook{URL: "https://shop.example/hook", Events: f[1:]}
	default:
		return fmt.Errorf("unknown rule %q", f[0])
	}
	return nil
}

// event reads a line such as "customer writes p1" or "agent ann accepts".
func (st *stage) event(f []string) (Event, error) {
	opt := options(f)
	switch {
	case f[0] == "customer" || f[0] == "platform" && f[1] == "tells":
		e := Arrived{
			ID: ID("s" + strconv.Itoa(st.sessions+1)), Account: "shop", Customer: "mei",
			Key: f[2], At: st.now.Add(-opt.dur("ago")).Truncate(time.Second),
		}
		switch f[1] {
		case "writes":
			e.Action, e.FromCustomer = quota.Message, true
		case "enters":
			e.Action = quota.Enter
		case "clicks":
			e.Action, e.MenuKey = quota.Click, opt["key"]
		}
		for _, w := range f[3:] {
			if !strings.Contains(w, "=") {
				e.Text += w
			}
		}
		e.Transferred, e.Name = opt["to"] == "tool", opt["event"]
		return e, nil
	case f[0] == "router" && f[1] == "tells":
		return Told{Position: opt.num("place", 1)}, nil
	case f[0] == "responder":
		e := Replied{To: int64(opt.num("to", 0)), Failed: f[1] == "fails", Handoff: opt["then"] == "handoff", Text: opt["text"]}
		if f[1] == "says" {
			e.Content = []message.Content{{Type: message.TypeText, Text: &message.Text{Content: f[2]}}}
		}
		return e, nil
	case f[0] == "approve":
		return Approve{Message: st.message(f[1]), By: "sue"}, nil
	case f[0] == "told":
		return Informed{UpTo: int64(opt.num("up_to", 0))}, nil
	case f[0] == "router":
		return Assign{Agent: agent.ID(f[len(f)-1])}, nil
	case f[0] == "agent" && f[2] == "accepts":
		return Accept{Agent: agent.ID(f[1])}, nil
	case f[0] == "agent" && f[2] == "closes":
		return Close{By: f[1]}, nil
	case f[0] == "agent" && f[2] == "answers":
		e := Enqueue{Key: opt["key"], Parts: opt.num("parts", 1), FailClosed: opt["or"] == "fail", By: f[1], Bytes: opt.num("bytes", 0)}
		if d := opt.dur("in"); d != 0 {
			e.SendAt = st.now.Add(d)
		}
		if d := opt.dur("for"); d != 0 {
			e.ExpiresAt = st.now.Add(d)
		}
		return e, nil
	case f[0] == "transfer":
		to := f[len(f)-1]
		if to == "queue" {
			to = ""
		}
		return Transfer{Agent: agent.ID(to)}, nil
	case f[0] == "release":
		return Release{}, nil
	case f[0] == "cancel":
		return Cancel{Message: st.message(f[1])}, nil
	case f[0] == "drop":
		return Drop{Message: st.message(f[1])}, nil
	case f[0] == "rows":
		var ids []message.ID
		for _, end := range st.s.Endings {
			ids = append(ids, end.Message)
		}
		return Settled{Messages: ids}, nil
	case f[0] == "sender":
		return Next{}, nil
	case f[0] == "landed":
		return Landed{Message: st.message(f[1])}, nil
	case f[0] == "sweep":
		return Tick{}, nil
	case f[0] == "answer":
		return Answered{
			Message: st.message(f[1]),
			Outcome: Outcome{Kind: OutcomeKind(f[2]), Code: opt.num("code", 0), Reason: opt["reason"]},
			Yield:   opt["then"] == "yield",
		}, nil
	}
	return nil, fmt.Errorf("unknown line")
}

// message turns "#3" into the id of the message of that number, whatever session it is of.
func (st *stage) message(word string) message.ID {
	n, _ := strconv.ParseInt(strings.TrimPrefix(word, "#"), 10, 64)
	known := []message.ID{}
	for _, w := range st.s.Outbox {
		known = append(known, w.Message)
	}
	if st.s.Flight != nil {
		known = append(known, st.s.Flight.Message)
	}
	for _, id := range known {
		if _, m, _ := id.Split(); m == n {
			return id
		}
	}
	return message.NewID(st.s.ID, n)
}

type opts map[string]string

func options(f []string) opts {
	o := opts{}
	for _, w := range f {
		if k, v, ok := strings.Cut(w, "="); ok {
			o[k] = v
		}
	}
	return o
}

func (o opts) dur(k string) time.Duration {
	d, _ := time.ParseDuration(o[k])
	return d
}

func (o opts) num(k string, def int) int {
	if n, err := strconv.Atoi(o[k]); err == nil {
		return n
	}
	return def
}
