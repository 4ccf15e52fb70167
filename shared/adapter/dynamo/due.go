package dynamo

import (
	"context"
	"strings"
	"time"

	"kefu/shared/core/account"
	"kefu/shared/core/session"
)

// QueuePosition is the place of a queued session among those of its account; counting stops behind
// session.CountedPlaces. It counts entries of the index, at 0.5 units for about forty, and may be a moment behind.
func (s *Store) QueuePosition(ctx context.Context, in session.Session) (int, error) {
	if in.State != session.Queued {
		return 0, nil
	}
	waiting := part{of: byQueue, name: queueList(in.Tenant, in.Account), before: queuedAt(in)}
	n, err := s.countRange(ctx, waiting, session.CountedPlaces)
	if err != nil {
		return 0, err
	}
	return n + 1, nil
}

// Due lists conversations whose time has come, earliest first. It goes by the index, which may be a moment behind: who
// comes by reads the conversation, whose own time decides.
func (s *Store) Due(ctx context.Context, before time.Time, cursor string, limit int) ([]session.Ref, string, error) {
	const scope = "due"
	after, err := placeAt(scope, cursor)
	if err != nil {
		return nil, "", err
	}
	parts := make([]part, 0, dueShards)
	for i := range dueShards {
		parts = append(parts, part{of: byTime, name: dueShardAt(i), before: instant(before)})
	}
	limit = pageSize(limit)
	m, err := s.merge(ctx, parts, after, limit)
	if err != nil {
		return nil, "", err
	}
	places, err := m.take(ctx, limit)
	if err != nil {
		return nil, "", err
	}
	refs := make([]session.Ref, 0, len(places))
	for _, place := range places {
		_, name, _ := strings.Cut(place, "/")
		of, customer, ok := strings.Cut(name, "/")
		if !ok {
			return nil, "", broken("due index", errPlace)
		}
		refs = append(refs, session.Ref{Account: account.ID(of), Customer: account.Customer(customer)})
	}
	next, err := m.cursor(ctx, scope)
	return refs, next, err
}
