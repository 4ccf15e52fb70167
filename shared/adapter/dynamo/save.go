package dynamo

import (
	"context"
	"fmt"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"kefu/shared/core/fault"
	"kefu/shared/core/session"
)

// save is one call of SaveSession.
type save struct {
	session session.Session
	was     int64
	keys    item                 // its place in the lists
	lists   []byte               // digest of that
	by      types.AttributeValue // recognises a write whose answer was lost
	item    item                 // the conversation's
}

// saveTries bounds how often what is known is corrected; two is one too many unless others change it meanwhile.
const saveTries = 4

// SaveSession replaces a customer's session if its stored version is was.
//
// While the session keeps its place in the lists that is one write of one item. When it opens, or moves, it is a
// transaction of two: the lists are indexes on the session's own item, whose keys must not depend on a second write
// that a crash can prevent, since a queued session that is missing from the queue would wait for ever. When it
// replaces another one, that one's item takes part as well, see leave.
func (s *Store) SaveSession(ctx context.Context, in session.Session, was int64) error {
	if was < 0 {
		return fault.Wrap(fault.Invalid, "bad-version", fmt.Errorf("version %d", was))
	}
	if p := placeOf(in); len(p) >= maxSK || !utf8.ValidString(p) {
		return fault.New(fault.Invalid, "bad-customer", "The customer's name is too long, or is no text.")
	}
	in.Version = was + 1
	w := save{session: in, was: was, keys: listKeys(in), by: nonce()}
	w.lists = listSum(w.keys)
	var err error
	if w.item, err = s.conversationItem(ctx, in, w.lists, w.by); err != nil {
		return err
	}
	old, sure := s.known.session(in.Ref(), was)
	if was == 0 {
		old, sure = stored{}, true
	}
	for range saveTries {
		stood, refused, err := s.trySave(ctx, w, old, sure)
		if err != nil {
			return err
		}
		if !refused {
			s.known.note(in.Ref(), stored{version: in.Version, id: in.ID, lists: string(w.lists)})
			return nil
		}
		if old, err = s.standing(ctx, w, stood); err != nil {
			return err
		}
		sure = true
	}
	return fault.Wrap(fault.Unavailable, "store-contention", fmt.Errorf("session %q changes all the time", in.ID))
}

// trySave saves as is right if old is what stands. If nothing is known of it, it supposes that the lists don't change.
func (s *Store) trySave(ctx context.Context, w save, old stored, sure bool) (stood item, refused bool, err error) {
	if !sure || old.lists == string(w.lists) {
		stood, refused, err = s.put(ctx, w.item, w.stands(string(w.lists)))
	} else {
		stood, refused, err = s.saveLists(ctx, w, old)
	}
	return stood, refused && !mine(stood, w.by), err
}

// standing finds out what a save that was refused has to replace; Conflict if it is another version.
func (s *Store) standing(ctx context.Context, w save, stood item) (stored, error) {
	r := w.session.Ref()
	stale := fault.Wrap(fault.Conflict, "stale-session", fmt.Errorf("session %q is not at version %d", w.session.ID, w.was))
	if readText(stood[attrPK]) != conversationKey(r).pk {
		// The conversation isn't there, or it wasn't what refused.
		var err error
		if stood, err = s.get(ctx, conversationKey(r), true); err != nil {
			return stored{}, err
		}
	}
	switch {
	case len(stood) == 0 && w.was == 0:
		return stored{}, nil
	case len(stood) == 0, readNumber(stood[attrVersion]) != w.was:
		return stored{}, stale
	}
	v, err := s.readConversation(ctx, r, stood)
	return storedOf(v, stood), err
}

// stands holds if the conversation is at the version that is to be replaced, and in these lists.
func (w save) stands(lists string) condition {
	if w.was == 0 {
		return absent
	}
	return condition{
		expr:   attrVersion + " = :v AND " + attrLists + " = :l",
		values: item{":v": number(w.was), ":l": binary([]byte(lists))},
	}
}

// saveLists saves a session that opens or moves between lists.
func (s *Store) saveLists(ctx context.Context, w save, old stored) (stood item, refused bool, err error) {
	in := w.session
	shown, err := s.sessionItem(ctx, in, w.keys)
	if err != nil {
		return nil, false, err
	}
	first := w.stands(old.lists)
	writes := []types.TransactWriteItem{{Put: s.putting(w.item, first)}, {Put: s.putting(shown, condition{})}}
	if old.id != in.ID {
		if err := s.nameAccount(ctx, in.Tenant, in.Account); err != nil {
			return nil, false, err
		}
	}
	if old.id != "" && old.id != in.ID {
		left, ok, err := s.leave(ctx, old.id)
		if err != nil {
			return nil, false, err
		}
		if ok {
			writes = append(writes, left)
		}
	}
	return s.transact(ctx, conversationKey(in.Ref()).pk, writes...)
}

func (s *Store) putting(in item, c condition) *types.Put {
	return &types.Put{
		TableName: s.table, Item: in, ConditionExpression: c.expression(), ExpressionAttributeNames: c.names,
		ExpressionAttributeValues: c.values, ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	}
}
