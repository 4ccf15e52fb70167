package bolt

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"kefu/shared/core/account"
	"kefu/shared/core/agent"
	"kefu/shared/core/fault"
	"kefu/shared/core/session"
)

// After any run of saves and archives every index holds exactly what the shown sessions ask for: nothing is missing,
// and nothing lies about that no reader would ever notice.
func TestSessionIndexesHoldNoMoreAndNoLess(t *testing.T) {
	t.Parallel()
	d := fresh(t, Options{})
	d.bolt.NoSync = true // thousands of commits, and no crash in this test
	rapid.Check(t, func(rt *rapid.T) {
		clearSessions(t, d)
		opened := 0
		var known []session.Session // what a caller may still hold in its hands
		rt.Repeat(map[string]func(*rapid.T){
			"save": func(rt *rapid.T) {
				opened++
				s := drawSession(rt, session.ID(fmt.Sprintf("s%d", opened)))
				was := int64(0)
				if cur, err := d.Store().Session(t.Context(), s.Account, s.Customer); err == nil {
					was = cur.Version
					known = append(known, cur)
					if rapid.Bool().Draw(rt, "goes on") {
						s.ID = cur.ID
					}
				}
				if rapid.IntRange(0, 5).Draw(rt, "stale") == 0 {
					was++
				}
				if err := d.Store().SaveSession(t.Context(), s, was); err != nil && fault.KindOf(err) != fault.Conflict {
					rt.Fatalf("SaveSession: got error %v; want none or conflict", err)
				}
			},
			"archive": func(rt *rapid.T) {
				if len(known) == 0 {
					return
				}
				s := rapid.SampledFrom(known).Draw(rt, "known")
				s.State, s.DueAt = rapid.SampledFrom([]session.State{session.Closed, session.Queued}).Draw(rt, "ended"), time.Time{}
				if err := d.Store().ArchiveSession(t.Context(), s); err != nil {
					rt.Fatalf("ArchiveSession: got error %v; want none", err)
				}
			},
			"": func(rt *rapid.T) { checkIndexes(t, rt, d) },
		})
	})
}

// clearSessions makes the file as good as new.
func clearSessions(t *testing.T, d *DB) {
	t.Helper()
	err := d.update(t.Context(), func(tx *tx) error {
		for _, b := range []bucket{inSession, inArchive, sessionByID, sessionLists, sessionDue} {
			var keys []key
			for k := range tx.scan(b, nil, nil) {
				keys = append(keys, slices.Clone(k))
			}
			for _, k := range keys {
				tx.delete(b, k)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatalf("clear: got error %v; want none", err)
	}
}

func drawSession(rt *rapid.T, id session.ID) session.Session {
	at := func(what string) time.Time { return time.Unix(rapid.Int64Range(1, 4).Draw(rt, what), 0).UTC() }
	s := session.Session{
		ID: id, Tenant: "t", Account: account.ID(rapid.SampledFrom([]string{"a", "b"}).Draw(rt, "account")),
		Customer: account.Customer(rapid.SampledFrom([]string{"o1", "o2"}).Draw(rt, "customer")),
		State:    rapid.SampledFrom([]session.State{session.Bot, session.Queued, session.Serving, session.Expired}).Draw(rt, "state"),
		Agent:    agent.ID(rapid.SampledFrom([]string{"", "li", "wu"}).Draw(rt, "agent")), OpenedAt: at("opened"),
	}
	if s.State == session.Queued {
		s.QueuedAt, s.Priority = at("queued"), rapid.IntRange(0, 2).Draw(rt, "priority")
	}
	if rapid.Bool().Draw(rt, "due") {
		s.DueAt = at("due at")
	}
	return s
}

// checkIndexes compares the indexes with those of all records that are shown.
func checkIndexes(t *testing.T, rt *rapid.T, d *DB) {
	t.Helper()
	var wantLists, wantDue, wantIDs, lists, due, ids []string
	err := d.view(t.Context(), func(tx *tx) error {
		for _, b := range []bucket{inSession, inArchive} {
			for k, v := range tx.scan(b, nil, nil) {
				h, _, err := readHead(v)
				if err != nil {
					return err
				}
				current := string(b) == string(inSession)
				if !current && tx.get(sessionByID, idKey(h.id)) != nil {
					continue // the current one stands for it
				}
				for _, l := range h.listKeys() {
					wantLists = append(wantLists, string(l))
				}
				if current {
					wantIDs = append(wantIDs, string(idKey(h.id)))
				}
				if current && !h.due.IsZero() {
					wantDue = append(wantDue, string(newKey().time(h.due).plus(k)))
				}
			}
		}
		for b, list := range map[string]*[]string{string(sessionLists): &lists, string(sessionDue): &due, string(sessionByID): &ids} {
			for k := range tx.scan(bucket(b), nil, nil) {
				*list = append(*list, string(k))
			}
		}
		return nil
	})
	if err != nil {
		rt.Fatalf("view: got error %v; want none", err)
	}
	for name, pair := range map[string][2][]string{"lists": {wantLists, lists}, "due": {wantDue, due}, "ids": {wantIDs, ids}} {
		slices.Sort(pair[0])
		if !slices.Equal(pair[0], pair[1]) {
			rt.Fatalf("index of %s: got %q; want %q", name, pair[1], pair[0])
		}
	}
}
