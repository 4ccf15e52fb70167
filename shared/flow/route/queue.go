package route

import (
	"context"
	"fmt"

	"kefu/shared/core/account"
	"kefu/shared/core/session"
)

// page is how many waiting sessions are read at once.
const page = 200

// queue is an account's queue as it is being worked off, read as far as was needed.
type queue struct {
	from    Sessions
	account account.Account
	waiting []session.Session // read and not passed, in order
	next    string            // cursor of what has not been read; empty at the end
}

// open reads the beginning of an account's queue.
func (r *Router) open(ctx context.Context, a account.Account) (*queue, error) {
	q := &queue{from: r.Sessions, account: a}
	err := q.read(ctx)
	return q, err
}

// read reads on, to the next page that has somebody.
func (q *queue) read(ctx context.Context) error {
	for {
		items, next, err := q.from.Sessions(ctx, session.Query{
			Tenant: q.account.Tenant, Account: q.account.ID, State: session.Queued, Cursor: q.next, Limit: page,
		})
		if err != nil {
			return fmt.Errorf("list queue: %w", err)
		}
		q.waiting, q.next = append(q.waiting, items...), next
		if len(items) > 0 || next == "" {
			return nil
		}
	}
}

// automatic reports whether the first session may be given to an agent: somebody
// waits, and enough do.
func (q *queue) automatic(ctx context.Context) (bool, error) {
	for len(q.waiting) <= q.account.Settings.Routing.Assign.AutoAbove && q.next != "" {
		if err := q.read(ctx); err != nil {
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
	for i >= len(q.waiting) && q.next != "" {
		if err := q.read(ctx); err != nil {
			return session.Session{}, false, err
		}
	}
	if i >= len(q.waiting) {
		return session.Session{}, false, nil
	}
	return q.waiting[i], true, nil
}
