package bolt

import (
	"context"
	"encoding/json"

	"kefu/shared/core/account"
	"kefu/shared/core/tenant"
)

// accountRecord is an account as it is stored. The account's own encoding leaves out its secrets and its routing
// rules, so these stand beside it. What signs its webhook is sealed by itself, since SetWebhook replaces it alone.
type accountRecord struct {
	Account account.Account `json:"account"`
	Routing account.Routing `json:"routing"`
	Sealed  []byte          `json:"sealed"`            // accountSecrets
	Signing []byte          `json:"signing,omitempty"` // signingSecrets; none: there are none
}

// accountSecrets is what gets sealed.
type accountSecrets struct {
	Token     string `json:"token,omitempty"`
	AESKey    string `json:"aes_key,omitempty"`
	AESKeyOld string `json:"aes_key_previous,omitempty"`
	AppSecret string `json:"app_secret,omitempty"`
}

func accountKey(id account.ID) key      { return newKey().text(string(id)) }
func accountOwner(id account.ID) string { return "account:" + string(id) }

// openAccount turns a stored record into an account with its secrets.
func (s *Store) openAccount(raw []byte) (account.Account, error) {
	r, err := decode[accountRecord]("account", raw)
	if err != nil {
		return account.Account{}, err
	}
	plain, err := s.db.seal.open(accountOwner(r.Account.ID), r.Sealed)
	if err != nil {
		return account.Account{}, err
	}
	secrets, err := decode[accountSecrets]("account secrets", plain)
	if err != nil {
		return account.Account{}, err
	}
	a := r.Account
	a.Settings.Routing = r.Routing
	a.Token, a.AESKey = account.Secret(secrets.Token), account.Secret(secrets.AESKey)
	a.AESKeyPrevious, a.AppSecret = account.Secret(secrets.AESKeyOld), account.Secret(secrets.AppSecret)
	a.Signing, err = s.openSigning(a.ID, r.Signing)
	return a, err
}

// Account returns an account with its secrets.
func (s *Store) Account(ctx context.Context, id account.ID) (out account.Account, err error) {
	err = s.db.view(ctx, func(t *tx) error {
		raw := t.get(inAccount, accountKey(id))
		if raw == nil {
			return missing("account", string(id))
		}
		out, err = s.openAccount(raw)
		return err
	})
	return out, err
}

// PutAccount makes or replaces an account with its secrets.
func (s *Store) PutAccount(ctx context.Context, a account.Account) (created bool, err error) {
	plain, err := json.Marshal(accountSecrets{
		Token: a.Token.Reveal(), AESKey: a.AESKey.Reveal(), AESKeyOld: a.AESKeyPrevious.Reveal(), AppSecret: a.AppSecret.Reveal(),
	})
	if err != nil {
		return false, unfit(err)
	}
	sealed, err := s.db.seal.seal(accountOwner(a.ID), plain)
	if err != nil {
		return false, err
	}
	signing, err := s.sealSigning(a.ID, a.Signing)
	if err != nil {
		return false, err
	}
	a.Token, a.AESKey, a.AESKeyPrevious, a.AppSecret = "", "", "", ""
	err = s.db.update(ctx, func(t *tx) error {
		r := accountRecord{Account: a, Routing: a.Settings.Routing, Sealed: sealed, Signing: signing}
		old, ok, err := load[accountRecord](t, inAccount, accountKey(a.ID), "account")
		switch {
		case err != nil:
			return err
		case ok && old.Account.Tenant != a.Tenant:
			return account.ErrTaken
		case ok:
			r.Account.CreatedAt, r.Account.Incarnation, r.Routing = old.Account.CreatedAt, old.Account.Incarnation, old.Routing
			r.Account.Webhook, r.Signing = old.Account.Webhook, old.Signing
		default:
			if err := t.occupy(a); err != nil {
				return err
			}
		}
		if err := t.claim(a); err != nil {
			return err
		}
		if ok && old.Account.AppID != a.AppID {
			if err := t.unclaim(a.ID, old.Account.AppID); err != nil {
				return err
			}
		}
		created = !ok
		raw, err := encode(r)
		if err != nil {
			return err
		}
		t.put(inAccount, accountKey(a.ID), raw)
		if created {
			t.put(byTenant, newKey().text(string(a.Tenant)).bare(string(a.ID)), present)
		}
		return nil
	})
	return created && err == nil, err
}

// SetRouting replaces the routing rules of an account.
func (s *Store) SetRouting(ctx context.Context, id account.ID, rules account.Routing) error {
	return s.changeAccount(ctx, id, func(r *accountRecord) { r.Routing = rules })
}

// changeAccount changes the record of an existing account.
func (s *Store) changeAccount(ctx context.Context, id account.ID, change func(*accountRecord)) error {
	return s.db.update(ctx, func(t *tx) error {
		r, ok, err := load[accountRecord](t, inAccount, accountKey(id), "account")
		if err != nil {
			return err
		}
		if !ok {
			return missing("account", string(id))
		}
		change(&r)
		raw, err := encode(r)
		if err != nil {
			return err
		}
		t.put(inAccount, accountKey(id), raw)
		return nil
	})
}

// DeleteAccount removes an account with its secrets and rules. Its id stays its tenant's while anything is left of it.
func (s *Store) DeleteAccount(ctx context.Context, id account.ID) error {
	return s.db.relieve(ctx, func(t *tx) error {
		r, ok, err := load[accountRecord](t, inAccount, accountKey(id), "account")
		if err != nil {
			return err
		}
		if !ok {
			return missing("account", string(id))
		}
		if err := t.unclaim(id, r.Account.AppID); err != nil {
			return err
		}
		if err := t.reserve(id, r.Account.Tenant); err != nil {
			return err
		}
		t.delete(inAccount, accountKey(id))
		t.delete(byTenant, newKey().text(string(r.Account.Tenant)).bare(string(id)))
		return nil
	})
}

// Accounts lists a tenant's accounts by id.
func (s *Store) Accounts(ctx context.Context, of tenant.ID, cursor string, limit int) ([]account.Account, string, error) {
	l := list[account.Account]{
		bucket: byTenant, scope: newKey().text("accounts").text(string(of)), prefix: newKey().text(string(of)),
		read: func(t *tx, place key, _ []byte) (account.Account, error) {
			raw := t.get(inAccount, accountKey(account.ID(place)))
			if raw == nil {
				return account.Account{}, broken("account list", missing("account", string(place)))
			}
			return s.openAccount(raw)
		},
	}
	return l.page(ctx, s.db, cursor, limit)
}
