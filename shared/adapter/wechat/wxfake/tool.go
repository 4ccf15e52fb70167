package wxfake

import (
	"context"
	"time"
)

// toolLife is how long the platform's own tool keeps a customer after the last message.
const toolLife = 30 * time.Minute

// ToolAgent is the tool's agent where nobody names one.
const ToolAgent = "kf1@simulator"

// toolSession is the platform's own customer-service tool, to which transfer_customer_service hands over.
//
// Where the fact sheet is silent: whoever waits in the tool's queue is forgotten like one who is served, 30 minutes after
// the last message that was handed over.
type toolSession struct {
	queued bool
	wanted string // the agent that the account asked for
	agent  string // who serves him; "" while nobody does
	until  time.Time
}

func (t *toolSession) serving(now time.Time) bool { return t.agent != "" && now.Before(t.until) }

func (t *toolSession) waiting(now time.Time) bool {
	return t.agent == "" && t.queued && now.Before(t.until)
}

// Tool states that [Customer.Tool] returns.
const (
	ToolNone    = ""
	ToolQueued  = "queued"  // handed over, waiting for an agent: pushes go on
	ToolServing = "serving" // an agent of the tool has him: his messages are not pushed
)

// Tool returns where he stands in the platform's own customer-service tool.
func (c *Customer) Tool() string {
	state, _, _ := c.toolNow()
	return state
}

// toolNow returns where he stands, with whom, and until when if nothing more is written.
func (c *Customer) toolNow() (state, agent string, until time.Time) {
	now := c.p.now()
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.tool.serving(now):
		return ToolServing, c.tool.agent, c.tool.until
	case c.tool.waiting(now):
		return ToolQueued, c.tool.wanted, c.tool.until
	}
	return ToolNone, "", time.Time{}
}

// handOver takes a message of his into the tool: he joins its queue, or stays with the agent who has him. Wanted is the
// agent that an official account asked for, who gets him even when he is offline.
func (c *Customer) handOver(now time.Time, wanted string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.tool.serving(now) {
		c.tool = toolSession{queued: true, wanted: wanted}
	}
	c.tool.until = now.Add(toolLife)
}

// ToolAccept lets an agent of the platform's tool take him; an empty name is the agent that the account asked for, or
// [ToolAgent]. His messages are no longer pushed, until ToolClose or 30 silent minutes. An official account gets
// kf_create_session.
func (c *Customer) ToolAccept(ctx context.Context, kfAccount string) Push {
	now := c.p.now()
	c.mu.Lock()
	if kfAccount == "" && c.tool.waiting(now) {
		kfAccount = c.tool.wanted
	}
	if kfAccount == "" {
		kfAccount = ToolAgent
	}
	c.tool = toolSession{agent: kfAccount, until: now.Add(toolLife)}
	c.mu.Unlock()
	return c.event(ctx, Official, "", "kf_create_session", Fields{{"KfAccount", kfAccount}})
}

// ToolClose ends that session; an empty name is the agent who has him. An official account gets kf_close_session.
func (c *Customer) ToolClose(ctx context.Context, kfAccount string) Push {
	c.mu.Lock()
	if kfAccount == "" {
		kfAccount = c.tool.agent
	}
	c.tool = toolSession{}
	c.mu.Unlock()
	if kfAccount == "" {
		kfAccount = ToolAgent
	}
	return c.event(ctx, Official, "", "kf_close_session", Fields{{"KfAccount", kfAccount}})
}

// ToolSwitch hands that session to another agent of the tool. An official account gets kf_switch_session.
func (c *Customer) ToolSwitch(ctx context.Context, from, to string) Push {
	now := c.p.now()
	c.mu.Lock()
	c.tool = toolSession{agent: to, until: now.Add(toolLife)}
	c.mu.Unlock()
	return c.event(ctx, Official, "", "kf_switch_session", Fields{{"FromKfAccount", from}, {"ToKfAccount", to}})
}

// ToolSay shows him what the tool's agent writes, which the account never sees and no window counts. It reports false,
// and shows nothing, when no agent of the tool has him.
func (c *Customer) ToolSay(text string) bool {
	now := c.p.now()
	c.mu.Lock()
	serving := c.tool.serving(now)
	if serving {
		c.tool.until = now.Add(toolLife)
		c.showLocked(Received{At: now, MsgType: "text", Text: text, KfAccount: c.tool.agent, Tool: true})
	}
	c.mu.Unlock()
	c.p.bell.ring()
	return serving
}

// toTool reports whether a message goes to the platform's tool instead of the account, and keeps that session alive.
func (c *Customer) toTool(now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.tool.serving(now) {
		if c.tool.agent != "" {
			c.tool = toolSession{}
		}
		return false
	}
	c.tool.until = now.Add(toolLife)
	return true
}
