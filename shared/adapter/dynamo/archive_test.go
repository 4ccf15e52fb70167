package dynamo

import (
	"testing"

	"kefu/shared/core/session"
)

// TestOfTwoArchivesTheNewerStays archives in both orders, before and after the save that replaces the session.
func TestOfTwoArchivesTheNewerStays(t *testing.T) {
	t.Parallel()
	older, newer := aSession("o", "s1", session.Expired), aSession("o", "s1", session.Closed)
	older.Version, newer.Version = 2, 3
	for what, order := range map[string][]session.Session{"older first": {older, newer}, "newer first": {newer, older}} {
		for replaced := range len(order) + 1 {
			s := newStore(t)
			must(t, s.SaveSession(t.Context(), aSession("o", "s1", session.Bot), 0))
			for was := range int64(2) {
				must(t, s.SaveSession(t.Context(), aSession("o", "s1", session.Bot), was+1))
			}
			for i, v := range order {
				if i == replaced {
					must(t, s.SaveSession(t.Context(), aSession("o", "s2", session.Bot), 3))
				}
				must(t, s.ArchiveSession(t.Context(), v))
			}
			if replaced == len(order) {
				must(t, s.SaveSession(t.Context(), aSession("o", "s2", session.Bot), 3))
			}
			got, err := s.SessionByID(t.Context(), "s1")
			must(t, err)
			wantSame(t, what, got, newer)
			wantSame(t, what+", listed", ids(t, s, session.Query{State: session.Closed}), []string{"s1 closed"})
		}
	}
}
