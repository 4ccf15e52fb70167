package token

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"kefu/shared/core/account"
	"kefu/shared/core/fault"
)

// find looks into the store, and fetches under the lease if what is there won't do.
func (k *Keeper) find(ctx context.Context, a holder, refused string) (account.AccessToken, error) {
	for range waitSteps {
		now := k.now()
		kept, err := k.kept(ctx, a.by)
		if err != nil {
			return account.AccessToken{}, err
		}
		if usable(kept, refused, now, refreshEarly) || (refused != "" && usable(kept, refused, now, spare)) {
			k.remember(a.by, kept, now)
			return kept, nil
		}
		leased, err := k.lease(ctx, a.by, kept, now)
		if err != nil {
			return account.AccessToken{}, err
		}
		if leased {
			return k.fetch(ctx, a, refused, now.Add(leaseFor))
		}
		// Somebody else is fetching. The old token lives while it lives.
		if usable(kept, refused, now, spare) {
			k.remember(a.by, kept, now)
			return kept, nil
		}
		if err := k.wait(ctx, waitStep); err != nil {
			return account.AccessToken{}, fault.Wrap(fault.Unavailable, "token-busy", err)
		}
	}
	return account.AccessToken{}, fault.New(fault.Unavailable, "token-busy", "Another instance is fetching the access token and has not come to an end.")
}

// lease reports whether the caller may fetch. A lease that is seen to run costs no write.
func (k *Keeper) lease(ctx context.Context, by account.Credential, kept account.AccessToken, now time.Time) (bool, error) {
	if now.Before(kept.LeaseUntil) {
		return false, nil
	}
	err := k.Store.LeaseToken(ctx, by, now, now.Add(leaseFor))
	if err != nil && fault.KindOf(err) == fault.Conflict {
		return false, nil
	}
	return err == nil, err
}

// kept is what the store has, or nothing.
func (k *Keeper) kept(ctx context.Context, by account.Credential) (account.AccessToken, error) {
	t, err := k.Store.Token(ctx, by)
	if err != nil && fault.KindOf(err) == fault.NotFound {
		return account.AccessToken{}, nil
	}
	return t, err
}

// fetch gets a token from the platform and keeps it. The caller holds the lease until the given time.
func (k *Keeper) fetch(ctx context.Context, a holder, refused string, until time.Time) (account.AccessToken, error) {
	// Between the look and the lease another may have fetched.
	old, err := k.kept(ctx, a.by)
	if err != nil {
		return account.AccessToken{}, err
	}
	now := k.now()
	if usable(old, refused, now, refreshEarly) {
		k.release(ctx, a, old, until)
		k.remember(a.by, old, now)
		return old, nil
	}
	fresh, err := k.issue(ctx, a, old, refused)
	now = k.now()
	if err != nil {
		k.release(ctx, a, old, until)
		if usable(old, refused, now, spare) {
			k.log().LogAttrs(ctx, slog.LevelWarn, "the access token could not be renewed; the old one is used to its end",
				slog.String("app_id", a.AppID), slog.Duration("left", old.ExpiresAt.Sub(now)), slog.String("cause", err.Error()))
			k.remember(a.by, old, now)
			return old, nil
		}
		return account.AccessToken{}, err
	}
	if err := k.Store.SaveToken(ctx, a.by, fresh); err != nil {
		// The token is good all the same; the others get theirs when the lease has ended.
		k.log().LogAttrs(ctx, slog.LevelWarn, "the access token could not be kept",
			slog.String("app_id", a.AppID), slog.String("cause", err.Error()))
	}
	k.remember(a.by, fresh, now)
	return fresh, nil
}

// release ends the lease early by storing what was there, unless it has run out: then the record may be another's.
func (k *Keeper) release(ctx context.Context, a holder, old account.AccessToken, until time.Time) {
	if !k.now().Before(until) {
		return
	}
	old.LeaseUntil = time.Time{}
	// Also for a caller who has left: the others should not have to wait for the lease's end.
	if err := k.Store.SaveToken(context.WithoutCancel(ctx), a.by, old); err != nil {
		k.log().LogAttrs(ctx, slog.LevelWarn, "the lease of the access token could not be ended early",
			slog.String("app_id", a.AppID), slog.String("cause", err.Error()))
	}
}

// issue asks plainly. Only if that gives the refused token again, which happens when somebody forced a refresh
// elsewhere and the platform's memory is stale, it forces, once.
func (k *Keeper) issue(ctx context.Context, a holder, old account.AccessToken, refused string) (account.AccessToken, error) {
	fresh, err := k.Issuer.Issue(ctx, a.Account, false)
	if err != nil {
		return account.AccessToken{}, err
	}
	fresh.ForcedAt = old.ForcedAt
	if refused == "" || fresh.Value.Reveal() != refused {
		return fresh, nil
	}
	now := k.now()
	if err := k.mayForce(a.by, old.ForcedAt, now); err != nil {
		k.log().LogAttrs(ctx, slog.LevelError, "the access token is refused and may not be forced yet: does another system fetch tokens?",
			slog.String("app_id", a.AppID), slog.String("cause", err.Error()))
		return account.AccessToken{}, err
	}
	fresh, err = k.Issuer.Issue(ctx, a.Account, true)
	if err != nil {
		return account.AccessToken{}, err
	}
	k.log().LogAttrs(ctx, slog.LevelWarn, "the access token was forced", slog.String("app_id", a.AppID))
	fresh.ForcedAt = now
	if fresh.Value.Reveal() == refused {
		return account.AccessToken{}, fault.Wrap(fault.Unavailable, "token-busy", errors.New("a forced refresh gave the refused token"))
	}
	return fresh, nil
}

// forceCount counts one credential's forced refreshes of a day.
type forceCount struct {
	day string
	n   int
}

// mayForce counts a forced refresh, or says when the next one may be. The gap holds for all instances, by the time
// in the store; the day's count is this process's own, and where it is too low the platform's refusal is the bound.
func (k *Keeper) mayForce(by account.Credential, last, now time.Time) error {
	const code, detail = "token-forced-recently", "The access token was refused, and the platform does not allow another one to be forced yet."
	if left := last.Add(forceGap).Sub(now); left > 0 {
		return fault.Later(code, detail, left)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	china := now.In(time.FixedZone("UTC+8", 8*60*60)) // where the platform's days begin
	count := k.forces[by]
	if day := china.Format(time.DateOnly); count.day != day {
		count = forceCount{day: day}
	}
	if count.n >= forcesPerDay {
		y, m, d := china.Date()
		return fault.Later(code, detail, time.Date(y, m, d+1, 0, 1, 0, 0, china.Location()).Sub(now))
	}
	count.n++
	if k.forces == nil {
		k.forces = map[account.Credential]forceCount{}
	}
	k.forces[by] = count
	return nil
}
