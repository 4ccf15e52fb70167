package wxfake

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"
)

// What marks a saved platform. The version grows when an older Load would misread the file; what is merely added doesn't
// change it.
const (
	snapshotFormat  = "wxfake"
	snapshotVersion = 1
)

// snapshotMediaBytes is how much of the stored media a snapshot holds.
const snapshotMediaBytes = 8 << 20

// snapshot is what [Platform.Save] writes: what the platform knows of its customers, and nothing of the accounts'
// settings. It has types of its own, so that renaming a field of the package doesn't change the file.
type snapshot struct {
	Format    string            `json:"format"`
	Version   int               `json:"version"`
	LastMsgID int64             `json:"last_msg_id"`
	Exchanges uint64            `json:"exchanges"` // how many the traffic log has counted
	Accounts  []accountSnapshot `json:"accounts"`
	Media     []mediumSnapshot  `json:"media"` // oldest first
}

type accountSnapshot struct {
	AppID     string             `json:"app_id"`
	Customers []customerSnapshot `json:"customers"`
}

type customerSnapshot struct {
	OpenID      string                    `json:"openid"`
	Name        string                    `json:"name"`
	Flags       flagsSnapshot             `json:"flags,omitzero"`
	Grants      map[Trigger]grantSnapshot `json:"grants,omitempty"`
	Used        int                       `json:"used"` // sends since the last trigger
	TypingUntil time.Time                 `json:"typing_until,omitzero"`
	Exchanged   time.Time                 `json:"exchanged,omitzero"`
	Visited     time.Time                 `json:"visited,omitzero"`
	Tool        toolSnapshot              `json:"tool,omitzero"`
	Refused     map[int]int               `json:"refused,omitempty"`
	Seq         uint64                    `json:"seq"`
	Inbox       []receivedSnapshot        `json:"inbox,omitempty"`
	Notices     []noticeSnapshot          `json:"notices,omitempty"`
	Acts        []actSnapshot             `json:"acts,omitempty"`
}

// flagsSnapshot has the fields of Flags.
type flagsSnapshot struct {
	NotFollowing    bool `json:"not_following,omitempty"`
	Blacklisted     bool `json:"blacklisted,omitempty"`
	RefusesMessages bool `json:"refuses_messages,omitempty"`
	Limited         bool `json:"limited,omitempty"`
	Minor           bool `json:"minor,omitempty"`
}

type grantSnapshot struct {
	Limit int       `json:"limit"`
	End   time.Time `json:"end"`
}

type toolSnapshot struct {
	Queued bool      `json:"queued,omitempty"`
	Wanted string    `json:"wanted,omitempty"`
	Agent  string    `json:"agent,omitempty"`
	Until  time.Time `json:"until,omitzero"`
}

// receivedSnapshot has the fields of Received. Content and Raw are kept byte by byte: as JSON they would come back in
// another shape, and a passive reply may be XML.
type receivedSnapshot struct {
	Seq        uint64    `json:"seq"`
	At         time.Time `json:"at"`
	MsgType    string    `json:"type"`
	Text       string    `json:"text,omitempty"`
	MediaID    string    `json:"media_id,omitempty"`
	Content    []byte    `json:"content,omitempty"`
	Raw        []byte    `json:"raw,omitempty"`
	KfAccount  string    `json:"kf_account,omitempty"`
	AI         bool      `json:"ai,omitempty"`
	BusinessID string    `json:"business_id,omitempty"`
	Passive    bool      `json:"passive,omitempty"`
	Tool       bool      `json:"tool,omitempty"`
	Overlapped bool      `json:"overlapped,omitempty"`
	Hidden     bool      `json:"hidden,omitempty"`
}

// noticeSnapshot has the fields of Notice.
type noticeSnapshot struct {
	Seq  uint64    `json:"seq"`
	At   time.Time `json:"at"`
	Text string    `json:"text"`
}

// actSnapshot has the fields of Act.
type actSnapshot struct {
	Seq     uint64    `json:"seq"`
	At      time.Time `json:"at"`
	Kind    string    `json:"kind"`
	Text    string    `json:"text,omitempty"`
	MediaID string    `json:"media_id,omitempty"`
	State   string    `json:"state"`
}

type mediumSnapshot struct {
	ID    string    `json:"id"`
	AppID string    `json:"app_id"`
	Kind  string    `json:"kind"`
	Until time.Time `json:"until"`
	Data  []byte    `json:"data"`
}

// Version grows whenever something happens on the platform. While it stays the same, [Platform.Save] would write the
// same again: read it before you save.
func (p *Platform) Version() uint64 { return p.bell.version.Load() }

// Save writes what the platform must not forget, as JSON for [Platform.Load]: the customers of all accounts with their
// names, flags, windows, chats, typing and tool sessions, the last numbers given out, and the newest media up to 8 MiB
// together. A picture that is left out is gone, as every one is after three days.
//
// Nothing of the accounts' settings is written, so no secret, token or key; nor are access tokens, the traffic log,
// counters of the whole platform, daily quotas, faults, held-back pushes and pending media checks.
//
// It may be called at any time, also after Close. Each customer is written as he was at one moment, but not all at the
// same one. It returns what w returns, or that a value, such as a year above 9999, can't be written.
func (p *Platform) Save(w io.Writer) error {
	s := snapshot{Format: snapshotFormat, Version: snapshotVersion}
	for _, a := range p.everyAccount() {
		if one := (accountSnapshot{a.appID, a.snapshots()}); len(one.Customers) > 0 {
			s.Accounts = append(s.Accounts, one)
		}
	}
	s.Media = p.media.newest(p.now(), snapshotMediaBytes)
	s.LastMsgID, s.Exchanges = p.msgID.Load(), p.traffic.lastSeq() // last: nothing above is later
	if err := json.NewEncoder(w).Encode(s); err != nil {
		return fmt.Errorf("save the platform: %w", err)
	}
	return nil
}

// everyAccount returns all accounts by AppID, those without settings too: their customers wait for AddAccount.
func (p *Platform) everyAccount() []*account {
	var all []*account
	p.accounts.Range(func(_, v any) bool {
		all = append(all, v.(*account)) //nolint:forcetypeassert // the map holds nothing else
		return true
	})
	slices.SortFunc(all, func(x, y *account) int { return cmp.Compare(x.appID, y.appID) })
	return all
}

// snapshots returns the account's customers by openid.
func (a *account) snapshots() []customerSnapshot {
	var all []customerSnapshot
	a.customers.Range(func(_, v any) bool {
		all = append(all, v.(*Customer).snapshot()) //nolint:forcetypeassert // the map holds nothing else
		return true
	})
	slices.SortFunc(all, func(x, y customerSnapshot) int { return cmp.Compare(x.OpenID, y.OpenID) })
	return all
}

// snapshot copies the customer at one moment.
func (c *Customer) snapshot() customerSnapshot {
	c.mu.Lock()
	s := customerSnapshot{
		OpenID: c.openID, Name: c.name, Flags: flagsSnapshot(c.flags), Used: c.window.used, TypingUntil: c.typingUntil,
		Exchanged: c.exchanged, Visited: c.visited, Seq: c.seq,
		Tool:   toolSnapshot{c.tool.queued, c.tool.wanted, c.tool.agent, c.tool.until},
		Grants: make(map[Trigger]grantSnapshot, len(c.window.live)),
	}
	for t, g := range c.window.live {
		s.Grants[t] = grantSnapshot{g.limit, g.end}
	}
	inbox := slices.Clone(c.inbox[max(0, len(c.inbox)-inboxKept):])
	notices, acts := slices.Clone(c.notices), slices.Clone(c.acts)
	c.mu.Unlock()

	s.Refused = c.refused.copy()
	for _, r := range inbox {
		s.Inbox = append(s.Inbox, receivedSnapshot{
			r.Seq, r.At, r.MsgType, r.Text, r.MediaID, r.Content, r.Raw, r.KfAccount, r.AI, r.BusinessID, r.Passive, r.Tool, r.Overlapped, r.Hidden,
		})
	}
	for _, n := range notices {
		s.Notices = append(s.Notices, noticeSnapshot(n))
	}
	for _, a := range acts {
		s.Acts = append(s.Acts, actSnapshot(a))
	}
	return s
}

// newest returns living media, oldest first: as many of the newest as fit into size bytes, without those that alone
// are too large for what is left.
func (s *mediaStore) newest(now time.Time, size int) []mediumSnapshot {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var out []mediumSnapshot
	for _, id := range slices.Backward(s.order) {
		m := s.items[id]
		if !now.Before(m.until) || len(m.data) > size {
			continue
		}
		size -= len(m.data)
		out = append(out, mediumSnapshot{m.id, m.appID, m.kind, m.until, m.data})
	}
	slices.Reverse(out)
	return out
}

// restore makes the customer what he was when he was saved. A push that was under way then is not: nobody will learn
// what became of it.
func (c *Customer) restore(s customerSnapshot) {
	c.refused.replace(s.Refused)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.name, c.flags, c.typingUntil, c.exchanged, c.seq = s.Name, Flags(s.Flags), s.TypingUntil, s.Exchanged, s.Seq
	c.visited, c.tool = s.Visited, toolSession{s.Tool.Queued, s.Tool.Wanted, s.Tool.Agent, s.Tool.Until}
	c.window = ledger{used: s.Used}
	if len(s.Grants) > 0 {
		c.window.live = make(map[Trigger]liveGrant, len(s.Grants))
	}
	for t, g := range s.Grants {
		c.window.live[t] = liveGrant{g.Limit, g.End}
	}
	c.inbox, c.notices, c.acts = nil, nil, nil
	for _, r := range s.Inbox[max(0, len(s.Inbox)-inboxKept):] {
		c.inbox = append(c.inbox, Received{
			r.Seq, r.At, r.MsgType, r.Text, r.MediaID, r.Content, r.Raw, r.KfAccount, r.AI, r.BusinessID, r.Passive, r.Tool, r.Overlapped, r.Hidden,
		})
	}
	for _, n := range s.Notices[max(0, len(s.Notices)-actsKept):] {
		c.notices = append(c.notices, Notice(n))
	}
	for _, a := range s.Acts[max(0, len(s.Acts)-actsKept):] {
		if a.State == ActPending || a.State == ActHeld {
			a.State = ActFailed
		}
		c.acts = append(c.acts, Act(a))
	}
	if c.arrived != nil {
		close(c.arrived)
		c.arrived = nil
	}
}

// replace sets the counts.
func (r *refusals) replace(codes map[int]int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.codes = maps.Clone(codes)
}
