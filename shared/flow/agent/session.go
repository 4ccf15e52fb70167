package agent

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"sync"

	"kefu/shared/core/account"
	"kefu/shared/core/agent"
	"kefu/shared/core/fault"
	"kefu/shared/core/session"
)

// idShape is what ids of sessions, messages and files look like; nothing else
// reaches the store.
var idShape = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[A-Za-z0-9_-]{1,128}$`) })

// session finds the session of the path, if the key may see it. It may be one that
// has ended and been archived.
func (c *call) session() (session.Session, error) {
	id := c.r.PathValue("session")
	if !idShape().MatchString(id) {
		return session.Session{}, missing("session")
	}
	s, err := c.Store.SessionByID(c.ctx(), session.ID(id))
	if err != nil {
		return session.Session{}, named(err, "session")
	}
	if !c.sees(s) {
		return session.Session{}, missing("session")
	}
	return s, nil
}

// sees reports whether the key may know of the session.
func (c *call) sees(s session.Session) bool {
	return s.Tenant == c.id.Tenant && c.id.Sees(s.Account)
}

// current loads the customer's conversation as it is now; one that is no longer in
// the session s is "session-closed".
func (c *call) current(s session.Session) (session.Session, error) {
	cur, err := c.conversation(s)
	if err == nil && cur.ID != s.ID {
		err = errClosed
	}
	return cur, err
}

// conversation loads what the customer of s has now: perhaps another session, but
// always the window and the outbox.
func (c *call) conversation(s session.Session) (session.Session, error) {
	cur, err := c.Store.Session(c.ctx(), s.Account, s.Customer)
	if err != nil {
		return cur, named(fmt.Errorf("current session: %w", err), "session")
	}
	if cur.Tenant != s.Tenant {
		return session.Session{}, missing("session") // the account's id has gone to another tenant since
	}
	return cur, nil
}

// accountRules remembers the rules of accounts for the length of a call.
type accountRules map[account.ID]knownRules

type knownRules struct {
	rules   session.Rules
	account *account.Account // nil once it is deleted
}

// rulesOf gives the rules of the session's account, the defaults if it has been deleted.
func (c *call) rulesOf(s session.Session) (session.Rules, *account.Account, error) {
	if known, ok := c.rules[s.Account]; ok {
		return known.rules, known.account, nil
	}
	a, err := c.Store.Account(c.ctx(), s.Account)
	var known knownRules
	switch {
	case err == nil && s.Owner().Is(a.Owner()):
		known = knownRules{rules: session.RulesOf(a), account: &a}
	case err == nil || errors.Is(err, fault.NotFound):
		known.rules = session.RulesOf(account.Account{ID: s.Account, Tenant: s.Tenant, Incarnation: s.Incarnation, Channel: s.Channel})
	default:
		return session.Rules{}, nil, fmt.Errorf("rules of account: %w", err)
	}
	c.rules[s.Account] = known
	return known.rules, known.account, nil
}

// openRules gives the rules of a session that is to be changed, whose account must still be there.
func (c *call) openRules(s session.Session) (session.Rules, error) {
	rules, a, err := c.rulesOf(s)
	if err == nil && a == nil {
		err = missing("account")
	}
	return rules, err
}

func (c *call) getSession() (answer, error) {
	s, err := c.session()
	if err != nil {
		return answer{}, err
	}
	return c.showSession(s)
}

// showSession answers with a session.
func (c *call) showSession(s session.Session) (answer, error) {
	rules, _, err := c.rulesOf(s)
	if err != nil {
		return answer{}, err
	}
	s = s.At(rules, c.now)
	place, err := c.position(s)
	if err != nil {
		return answer{}, err
	}
	return ok(viewSession(s, place, c.now)), nil
}

func (c *call) position(s session.Session) (int, error) {
	if s.State != session.Queued {
		return 0, nil
	}
	n, err := c.Store.QueuePosition(c.ctx(), s)
	if err != nil {
		return 0, fmt.Errorf("queue position: %w", err)
	}
	return n, nil
}

// listSessions lists what the key may see. A session whose time is over reads
// expired at once, so a page may be shorter than its limit.
func (c *call) listSessions() (answer, error) {
	q, err := c.query()
	if err != nil {
		return answer{}, err
	}
	items := []sessionView{}
	if !c.id.Admin() && len(q.Visible) == 0 {
		return ok(page(items, "")), nil
	}
	// A few tries at a page that isn't empty: an empty one with a next is legal, but surprises.
	for range 5 {
		all, next, err := c.Store.Sessions(c.ctx(), q)
		if err != nil {
			return answer{}, fmt.Errorf("list sessions: %w", err)
		}
		if items, err = c.viewSessions(q, all); err != nil {
			return answer{}, err
		}
		q.Cursor = next
		if len(items) > 0 || next == "" {
			break
		}
	}
	return ok(page(items, q.Cursor)), nil
}

// query reads the list's parameters.
func (c *call) query() (session.Query, error) {
	p := c.r.URL.Query()
	cursor, limit, err := c.paging()
	if err != nil {
		return session.Query{}, err
	}
	q := session.Query{
		Tenant: c.id.Tenant, Account: account.ID(p.Get("account")), State: session.State(p.Get("state")),
		Agent: agent.ID(p.Get("agent")), Customer: account.Customer(p.Get("customer")), Cursor: cursor, Limit: limit,
	}
	if !c.id.Admin() {
		q.Visible = append([]account.ID{}, c.id.Accounts...)
	}
	if q.State != "" && !q.State.Valid() {
		return q, wrongField("bad-parameter", "state", "state must be bot, queued, serving, released, external, closed or expired.")
	}
	if q.Agent == me {
		q.Agent = c.id.Agent
	}
	if (q.Agent != "" || p.Get("agent") != "") && !account.ValidID(string(q.Agent)) {
		return q, wrongField("bad-parameter", "agent", "agent must be an agent's id.")
	}
	if len(q.Customer) > 128 || strings.ContainsFunc(string(q.Customer), func(r rune) bool { return r <= ' ' || r == 0x7f || r == 0xfffd }) {
		return q, wrongField("bad-parameter", "customer", "customer must be an openid or external_userid.")
	}
	if q.Account != "" {
		if _, err := c.accountByID(q.Account); err != nil {
			return q, err
		}
	}
	return q, nil
}

// viewSessions shows a page. In a list of the queue of whole accounts the places
// follow from the order, so that only the first of each account is looked up.
func (c *call) viewSessions(q session.Query, all []session.Session) ([]sessionView, error) {
	inOrder := q.State == session.Queued && q.Agent == "" && q.Customer == ""
	last := map[account.ID]int{}
	items := make([]sessionView, 0, len(all))
	for _, s := range all {
		rules, _, err := c.rulesOf(s)
		if err != nil {
			return nil, err
		}
		place, known := 0, false
		if inOrder {
			if place, known = last[s.Account]; place <= session.CountedPlaces {
				place++
			}
		}
		if !known {
			if place, err = c.position(s); err != nil {
				return nil, err
			}
		}
		last[s.Account] = place
		s = s.At(rules, c.now)
		if q.State != "" && s.State != q.State {
			continue
		}
		if s.State != session.Queued {
			place = 0
		}
		items = append(items, viewSession(s, place, c.now))
	}
	return items, nil
}
