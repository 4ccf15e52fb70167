// Package expire is the sweep: once a minute it visits the conversations whose
// time has come, ends what is over and wakes what a crash left lying. Start with
// [Sweep.Run]. It reads a due index and never looks at what is not due.
package expire

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"kefu/shared/core/account"
	"kefu/shared/core/fault"
	"kefu/shared/core/session"
	"kefu/shared/shell"
)

// Accounts finds an account; NotFound if it has been deleted.
type Accounts interface {
	Account(ctx context.Context, id account.ID) (account.Account, error)
}

// Index lists conversations by their due time, earliest first. It may be a little
// behind: the step decides on the conversation itself.
type Index interface {
	Due(ctx context.Context, before time.Time, cursor string, limit int) (refs []session.Ref, next string, err error)
}

// Cleaner removes up to limit of what is over, and says how many it was.
type Cleaner interface {
	Sweep(ctx context.Context, now time.Time, limit int) (int, error)
}

// Sweep visits what is due.
type Sweep struct {
	Accounts Accounts
	Index    Index
	Shell    *shell.Shell
	Cleaners []Cleaner // files and records whose retention is over
	Now      func() time.Time
	Log      *slog.Logger
}

const (
	page = 100
	// visitors is how many conversations are visited at a time.
	visitors = 8
	// ahead is how far the sweep looks beyond now: a minute, so that what comes
	// due before the next sweep gets its wake-up to the second.
	ahead = time.Minute
	// cleanPage bounds a sweep's clean-up; the rest is for the next minute.
	cleanPage = 500
)

// Run makes one sweep. One conversation that can't be swept doesn't keep the
// others from it; the first such fault is returned when all are done.
func (s *Sweep) Run(ctx context.Context) error {
	start := s.Now()
	n, err := s.sweep(ctx, start.Add(ahead))
	for _, c := range s.Cleaners {
		_, cleanErr := c.Sweep(ctx, start, cleanPage)
		err = errors.Join(err, cleanErr)
	}
	attrs := []slog.Attr{slog.String("function", "expiry"), slog.Int("visited", n), slog.Duration("took", s.Now().Sub(start))}
	level := slog.LevelInfo
	if err != nil {
		level, attrs = slog.LevelError, append(attrs, slog.String("reason", fault.CodeOf(err)), slog.String("cause", err.Error()))
	}
	s.Log.LogAttrs(ctx, level, "sweep", attrs...)
	return err
}

func (s *Sweep) sweep(ctx context.Context, before time.Time) (visited int, first error) {
	routers, senders := &wakes{to: s.Shell.Route}, &wakes{to: s.Shell.Outbound}
	under := *s.Shell
	under.Route, under.Outbound = routers, senders
	cursor := ""
	for {
		refs, next, err := s.Index.Due(ctx, before, cursor, page)
		if err != nil {
			return visited, errors.Join(first, fmt.Errorf("due index: %w", err))
		}
		n, err := s.visitAll(ctx, &under, refs)
		visited += n
		err = errors.Join(err, routers.flush(ctx), senders.flush(ctx))
		if first == nil {
			first = err
		}
		if err := ctx.Err(); err != nil {
			return visited, errors.Join(first, err)
		}
		if next == "" {
			return visited, first
		}
		cursor = next
	}
}

// visitAll visits conversations, several at a time: each is mostly waiting for the
// store. It returns how many were visited, and the first fault.
func (s *Sweep) visitAll(ctx context.Context, under *shell.Shell, refs []session.Ref) (visited int, first error) {
	var (
		next atomic.Int64
		all  sync.WaitGroup
		mu   sync.Mutex
	)
	for range min(visitors, len(refs)) {
		all.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(refs) && ctx.Err() == nil; i = int(next.Add(1)) - 1 {
				err := s.visit(ctx, under, refs[i])
				if err != nil {
					s.Log.LogAttrs(ctx, slog.LevelError, "sweep of one conversation",
						slog.String("function", "expiry"), slog.String("account", string(refs[i].Account)),
						slog.String("reason", fault.CodeOf(err)), slog.String("cause", err.Error()))
				}
				mu.Lock()
				visited++
				if first == nil {
					first = err
				}
				mu.Unlock()
			}
		})
	}
	all.Wait()
	return visited, first
}

func (s *Sweep) visit(ctx context.Context, under *shell.Shell, ref session.Ref) error {
	a, err := s.Accounts.Account(ctx, ref.Account)
	if errors.Is(err, fault.NotFound) {
		// A deleted account's conversations end by the default rules.
		a, err = account.Account{ID: ref.Account}, nil
	}
	if err != nil {
		return err
	}
	_, err = under.Do(ctx, ref, session.RulesOf(a), nil, session.Tick{})
	if errors.Is(err, session.ErrAnothers) { // of one that had the account's id before
		_, err = under.Do(ctx, ref, session.RulesOf(account.Account{ID: ref.Account}), nil, session.Tick{})
	}
	if errors.Is(err, fault.NotFound) {
		return nil
	}
	return err
}
