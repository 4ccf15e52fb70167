package dynamo

import (
	"context"
	"slices"
	"time"

	"kefu/shared/core/replay"
	"kefu/shared/core/tenant"
)

// BeginCall stores the record of a first call, unless another stands in the way. It is one conditional write, and the
// refusal brings what stands there.
func (s *Store) BeginCall(ctx context.Context, of tenant.ID, c replay.Call, now time.Time) (found replay.Call, begun bool, err error) {
	it, err := s.callItem(ctx, of, c)
	if err != nil {
		return replay.Call{}, false, err
	}
	stood, was, err := s.put(ctx, it, condition{
		// Not replay.Call.Blocks, in DynamoDB's words.
		expr:   "attribute_not_exists(" + attrPK + ") OR " + attrUntil + " <= :now OR " + attrLease + " <= :now",
		values: item{":now": moment(now)},
	})
	if err != nil {
		return replay.Call{}, false, err
	}
	if !was || mine(stood, it[attrWrite]) {
		c.Body = slices.Clone(c.Body)
		return c, true, nil
	}
	if found.Body, err = s.bodyBoth(ctx, "call", stood, &found); err != nil {
		return replay.Call{}, false, err
	}
	return found, false, nil
}

// FinishCall replaces the record of a call.
func (s *Store) FinishCall(ctx context.Context, of tenant.ID, c replay.Call) error {
	it, err := s.callItem(ctx, of, c)
	if err != nil {
		return err
	}
	_, _, err = s.put(ctx, it, condition{})
	return err
}

// AbandonCall removes the record of a call.
func (s *Store) AbandonCall(ctx context.Context, of tenant.ID, k string) error {
	return s.remove(ctx, callKey(of, k), condition{})
}

// callItem makes the record of a call. One that is done has no lease: no comparison holds for what isn't there.
func (s *Store) callItem(ctx context.Context, of tenant.ID, c replay.Call) (item, error) {
	at := callKey(of, c.Key)
	it := at.item()
	it[attrWrite], it[attrUntil], it[attrTTL] = nonce(), moment(c.ExpiresAt), lifetime(c.ExpiresAt)
	if !c.Done {
		it[attrLease] = moment(c.LeaseUntil)
	}
	body := c.Body
	c.Body = nil // its bytes follow the rest as they are
	packed, err := packBoth(c, body)
	if err != nil {
		return nil, err
	}
	return it, s.setBody(ctx, at, it, packed)
}
