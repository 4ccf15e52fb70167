package bolt

import (
	"bytes"
	"context"
	"slices"

	"go.etcd.io/bbolt"

	"kefu/shared/core/session"
)

// The lists of sessions, one letter each. A key is the letter, the tenant and what the list is of; then the place: a
// time, and the id of the session. All lists of one order have the same places, so a cursor holds for any of them.
const (
	listAll          = 'a' // of a tenant, newest first
	listAccount      = 'b'
	listState        = 'c'
	listAccountState = 'd'
	listAgent        = 'e'
	listCustomer     = 'f'
	listQueue        = 'q' // queued ones of a tenant, longest waiting first
	listAccountQueue = 'r'
)

func listOf(kind byte, tenant string, of ...string) key {
	k := newKey().byte(kind).text(tenant)
	for _, s := range of {
		k = k.text(s)
	}
	return k
}

// listKeys are the entries of one session.
func (h sessionHead) listKeys() []key {
	byAge := newKey().newest(h.opened).bare(h.id)
	keys := []key{
		listOf(listAll, h.tenant).plus(byAge),
		listOf(listAccount, h.tenant, h.account).plus(byAge),
		listOf(listState, h.tenant, h.state).plus(byAge),
		listOf(listAccountState, h.tenant, h.account, h.state).plus(byAge),
		listOf(listCustomer, h.tenant, h.customer).plus(byAge),
	}
	if h.served != "" {
		keys = append(keys, listOf(listAgent, h.tenant, h.served).plus(byAge))
	}
	if h.state == string(session.Queued) {
		byWait := h.queuePlace()
		keys = append(keys, listOf(listQueue, h.tenant).plus(byWait), listOf(listAccountQueue, h.tenant, h.account).plus(byWait))
	}
	return keys
}

func (h sessionHead) queuePlace() key { return newKey().time(h.queued).bare(h.id) }

// sameLists reports whether two heads have the same entries.
func (h sessionHead) sameLists(o sessionHead) bool {
	return h.id == o.id && h.tenant == o.tenant && h.account == o.account && h.customer == o.customer &&
		h.state == o.state && h.served == o.served && h.opened.Equal(o.opened) && h.queued.Equal(o.queued)
}

// relist changes the entries of a session from those of old to those of next; either may be nil.
func relist(t *tx, old, next *sessionHead) {
	if old != nil && next != nil && old.sameLists(*next) {
		return
	}
	var before, after []key
	if old != nil {
		before = old.listKeys()
	}
	if next != nil {
		after = next.listKeys()
	}
	has := func(keys []key, k key) bool {
		return slices.ContainsFunc(keys, func(o key) bool { return bytes.Equal(o, k) })
	}
	for _, k := range before {
		if !has(after, k) {
			t.delete(sessionLists, k)
		}
	}
	for _, k := range after {
		if !has(before, k) {
			t.put(sessionLists, k, present)
		}
	}
}

// scanLimit bounds the entries that one page looks at. A filter that passes fewer gives a short page and a cursor.
const scanLimit = 5000

// Sessions lists the sessions that a query asks for. A page may be shorter than the limit, even empty, with more to
// follow; only a missing cursor is the end.
func (s *Store) Sessions(ctx context.Context, q session.Query) (items []session.Session, next string, err error) {
	scope := newKey().text("sessions").text(string(q.Tenant))
	if q.State == session.Queued {
		scope = scope.text("queue")
	}
	after, err := s.db.cursors.open(scope, q.Cursor)
	if err != nil {
		return nil, "", err
	}
	limit := pageSize(q.Limit)
	err = s.db.view(ctx, func(t *tx) error {
		var last key
		seen := 0
		m := merge(t, listsFor(q), after)
		for {
			place, ok := m.peek()
			if !ok {
				return nil
			}
			if len(items) == limit || seen == scanLimit {
				next = s.db.cursors.wrap(scope, last)
				return nil
			}
			last = slices.Clone(place)
			seen++
			item, ok, err := readListed(t, q, last)
			if err != nil {
				return err
			}
			if ok {
				items = append(items, item)
			}
			m.advance()
		}
	})
	if err != nil {
		return nil, "", err
	}
	return items, next, nil
}

// readListed reads the session of an entry if the query lets it pass.
func readListed(t *tx, q session.Query, place key) (session.Session, bool, error) {
	raw := shownSession(t, string(place[timeLen:]))
	if raw == nil {
		return session.Session{}, false, broken("session list", missing("session", string(place[timeLen:])))
	}
	h, body, err := readHead(raw)
	if err != nil {
		return session.Session{}, false, err
	}
	switch {
	case q.Account != "" && h.account != string(q.Account),
		q.State != "" && h.state != string(q.State),
		q.Agent != "" && h.served != string(q.Agent),
		q.Customer != "" && h.customer != string(q.Customer),
		q.Visible != nil && !containsText(q.Visible, h.account):
		return session.Session{}, false, nil
	}
	out, err := decode[session.Session]("session", body)
	return out, err == nil, err
}

func containsText[T ~string](list []T, s string) bool {
	return slices.ContainsFunc(list, func(v T) bool { return string(v) == s })
}

// listsFor picks the narrowest lists that have everything a query asks for.
func listsFor(q session.Query) []key {
	of := string(q.Tenant)
	accounts := q.Visible
	if q.Account != "" {
		if q.Visible != nil && !slices.Contains(q.Visible, q.Account) {
			return nil
		}
		accounts = append(accounts[:0:0], q.Account)
	}
	one, each := byte(listAll), byte(listAccount)
	var more []string
	switch {
	case q.State == session.Queued:
		one, each = listQueue, listAccountQueue
	case q.Customer != "":
		return []key{listOf(listCustomer, of, string(q.Customer))}
	case q.Agent != "":
		return []key{listOf(listAgent, of, string(q.Agent))}
	case q.State != "":
		one, each, more = listState, listAccountState, []string{string(q.State)}
	}
	if accounts == nil {
		return []key{listOf(one, of, more...)}
	}
	lists := make([]key, 0, len(accounts))
	for _, a := range accounts {
		lists = append(lists, listOf(each, of, append([]string{string(a)}, more...)...))
	}
	return lists
}

// merged walks several lists of one order as one.
type merged struct{ runs []*run }

// run is the walk through one of them.
type run struct {
	cursor *bbolt.Cursor
	prefix key
	place  key // nil at the end
}

// merge begins after the given place in each list.
func merge(t *tx, lists []key, after key) *merged {
	m := &merged{}
	for _, prefix := range lists {
		r := &run{cursor: t.Bucket(sessionLists).Cursor(), prefix: prefix}
		from := prefix.plus(after)
		k, _ := r.cursor.Seek(from)
		if after != nil && bytes.Equal(k, from) {
			k, _ = r.cursor.Next()
		}
		if r.set(k); r.place != nil {
			m.runs = append(m.runs, r)
		}
	}
	return m
}

func (r *run) set(k []byte) {
	r.place = nil
	if bytes.HasPrefix(k, r.prefix) {
		r.place = k[len(r.prefix):]
	}
}

// peek returns the first place of all.
func (m *merged) peek() (key, bool) {
	var first key
	for _, r := range m.runs {
		if first == nil || bytes.Compare(r.place, first) < 0 {
			first = r.place
		}
	}
	return first, first != nil
}

// advance leaves the first place, in every list that has it.
func (m *merged) advance() {
	first, _ := m.peek()
	m.runs = slices.DeleteFunc(m.runs, func(r *run) bool {
		if bytes.Equal(r.place, first) {
			k, _ := r.cursor.Next()
			r.set(k)
		}
		return r.place == nil
	})
}
