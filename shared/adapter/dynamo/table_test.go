package dynamo

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// TestCreateTable makes the table twice and asks the engine for its shape.
func TestCreateTable(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	must(t, s.CreateTable(t.Context())) // exists
	out, err := s.db.DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: s.table})
	must(t, err)
	table := out.Table
	if table.TableStatus != types.TableStatusActive || table.BillingModeSummary.BillingMode != types.BillingModePayPerRequest {
		t.Errorf("got status %s, billing %v; want ACTIVE, on demand", table.TableStatus, table.BillingModeSummary)
	}
	keys := map[string]string{"": schema(table.KeySchema)}
	for _, x := range table.GlobalSecondaryIndexes {
		keys[*x.IndexName] = schema(x.KeySchema)
		if x.Projection.ProjectionType != types.ProjectionTypeKeysOnly {
			t.Errorf("index %s: got %s; want keys only", *x.IndexName, x.Projection.ProjectionType)
		}
	}
	want := map[string]string{
		"":     "[HASH pk] [RANGE sk]",
		"time": "[HASH tp] [RANGE ta]", "list": "[HASH l1] [RANGE o]", "agent": "[HASH l2] [RANGE o]", "queue": "[HASH l3] [RANGE q]",
	}
	if !maps.Equal(keys, want) {
		t.Errorf("got keys %v; want %v", keys, want)
	}
	for _, a := range table.AttributeDefinitions {
		if a.AttributeType != types.ScalarAttributeTypeS {
			t.Errorf("attribute %s: got type %s; want a text", *a.AttributeName, a.AttributeType)
		}
	}
	ttl, err := s.db.DescribeTimeToLive(t.Context(), &dynamodb.DescribeTimeToLiveInput{TableName: s.table})
	must(t, err)
	if d := ttl.TimeToLiveDescription; d.TimeToLiveStatus != types.TimeToLiveStatusEnabled || *d.AttributeName != "ttl" {
		t.Errorf("got TTL %s by %v; want it enabled by ttl", d.TimeToLiveStatus, d.AttributeName)
	}
}

func schema(keys []types.KeySchemaElement) string {
	var parts []string
	for _, k := range keys {
		parts = append(parts, fmt.Sprintf("[%s %s]", k.KeyType, *k.AttributeName))
	}
	slices.Sort(parts)
	return parts[0] + " " + parts[1]
}
