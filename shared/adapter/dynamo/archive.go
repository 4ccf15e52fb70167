package dynamo

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"kefu/shared/core/fault"
	"kefu/shared/core/session"
)

// ArchiveSession keeps a session that is about to be replaced, in the session's own item. Its lists stay as they are
// until the save that replaces it, which moves it to those of the archived state (see leave). Of two archives of one
// id the newer version stays.
func (s *Store) ArchiveSession(ctx context.Context, in session.Session) error {
	packed, err := pack(in)
	if err != nil {
		return err
	}
	a := archive{session: in, keys: listKeys(in), body: item{}}
	if err := s.setBody(ctx, sessionKey(in.ID), a.body, packed); err != nil {
		return err
	}
	for range saveTries {
		done, err := s.tryArchive(ctx, a)
		if done || err != nil {
			return err
		}
	}
	return fault.Wrap(fault.Unavailable, "store-contention", fmt.Errorf("session %q changes all the time", in.ID))
}

// archive is one call of ArchiveSession.
type archive struct {
	session session.Session
	keys    item
	body    item // the attributes that hold it
}

// tryArchive goes by the usual case, a session that is current. What stands instead tells of the others.
func (s *Store) tryArchive(ctx context.Context, a archive) (done bool, err error) {
	at := sessionKey(a.session.ID)
	_, stood, refused, err := s.update(ctx, at, a.change(false))
	switch {
	case err != nil || !refused:
		return err == nil, err
	case len(stood) == 0:
		// No conversation stands in it any more: it shows at once.
		whole := at.item()
		for _, part := range []item{a.keys, a.body} {
			for name, v := range part {
				whole[name] = v
			}
		}
		whole[attrHistory], whole[attrArchive], whole[attrGone] = number(a.session.Version), number(1), number(1)
		_, refused, err = s.put(ctx, whole, absent)
	case readNumber(stood[attrHistory]) > a.session.Version:
		return true, nil
	default:
		_, _, refused, err = s.update(ctx, at, a.change(true))
	}
	return err == nil && !refused, err
}

// change is the update of an item whose session is current; or gone, then the lists show the archive already.
func (a archive) change(gone bool) change {
	stands := "attribute_not_exists"
	if gone {
		stands = "attribute_exists"
	}
	e := editIf("attribute_exists(#"+attrPK+") AND "+stands+"(#"+attrGone+") AND #"+attrHistory+" <= :"+attrHistory, nil)
	e.attr(attrHistory, number(a.session.Version))
	e.attr(attrArchive, number(1))
	e.replace(a.body, attrBody, attrSpilled)
	if gone {
		e.replace(a.keys, listAttrs...)
	}
	return e.change()
}

// leave is what becomes of a session's item in the save that replaces the session: the archive shows from then on; one
// that nobody archived is gone. What it read is the condition of what it writes. Ok is false if there is nothing to do.
func (s *Store) leave(ctx context.Context, id session.ID) (write types.TransactWriteItem, ok bool, err error) {
	in, err := s.get(ctx, sessionKey(id), true)
	if err != nil || in == nil {
		return write, false, err
	}
	at := sessionKey(id).item()
	if in[attrArchive] == nil {
		c := editIf("attribute_not_exists(#"+attrArchive+")", nil).change()
		return types.TransactWriteItem{Delete: &types.Delete{
			TableName: s.table, Key: at, ConditionExpression: c.expression(), ExpressionAttributeNames: c.names,
		}}, true, nil
	}
	var shown session.Session
	if err := s.body(ctx, "session", in, &shown); err != nil {
		return write, false, err
	}
	e := editIf("attribute_exists(#"+attrArchive+") AND #"+attrHistory+" = :read", item{":read": in[attrHistory]})
	e.attr(attrGone, number(1))
	e.replace(listKeys(shown), listAttrs...)
	c := e.change()
	return types.TransactWriteItem{Update: &types.Update{
		TableName: s.table, Key: at, UpdateExpression: &c.update, ConditionExpression: c.expression(),
		ExpressionAttributeNames: c.names, ExpressionAttributeValues: c.values,
	}}, true, nil
}

// readShown makes a session of its own item, for when no conversation stands in it. If nobody has archived it, its
// conversation was deleted a week after there was nothing more to come; what the item says is then how the session
// ended, or, had the sweep been down all the time, that it must have run out.
func (s *Store) readShown(ctx context.Context, in item) (out session.Session, err error) {
	if len(in) == 0 {
		return out, broken("session", errors.New("its item is gone"))
	}
	if err := s.body(ctx, "session", in, &out); err != nil {
		return session.Session{}, err
	}
	if in[attrArchive] == nil && out.State.Active() {
		out.State = session.Expired
	}
	return out, nil
}
