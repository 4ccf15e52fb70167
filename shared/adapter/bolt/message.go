package bolt

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"kefu/shared/core/fault"
	"kefu/shared/core/message"
	"kefu/shared/core/session"
)

// messageKey is where the row of an id stands: with its session, in the order of its number. ok is false for a text
// that is no message id.
func messageKey(id message.ID) (k key, ok bool) {
	cut := strings.LastIndexByte(string(id), '-')
	if cut <= 0 {
		return nil, false
	}
	n, err := strconv.ParseUint(string(id[cut+1:]), 10, 63)
	if err != nil || strconv.FormatUint(n, 10) != string(id[cut+1:]) {
		return nil, false
	}
	return newKey().text(string(id[:cut])).num(n), true
}

// PutMessage stores a new row.
func (s *Store) PutMessage(ctx context.Context, m message.Message) error {
	k, ok := messageKey(m.ID)
	if !ok || m.ID != message.NewID(m.Session, m.N) {
		return fault.Wrap(fault.Invalid, "message-id",
			fmt.Errorf("message id %q is not that of number %d in session %q", m.ID, m.N, m.Session))
	}
	raw, err := encode(m)
	if err != nil {
		return err
	}
	return s.db.update(ctx, func(t *tx) error {
		if t.get(inMessage, k) != nil {
			return fault.Wrap(fault.Conflict, "message-exists", fmt.Errorf("message %q exists", m.ID))
		}
		t.put(inMessage, k, raw)
		return nil
	})
}

// Message returns a row.
func (s *Store) Message(ctx context.Context, id message.ID) (out message.Message, err error) {
	k, ok := messageKey(id)
	if !ok {
		return out, missing("message", string(id))
	}
	err = s.db.view(ctx, func(t *tx) error {
		m, ok, err := load[message.Message](t, inMessage, k, "message")
		if err == nil && !ok {
			err = missing("message", string(id))
		}
		out = m
		return err
	})
	return out, err
}

// Messages lists the rows of a session by number.
func (s *Store) Messages(ctx context.Context, id session.ID, cursor string, limit int) ([]message.Message, string, error) {
	return rows("messages", id).page(ctx, s.db, cursor, limit)
}

// rows is a list of the rows of a session; name tells its cursors from those of the other order.
func rows(name string, id session.ID) list[message.Message] {
	return list[message.Message]{
		bucket: inMessage, scope: newKey().text(name).text(string(id)), prefix: newKey().text(string(id)),
		read: func(_ *tx, _ key, v []byte) (message.Message, error) { return decode[message.Message]("message", v) },
	}
}

// NewestMessages lists the rows of a session by number, the last first.
func (s *Store) NewestMessages(ctx context.Context, id session.ID, cursor string, limit int) ([]message.Message, string, error) {
	l := rows("newest-messages", id)
	l.back = true
	return l.page(ctx, s.db, cursor, limit)
}

// SettleMessage writes how a message ended, once.
func (s *Store) SettleMessage(ctx context.Context, end message.Settlement) (wrote bool, err error) {
	k, ok := messageKey(end.Message)
	if !ok {
		return false, missing("message", string(end.Message))
	}
	err = s.db.update(ctx, func(t *tx) error {
		wrote = false
		m, ok, err := load[message.Message](t, inMessage, k, "message")
		if err != nil {
			return err
		}
		if !ok {
			return missing("message", string(end.Message))
		}
		m, wrote = m.Settle(end)
		if !wrote {
			return nil
		}
		raw, err := encode(m)
		if err != nil {
			return err
		}
		t.put(inMessage, k, raw)
		return nil
	})
	return wrote && err == nil, err
}
