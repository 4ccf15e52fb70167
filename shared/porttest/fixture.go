package porttest

import (
	"fmt"
	"time"

	"kefu/shared/core/account"
	"kefu/shared/core/agent"
	"kefu/shared/core/message"
	"kefu/shared/core/quota"
	"kefu/shared/core/session"
	"kefu/shared/core/tenant"
)

// epoch is the time of all fixtures, with a fraction so that a store that cuts it is found out. Milliseconds are what
// every engine must keep.
var epoch = time.Date(2025, 3, 1, 8, 0, 0, 123_000_000, time.UTC)

// sec is an instant of the fixtures.
func sec(n int) time.Time { return epoch.Add(time.Duration(n) * time.Second) }

// strange are customers' names that a careless key would mix up or break on.
var strange = []account.Customer{
	"o", "o1", "o/1", "o#1", "o|1", "o:1", "o\x001", "o\x01", "1", "ö 客户", "%6f", `o"1`, "o\n1", "\x00", "z",
}

// edge are ids, all of them legal, of which some begin others.
var edge = []string{"0", "A", "Z_", "a", "a-", "a-b", "a0", "a_b", "aa", "ab", "b"}

// aCredential is that of an app id with the secret of its own.
func aCredential(appID string) account.Credential {
	c, err := account.NewCredential(appID, account.Secret("secret of "+appID))
	if err != nil {
		panic(err) // there is a secret
	}
	return c
}

func anAccount(of tenant.ID, id account.ID) account.Account {
	return account.Account{
		ID: id, Tenant: of, Incarnation: "first", Channel: account.MiniProgram, AppID: "wx-" + string(of), OriginalID: "gh_1", Mode: account.Secure,
		Format: account.JSON, Token: "token of " + account.Secret(id), AESKey: "key of " + account.Secret(id),
		AESKeyPrevious: "old key of " + account.Secret(id), AppSecret: "app secret of " + account.Secret(id),
		Settings: account.Settings{
			SessionFor: account.Duration(time.Hour),
			Grants:     []account.GrantRule{{Action: quota.Message, Limit: 5, For: account.Duration(time.Hour)}},
			TypingPath: "/typing?a=<b>&c", KeepMediaFor: account.Duration(time.Minute),
		},
		CreatedAt: sec(1), UpdatedAt: sec(2),
	}
}

func anAgent(of tenant.ID, id agent.ID, bound ...account.ID) agent.Agent {
	return agent.Agent{
		ID: id, Tenant: of, Name: "客服 " + string(id), Role: agent.RoleSupervisor, Accounts: bound, Capacity: 3,
		Status: agent.Online, StatusAt: sec(3), Until: sec(100), CreatedAt: sec(1), UpdatedAt: sec(2),
	}
}

func aKey(of tenant.ID, a agent.ID, id string) agent.Key {
	return agent.Key{ID: id, Hash: [32]byte{1, 2, 31: 255}, Tenant: of, Agent: a, Role: agent.RoleAdmin, CreatedAt: sec(1)}
}

// aSession is a queued session with something in every member.
func aSession(a account.ID, c account.Customer, id session.ID, opened time.Time) session.Session {
	w := session.Waiting{
		Message: message.NewID(id, 4), N: 4, Parts: 2, PartsSent: 1, FailClosed: true, SendAt: sec(60), ExpiresAt: sec(600),
		Tries: session.Tries{NotBefore: sec(61), Busy: 1, BusySince: sec(50), Throttled: 2, Unreached: 3, Corrected: true},
	}
	return session.Session{
		ID: id, Tenant: "t", Incarnation: "i", Account: a, Channel: account.Official, Customer: c, State: session.Queued,
		OpenedAt: opened, QueuedAt: opened.Add(time.Second), LastCustomerAt: opened.Add(2 * time.Second),
		EndedAt: sec(9), EndedBy: "li", Seq: 5,
		Window: quota.Window{
			Live:  []quota.Live{{Action: quota.Message, At: sec(1), Push: "p", Limit: 5, Until: sec(3600)}},
			Took:  []quota.Take{{ID: "m", N: 1, At: sec(2)}},
			Epoch: 7, RefusedAt: sec(3), Spent: true,
		},
		Recent:  []session.Recent{{Key: "k", Message: message.NewID(id, 1)}},
		Outbox:  []session.Waiting{w},
		Flight:  &session.Flight{Waiting: w, Took: "m", StartedAt: sec(5), Deadline: sec(65), Epoch: 7},
		Endings: []message.Settlement{{Message: message.NewID(id, 2), State: message.Failed, Reason: "r", Code: 45015, At: sec(4)}},
	}
}

// inState is a plain session for lists.
func inState(a account.ID, c account.Customer, id session.ID, opened time.Time, st session.State, by agent.ID) session.Session {
	s := session.Session{
		ID: id, Tenant: "t", Account: a, Channel: account.MiniProgram, Customer: c, State: st, Agent: by, OpenedAt: opened,
	}
	if st == session.Queued {
		s.QueuedAt = opened
	}
	return s
}

func aMessage(s session.ID, n int64) message.Message {
	return message.Message{
		ID: message.NewID(s, n), N: n, Tenant: "t", Account: "shop", Customer: "o1", Session: s, Direction: message.Out,
		Content: message.Content{Type: message.TypeText, Text: &message.Text{Content: "<你好> & \"" + fmt.Sprint(n) + "\"\u2028"}},
		State:   message.Pending, By: "li", Push: "p", Raw: []byte{0, 1, 255}, CreatedAt: sec(1), SendAt: sec(2),
		ExpiresAt: sec(3), Parts: 3,
	}
}
