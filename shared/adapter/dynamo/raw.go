package dynamo

import (
	"context"
	"strings"
	"time"

	"kefu/shared/core/account"
	"kefu/shared/core/message"
)

// rawFor is how long pushes without a conversation are kept for whoever wants to know why.
const rawFor = 90 * 24 * time.Hour

// KeepRaw keeps a push that has no place in a conversation, for 90 days.
func (s *Store) KeepRaw(ctx context.Context, r message.RawPush) error {
	at := rawKey(r.Push.Scope(), r.Push.Key)
	it := at.item()
	it[attrList], it[attrOrder] = text(rawList(r.Push.Scope())), text(rawPlace(r))
	it[attrTTL] = lifetime(s.later(r.Push.ReceivedAt).Add(rawFor))
	body := r.Push.Body
	r.Push.Body = nil // its bytes follow the rest as they are
	packed, err := packBoth(r, body)
	if err != nil {
		return err
	}
	if err := s.setBody(ctx, at, it, packed); err != nil {
		return err
	}
	_, _, err = s.put(ctx, it, absent)
	return err
}

// rawPlace is where a push stands in the list: by the time it came.
func rawPlace(r message.RawPush) string { return instant(r.Push.ReceivedAt) + "/" + short(r.Push.Key) }

// RawPushes lists the kept pushes of an account, oldest first.
func (s *Store) RawPushes(ctx context.Context, a account.Scope, cursor string, limit int) (pushes []message.RawPush, next string, err error) {
	at := func(place string) key {
		_, name, _ := strings.Cut(place, "/")
		return rawKey(a, name)
	}
	items, next, err := s.listed(ctx, part{of: byList, name: rawList(a)}, cursor, limit, at)
	if err != nil {
		return nil, "", err
	}
	for _, it := range items {
		var r message.RawPush
		if r.Push.Body, err = s.bodyBoth(ctx, "kept push", it, &r); err != nil {
			return nil, "", err
		}
		pushes = append(pushes, r)
	}
	return pushes, next, nil
}
