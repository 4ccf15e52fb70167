package wxfake

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// msgIDLeap is how far MsgIds go on above the saved one. Those of a run that ended without a last Save are among them,
// and none comes twice even when the clock was set back.
const msgIDLeap = 1_000_000

// maxNumber is above every number that is ever given out, and leaves room for many more.
const maxNumber = 1 << 62

// Load takes up what [Platform.Save] wrote. Call it before anybody acts: customers in the file replace those with the
// same openid, all others stay. It may come before AddAccount: customers of an account that isn't there yet are kept for
// it, and further saved. Access tokens have not survived: a call with an old one answers 40001. An act whose push was
// under way or held back has failed.
//
// A file that is damaged, of something else, or of a later version is an error, and nothing is taken from it.
func (p *Platform) Load(r io.Reader) error {
	s, err := readSnapshot(r)
	if err != nil {
		return fmt.Errorf("load the platform: %w", err)
	}
	// The platform may run on the same clock and seed as the one that was saved; it must not draw the same ids again.
	p.dice.state.Add(uint64(s.LastMsgID)) //nolint:gosec // checked: not negative
	for {
		last := p.msgID.Load()
		if p.msgID.CompareAndSwap(last, max(last, s.LastMsgID+msgIDLeap)) {
			break
		}
	}
	p.traffic.resume(s.Exchanges)
	for _, m := range s.Media {
		p.media.restore(&medium{
			id: m.ID, appID: m.AppID, kind: m.Kind, contentType: sniff(m.Data), data: m.Data, until: m.Until,
		})
	}
	for _, a := range s.Accounts {
		for _, c := range a.Customers {
			p.Customer(a.AppID, c.OpenID).restore(c)
		}
	}
	p.bell.ring()
	return nil
}

// restore puts a medium back, unless it is there.
func (s *mediaStore) restore(m *medium) {
	s.mu.RLock()
	_, known := s.items[m.id]
	s.mu.RUnlock()
	if !known {
		s.put(m)
	}
}

// readSnapshot reads one whole file and checks what the rest of the package relies on.
func readSnapshot(r io.Reader) (snapshot, error) {
	var s snapshot
	b, err := io.ReadAll(r)
	if err != nil {
		return s, err
	}
	// A later version may have other types everywhere, so the version comes first.
	var head struct {
		Format  string `json:"format"`
		Version int    `json:"version"`
	}
	if err := json.Unmarshal(b, &head); err != nil {
		return s, fmt.Errorf("the file is damaged: %w", err)
	}
	switch {
	case head.Format != snapshotFormat:
		return s, errors.New("the file is no saved platform")
	case head.Version > snapshotVersion:
		return s, fmt.Errorf("the file has version %d, and this program reads up to %d", head.Version, snapshotVersion)
	case head.Version < 1:
		return s, fmt.Errorf("the file is damaged: there is no version %d", head.Version)
	}
	if err := json.Unmarshal(b, &s); err != nil {
		return s, fmt.Errorf("the file is damaged: %w", err)
	}
	if err := s.check(); err != nil {
		return s, fmt.Errorf("the file is damaged: %w", err)
	}
	return s, nil
}

// check finds what Save never writes. Its errors tell places by number: no openid or text comes into a log.
func (s *snapshot) check() error {
	if s.LastMsgID < 0 || s.LastMsgID > maxNumber || s.Exchanges > maxNumber {
		return fmt.Errorf("MsgId %d or exchange %d is out of range", s.LastMsgID, s.Exchanges)
	}
	apps := make(map[string]bool)
	for i, a := range s.Accounts {
		if apps[a.AppID] {
			return fmt.Errorf("account %d has the AppID of another", i+1)
		}
		apps[a.AppID] = true
		people := make(map[string]bool)
		for j, c := range a.Customers {
			if people[c.OpenID] {
				return fmt.Errorf("account %d, customer %d has the openid of another", i+1, j+1)
			}
			people[c.OpenID] = true
			if err := c.check(); err != nil {
				return fmt.Errorf("account %d, customer %d: %w", i+1, j+1, err)
			}
		}
	}
	return nil
}

func (c *customerSnapshot) check() error {
	if c.Used < 0 || c.Seq > maxNumber {
		return fmt.Errorf("%d messages sent, %d lines in the chat", c.Used, c.Seq)
	}
	for _, g := range c.Grants {
		if g.Limit < 0 {
			return fmt.Errorf("a grant of %d messages", g.Limit)
		}
	}
	return errors.Join(
		ascending("inbox", c.Seq, c.Inbox, func(r receivedSnapshot) uint64 { return r.Seq }),
		ascending("notices", c.Seq, c.Notices, func(n noticeSnapshot) uint64 { return n.Seq }),
		ascending("acts", c.Seq, c.Acts, func(a actSnapshot) uint64 { return a.Seq }),
	)
}

// ascending checks that the numbers of a list grow, and end at last or before.
func ascending[T any](what string, last uint64, list []T, seq func(T) uint64) error {
	before := uint64(0)
	for i, item := range list {
		if n := seq(item); n <= before || n > last {
			return fmt.Errorf("%s, entry %d: number %d comes after %d of %d", what, i+1, n, before, last)
		}
		before = seq(item)
	}
	return nil
}
