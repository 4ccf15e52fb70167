package shell

import (
	"context"
	"fmt"

	"kefu/shared/core/account"
	"kefu/shared/core/fault"
)

// Accounts finds an account, perhaps as it was a minute ago; NotFound if it has been deleted. One that answers out of a
// memory is a [Refresher] as well.
type Accounts interface {
	Account(ctx context.Context, id account.ID) (account.Account, error)
}

// Refresher reads an account as it is now, past a memory, which then knows it too.
type Refresher interface {
	Fresh(ctx context.Context, id account.ID) (account.Account, error)
}

// AccountOf finds the account of an id for which is holds: the one that made what the caller has at hand. A memory may
// still have the account that had the id before, or no longer the one that has it now, so it is refreshed before
// anything is concluded. NotFound if the account has gone, whoever has its id since.
func AccountOf(ctx context.Context, from Accounts, id account.ID, is func(account.Account) bool) (account.Account, error) {
	a, err := from.Account(ctx, id)
	if err != nil || is(a) {
		return a, err
	}
	if a, err = Fresh(ctx, from, id); err != nil {
		return account.Account{}, err
	}
	if !is(a) {
		return account.Account{}, fault.Wrap(fault.NotFound, "", fmt.Errorf("account %q is another one by now", id))
	}
	return a, nil
}

// Remembers reports whether accounts come out of a memory.
func Remembers(from Accounts) bool {
	_, ok := from.(Refresher)
	return ok
}

// Fresh reads an account as it is now.
func Fresh(ctx context.Context, from Accounts, id account.ID) (account.Account, error) {
	if r, ok := from.(Refresher); ok {
		return r.Fresh(ctx, id)
	}
	return from.Account(ctx, id)
}
