package dynamo

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"kefu/shared/core/agent"
	"kefu/shared/core/fault"
	"kefu/shared/core/tenant"
)

// A key is two items: itself, found by its id, and an entry beside the agents, found by its agent. They come and go in
// one transaction: a key without its entry would outlive its agent, and nobody could take it away.

// PutKey stores a new key.
func (s *Store) PutKey(ctx context.Context, k agent.Key) error {
	body, err := pack(k)
	if err != nil {
		return err
	}
	it := apiKeyKey(k.ID).item()
	it[attrBody] = binary(body)
	_, was, err := s.transact(ctx, readText(it[attrPK]),
		types.TransactWriteItem{Put: &types.Put{TableName: s.table, Item: it, ConditionExpression: absent.expression()}},
		types.TransactWriteItem{Put: &types.Put{TableName: s.table, Item: agentKeyEntry(k.Tenant, k.Agent, k.ID).item()}},
	)
	if err != nil {
		return err
	}
	if was {
		return fault.Wrap(fault.Conflict, "key-exists", fmt.Errorf("key %q exists", k.ID))
	}
	return nil
}

// Key returns a key by its public part.
func (s *Store) Key(ctx context.Context, id string) (k agent.Key, err error) {
	it, err := s.get(ctx, apiKeyKey(id), true)
	if err != nil {
		return agent.Key{}, err
	}
	if it == nil {
		return agent.Key{}, missing("key", id)
	}
	if err := unpack("key", readBinary(it[attrBody]), &k); err != nil {
		return agent.Key{}, err
	}
	return k, nil
}

// DeleteKey removes a key of the named agent; agent "" has the keys of the tenant itself.
func (s *Store) DeleteKey(ctx context.Context, of tenant.ID, a agent.ID, id string) error {
	entry := s.deletion(agentKeyEntry(of, a, id))
	exists := "attribute_exists(" + attrPK + ")"
	entry.Delete.ConditionExpression = &exists
	at := apiKeyKey(id)
	_, was, err := s.transact(ctx, at.pk, s.deletion(at), entry)
	if err != nil {
		return err
	}
	if was {
		return missing("key", id)
	}
	return nil
}

// keysAtOnce is how many keys, two items each, one transaction removes: DynamoDB takes 100 items.
const keysAtOnce = 50

// deleteKeysOf removes all keys of an agent.
func (s *Store) deleteKeysOf(ctx context.Context, of tenant.ID, a agent.ID) error {
	var names []string
	prefix := agentKeysOf(a)
	err := s.beside(ctx, of, prefix, "", 0, func(it item) error {
		names = append(names, strings.TrimPrefix(readText(it[attrSK]), prefix))
		return nil
	})
	if err != nil {
		return err
	}
	for chunk := range slices.Chunk(names, keysAtOnce) {
		var writes []types.TransactWriteItem
		for _, name := range chunk {
			writes = append(writes, s.deletion(apiKeyKey(name)), s.deletion(agentKeyEntry(of, a, name)))
		}
		if _, _, err := s.transact(ctx, agentsOf(of), writes...); err != nil {
			return err
		}
	}
	return nil
}

// deletion is a part of a transaction.
func (s *Store) deletion(at key) types.TransactWriteItem {
	return types.TransactWriteItem{Delete: &types.Delete{TableName: s.table, Key: at.item()}}
}
