package dynamo

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"kefu/shared/core/fault"
)

// batchMost is how many items DynamoDB reads in one call.
const batchMost = 100

var errLeftOut = errors.New("BatchGetItem leaves keys unprocessed")

// batch reads items; those that aren't there are missing from what it returns, by partition key and sort key.
func (s *Store) batch(ctx context.Context, keys []key, consistent bool) (map[key]item, error) {
	found := make(map[key]item, len(keys))
	slices.SortFunc(keys, compareKeys)
	keys = slices.Compact(keys) // a key that is named twice is refused
	for some := range slices.Chunk(keys, batchMost) {
		if err := s.batchSome(ctx, some, consistent, found); err != nil {
			return nil, err
		}
	}
	return found, nil
}

func compareKeys(a, b key) int {
	return cmp.Or(cmp.Compare(a.pk, b.pk), cmp.Compare(a.sk, b.sk))
}

// batchSome reads what one call can. What DynamoDB leaves out, for want of throughput or of room in the answer, is
// asked for again, a few times without anything new at the most.
func (s *Store) batchSome(ctx context.Context, keys []key, consistent bool, found map[key]item) error {
	want := types.KeysAndAttributes{ConsistentRead: &consistent}
	for _, k := range keys {
		want.Keys = append(want.Keys, k.item())
	}
	for vain := 1; vain < maxAttempts; vain++ {
		out, err := s.db.BatchGetItem(ctx, &dynamodb.BatchGetItemInput{
			RequestItems: map[string]types.KeysAndAttributes{*s.table: want}, ReturnConsumedCapacity: s.measure(),
		})
		if err != nil {
			return translate("BatchGetItem", err)
		}
		for i := range out.ConsumedCapacity {
			s.count("BatchGetItem", keys[0].pk, consistent, &out.ConsumedCapacity[i])
		}
		for _, in := range out.Responses[*s.table] {
			found[key{readText(in[attrPK]), readText(in[attrSK])}] = in
			vain = 0
		}
		want.Keys = out.UnprocessedKeys[*s.table].Keys
		if len(want.Keys) == 0 {
			return nil
		}
		if err := pause(ctx, max(vain, 1)); err != nil {
			return err
		}
	}
	return fault.Wrap(fault.Unavailable, "store-unavailable", errLeftOut)
}

// pause waits before the n-th repetition, or until ctx ends.
func pause(ctx context.Context, n int) error {
	timer := time.NewTimer(delay(n))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return translate("wait", ctx.Err())
	}
}
