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

// Earlier versions kept tokens by app id alone. No key of now is one of theirs, so they are not read any more.

func tokenKey(c account.Credential) key      { return newKey().text(c.Key()) }
func tokenOwner(c account.Credential) string { return "token:" + c.Key() }

// Token returns the access token of a credential.
func (s *Store) Token(ctx context.Context, c account.Credential) (out account.AccessToken, err error) {
	err = s.db.view(ctx, func(t *tx) error {
		r, _, err := load[tokenRecord](t, inToken, tokenKey(c), "access token")
		if err != nil {
			return err
		}
		if r.Sealed == nil {
			return missing("access token of", c.ID())
		}
		value, err := s.db.seal.open(tokenOwner(c), r.Sealed)
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
func (s *Store) LeaseToken(ctx context.Context, c account.Credential, now, until time.Time) error {
	return s.db.update(ctx, func(t *tx) error {
		r, _, err := load[tokenRecord](t, inToken, tokenKey(c), "access token")
		if err != nil {
			return err
		}
		if r.LeaseUntil.After(now) {
			return fault.Wrap(fault.Conflict, "token-leased", fmt.Errorf("the token of %s is being fetched", c.ID()))
		}
		r.LeaseUntil = until
		raw, err := encode(r)
		if err != nil {
			return err
		}
		t.put(inToken, tokenKey(c), raw)
		return nil
	})
}

// SaveToken stores a token and ends the lease.
func (s *Store) SaveToken(ctx context.Context, c account.Credential, tok account.AccessToken) error {
	sealed, err := s.db.seal.seal(tokenOwner(c), []byte(tok.Value.Reveal()))
	if err != nil {
		return err
	}
	raw, err := encode(tokenRecord{Sealed: sealed, ExpiresAt: tok.ExpiresAt, ForcedAt: tok.ForcedAt})
	if err != nil {
		return err
	}
	return s.db.update(ctx, func(t *tx) error {
		t.put(inToken, tokenKey(c), raw)
		return nil
	})
}
