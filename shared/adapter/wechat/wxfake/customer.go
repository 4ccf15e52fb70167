package wxfake

import (
	"crypto/sha1" //nolint:gosec // makes names into ids, guards nothing
	"encoding/base64"
	"sync"
	"sync/atomic"
	"time"
)

// Customer is one WeChat user as one account sees him. Get him with [Platform.Customer]; his methods may be called
// concurrently.
type Customer struct {
	p      *Platform
	acc    *account
	openID string

	refused refusals
	coming  atomic.Int32 // custom/send calls for him that are under way

	mu          sync.Mutex
	name        string
	flags       Flags
	window      ledger
	typingUntil time.Time
	exchanged   time.Time // the last message in either direction
	visited     time.Time // when he last opened the Mini Program
	tool        toolSession
	seq         uint64
	inbox       []Received
	notices     []Notice
	acts        []Act
	arrived     chan struct{} // closed at the next arrival; nil when nobody waits
}

// Flags is what makes the platform refuse messages for a customer.
type Flags struct {
	NotFollowing    bool // 43004
	Blacklisted     bool // 43019
	RefusesMessages bool // 48002
	Limited         bool // 50002
	Minor           bool // 70000
}

func (f Flags) code() int {
	switch {
	case f.NotFollowing:
		return codeNotFollowing
	case f.Blacklisted:
		return codeBlacklisted
	case f.RefusesMessages:
		return codeRefusesMessages
	case f.Limited:
		return codeUserLimited
	case f.Minor:
		return codeMinor
	}
	return 0
}

// Customer returns the customer of an account with this openid, made on first use. A customer of an account that is
// not there exists too; his pushes come back with [ErrNoAccount].
func (p *Platform) Customer(appID, openID string) *Customer {
	a := p.account(appID)
	if c, ok := a.customers.Load(openID); ok {
		return c.(*Customer) //nolint:forcetypeassert // the map holds nothing else
	}
	c, known := a.customers.LoadOrStore(openID, &Customer{p: p, acc: a, openID: openID, name: openID})
	if !known {
		p.bell.ring()
	}
	return c.(*Customer) //nolint:forcetypeassert // the map holds nothing else
}

// OpenID makes an openid, 28 characters as the platform's are, out of an account and a name: always the same one.
func OpenID(appID, name string) string {
	sum := sha1.Sum([]byte(appID + "\x00" + name)) //nolint:gosec // guards nothing
	return "o" + base64.RawURLEncoding.EncodeToString(sum[:])[:27]
}

// Named returns the customer of an account with this name, made on first use; his openid comes from [OpenID].
func (p *Platform) Named(appID, name string) *Customer {
	c := p.Customer(appID, OpenID(appID, name))
	c.mu.Lock()
	renamed := c.name != name
	c.name = name
	c.mu.Unlock()
	if renamed {
		p.bell.ring()
	}
	return c
}

// OpenID returns the customer's openid.
func (c *Customer) OpenID() string { return c.openID }

// AppID returns the account's AppID.
func (c *Customer) AppID() string { return c.acc.appID }

// SetFlags says for what reasons the platform refuses messages for him from now on.
func (c *Customer) SetFlags(f Flags) {
	c.mu.Lock()
	c.flags = f
	c.mu.Unlock()
	c.p.bell.ring()
}

// Window returns what the account may send him now.
func (c *Customer) Window() Window {
	now := c.p.now()
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.window.at(now)
}

// Grant opens his window as trigger t does, without pushing anything: the account doesn't learn of it.
func (c *Customer) Grant(t Trigger) {
	c.grant(t, c.p.now())
	c.p.bell.ring()
}

// grant counts from the second that CreateTime shows, which is all that the account can know.
func (c *Customer) grant(t Trigger, now time.Time) {
	cfg := c.acc.cfg.Load()
	if cfg == nil {
		return
	}
	rules := c.p.rules(cfg)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.window.trigger(t, rules, now.Truncate(time.Second))
	if t == TriggerMessage {
		c.exchanged = now
	}
}

// Typing reports whether he sees "the other side is typing".
func (c *Customer) Typing() bool {
	now := c.p.now()
	c.mu.Lock()
	defer c.mu.Unlock()
	return now.Before(c.typingUntil)
}

func (c *Customer) typingEnd() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.typingUntil
}

// Refused returns how often sends and typing signals for him were refused, by error code.
func (c *Customer) Refused() map[int]int { return c.refused.copy() }
