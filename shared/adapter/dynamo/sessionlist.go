package dynamo

import (
	"context"
	"slices"

	"kefu/shared/core/account"
	"kefu/shared/core/session"
)

// states are all states that a session can be in, each a partition of the lists.
var states = []session.State{
	session.Bot, session.Queued, session.Serving, session.Released, session.External, session.Closed, session.Expired,
}

// scanLimit bounds the entries that one page looks at. A filter that passes fewer gives a short page and a cursor.
const scanLimit = 1000

// Sessions lists the sessions that a query asks for. A page may be shorter than the limit, even empty, with more to
// follow; only a missing cursor is the end.
//
// The indexes give places, at half a unit for about forty; the sessions are then read themselves, at half a unit each,
// and what they say counts: an entry that is behind shows nothing that isn't so any more, though a session may be
// missing for a moment from a list that it has just come into.
func (s *Store) Sessions(ctx context.Context, q session.Query) (items []session.Session, next string, err error) {
	scope := "sessions/" + string(q.Tenant)
	if q.State == session.Queued {
		scope = "queue/" + string(q.Tenant)
	}
	after, err := placeAt(scope, q.Cursor)
	if err != nil {
		return nil, "", err
	}
	parts, err := s.partsFor(ctx, q)
	if err != nil {
		return nil, "", err
	}
	limit := pageSize(q.Limit)
	m, err := s.merge(ctx, parts, after, limit)
	if err != nil {
		return nil, "", err
	}
	for seen, size := 0, limit; seen < scanLimit && len(items) < limit; size *= 2 {
		places, err := m.take(ctx, min(size, batchMost))
		if err != nil || len(places) == 0 {
			return items, "", err
		}
		seen += len(places)
		shown, err := s.readPlaces(ctx, places)
		if err != nil {
			return nil, "", err
		}
		for i, place := range places {
			if v, ok := shown[place]; ok && shows(q, v, place) {
				items = append(items, v)
			}
			if len(items) == limit && i+1 < len(places) {
				return items, cursorAt(scope, place), nil
			}
		}
	}
	next, err = m.cursor(ctx, scope)
	return items, next, err
}

// shows reports whether a session belongs on a query's list at that place.
func shows(q session.Query, v session.Session, place string) bool {
	at := placeOf(v)
	if q.State == session.Queued {
		at = queuedAt(v)
	}
	return at == place && v.Tenant == q.Tenant &&
		(q.Account == "" || v.Account == q.Account) &&
		(q.Visible == nil || slices.Contains(q.Visible, v.Account)) &&
		(q.State == "" || v.State == q.State) &&
		(q.Agent == "" || v.Agent == q.Agent) &&
		(q.Customer == "" || v.Customer == q.Customer)
}

// partsFor picks the narrowest partitions that have everything a query asks for.
func (s *Store) partsFor(ctx context.Context, q session.Query) ([]part, error) {
	of := states
	if q.State != "" {
		of = []session.State{q.State}
	}
	var parts []part
	switch {
	case q.State == session.Queued: // in the order of the queue
	case q.Customer != "":
		return []part{{of: byTime, name: customerList(q.Tenant, q.Customer)}}, nil
	case q.Agent != "":
		for _, st := range of {
			parts = append(parts, part{of: byAgent, name: agentList(q.Tenant, q.Agent, st)})
		}
		return parts, nil
	}
	accounts, err := s.accountsFor(ctx, q)
	if err != nil {
		return nil, err
	}
	for _, a := range accounts {
		if q.State == session.Queued {
			parts = append(parts, part{of: byQueue, name: queueList(q.Tenant, a)})
			continue
		}
		for _, st := range of {
			parts = append(parts, part{of: byList, name: sessionList(q.Tenant, a, st)})
		}
	}
	return parts, nil
}

// accountsFor are the accounts whose lists a query has to go through.
func (s *Store) accountsFor(ctx context.Context, q session.Query) ([]account.ID, error) {
	switch {
	case q.Account != "":
		if q.Visible != nil && !slices.Contains(q.Visible, q.Account) {
			return nil, nil
		}
		return []account.ID{q.Account}, nil
	case q.Visible != nil:
		return q.Visible, nil
	}
	return s.accountNames(ctx, q.Tenant)
}

// readPlaces reads the sessions that stand at these places, by place. A place whose session is no more is missing.
func (s *Store) readPlaces(ctx context.Context, places []string) (map[string]session.Session, error) {
	found := make(map[string]session.Session, len(places))
	// Most are current. One that seems not to be may only be too new for a read that needn't see everything.
	left := places
	for _, consistent := range []bool{false, true} {
		var err error
		if left, err = s.readCurrents(ctx, left, consistent, found); err != nil || len(left) == 0 {
			return found, err
		}
	}
	keys := make([]key, 0, len(left))
	for _, place := range left {
		id, _, _ := readPlace(place)
		keys = append(keys, sessionKey(id))
	}
	items, err := s.batch(ctx, keys, true)
	if err != nil {
		return nil, err
	}
	for _, place := range left {
		id, _, _ := readPlace(place)
		if in, ok := items[sessionKey(id)]; ok {
			if found[place], err = s.readShown(ctx, in); err != nil {
				return nil, err
			}
		}
	}
	return found, nil
}

// readCurrents reads those sessions in which a conversation stands, and returns the places of the others.
func (s *Store) readCurrents(ctx context.Context, places []string, consistent bool, found map[string]session.Session) (left []string, err error) {
	keys := make([]key, 0, len(places))
	for _, place := range places {
		if _, r, ok := readPlace(place); ok {
			keys = append(keys, conversationKey(r))
		}
	}
	items, err := s.batch(ctx, keys, consistent)
	if err != nil {
		return nil, err
	}
	for _, place := range places {
		id, r, ok := readPlace(place)
		if !ok {
			return nil, broken("session list", errPlace)
		}
		v, ok, err := s.readCurrent(ctx, id, r, items[conversationKey(r)])
		if err != nil {
			return nil, err
		}
		if ok {
			found[place] = v
		} else {
			left = append(left, place)
		}
	}
	return left, nil
}
