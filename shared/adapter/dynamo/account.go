package dynamo

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

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
	a.CreatedAt, a.Incarnation = readMoment(it[attrCreated]), account.Incarnation(readText(it[attrInc]))
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
	a.CreatedAt, a.Incarnation, a.Webhook = time.Time{}, "", account.Webhook{} // attributes of their own
	body, err = pack(a)
	return body, sealed, err
}

// accountTries bounds how often an account that changes meanwhile is looked at again.
const accountTries = 10

// PutAccount makes or replaces an account with its secrets, in one transaction with the claim of its app id. What of an
// existing one stays is decided by DynamoDB, so no racer undoes another's routing rules.
func (s *Store) PutAccount(ctx context.Context, a account.Account) (created bool, err error) {
	attrs, kept, err := s.accountAttrs(ctx, a)
	if err != nil {
		return false, err
	}
	for range accountTries {
		old, err := s.get(ctx, accountKey(a.ID), true)
		if err != nil {
			return false, err
		}
		if old != nil && readText(old[attrTenant]) != string(a.Tenant) {
			return false, account.ErrTaken
		}
		had, unchanged, err := appOf(old)
		if err != nil {
			return false, err
		}
		e := editIf(unchanged.expr, unchanged.values)
		for name, v := range attrs {
			e.attr(name, v)
		}
		for name, v := range kept {
			e.first(name, v)
		}
		if old == nil && a.Incarnation != "" {
			e.attr(attrInc, text(string(a.Incarnation))) // an account that was made without one keeps none
		}
		writes := []types.TransactWriteItem{{Update: s.updating(accountKey(a.ID), e.change())}, s.claiming(a.Tenant, a.ID, a.AppID)}
		moves := had != "" && had != a.AppID
		if moves {
			writes = append(writes, s.unclaiming(a.ID, had))
		}
		if old == nil {
			free, err := s.occupying(ctx, a)
			if err != nil {
				return false, err
			}
			writes = append(writes, free)
		}
		stood, refused, err := s.transact(ctx, accountKey(a.ID).pk, writes...)
		switch {
		case err != nil:
			return false, err
		case !refused:
			if moves {
				s.dropClaim(ctx, had)
			}
			return old == nil, nil
		case readText(stood[attrPK]) == claimKey(a.AppID).pk:
			return false, account.ErrAppTaken
		}
	}
	return false, fault.Wrap(fault.Unavailable, "store-contention", fmt.Errorf("account %q changes all the time", a.ID))
}

// accountAttrs are the attributes that a PUT replaces, and those that an existing account keeps.
func (s *Store) accountAttrs(ctx context.Context, a account.Account) (attrs, kept item, err error) {
	body, sealed, err := s.sealAccount(ctx, a)
	if err != nil {
		return nil, nil, err
	}
	rules, err := pack(a.Settings.Routing)
	if err != nil {
		return nil, nil, err
	}
	if kept, err = s.webhookOf(ctx, a.ID, a.Webhook, a.Signing); err != nil {
		return nil, nil, err
	}
	kept[attrCreated], kept[attrRouting], kept[attrMaker] = moment(a.CreatedAt), binary(rules), nonce()
	return item{
		attrBody: binary(body), attrSealed: binary(sealed), attrApp: text(a.AppID), attrTenant: text(string(a.Tenant)),
		attrList: text(accountsList(a.Tenant)), attrOrder: text(string(a.ID)),
	}, kept, nil
}

// appOf is the app id of a stored account, and the condition that it is still the same account with the same app id.
// Earlier versions kept the app id in the body alone.
func appOf(it item) (appID string, unchanged condition, err error) {
	if it == nil {
		return "", condition{expr: "attribute_not_exists(#" + attrPK + ")"}, nil
	}
	same := "#" + attrMaker + " = :was"
	values := item{":was": it[attrMaker]}
	if appID = readText(it[attrApp]); appID != "" {
		values[":app"] = text(appID)
		return appID, condition{expr: same + " AND #" + attrApp + " = :app", values: values}, nil
	}
	var a account.Account
	err = unpack("account", readBinary(it[attrBody]), &a)
	return a.AppID, condition{expr: same + " AND attribute_not_exists(#" + attrApp + ")", values: values}, err
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

// DeleteAccount removes an account with its secrets and rules, and its claim of the app id. Its id stays its tenant's
// while anything is left of it.
func (s *Store) DeleteAccount(ctx context.Context, id account.ID) error {
	var first item
	for range accountTries {
		it, err := s.get(ctx, accountKey(id), true)
		switch {
		case err != nil:
			return err
		case it == nil && first == nil:
			return missing("account", string(id))
		case first == nil:
			first = it
		case it == nil, !madeBy(it, first[attrMaker]):
			return nil // it has gone meanwhile; one that was made since stays
		}
		appID, unchanged, err := appOf(it)
		if err != nil {
			return err
		}
		gone := editIf(unchanged.expr, unchanged.values).change().condition
		_, refused, err := s.transact(ctx, accountKey(id).pk, types.TransactWriteItem{Delete: &types.Delete{
			TableName: s.table, Key: accountKey(id).item(), ConditionExpression: gone.expression(),
			ExpressionAttributeNames: gone.names, ExpressionAttributeValues: gone.values,
		}}, s.unclaiming(id, appID), s.reserving(id, tenant.ID(readText(it[attrTenant]))))
		if err != nil {
			return err
		}
		if !refused {
			s.dropClaim(ctx, appID)
			return nil
		}
	}
	return fault.Wrap(fault.Unavailable, "store-contention", fmt.Errorf("account %q changes all the time", id))
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
