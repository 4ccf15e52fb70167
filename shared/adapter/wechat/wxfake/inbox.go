package wxfake

import (
	"context"
	"encoding/json"
	"slices"
	"time"
)

// Received is one message that reached a customer.
type Received struct {
	Seq     uint64 // order among everything in this customer's chat, from 1
	At      time.Time
	MsgType string
	Text    string          // the text, or the head, title or description that stands for it
	MediaID string          // of image, voice, video, and of a card's cover
	Content json.RawMessage // the object named like the type
	Raw     json.RawMessage // the whole body of the call; of a passive reply, its decrypted text
	// KfAccount is the agent whose name the customer sees; AI is set when the grey line below the message says that
	// it was generated; BusinessID names a sub-merchant.
	KfAccount  string
	AI         bool
	BusinessID string
	// Passive is set when it came as the answer to a push, and Tool when an agent of the platform's own tool wrote it;
	// no window counts either.
	Passive bool
	Tool    bool
	// Overlapped is set when another custom/send for the same customer was under way: their order is luck.
	Overlapped bool
	// Hidden is set when the platform said ok and shows nothing: a Mini Program's link to an official article.
	Hidden bool
}

// Notice is a line of the platform's own in a customer's chat.
type Notice struct {
	Seq  uint64
	At   time.Time
	Text string
}

// Act is something a customer did.
type Act struct {
	Seq     uint64
	At      time.Time
	Kind    string // "text", "image", … or the event's name
	Text    string
	MediaID string
	State   string // one of the Act states
}

// What became of an [Act].
const (
	ActPending = "pending"
	ActHeld    = "held" // held back for reordering
	ActOK      = "ok"
	ActFailed  = "failed"
	ActSkipped = "skipped" // the channel doesn't push such a thing
	ActTool    = "tool"    // went to the platform's own tool
)

// Both lists of a customer are bounded; the oldest entries go first.
const (
	inboxKept = 10_000
	actsKept  = 1_000
)

// receive counts a message against the window and shows it, or returns the code that refuses it.
func (c *Customer) receive(now time.Time, r Received) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	if code := c.flags.code(); code != 0 {
		return code
	}
	if code := c.window.take(now); code != 0 {
		return code
	}
	r.Overlapped = c.coming.Load() > 1
	c.exchanged = now
	c.showLocked(r)
	return 0
}

// showLocked puts a message into the chat; it ends the typing indicator. The customer is locked.
func (c *Customer) showLocked(r Received) {
	c.seq++
	r.Seq = c.seq
	c.typingUntil = time.Time{}
	c.inbox = append(c.inbox, r)
	if len(c.inbox) > inboxKept+inboxKept/10 {
		c.inbox = slices.Delete(c.inbox, 0, len(c.inbox)-inboxKept)
	}
	if c.arrived != nil {
		close(c.arrived)
		c.arrived = nil
	}
}

// notice shows a line of the platform's own.
func (c *Customer) notice(now time.Time, text string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.seq++
	c.notices = append(c.notices, Notice{Seq: c.seq, At: now, Text: text})
	if len(c.notices) > actsKept {
		c.notices = slices.Delete(c.notices, 0, len(c.notices)-actsKept)
	}
}

// act notes something he did and returns its number in the chat.
func (c *Customer) act(a Act) uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.seq++
	a.Seq, a.State = c.seq, ActPending
	c.acts = append(c.acts, a)
	if len(c.acts) > actsKept {
		c.acts = slices.Delete(c.acts, 0, len(c.acts)-actsKept)
	}
	return a.Seq
}

// acted notes what became of an act.
func (c *Customer) acted(seq uint64, state string) {
	c.mu.Lock()
	for i := len(c.acts) - 1; i >= 0; i-- {
		if c.acts[i].Seq == seq {
			c.acts[i].State = state
			break
		}
	}
	c.mu.Unlock()
	c.p.bell.ring()
}

// Inbox returns what he received, in the order of arrival: the newest 10,000 messages. Refused and failed sends are
// not in it, doubled ones are in it twice.
func (c *Customer) Inbox() []Received {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.inbox[max(0, len(c.inbox)-inboxKept):])
}

// Texts returns the Text of every received message, in order.
func (c *Customer) Texts() []string {
	inbox := c.Inbox()
	out := make([]string, len(inbox))
	for i, r := range inbox {
		out[i] = r.Text
	}
	return out
}

// AwaitInbox waits until he has received at least n messages, and returns them all. When ctx ends first, it returns
// what there is, and the reason.
func (c *Customer) AwaitInbox(ctx context.Context, n int) ([]Received, error) {
	for {
		c.mu.Lock()
		if len(c.inbox) >= n {
			c.mu.Unlock()
			return c.Inbox(), nil
		}
		if c.arrived == nil {
			c.arrived = make(chan struct{})
		}
		arrived := c.arrived
		c.mu.Unlock()
		select {
		case <-arrived:
		case <-ctx.Done():
			return c.Inbox(), ctx.Err()
		}
	}
}

// Notices returns the platform's own lines in his chat.
func (c *Customer) Notices() []Notice {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.notices)
}

// Acts returns the newest 1,000 things he did.
func (c *Customer) Acts() []Act {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.acts)
}
