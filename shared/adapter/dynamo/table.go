package dynamo

import (
	"context"
	"errors"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// tableWait is how long a new table may take to become active.
const tableWait = 2 * time.Minute

// index is the shape of one index.
type index struct{ name, partition, place string }

var (
	byTime  = index{indexTime, attrTimeOf, attrTime}
	byList  = index{indexList, attrList, attrOrder}
	byAgent = index{indexAgent, attrAgent, attrOrder}
	byQueue = index{indexQueue, attrQueue, attrQueueAt}
)

// CreateTable makes the table in a local engine and waits until it can be used; a table that exists is left as it is
// but for its TTL setting. In AWS the table comes with the stack (infra/aws), which gives no function the right to
// make one.
func (s *Store) CreateTable(ctx context.Context) error {
	_, err := s.db.CreateTable(ctx, s.tableInput())
	var exists *types.ResourceInUseException
	if err != nil && !errors.As(err, &exists) {
		return translate("CreateTable", err)
	}
	active := dynamodb.NewTableExistsWaiter(s.db, func(o *dynamodb.TableExistsWaiterOptions) {
		o.MinDelay, o.MaxDelay = 50*time.Millisecond, time.Second
	})
	if err := active.Wait(ctx, &dynamodb.DescribeTableInput{TableName: s.table}, tableWait); err != nil {
		return translate("DescribeTable", err)
	}
	return s.enableTTL(ctx)
}

// tableInput describes the table.
func (s *Store) tableInput() *dynamodb.CreateTableInput {
	in := &dynamodb.CreateTableInput{
		TableName: s.table, BillingMode: types.BillingModePayPerRequest, KeySchema: keySchema(attrPK, attrSK),
	}
	named := map[string]bool{}
	define := func(names ...string) {
		for _, name := range names {
			if !named[name] {
				named[name] = true
				in.AttributeDefinitions = append(in.AttributeDefinitions, types.AttributeDefinition{
					AttributeName: aws.String(name), AttributeType: types.ScalarAttributeTypeS,
				})
			}
		}
	}
	define(attrPK, attrSK)
	for _, x := range []index{byTime, byList, byAgent, byQueue} {
		define(x.partition, x.place)
		in.GlobalSecondaryIndexes = append(in.GlobalSecondaryIndexes, types.GlobalSecondaryIndex{
			IndexName: aws.String(x.name), KeySchema: keySchema(x.partition, x.place),
			Projection: &types.Projection{ProjectionType: types.ProjectionTypeKeysOnly},
		})
	}
	return in
}

func keySchema(partition, place string) []types.KeySchemaElement {
	return []types.KeySchemaElement{
		{AttributeName: aws.String(partition), KeyType: types.KeyTypeHash},
		{AttributeName: aws.String(place), KeyType: types.KeyTypeRange},
	}
}

// enableTTL asks first: to enable what is enabled is an error.
func (s *Store) enableTTL(ctx context.Context) error {
	now, err := s.db.DescribeTimeToLive(ctx, &dynamodb.DescribeTimeToLiveInput{TableName: s.table})
	if err != nil {
		return translate("DescribeTimeToLive", err)
	}
	if d := now.TimeToLiveDescription; d != nil &&
		(d.TimeToLiveStatus == types.TimeToLiveStatusEnabled || d.TimeToLiveStatus == types.TimeToLiveStatusEnabling) {
		return nil
	}
	_, err = s.db.UpdateTimeToLive(ctx, &dynamodb.UpdateTimeToLiveInput{
		TableName:               s.table,
		TimeToLiveSpecification: &types.TimeToLiveSpecification{AttributeName: aws.String(attrTTL), Enabled: aws.Bool(true)},
	})
	return translate("UpdateTimeToLive", err)
}
