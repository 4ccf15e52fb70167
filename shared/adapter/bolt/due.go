package bolt

import (
	"bytes"
	"context"
	"time"

	"kefu/shared/core/account"
	"kefu/shared/core/session"
)

// QueuePosition is the place of a queued session among those of its account; counting stops behind
// session.CountedPlaces.
func (s *Store) QueuePosition(ctx context.Context, in session.Session) (n int, err error) {
	if in.State != session.Queued {
		return 0, nil
	}
	h := headOf(in, 0)
	prefix := listOf(listAccountQueue, h.tenant, h.account)
	own := prefix.plus(h.queuePlace())
	err = s.db.view(ctx, func(t *tx) error {
		n = 0
		if t.get(sessionLists, own) == nil {
			return nil
		}
		for k := range t.scan(sessionLists, prefix, nil) {
			n++
			if n > session.CountedPlaces || bytes.Equal(k, own) {
				break
			}
		}
		return nil
	})
	return n, err
}

// Due lists conversations whose time has come, earliest first.
func (s *Store) Due(ctx context.Context, before time.Time, cursor string, limit int) (refs []session.Ref, next string, err error) {
	scope := newKey().text("due")
	after, err := s.db.cursors.open(scope, cursor)
	if err != nil {
		return nil, "", err
	}
	end := newKey().time(before)
	limit = pageSize(limit)
	err = s.db.view(ctx, func(t *tx) error {
		var last key
		for k := range t.scan(sessionDue, nil, after) {
			if bytes.Compare(k[:timeLen], end) >= 0 {
				return nil
			}
			if len(refs) == limit {
				next = s.db.cursors.wrap(scope, last)
				return nil
			}
			last = k
			acc, customer, ok := readText(k[timeLen:])
			if !ok {
				return broken("due index", errShort)
			}
			refs = append(refs, session.Ref{Account: account.ID(acc), Customer: account.Customer(customer)})
		}
		return nil
	})
	if err != nil {
		return nil, "", err
	}
	return refs, next, nil
}
