package route

import (
	"context"
	"fmt"

	"kefu/shared/core/account"
	"kefu/shared/core/session"
)

// page is how many waiting sessions are read at once, at most.
const page = 200

// queue is an account's queue as it is being worked off, read as far as was needed.
type queue struct {
	from    Sessions
	account account.Account
	waiting []session.Session // read and not passed, in order
	next    string            // cursor of what has not been read; empty at the start and at the end
	ended   bool              // all has been read
}

// queueOf is an account's queue, of which nothing has been read yet.
func (r *Router) queueOf(a account.Account) *queue { return &queue{from: r.Sessions, account: a} }

// read reads on until n sessions wait that are not passed, or the queue ends.
func (q *queue) read(ctx context.Context, n int) error {
	for len(q.waiting) < n && !q.ended {
		items, next, err := q.from.Sessions(ctx, session.Query{
			Tenant: q.account.Tenant, Account: q.account.ID, State: session.Queued, Cursor: q.next, Limit: min(n-len(q.waiting), page),
		})
		if err != nil {
			return fmt.Errorf("list queue: %w", err)
		}
		q.waiting, q.next, q.ended = append(q.waiting, items...), next, next == ""
	}
	return nil
}

// automatic reports whether the first session may be given to an agent: somebody waits,
// and enough do. What it has to read for that it reads for as many seats as are free.
func (q *queue) automatic(ctx context.Context, free int) (bool, error) {
	above := q.account.Settings.Routing.Assign.AutoAbove
	if len(q.waiting) <= above {
		if err := q.read(ctx, above+free); err != nil {
			return false, err
		}
	}
	return q.account.Settings.Routing.Automatic(len(q.waiting)), nil
}

// first is the session whose turn it is.
func (q *queue) first() session.Session { return q.waiting[0] }

// pass forgets the first session, which waits no longer.
func (q *queue) pass() { q.waiting = q.waiting[1:] }

// at is the i-th of those who wait, from 0; false behind the last.
func (q *queue) at(ctx context.Context, i int) (session.Session, bool, error) {
	if i >= len(q.waiting) {
		if err := q.read(ctx, i+page); err != nil {
			return session.Session{}, false, err
		}
	}
	if i >= len(q.waiting) {
		return session.Session{}, false, nil
	}
	return q.waiting[i], true, nil
}
