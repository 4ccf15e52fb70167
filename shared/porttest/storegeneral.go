package porttest

import (
	"context"
	"strings"
	"testing"

	"kefu/shared/core/account"
	"kefu/shared/core/agent"
	"kefu/shared/core/fault"
	"kefu/shared/core/message"
	"kefu/shared/core/replay"
	"kefu/shared/core/session"
	"kefu/shared/core/tenant"
)

// generalClauses are those of the whole contract.
var generalClauses = []storeClause{
	{"what is not there is NotFound", func(t *testing.T, s storeCase) {
		ctx := t.Context()
		for name, call := range map[string]func() error{
			"Tenant":        func() error { _, err := s.Tenant(ctx, "x"); return err },
			"Account":       func() error { _, err := s.Account(ctx, "x"); return err },
			"SetRouting":    func() error { return s.SetRouting(ctx, "x", account.Routing{}) },
			"DeleteAccount": func() error { return s.DeleteAccount(ctx, "x") },
			"Agent":         func() error { _, err := s.Agent(ctx, "t", "x"); return err },
			"SetStatus":     func() error { _, err := s.SetStatus(ctx, "t", "x", agent.Online, sec(1), sec(2)); return err },
			"DeleteAgent":   func() error { return s.DeleteAgent(ctx, "t", "x") },
			"Key":           func() error { _, err := s.Key(ctx, "x"); return err },
			"DeleteKey":     func() error { return s.DeleteKey(ctx, "t", "a", "x") },
			"Session":       func() error { _, err := s.Session(ctx, "a", "x"); return err },
			"SessionByID":   func() error { _, err := s.SessionByID(ctx, "x"); return err },
			"Message":       func() error { _, err := s.Message(ctx, "x-1"); return err },
			"Message, odd":  func() error { _, err := s.Message(ctx, "no message id"); return err },
			"SettleMessage": func() error { _, err := s.SettleMessage(ctx, message.Settlement{Message: "x-1"}); return err },
			"Seen":          func() error { _, err := s.Seen(ctx, "a", "x"); return err },
			"RecordDrop":    func() error { return s.RecordDrop(ctx, "a", "x", sec(1)) },
			"Token":         func() error { _, err := s.Token(ctx, aCredential("x")); return err },
			"Media":         func() error { _, err := s.Media(ctx, "x"); return err },
			"Blob":          func() error { _, err := s.Blob(ctx, "x"); return err },
		} {
			wantKind(t, name, call(), fault.NotFound)
		}
	}},
	{"zero lists are empty", func(t *testing.T, s storeCase) {
		for name, l := range s.lists("") {
			n, next, err := l(t.Context())
			if n != 0 || next != "" || err != nil {
				t.Errorf("%s: got %d items, cursor %q, error %v; want nothing", name, n, next, err)
			}
		}
		if agents, err := s.AgentsOf(t.Context(), "t", "a"); len(agents) != 0 || err != nil {
			t.Errorf("AgentsOf: got %v, error %v; want none", agents, err)
		}
		if ids, err := s.DueMedia(t.Context(), sec(1), 10); len(ids) != 0 || err != nil {
			t.Errorf("DueMedia: got %v, error %v; want none", ids, err)
		}
	}},
	{"a foreign cursor is Invalid", func(t *testing.T, s storeCase) {
		for _, cursor := range []string{"x", "!", "garbage", "AAAAAAAAAAAAAAAAAAAAAAAA", "../../..", "\x00", strings.Repeat("A", 5000)} {
			for name, l := range s.lists(cursor) {
				_, _, err := l(t.Context())
				wantCode(t, name+" from cursor "+cursor[:min(8, len(cursor))], err, fault.Invalid, "bad-cursor")
			}
		}
	}},
	{"a cancelled call is Unavailable and does nothing", func(t *testing.T, s storeCase) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := s.PutTenant(ctx, tenant.Tenant{ID: "t"})
		wantKind(t, "PutTenant", err, fault.Unavailable)
		_, err = s.Tenant(ctx, "t")
		wantKind(t, "Tenant", err, fault.Unavailable)
		wantKind(t, "PutBlob", s.PutBlob(ctx, "b", []byte("b")), fault.Unavailable)
		_, err = s.Tenant(t.Context(), "t")
		wantKind(t, "Tenant after it", err, fault.NotFound)
	}},
	{"a value that is passed in is not kept", valuesPassed},
	{"a value that is returned is the caller's", valuesReturned},
}

// lists are all lists that have a cursor.
func (s storeCase) lists(cursor string) map[string]func(context.Context) (int, string, error) {
	return map[string]func(context.Context) (int, string, error){
		"Accounts": func(ctx context.Context) (int, string, error) {
			l, next, err := s.Accounts(ctx, "t", cursor, 10)
			return len(l), next, err
		},
		"Agents": func(ctx context.Context) (int, string, error) {
			l, next, err := s.Agents(ctx, "t", cursor, 10)
			return len(l), next, err
		},
		"Sessions": func(ctx context.Context) (int, string, error) {
			l, next, err := s.Sessions(ctx, session.Query{Tenant: "t", Cursor: cursor, Limit: 10})
			return len(l), next, err
		},
		"Sessions, queued": func(ctx context.Context) (int, string, error) {
			l, next, err := s.Sessions(ctx, session.Query{Tenant: "t", State: session.Queued, Cursor: cursor, Limit: 10})
			return len(l), next, err
		},
		"Due": func(ctx context.Context) (int, string, error) {
			l, next, err := s.Due(ctx, sec(100), cursor, 10)
			return len(l), next, err
		},
		"Messages": func(ctx context.Context) (int, string, error) {
			l, next, err := s.Messages(ctx, "s", cursor, 10)
			return len(l), next, err
		},
		"NewestMessages": func(ctx context.Context) (int, string, error) {
			l, next, err := s.NewestMessages(ctx, "s", cursor, 10)
			return len(l), next, err
		},
		"RawPushes": func(ctx context.Context) (int, string, error) {
			l, next, err := s.RawPushes(ctx, "a", cursor, 10)
			return len(l), next, err
		},
	}
}

func valuesPassed(t *testing.T, s storeCase) {
	ctx := t.Context()
	ses, kept := aSession("a", "c", "s", sec(1)), aSession("a", "c", "s", sec(1))
	must(t, s.SaveSession(ctx, ses, 0))
	ses.Recent[0].Key, ses.Outbox[0].N, ses.Flight.Took, ses.Window.Took[0].N = "changed", 99, "changed", 99
	kept.Version = 1
	wantEqual(t, "session", got[session.Session](t)(s.Session(ctx, "a", "c")), kept)

	msg := aMessage("s", 1)
	must(t, s.PutMessage(ctx, msg))
	msg.Raw[0], msg.Content.Text.Content = 77, "changed"
	wantEqual(t, "message", got[message.Message](t)(s.Message(ctx, msg.ID)), aMessage("s", 1))

	a := anAgent("t", "a", "x", "y")
	_, err := s.PutAgent(ctx, a)
	must(t, err)
	a.Accounts[0] = "changed"
	wantEqual(t, "agent", got[agent.Agent](t)(s.Agent(ctx, "t", "a")), anAgent("t", "a", "x", "y"))

	body := []byte("answer")
	must(t, s.FinishCall(ctx, "t", replay.Call{Key: "k", Done: true, Body: body, ExpiresAt: sec(60)}))
	body[0] = 'X'
	c, _, err := s.BeginCall(ctx, "t", replay.Call{Key: "k"}, sec(1))
	must(t, err)
	wantEqual(t, "call", string(c.Body), "answer")

	blob := []byte("bytes")
	must(t, s.PutBlob(ctx, "b", blob))
	blob[0] = 'X'
	wantEqual(t, "blob", string(got[[]byte](t)(s.Blob(ctx, "b"))), "bytes")
}

func valuesReturned(t *testing.T, s storeCase) {
	ctx := t.Context()
	kept := aSession("a", "c", "s", sec(1))
	must(t, s.SaveSession(ctx, kept, 0))
	kept.Version = 1
	ses := got[session.Session](t)(s.Session(ctx, "a", "c"))
	ses.Recent[0].Key, ses.Outbox[0].N, ses.Flight.Took = "changed", 99, "changed"
	wantEqual(t, "session", got[session.Session](t)(s.Session(ctx, "a", "c")), kept)

	acc := anAccount("t", "a")
	acc.Settings.Routing.Handoff.Keywords = []string{"a"}
	_, err := s.PutAccount(ctx, acc)
	must(t, err)
	back := got[account.Account](t)(s.Account(ctx, "a"))
	back.Settings.Grants[0].Limit, back.Settings.Routing.Handoff.Keywords[0] = 99, "X"
	wantEqual(t, "account", got[account.Account](t)(s.Account(ctx, "a")), acc)

	must(t, s.PutMessage(ctx, aMessage("s", 1)))
	msg := got[message.Message](t)(s.Message(ctx, "s-1"))
	msg.Raw[0] = 77
	wantEqual(t, "message", got[message.Message](t)(s.Message(ctx, "s-1")), aMessage("s", 1))

	must(t, s.PutBlob(ctx, "b", []byte("bytes")))
	got[[]byte](t)(s.Blob(ctx, "b"))[0] = 'X'
	wantEqual(t, "blob", string(got[[]byte](t)(s.Blob(ctx, "b"))), "bytes")
}
