package dynamo

import (
	"context"
	"time"

	"kefu/shared/core/account"
	"kefu/shared/core/message"
)

// seenFor is how long a push is remembered at least: the platform's retries end after seconds, redeliveries that
// operators start from logs and backups come within the month. One that is still there after that still counts.
const seenFor = 31 * 24 * time.Hour

// Seen returns what is remembered of a push. It may miss what was marked less than a second ago, and costs half of a
// read that doesn't.
func (s *Store) Seen(ctx context.Context, a account.Scope, push string) (message.Seen, error) {
	it, err := s.get(ctx, seenKey(a, push), false)
	if err != nil {
		return message.Seen{}, err
	}
	if it == nil {
		return message.Seen{}, missing("push", push)
	}
	return message.Seen{
		Key: push, Message: message.ID(readText(it[attrMessage])), FirstAt: readMoment(it[attrAt]),
		Drops: int(readNumber(it[attrDrops])), LastDropAt: readMoment(it[attrDropAt]),
	}, nil
}

// MarkSeen remembers a push, for 31 days at least. One that is remembered already stays as it is.
func (s *Store) MarkSeen(ctx context.Context, a account.Scope, v message.Seen) error {
	it := seenKey(a, v.Key).item()
	it[attrAt], it[attrTTL] = moment(v.FirstAt), lifetime(s.later(v.FirstAt).Add(seenFor))
	if v.Message != "" {
		it[attrMessage] = text(string(v.Message))
	}
	if v.Drops > 0 {
		it[attrDrops], it[attrDropAt] = number(int64(v.Drops)), moment(v.LastDropAt)
	}
	_, _, err := s.put(ctx, it, absent)
	return err
}

// later is t or now, whichever is later: nothing ends sooner because somebody's clock is behind.
func (s *Store) later(t time.Time) time.Time {
	if now := s.now(); now.After(t) {
		return now
	}
	return t
}

// RecordDrop counts a repeated delivery of a push that is remembered. It is told from its own repetition by its nonce,
// unless another drop came between the two: then it is counted twice, which a number for people can bear.
func (s *Store) RecordDrop(ctx context.Context, a account.Scope, push string, at time.Time) error {
	by := nonce()
	_, stood, was, err := s.update(ctx, seenKey(a, push), change{
		update: "SET " + attrDropAt + " = :at, " + attrWrite + " = :by ADD " + attrDrops + " :one",
		condition: condition{
			expr:   "attribute_exists(" + attrPK + ") AND (attribute_not_exists(" + attrWrite + ") OR " + attrWrite + " <> :by)",
			values: item{":at": moment(at), ":one": number(1), ":by": by},
		},
	})
	if err != nil {
		return err
	}
	if was && !mine(stood, by) {
		return missing("push", push)
	}
	return nil
}
