package dynamo

import (
	"bytes"
	"context"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// The calls, each in one place: table, measuring and errors are the same everywhere.

func (s *Store) measure() types.ReturnConsumedCapacity {
	if s.meter == nil {
		return types.ReturnConsumedCapacityNone
	}
	return types.ReturnConsumedCapacityIndexes
}

// Limits of keys.
const (
	maxPK = 2048
	maxSK = 1024
)

// get reads one item; nil if there is none, as there is none whose key is too long.
func (s *Store) get(ctx context.Context, k key, consistent bool) (item, error) {
	if len(k.pk) > maxPK || len(k.sk) > maxSK {
		return nil, nil
	}
	out, err := s.db.GetItem(ctx, &dynamodb.GetItemInput{
		TableName: s.table, Key: k.item(), ConsistentRead: &consistent, ReturnConsumedCapacity: s.measure(),
	})
	if err != nil {
		return nil, translate("GetItem", err)
	}
	s.count("GetItem", k.pk, consistent, out.ConsumedCapacity)
	if len(out.Item) == 0 {
		return nil, nil
	}
	return out.Item, nil
}

// condition is what must hold for a write, in DynamoDB's expression language, with its names (#n) and values (:v).
type condition struct {
	expr   string
	names  map[string]string
	values item
}

// absent holds if the item isn't there.
var absent = condition{expr: "attribute_not_exists(" + attrPK + ")"}

func (c condition) expression() *string {
	if c.expr == "" {
		return nil
	}
	return &c.expr
}

// put writes a whole item. Refused reports that the condition didn't hold, with the item that is there.
func (s *Store) put(ctx context.Context, in item, c condition) (stood item, was bool, err error) {
	out, err := s.db.PutItem(ctx, &dynamodb.PutItemInput{
		TableName: s.table, Item: in, ConditionExpression: c.expression(), ExpressionAttributeNames: c.names,
		ExpressionAttributeValues: c.values, ReturnConsumedCapacity: s.measure(),
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	})
	if old, ok := refused(err); ok {
		return old, true, nil
	}
	if err != nil {
		return nil, false, translate("PutItem", err)
	}
	s.count("PutItem", readText(in[attrPK]), false, out.ConsumedCapacity)
	return nil, false, nil
}

// mine reports that the item which refused a write was written by that very write: its answer was lost, and the SDK
// has tried again.
func mine(stood item, nonce types.AttributeValue) bool {
	return len(stood) > 0 && bytes.Equal(readBinary(stood[attrWrite]), readBinary(nonce))
}

// change is an update of some attributes of one item.
type change struct {
	update string // SET … REMOVE …
	condition
}

// update changes an item and returns it as it is then. Stood is the item that refused the condition.
func (s *Store) update(ctx context.Context, k key, c change) (now, stood item, was bool, err error) {
	out, err := s.db.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: s.table, Key: k.item(), UpdateExpression: &c.update, ConditionExpression: c.expression(),
		ExpressionAttributeNames: c.names, ExpressionAttributeValues: c.values, ReturnConsumedCapacity: s.measure(),
		ReturnValues:                        types.ReturnValueAllNew,
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	})
	if old, ok := refused(err); ok {
		return nil, old, true, nil
	}
	if err != nil {
		return nil, nil, false, translate("UpdateItem", err)
	}
	s.count("UpdateItem", k.pk, false, out.ConsumedCapacity)
	return out.Attributes, nil, false, nil
}

// remove deletes an item. One that isn't there, or for which the condition doesn't hold, is no error and stays as it is.
func (s *Store) remove(ctx context.Context, k key, c condition) error {
	out, err := s.db.DeleteItem(ctx, &dynamodb.DeleteItemInput{
		TableName: s.table, Key: k.item(), ConditionExpression: c.expression(), ExpressionAttributeNames: c.names,
		ExpressionAttributeValues: c.values, ReturnConsumedCapacity: s.measure(),
	})
	if _, ok := refused(err); ok {
		return nil
	}
	if err != nil {
		return translate("DeleteItem", err)
	}
	s.count("DeleteItem", k.pk, false, out.ConsumedCapacity)
	return nil
}

// transact makes several writes one. It costs twice the units, so it stands only where one item can't do it. The SDK
// sends the same token with every try of one call, so an answer that was lost does no harm.
func (s *Store) transact(ctx context.Context, first string, writes ...types.TransactWriteItem) (stood item, was bool, err error) {
	out, err := s.db.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{
		TransactItems: writes, ReturnConsumedCapacity: s.measure(),
	})
	if old, ok := refused(err); ok {
		return old, true, nil
	}
	if err != nil {
		return nil, false, translate("TransactWriteItems", err)
	}
	for i := range out.ConsumedCapacity {
		s.count("TransactWriteItems", first, false, &out.ConsumedCapacity[i])
	}
	return nil, false, nil
}

// query reads one page of a range. Index "" is the table itself.
func (s *Store) query(ctx context.Context, in *dynamodb.QueryInput) (*dynamodb.QueryOutput, error) {
	in.TableName, in.ReturnConsumedCapacity = s.table, s.measure()
	out, err := s.db.Query(ctx, in)
	if err != nil {
		return nil, translate("Query", err)
	}
	s.count("Query", "", in.ConsistentRead != nil && *in.ConsistentRead, out.ConsumedCapacity)
	return out, nil
}

// count tells the meter.
func (s *Store) count(op, pk string, consistent bool, c *types.ConsumedCapacity) {
	if s.meter == nil || c == nil {
		return
	}
	u := Usage{Op: op, Key: pk, Consistent: consistent}
	units := func(p *float64) float64 {
		if p == nil {
			return 0
		}
		return *p
	}
	total := units(c.CapacityUnits)
	switch op {
	case "GetItem", "Query", "BatchGetItem":
		u.Read = total
	default:
		u.Write = total
		for _, index := range c.GlobalSecondaryIndexes {
			u.Index += units(index.CapacityUnits)
		}
	}
	s.meter(u)
}
