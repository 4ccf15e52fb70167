package dynamo

import (
	"fmt"
	"testing"
	"time"

	"kefu/shared/core/account"
	"kefu/shared/core/agent"
	"kefu/shared/core/fault"
	"kefu/shared/core/message"
	"kefu/shared/core/replay"
	"kefu/shared/core/session"
	"kefu/shared/core/tenant"
)

var start = time.Date(2026, 11, 22, 8, 0, 0, 123_456_789, time.UTC)

func after(d time.Duration) time.Time { return start.Add(d) }

func anAccount(of tenant.ID, id account.ID) account.Account {
	return account.Account{
		ID: id, Tenant: of, Channel: account.MiniProgram, AppID: "wx0123456789abcdef", Mode: account.Secure, Format: account.JSON,
		Token: "sign-with-this-token", AESKey: "aozyxq4R650BCa5DxPYsLsBF2fPPCyUnOo8Ni0Whbc0", AESKeyPrevious: "rveUEcRZy6I2qWdY1qfru2nlYZAUDk6U2qmtiScUTGG",
		AppSecret: "fetch-with-this-secret", CreatedAt: start, UpdatedAt: start,
	}
}

func anAgent(of tenant.ID, id agent.ID, bound ...account.ID) agent.Agent {
	return agent.Agent{ID: id, Tenant: of, Name: "李", Role: agent.RoleAgent, Accounts: bound, Capacity: 10, Status: agent.Online, CreatedAt: start}
}

func aKey(of tenant.ID, a agent.ID, id string) agent.Key {
	return agent.Key{ID: id, Hash: [32]byte{7, 31: 9}, Tenant: of, Agent: a, CreatedAt: start}
}

func aCall(key string) replay.Call {
	return replay.Call{Key: key, Fingerprint: "fp", LeaseUntil: after(time.Minute), ExpiresAt: after(24 * time.Hour)}
}

// journey calls every method of a store for tenants, agents, memory, tokens and files, and tells all answers. It asks
// for nothing that an index shows only in a while.
func journey(t *testing.T, s *Store) (told []string) {
	t.Helper()
	ctx := t.Context()
	tell := func(what string, err error, answers ...any) {
		if err != nil {
			answers = append(answers, fault.KindOf(err), fault.CodeOf(err))
		}
		told = append(told, what+": "+fmt.Sprint(answers...))
	}

	for range 2 {
		created, err := s.PutTenant(ctx, tenant.Tenant{ID: "t", Name: "一", CreatedAt: start})
		tell("PutTenant", err, created)
	}
	found, err := s.Tenant(ctx, "t")
	tell("Tenant", err, found)

	for _, of := range []tenant.ID{"t", "t", "u"} {
		created, err := s.PutAccount(ctx, anAccount(of, "shop"))
		tell("PutAccount", err, created)
	}
	tell("SetRouting", s.SetRouting(ctx, "shop", account.Routing{Assign: account.Assign{AutoAbove: 3}}))
	a, err := s.Account(ctx, "shop")
	tell("Account", err, a, a.Token.Reveal())
	tell("DeleteAccount", s.DeleteAccount(ctx, "shop"))
	tell("DeleteAccount", s.DeleteAccount(ctx, "shop"))

	told = append(told, agentJourney(t, s)...)

	for range 2 {
		tell("MarkSeen", s.MarkSeen(ctx, "shop", message.Seen{Key: "k", Message: "s-1", FirstAt: start}))
		tell("RecordDrop", s.RecordDrop(ctx, "shop", "k", after(time.Second)))
	}
	seen, err := s.Seen(ctx, "shop", "k")
	tell("Seen", err, seen)
	for range 2 {
		tell("KeepRaw", s.KeepRaw(ctx, message.RawPush{Push: message.Push{Account: "shop", Key: "k", Body: []byte("x"), ReceivedAt: start}}))
	}

	for range 2 {
		c, begun, err := s.BeginCall(ctx, "t", aCall("k"), start)
		tell("BeginCall", err, c, begun)
	}
	tell("FinishCall", s.FinishCall(ctx, "t", replay.Call{Key: "k", Done: true, Status: 202, ExpiresAt: after(time.Hour)}))
	c, begun, err := s.BeginCall(ctx, "t", aCall("k"), start)
	tell("BeginCall", err, c, begun)
	tell("AbandonCall", s.AbandonCall(ctx, "t", "k"))

	for range 2 {
		tell("LeaseToken", s.LeaseToken(ctx, ofApp("wx1"), start, after(time.Minute)))
	}
	tell("SaveToken", s.SaveToken(ctx, ofApp("wx1"), account.AccessToken{Value: "let-me-in", ExpiresAt: after(time.Hour)}))
	tok, err := s.Token(ctx, ofApp("wx1"))
	tell("Token", err, tok, tok.Value.Reveal())

	tell("PutMedia", s.PutMedia(ctx, message.Media{ID: "m", Account: "shop", Type: "image", ExpiresAt: after(time.Hour)}))
	m, err := s.Media(ctx, "m")
	tell("Media", err, m)
	tell("DeleteMedia", s.DeleteMedia(ctx, "m"))
	_, err = s.Media(ctx, "m")
	tell("Media", err)
	return told
}

func agentJourney(t *testing.T, s *Store) (told []string) {
	t.Helper()
	ctx := t.Context()
	tell := func(what string, err error, answers ...any) {
		if err != nil {
			answers = append(answers, fault.KindOf(err), fault.CodeOf(err))
		}
		told = append(told, what+": "+fmt.Sprint(answers...))
	}
	for range 2 {
		created, err := s.PutAgent(ctx, anAgent("t", "li", "shop"))
		tell("PutAgent", err, created)
	}
	a, err := s.SetStatus(ctx, "t", "li", agent.Paused, after(time.Second), after(time.Minute))
	tell("SetStatus", err, a)
	bound, err := s.AgentsOf(ctx, "t", "shop")
	tell("AgentsOf", err, bound)
	for _, id := range []string{"k1", "k2", "k1"} {
		tell("PutKey", s.PutKey(ctx, aKey("t", "li", id)))
	}
	for range 2 {
		tell("DeleteKey", s.DeleteKey(ctx, "t", "li", "k1"))
	}
	for _, id := range []session.ID{"s1", "s2", "s1", "s3"} {
		taken, err := s.TakeSeat(ctx, "t", "li", id, 2, start)
		tell("TakeSeat", err, taken)
	}
	tell("FreeSeat", s.FreeSeat(ctx, "t", "li", "s1", start))
	taken, err := s.TakeSeat(ctx, "t", "li", "s3", 2, after(time.Second))
	tell("TakeSeat", err, taken)
	desk, err := s.Desk(ctx, "t", "li")
	tell("Desk", err, desk)
	for range 2 {
		tell("DeleteAgent", s.DeleteAgent(ctx, "t", "li"))
	}
	_, err = s.Key(ctx, "k2")
	tell("Key", err)
	return told
}
