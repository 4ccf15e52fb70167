package dynamo

import (
	"context"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"kefu/shared/core/account"
	"kefu/shared/core/session"
	"kefu/shared/core/tenant"
)

// A deleted account's id stays its tenant's, by an item of its own, as long as anything is left of the account.

// reserving keeps the id of an account that is being deleted.
func (s *Store) reserving(id account.ID, of tenant.ID) types.TransactWriteItem {
	it := reservedKey(id).item()
	it[attrTenant], it[attrAt] = text(string(of)), moment(s.now())
	return types.TransactWriteItem{Put: &types.Put{TableName: s.table, Item: it}}
}

// occupying takes the id for a new account: the write ends the reservation that was found, and is refused if another
// has come. account.ErrTaken if the id is reserved for another tenant of which something is left.
func (s *Store) occupying(ctx context.Context, a account.Account) (types.TransactWriteItem, error) {
	it, err := s.get(ctx, reservedKey(a.ID), true)
	if err != nil {
		return types.TransactWriteItem{}, err
	}
	of := a.Tenant
	if it != nil {
		of = tenant.ID(readText(it[attrTenant]))
	}
	if of != a.Tenant {
		left, err := s.left(ctx, of, a.ID, readMoment(it[attrAt]))
		if err != nil {
			return types.TransactWriteItem{}, err
		}
		if left {
			return types.TransactWriteItem{}, account.ErrTaken
		}
	}
	expr := "attribute_not_exists(" + attrPK + ") OR " + attrTenant + " = :t"
	return types.TransactWriteItem{Delete: &types.Delete{
		TableName: s.table, Key: reservedKey(a.ID).item(), ConditionExpression: &expr,
		ExpressionAttributeValues:           item{":t": text(string(of))},
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	}}, nil
}

// listLag is longer than the lists of sessions are ever behind.
const listLag = time.Minute

// left reports whether conversations are left that the tenant had under the id of an account which was deleted at a time.
func (s *Store) left(ctx context.Context, of tenant.ID, id account.ID, deleted time.Time) (bool, error) {
	names, err := s.namesOf(ctx, of, true)
	if err != nil || !slices.Contains(names, id) {
		return false, err // there never was one
	}
	if s.now().Sub(deleted).Abs() < listLag {
		return true, nil
	}
	for cursor := ""; ; {
		items, next, err := s.Sessions(ctx, session.Query{Tenant: of, Account: id, Cursor: cursor, Limit: 1})
		if err != nil || len(items) > 0 || next == "" {
			return len(items) > 0, err
		}
		cursor = next
	}
}
