package bolt

import (
	"context"
	"fmt"
	"time"

	"kefu/shared/core/account"
	"kefu/shared/core/fault"
)

// tokenRecord is an access token as it is stored. One that was only leased has no value.
type tokenRecord struct {
	Sealed     []byte    `json:"sealed,omitempty"`
	ExpiresAt  time.Time `json:"expires,omitzero"`
	LeaseUntil time.Time `json:"lease,omitzero"`
	ForcedAt   time.Time `json:"forced,omitzero"`
}

func tokenKey(appID string) key      { return newKey().text(appID) }
func tokenOwner(appID string) string { return "token:" + appID }

// Token returns the access token of an app id.
func (s *Store) Token(ctx context.Context, appID string) (out account.AccessToken, err error) {
	err = s.db.view(ctx, func(t *tx) error {
		r, _, err := load[tokenRecord](t, inToken, tokenKey(appID), "access token")
		if err != nil {
			return err
		}
		if r.Sealed == nil {
			return missing("access token of", appID)
		}
		value, err := s.db.seal.open(tokenOwner(appID), r.Sealed)
		if err != nil {
			return err
		}
		out = account.AccessToken{
			Value: account.Secret(value), ExpiresAt: r.ExpiresAt, LeaseUntil: r.LeaseUntil, ForcedAt: r.ForcedAt,
		}
		return nil
	})
	return out, err
}

// LeaseToken lets one caller fetch a new token.
func (s *Store) LeaseToken(ctx context.Context, appID string, now, until time.Time) error {
	return s.db.update(ctx, func(t *tx) error {
		r, _, err := load[tokenRecord](t, inToken, tokenKey(appID), "access token")
		if err != nil {
			return err
		}
		if r.LeaseUntil.After(now) {
			return fault.Wrap(fault.Conflict, "token-leased", fmt.Errorf("the token of %s is being fetched", appID))
		}
		r.LeaseUntil = until
		raw, err := encode(r)
		if err != nil {
			return err
		}
		t.put(inToken, tokenKey(appID), raw)
		return nil
	})
}

// SaveToken stores a token and ends the lease.
func (s *Store) SaveToken(ctx context.Context, appID string, tok account.AccessToken) error {
	sealed, err := s.db.seal.seal(tokenOwner(appID), []byte(tok.Value.Reveal()))
	if err != nil {
		return err
	}
	raw, err := encode(tokenRecord{Sealed: sealed, ExpiresAt: tok.ExpiresAt, ForcedAt: tok.ForcedAt})
	if err != nil {
		return err
	}
	return s.db.update(ctx, func(t *tx) error {
		t.put(inToken, tokenKey(appID), raw)
		return nil
	})
}
