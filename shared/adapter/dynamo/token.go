package dynamo

import (
	"context"
	"fmt"
	"time"

	"kefu/shared/core/account"
	"kefu/shared/core/fault"
)

func tokenOwner(c account.Credential) string { return "token:" + c.Key() }

// Token returns the access token of a credential. An item without a value was only leased.
func (s *Store) Token(ctx context.Context, c account.Credential) (account.AccessToken, error) {
	it, err := s.get(ctx, tokenKey(c), true)
	if err != nil {
		return account.AccessToken{}, err
	}
	sealed := readBinary(it[attrSealed])
	if sealed == nil {
		return account.AccessToken{}, missing("access token of", c.ID())
	}
	if s.vault == nil {
		return account.AccessToken{}, errNoVault
	}
	value, err := s.vault.Open(ctx, tokenOwner(c), sealed)
	if err != nil {
		return account.AccessToken{}, fmt.Errorf("access token of %q: %w", c.ID(), err)
	}
	return account.AccessToken{
		Value: account.Secret(value), ExpiresAt: readMoment(it[attrUntil]), LeaseUntil: readMoment(it[attrLease]),
		ForcedAt: readMoment(it[attrAt]),
	}, nil
}

// LeaseToken lets one caller fetch a new token.
func (s *Store) LeaseToken(ctx context.Context, c account.Credential, now, until time.Time) error {
	by := nonce()
	e := editIf("attribute_not_exists(#"+attrLease+") OR #"+attrLease+" <= :now", item{":now": moment(now)})
	e.attr(attrLease, moment(until))
	e.attr(attrWrite, by)
	e.attr(attrTTL, lifetime(until)) // the token that is there ends within hours: a week from now is past its end too
	_, stood, was, err := s.update(ctx, tokenKey(c), e.change())
	if err != nil {
		return err
	}
	if was && !mine(stood, by) {
		return fault.Wrap(fault.Conflict, "token-leased", fmt.Errorf("the token of %s is being fetched", c.ID()))
	}
	return nil
}

// SaveToken stores a token and ends the lease.
func (s *Store) SaveToken(ctx context.Context, c account.Credential, t account.AccessToken) error {
	if s.vault == nil {
		return errNoVault
	}
	sealed, err := s.vault.Seal(ctx, tokenOwner(c), []byte(t.Value.Reveal()))
	if err != nil {
		return fmt.Errorf("access token of %q: %w", c.ID(), err)
	}
	it := tokenKey(c).item()
	it[attrSealed], it[attrUntil], it[attrAt] = binary(sealed), moment(t.ExpiresAt), moment(t.ForcedAt)
	it[attrTTL] = lifetime(s.later(t.ExpiresAt))
	_, _, err = s.put(ctx, it, condition{})
	return err
}
