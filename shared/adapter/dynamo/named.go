package dynamo

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"kefu/shared/core/account"
	"kefu/shared/core/tenant"
)

// nameAccount makes sure that the account is among those that the tenant's lists go through: once per process, and
// once in its life as a write.
func (s *Store) nameAccount(ctx context.Context, of tenant.ID, id account.ID) error {
	name := string(of) + "/" + string(id)
	if s.known.account(name) {
		return nil
	}
	names, err := s.accountNames(ctx, of)
	if err != nil {
		return err
	}
	if !slices.Contains(names, id) {
		_, _, _, err = s.update(ctx, tenantAccountsKey(of), change{
			update:    "ADD " + attrNames + " :a",
			condition: condition{values: item{":a": &types.AttributeValueMemberSS{Value: []string{string(id)}}}},
		})
		if err != nil {
			return err
		}
	}
	s.known.noteAccount(name)
	return nil
}

// accountNames are the accounts that ever had a session of the tenant.
func (s *Store) accountNames(ctx context.Context, of tenant.ID) ([]account.ID, error) {
	return s.namesOf(ctx, of, false)
}

func (s *Store) namesOf(ctx context.Context, of tenant.ID, consistent bool) ([]account.ID, error) {
	in, err := s.get(ctx, tenantAccountsKey(of), consistent)
	if err != nil {
		return nil, err
	}
	set, ok := in[attrNames].(*types.AttributeValueMemberSS)
	if !ok {
		return nil, nil
	}
	names := make([]account.ID, 0, len(set.Value))
	for _, v := range set.Value {
		names = append(names, account.ID(v))
	}
	return names, nil
}
