package dynamo

import (
	"context"

	"kefu/shared/core/account"
	"kefu/shared/core/session"
)

// Session returns the current session of a customer, ended or not.
func (s *Store) Session(ctx context.Context, a account.ID, c account.Customer) (session.Session, error) {
	return s.current(ctx, session.Ref{Account: a, Customer: c}, true)
}

// GlanceSession is Session at half the price, by a read that may miss what was saved just now.
func (s *Store) GlanceSession(ctx context.Context, a account.ID, c account.Customer) (session.Session, error) {
	return s.current(ctx, session.Ref{Account: a, Customer: c}, false)
}

func (s *Store) current(ctx context.Context, r session.Ref, consistent bool) (session.Session, error) {
	in, err := s.get(ctx, conversationKey(r), consistent)
	if err != nil {
		return session.Session{}, err
	}
	if in == nil {
		return session.Session{}, missing("session of", string(r.Account)+"/"+string(r.Customer))
	}
	out, err := s.readConversation(ctx, r, in)
	if err != nil {
		return session.Session{}, err
	}
	s.known.note(r, storedOf(out, in)) // the save that follows will ask
	return out, nil
}

// SessionByID finds current and archived sessions. What the session's own item says counts only after its conversation
// has been seen to stand in another session, or to be gone.
func (s *Store) SessionByID(ctx context.Context, id session.ID) (session.Session, error) {
	in, err := s.get(ctx, sessionKey(id), true)
	if err != nil {
		return session.Session{}, err
	}
	if in != nil && in[attrGone] == nil {
		_, r, ok := readPlace(readText(in[attrOrder]))
		if !ok {
			return session.Session{}, broken("session", errPlace)
		}
		now, err := s.get(ctx, conversationKey(r), true)
		if err != nil {
			return session.Session{}, err
		}
		if v, ok, err := s.readCurrent(ctx, id, r, now); ok || err != nil {
			return v, err
		}
		if in, err = s.get(ctx, sessionKey(id), true); err != nil {
			return session.Session{}, err
		}
	}
	if in == nil {
		return session.Session{}, missing("session", string(id))
	}
	return s.readShown(ctx, in)
}

// readCurrent reads the session of that id from a conversation's item, if it is what the conversation stands in.
func (s *Store) readCurrent(ctx context.Context, id session.ID, r session.Ref, in item) (v session.Session, ok bool, err error) {
	if len(in) == 0 {
		return session.Session{}, false, nil
	}
	if v, err = s.readConversation(ctx, r, in); err != nil || v.ID != id {
		return session.Session{}, false, err
	}
	return v, true, nil
}
