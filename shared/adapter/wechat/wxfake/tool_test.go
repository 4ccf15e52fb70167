package wxfake

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// transferDoc is transfer_customer_service as the account's format has it; more stands behind MsgType.
func transferDoc(format Format, to, from, kfAccount string) string {
	if format == JSON {
		more := ""
		if kfAccount != "" {
			more = `,"TransInfo":{"KfAccount":"` + kfAccount + `"}`
		}
		return fmt.Sprintf(`{"ToUserName":"%s","FromUserName":"%s","CreateTime":1399197672,"MsgType":"transfer_customer_service"%s}`, to, from, more)
	}
	more := ""
	if kfAccount != "" {
		more = "<TransInfo><KfAccount><![CDATA[" + kfAccount + "]]></KfAccount></TransInfo>"
	}
	return fmt.Sprintf("<xml><ToUserName><![CDATA[%s]]></ToUserName><FromUserName><![CDATA[%s]]></FromUserName>"+
		"<CreateTime>1399197672</CreateTime><MsgType><![CDATA[transfer_customer_service]]></MsgType>%s</xml>", to, from, more)
}

// TestTheWayThroughTheTool: handed over, queueing, taken, spoken to, closed, and back.
func TestTheWayThroughTheTool(t *testing.T) {
	t.Parallel()
	for _, appID := range []string{miniApp, oaApp} {
		t.Run(appID, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			a, _ := w.p.Account(appID)
			c := w.p.Named(appID, "Li")
			w.shop.answers(func(_ int, rw http.ResponseWriter, s seen) {
				if in, _, err := oracleReceive(a, s); err != nil || in.Type == "event" {
					_, _ = io.WriteString(rw, "success")
					return
				}
				_, _ = io.WriteString(rw, oracleReply(a, s.query, transferDoc(a.Format, c.OpenID(), a.OriginalID, "wanted@shop")))
			})
			events := func() (out []string) {
				for _, s := range w.shop.requests() {
					if in, _, err := oracleReceive(a, s); err == nil && in.Type == "event" {
						out = append(out, in.Event)
					}
				}
				return out
			}
			want := func(what, tool string, push Push, pushed bool) {
				t.Helper()
				if c.Tool() != tool || push.Accepted != pushed || push.ToTool == pushed {
					t.Errorf("%s: got tool %q, accepted %v, to the tool %v; want %q, pushed %v", what, c.Tool(), push.Accepted, push.ToTool, tool, pushed)
				}
			}
			want("the first message", ToolQueued, c.Say(t.Context(), "1"), true)
			w.clock.add(20 * time.Minute)
			want("while he queues", ToolQueued, c.Say(t.Context(), "2"), true)
			w.clock.add(20 * time.Minute)
			if c.ToolSay("hello") || len(c.Inbox()) != 0 {
				t.Error("somebody of the tool writes who has not accepted")
			}
			c.ToolAccept(t.Context(), "")
			want("when he is served", ToolServing, c.Say(t.Context(), "3"), false)
			w.clock.add(29 * time.Minute)
			if !c.ToolSay("hello") {
				t.Error("the tool's agent can't write")
			}
			if got := c.Inbox(); len(got) != 1 || !got[0].Tool || got[0].Text != "hello" || c.Window().Used != 0 {
				t.Errorf("inbox: got %+v, %d counted; want the tool's message and 0", got, c.Window().Used)
			}
			w.clock.add(29 * time.Minute)
			want("29 minutes after the agent's message", ToolServing, c.Say(t.Context(), "4"), false)
			c.ToolClose(t.Context(), "")
			want("closed", ToolQueued, c.Say(t.Context(), "5"), true)
			c.ToolAccept(t.Context(), "other@shop")
			w.clock.add(toolLife - time.Nanosecond)
			if c.Tool() != ToolServing {
				t.Errorf("just before 30 minutes: got %q, want %q", c.Tool(), ToolServing)
			}
			w.clock.add(time.Nanosecond)
			if c.Tool() != ToolNone {
				t.Errorf("after 30 minutes: got %q, want that he is back", c.Tool())
			}
			want("back", ToolQueued, c.Say(t.Context(), "6"), true)
			w.clock.add(toolLife)
			if c.Tool() != ToolNone {
				t.Errorf("after 30 minutes in the queue: got %q, want that he is back", c.Tool())
			}
			if w.p.Stats().BadReplies != 0 {
				t.Errorf("bad replies: got %d, want 0", w.p.Stats().BadReplies)
			}
			wantEvents := ""
			if appID == oaApp {
				wantEvents = "kf_create_session kf_close_session kf_create_session"
			}
			if got := strings.Join(events(), " "); got != wantEvents {
				t.Errorf("events: got %q, want %q", got, wantEvents)
			}
		})
	}
}

// TestTheToolGivesTheWantedAgent: who was asked for has him, on an official account; the queue outlives a restart.
func TestTheToolGivesTheWantedAgent(t *testing.T) {
	t.Parallel()
	for appID, want := range map[string]string{oaApp: "wanted@shop", miniApp: ToolAgent} {
		w := newWorld(t)
		w.update(appID, func(a *Account) { a.Mode, a.Format = Plaintext, XML })
		a, _ := w.p.Account(appID)
		c := w.p.Named(appID, "Li")
		w.shop.answers(func(_ int, rw http.ResponseWriter, _ seen) {
			_, _ = io.WriteString(rw, transferDoc(XML, c.OpenID(), a.OriginalID, "wanted@shop"))
		})
		c.Say(t.Context(), "hi")
		next := w.restarted()
		again := next.p.Named(appID, "Li")
		if again.Tool() != ToolQueued {
			t.Errorf("%s: after a restart: got %q, want %q", appID, again.Tool(), ToolQueued)
		}
		again.ToolAccept(t.Context(), "")
		if _, agent, _ := again.toolNow(); agent != want {
			t.Errorf("%s: got agent %q, want %q", appID, agent, want)
		}
	}
}

// TestBadRepliesAreCounted: what an account's server does wrong does nothing, and shows.
func TestBadRepliesAreCounted(t *testing.T) {
	t.Parallel()
	swapped := func(a Account, c *Customer) string { return transferDoc(a.Format, c.OpenID(), a.OriginalID, "") }
	for _, tc := range []struct {
		name     string
		answer   func(a Account, c *Customer, s seen) string
		event    bool
		accepted bool
		bad      int64
	}{
		{"right", func(a Account, c *Customer, s seen) string { return oracleReply(a, s.query, swapped(a, c)) }, false, true, 0},
		{"not swapped", func(a Account, c *Customer, s seen) string {
			return oracleReply(a, s.query, transferDoc(a.Format, a.OriginalID, c.OpenID(), ""))
		}, false, true, 1},
		{"to another customer", func(a Account, _ *Customer, s seen) string {
			return oracleReply(a, s.query, transferDoc(a.Format, otherID, a.OriginalID, ""))
		}, false, true, 1},
		{"of an event", func(a Account, c *Customer, s seen) string { return oracleReply(a, s.query, swapped(a, c)) }, true, true, 1},
		{"no type", func(a Account, _ *Customer, s seen) string {
			return oracleReply(a, s.query, `{"demo_resp":"good luck"}`)
		}, false, true, 1},
		{"XML for JSON", func(a Account, c *Customer, s seen) string {
			a.Format = XML
			return oracleReply(a, s.query, swapped(a, c))
		}, false, false, 3},
		{"XML inside of JSON", func(a Account, c *Customer, s seen) string {
			return oracleReply(a, s.query, transferDoc(XML, c.OpenID(), a.OriginalID, ""))
		}, false, false, 3},
		{"in the clear", func(a Account, c *Customer, _ seen) string { return swapped(a, c) }, false, false, 3},
		{"another key", func(a Account, c *Customer, s seen) string {
			a.AESKey = "aozyxq4R650BCa5DxPYsLsBF2fPPCyUnOo8Ni0Whbc0"
			return oracleReply(a, s.query, swapped(a, c))
		}, false, false, 3},
		{"another token", func(a Account, c *Customer, s seen) string {
			a.Token = "guess"
			return oracleReply(a, s.query, swapped(a, c))
		}, false, false, 3},
		{"another nonce", func(a Account, c *Customer, s seen) string {
			s.query.Set("nonce", "1")
			return oracleReply(a, s.query, swapped(a, c))
		}, false, false, 3},
		{"torn", func(a Account, c *Customer, s seen) string {
			whole := oracleReply(a, s.query, swapped(a, c))
			return whole[:len(whole)/2]
		}, false, false, 3},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			a, _ := w.p.Account(miniApp)
			c := w.p.Named(miniApp, "Li")
			w.shop.answers(func(_ int, rw http.ResponseWriter, s seen) { _, _ = io.WriteString(rw, tc.answer(a, c, s)) })
			act := c.Say
			if tc.event {
				act = c.Enter
			}
			push := act(t.Context(), "hi")
			tool := ToolNone
			if tc.bad == 0 {
				tool = ToolQueued
			}
			if got := w.p.Stats().BadReplies; push.Accepted != tc.accepted || got != tc.bad || c.Tool() != tool {
				t.Errorf("got accepted %v, %d bad, tool %q; want %v, %d, %q", push.Accepted, got, c.Tool(), tc.accepted, tc.bad, tool)
			}
		})
	}
}

func TestTheToolByThePage(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.update(oaApp, func(a *Account) { a.Mode = Plaintext })
	c := w.p.Named(oaApp, "Li")
	w.shop.answers(func(n int, rw http.ResponseWriter, _ seen) {
		from, to := oaGH, c.OpenID()
		if n == 1 {
			from, to = to, from
		}
		_, _ = io.WriteString(rw, transferDoc(XML, to, from, "wanted@shop"))
	})
	if r := w.act(oaApp, "Li", "say", `,"text":"hi"`); !strings.Contains(string(r.body), `"problem":"ToUserName`) {
		t.Errorf("not swapped: got %s, want the problem", r.body)
	}
	if r := w.act(oaApp, "Li", "tool-say", `,"text":"hello"`); r.status != http.StatusConflict {
		t.Errorf("nobody has him: got %d, want 409", r.status)
	}
	w.act(oaApp, "Li", "say", `,"text":"hi"`)
	v := w.state(oaApp, "Li", 0)
	if v.Tool != ToolQueued || v.ToolAgent != "wanted@shop" || v.BadReplies != 1 {
		t.Errorf("queued: got %q with %q, %d bad replies; want %q with wanted@shop, 1", v.Tool, v.ToolAgent, v.BadReplies, ToolQueued)
	}
	w.act(oaApp, "Li", "tool-accept", "")
	w.act(oaApp, "Li", "tool-say", `,"text":"hello"`)
	v = w.state(oaApp, "Li", 0)
	last := v.Items[len(v.Items)-1]
	if v.Tool != ToolServing || v.ToolUntil != w.clock.now().Add(toolLife).UnixMilli() || last.Text != "hello" || !last.Tool || last.Agent != "wanted@shop" {
		t.Errorf("served: got %q until %d, %+v", v.Tool, v.ToolUntil, last)
	}
	w.act(oaApp, "Li", "tool-close", "")
	if v = w.state(oaApp, "Li", 0); v.Tool != ToolNone {
		t.Errorf("closed: got %q, want none", v.Tool)
	}
}
