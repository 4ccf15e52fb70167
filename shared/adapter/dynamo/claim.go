package dynamo

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"kefu/shared/core/account"
	"kefu/shared/core/tenant"
)

// An app id belongs to the tenant that has accounts of it: an item names the tenant and these accounts, and is written
// with the account in one transaction. An item without accounts is nobody's.

// claiming makes an account's app id its tenant's, unless it is another's.
func (s *Store) claiming(of tenant.ID, id account.ID, appID string) types.TransactWriteItem {
	return types.TransactWriteItem{Update: s.updating(claimKey(appID), change{
		update: "SET " + attrTenant + " = :t ADD " + attrHolders + " :a",
		condition: condition{
			expr:   "attribute_not_exists(" + attrHolders + ") OR " + attrTenant + " = :t",
			values: item{":t": text(string(of)), ":a": holder(id)},
		},
	})}
}

// unclaiming gives up an account's part in an app id. It needs no condition: the account itself is in the same
// transaction, and no other of that id is among the holders.
func (s *Store) unclaiming(id account.ID, appID string) types.TransactWriteItem {
	return types.TransactWriteItem{Update: s.updating(claimKey(appID), change{
		update: "DELETE " + attrHolders + " :a", condition: condition{values: item{":a": holder(id)}},
	})}
}

// dropClaim removes an item that is nobody's. If that fails nothing is lost but its few bytes.
func (s *Store) dropClaim(ctx context.Context, appID string) {
	_ = s.remove(ctx, claimKey(appID), condition{expr: "attribute_not_exists(" + attrHolders + ")"})
}

func holder(id account.ID) types.AttributeValue {
	return &types.AttributeValueMemberSS{Value: []string{string(id)}}
}

func (s *Store) updating(k key, c change) *types.Update {
	return &types.Update{
		TableName: s.table, Key: k.item(), UpdateExpression: &c.update, ConditionExpression: c.expression(),
		ExpressionAttributeNames: c.names, ExpressionAttributeValues: c.values,
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	}
}
