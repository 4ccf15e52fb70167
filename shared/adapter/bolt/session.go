package bolt

import (
	"context"
	"fmt"

	"kefu/shared/core/account"
	"kefu/shared/core/fault"
	"kefu/shared/core/session"
)

func sessionKey(r session.Ref) key {
	return newKey().text(string(r.Account)).bare(string(r.Customer))
}

func idKey(id string) key { return newKey().text(id) }

// Session returns the current session of a customer, ended or not.
func (s *Store) Session(ctx context.Context, a account.ID, c account.Customer) (out session.Session, err error) {
	err = s.db.view(ctx, func(t *tx) error {
		raw := t.get(inSession, sessionKey(session.Ref{Account: a, Customer: c}))
		if raw == nil {
			return missing("session of", string(a)+"/"+string(c))
		}
		out, err = readSession(raw)
		return err
	})
	return out, err
}

// GlanceSession is Session: this engine's reads see everything at once.
func (s *Store) GlanceSession(ctx context.Context, a account.ID, c account.Customer) (session.Session, error) {
	return s.Session(ctx, a, c)
}

// SaveSession replaces a customer's session if its stored version is was.
func (s *Store) SaveSession(ctx context.Context, in session.Session, was int64) error {
	if was < 0 {
		return fault.Wrap(fault.Invalid, "bad-version", fmt.Errorf("version %d", was))
	}
	in.Version = was + 1
	stored := uint64(was)
	body, err := encode(in)
	if err != nil {
		return err
	}
	next := headOf(in, stored+1)
	at, record := sessionKey(in.Ref()), sessionRecord(next, body)
	return s.db.update(ctx, func(t *tx) error {
		var old *sessionHead
		if raw := t.get(inSession, at); raw != nil {
			h, _, err := readHead(raw)
			if err != nil {
				return err
			}
			old = &h
		}
		if (old == nil && was != 0) || (old != nil && old.version != stored) {
			return fault.Wrap(fault.Conflict, "stale-session", fmt.Errorf("session %q is not at version %d", in.ID, was))
		}
		return saveSession(t, at, record, old, next)
	})
}

// saveSession writes a session and moves it, and the one that it replaces, in the lists.
func saveSession(t *tx, at key, record []byte, old *sessionHead, next sessionHead) error {
	var shown, left, past *sessionHead
	switch {
	case old == nil, old.id != next.id:
		var err error
		if shown, err = archivedHead(t, next.id); err != nil {
			return err
		}
		if old == nil {
			break
		}
		left = old
		if past, err = archivedHead(t, old.id); err != nil {
			return err
		}
	default:
		shown = old
	}
	t.put(inSession, at, record)
	relist(t, shown, &next)
	if left != nil {
		// From now on the archive, if it has it, shows the session that was replaced.
		relist(t, left, past)
		t.delete(sessionByID, idKey(left.id))
	}
	if old == nil || left != nil {
		t.put(sessionByID, idKey(next.id), at)
	}
	redue(t, at, old, next)
	return nil
}

func archivedHead(t *tx, id string) (*sessionHead, error) {
	raw := t.get(inArchive, idKey(id))
	if raw == nil {
		return nil, nil
	}
	h, _, err := readHead(raw)
	return &h, err
}

// redue moves the conversation in the due index, if its time changed.
func redue(t *tx, at key, old *sessionHead, next sessionHead) {
	if old != nil && old.due.Equal(next.due) {
		return
	}
	if old != nil && !old.due.IsZero() {
		t.delete(sessionDue, newKey().time(old.due).plus(at))
	}
	if !next.due.IsZero() {
		t.put(sessionDue, newKey().time(next.due).plus(at), present)
	}
}

// ArchiveSession keeps a session that is about to be replaced. Of two archives of one id the newer version stays.
func (s *Store) ArchiveSession(ctx context.Context, in session.Session) error {
	body, err := encode(in)
	if err != nil {
		return err
	}
	next := headOf(in, uint64(max(in.Version, 0)))
	record := sessionRecord(next, body)
	return s.db.update(ctx, func(t *tx) error {
		old, err := archivedHead(t, next.id)
		if err != nil {
			return err
		}
		if old != nil && old.version > next.version {
			return nil
		}
		t.put(inArchive, idKey(next.id), record)
		if t.get(sessionByID, idKey(next.id)) == nil {
			relist(t, old, &next)
		}
		return nil
	})
}

// shownSession returns the record that stands for an id: the current session's, else the archive's; nil if there is
// none.
func shownSession(t *tx, id string) []byte {
	if at := t.get(sessionByID, idKey(id)); at != nil {
		return t.get(inSession, at)
	}
	return t.get(inArchive, idKey(id))
}

// SessionByID finds current and archived sessions.
func (s *Store) SessionByID(ctx context.Context, id session.ID) (out session.Session, err error) {
	err = s.db.view(ctx, func(t *tx) error {
		raw := shownSession(t, string(id))
		if raw == nil {
			return missing("session", string(id))
		}
		out, err = readSession(raw)
		return err
	})
	return out, err
}
