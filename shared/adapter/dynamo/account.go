package dynamo

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"kefu/shared/core/account"
	"kefu/shared/core/fault"
	"kefu/shared/core/tenant"
)

// The account's own encoding leaves out its secrets and its routing rules. The rules stand in an attribute of their
// own, since SetRouting replaces them alone; the secrets in another, sealed; for the webhook see webhook.go.

// accountSecrets is what gets sealed.
type accountSecrets struct {
	Token     string `json:"token,omitempty"`
	AESKey    string `json:"aes_key,omitempty"`
	AESKeyOld string `json:"aes_key_previous,omitempty"`
	AppSecret string `json:"app_secret,omitempty"`
}

func accountOwner(id account.ID) string { return "account:" + string(id) }

// Account returns an account with its secrets or, in a store without a vault, without them.
func (s *Store) Account(ctx context.Context, id account.ID) (account.Account, error) {
	it, err := s.get(ctx, accountKey(id), true)
	if err != nil {
		return account.Account{}, err
	}
	if it == nil {
		return account.Account{}, missing("account", string(id))
	}
	return s.readAccount(ctx, it)
}

func (s *Store) readAccount(ctx context.Context, it item) (a account.Account, err error) {
	if err := unpack("account", readBinary(it[attrBody]), &a); err != nil {
		return account.Account{}, err
	}
	if err := unpack("routing", readBinary(it[attrRouting]), &a.Settings.Routing); err != nil {
		return account.Account{}, err
	}
	if err := readWebhook(readBinary(it[attrWebhook]), &a.Webhook); err != nil {
		return account.Account{}, err
	}
	a.CreatedAt = readMoment(it[attrCreated])
	if s.vault == nil {
		return a, nil
	}
	plain, err := s.vault.Open(ctx, accountOwner(a.ID), readBinary(it[attrSealed]))
	if err != nil {
		return account.Account{}, fmt.Errorf("secrets of account %q: %w", a.ID, err)
	}
	var secrets accountSecrets
	if err := json.Unmarshal(plain, &secrets); err != nil {
		return account.Account{}, broken("account secrets", err)
	}
	a.Token, a.AESKey = account.Secret(secrets.Token), account.Secret(secrets.AESKey)
	a.AESKeyPrevious, a.AppSecret = account.Secret(secrets.AESKeyOld), account.Secret(secrets.AppSecret)
	a.Signing, err = s.openSigning(ctx, a.ID, readBinary(it[attrSigning]))
	return a, err
}

// sealAccount makes the two stored forms of an account.
func (s *Store) sealAccount(ctx context.Context, a account.Account) (body, sealed []byte, err error) {
	if s.vault == nil {
		return nil, nil, errNoVault
	}
	plain, err := json.Marshal(accountSecrets{
		Token: a.Token.Reveal(), AESKey: a.AESKey.Reveal(), AESKeyOld: a.AESKeyPrevious.Reveal(), AppSecret: a.AppSecret.Reveal(),
	})
	if err != nil {
		return nil, nil, unfit(err)
	}
	if sealed, err = s.vault.Seal(ctx, accountOwner(a.ID), plain); err != nil {
		return nil, nil, fmt.Errorf("secrets of account %q: %w", a.ID, err)
	}
	a.CreatedAt, a.Webhook = time.Time{}, account.Webhook{} // attributes of their own
	body, err = pack(a)
	return body, sealed, err
}

// PutAccount makes or replaces an account with its secrets, in one write: what of an existing one stays is decided by
// DynamoDB, so no racer undoes another's routing rules.
func (s *Store) PutAccount(ctx context.Context, a account.Account) (created bool, err error) {
	body, sealed, err := s.sealAccount(ctx, a)
	if err != nil {
		return false, err
	}
	rules, err := pack(a.Settings.Routing)
	if err != nil {
		return false, err
	}
	webhook, err := s.webhookOf(ctx, a.ID, a.Webhook, a.Signing)
	if err != nil {
		return false, err
	}
	by := nonce()
	e := editIf("attribute_not_exists(#"+attrPK+") OR #"+attrTenant+" = :"+attrTenant, nil)
	e.attr(attrBody, binary(body))
	e.attr(attrSealed, binary(sealed))
	e.attr(attrTenant, text(string(a.Tenant)))
	e.attr(attrList, text(accountsList(a.Tenant)))
	e.attr(attrOrder, text(string(a.ID)))
	e.first(attrCreated, moment(a.CreatedAt))
	e.first(attrRouting, binary(rules))
	for name, v := range webhook {
		e.first(name, v)
	}
	e.first(attrMaker, by)
	now, _, was, err := s.update(ctx, accountKey(a.ID), e.change())
	if err != nil {
		return false, err
	}
	if was {
		return false, fault.New(fault.Conflict, "account-taken", "The account id is taken.")
	}
	return madeBy(now, by), nil
}

// SetRouting replaces the routing rules of an account.
func (s *Store) SetRouting(ctx context.Context, id account.ID, rules account.Routing) error {
	packed, err := pack(rules)
	if err != nil {
		return err
	}
	return s.changeAccount(ctx, id, item{attrRouting: binary(packed)})
}

// changeAccount replaces attributes of an existing account.
func (s *Store) changeAccount(ctx context.Context, id account.ID, attrs item) error {
	e := editIf("attribute_exists(#"+attrPK+")", nil)
	for name, v := range attrs {
		e.attr(name, v)
	}
	_, _, was, err := s.update(ctx, accountKey(id), e.change())
	if err != nil {
		return err
	}
	if was {
		return missing("account", string(id))
	}
	return nil
}

// DeleteAccount removes an account with its secrets and rules.
func (s *Store) DeleteAccount(ctx context.Context, id account.ID) error {
	it, err := s.get(ctx, accountKey(id), true)
	if err != nil {
		return err
	}
	if it == nil {
		return missing("account", string(id))
	}
	return s.removeMade(ctx, it)
}

// removeMade deletes an item that was read, unless it has gone meanwhile, even if it was then made anew. To have read
// it first is what lets a deletion whose answer was lost be repeated without finding nothing.
func (s *Store) removeMade(ctx context.Context, it item) error {
	at := key{readText(it[attrPK]), readText(it[attrSK])}
	return s.remove(ctx, at, condition{expr: attrMaker + " = :by", values: item{":by": it[attrMaker]}})
}

// Accounts lists a tenant's accounts by id.
func (s *Store) Accounts(ctx context.Context, of tenant.ID, cursor string, limit int) (accounts []account.Account, next string, err error) {
	at := func(place string) key { return accountKey(account.ID(place)) }
	items, next, err := s.listed(ctx, part{of: byList, name: accountsList(of)}, cursor, limit, at)
	if err != nil {
		return nil, "", err
	}
	for _, it := range items {
		if readText(it[attrTenant]) != string(of) {
			continue // another tenant's by now
		}
		a, err := s.readAccount(ctx, it)
		if err != nil {
			return nil, "", err
		}
		accounts = append(accounts, a)
	}
	return accounts, next, nil
}
