package porttest

import (
	"context"
	"encoding/json"
	"testing"

	"kefu/shared/core/account"
	"kefu/shared/core/fault"
	"kefu/shared/core/session"
	"kefu/shared/core/tenant"
)

func accountsOf(s storeCase, of tenant.ID) lister[account.Account] {
	return func(ctx context.Context, cursor string, limit int) ([]account.Account, string, error) {
		return s.Accounts(ctx, of, cursor, limit)
	}
}

func accountID(a account.Account) string { return string(a.ID) }

// aWebhook has everything set.
func aWebhook() (account.Webhook, account.Signing) {
	return account.Webhook{URL: "https://shop.example/hooks?a=<b>&c", Events: []string{account.MessageIn, account.SessionClosed}},
		account.Signing{Secret: "whsec_new", Previous: "whsec_old", ChangedAt: sec(7)}
}

// wantAccount compares an account with its secrets, which print alike.
func wantAccount(t *testing.T, s storeCase, want account.Account) {
	t.Helper()
	back := got[account.Account](t)(s.Account(t.Context(), want.ID))
	wantEqual(t, "account", back, want)
	wantEqual(t, "signing secret", back.Signing.Secret.Reveal(), want.Signing.Secret.Reveal())
	wantEqual(t, "former signing secret", back.Signing.Previous.Reveal(), want.Signing.Previous.Reveal())
}

// bound are rules with everything set.
func someRouting() account.Routing {
	yes := true
	return account.Routing{
		Assign: account.Assign{Mode: account.Auto, AutoAbove: 3, Strategy: "idle_rate", PreferLast: &yes},
		Bot:    account.Bot{Greeting: "你好 <b>", Keywords: []account.Keyword{{Words: []string{"a"}, Reply: account.Reply{Message: json.RawMessage(`{"type":"text"}`)}}}}, Hours: account.Hours{Closed: []string{"2026-10-01"}},
	}
}

var accountClauses = []storeClause{
	{"an account comes back with its secrets and settings", func(t *testing.T, s storeCase) {
		a := anAccount("t", "shop")
		a.Settings.Routing = someRouting()
		if created := got[bool](t)(s.PutAccount(t.Context(), a)); !created {
			t.Error("got created false; want true")
		}
		back := got[account.Account](t)(s.Account(t.Context(), "shop"))
		wantEqual(t, "account", back, a)
		wantEqual(t, "app secret", back.AppSecret.Reveal(), "app secret of shop")
		wantList(t, s, "Accounts", accountsOf(s, "t"), func(a account.Account) string { return a.Token.Reveal() }, "token of shop")
	}},
	{"PutAccount replaces all but CreatedAt, incarnation, routing and webhook", func(t *testing.T, s storeCase) {
		ctx := t.Context()
		got[bool](t)(s.PutAccount(ctx, anAccount("t", "shop")))
		must(t, s.SetRouting(ctx, "shop", someRouting()))
		w, signing := aWebhook()
		must(t, s.SetWebhook(ctx, "shop", w, signing))
		next := account.Account{
			ID: "shop", Tenant: "t", Channel: account.Official, AppID: "wx2", Mode: account.Plaintext, Format: account.XML,
			Token: "new token", CreatedAt: sec(50), UpdatedAt: sec(60), Incarnation: "second",
		}
		next.Settings.Routing.Assign.AutoAbove = 77
		next.Webhook, next.Signing = account.Webhook{URL: "https://other.example"}, account.Signing{Secret: "other"}
		if created := got[bool](t)(s.PutAccount(ctx, next)); created {
			t.Error("got created true; want false")
		}
		next.CreatedAt, next.Incarnation, next.Settings.Routing, next.Webhook, next.Signing = sec(1), "first", someRouting(), w, signing
		wantAccount(t, s, next)
	}},
	{"SetWebhook replaces the webhook and its secrets, and nothing else", func(t *testing.T, s storeCase) {
		ctx := t.Context()
		a := anAccount("t", "shop")
		got[bool](t)(s.PutAccount(ctx, a))
		must(t, s.SetRouting(ctx, "shop", someRouting()))
		a.Settings.Routing = someRouting()
		wantAccount(t, s, a)
		a.Webhook, a.Signing = aWebhook()
		must(t, s.SetWebhook(ctx, "shop", a.Webhook, a.Signing))
		wantAccount(t, s, a)
		a.Webhook.Events[0] = "changed" // the store has its own
		back := got[account.Account](t)(s.Account(ctx, "shop"))
		wantEqual(t, "event", back.Webhook.Events[0], account.MessageIn)
		wantList(t, s, "Accounts", accountsOf(s, "t"), func(a account.Account) string { return a.Signing.Secret.Reveal() }, "whsec_new")
		a.Webhook, a.Signing = account.Webhook{}, account.Signing{Secret: "whsec_newer"}
		must(t, s.SetWebhook(ctx, "shop", a.Webhook, a.Signing))
		wantAccount(t, s, a)
		a.Signing = account.Signing{}
		must(t, s.SetWebhook(ctx, "shop", a.Webhook, a.Signing))
		wantAccount(t, s, a)
	}},
	{"a new account may bring a webhook, a replaced one that had none does not", func(t *testing.T, s storeCase) {
		ctx := t.Context()
		a := anAccount("t", "shop")
		a.Webhook, a.Signing = aWebhook()
		got[bool](t)(s.PutAccount(ctx, a))
		wantAccount(t, s, a)
		b := anAccount("t", "none")
		got[bool](t)(s.PutAccount(ctx, b))
		with := b
		with.Webhook, with.Signing = aWebhook()
		got[bool](t)(s.PutAccount(ctx, with))
		wantAccount(t, s, b)
	}},
	{"an account that was made without an incarnation keeps none; made again it has its own", func(t *testing.T, s storeCase) {
		ctx := t.Context()
		old := anAccount("t", "shop")
		old.Incarnation = ""
		got[bool](t)(s.PutAccount(ctx, old))
		got[bool](t)(s.PutAccount(ctx, anAccount("t", "shop")))
		wantEqual(t, "account", got[account.Account](t)(s.Account(ctx, "shop")), old)
		must(t, s.DeleteAccount(ctx, "shop"))
		again := anAccount("t", "shop")
		again.Incarnation = "second"
		got[bool](t)(s.PutAccount(ctx, again))
		wantEqual(t, "account made again", got[account.Account](t)(s.Account(ctx, "shop")), again)
		wantList(t, s, "Accounts", accountsOf(s, "t"), func(a account.Account) string { return string(a.Incarnation) }, "second")
	}},
	{"an id of another tenant is account-taken", func(t *testing.T, s storeCase) {
		ctx := t.Context()
		got[bool](t)(s.PutAccount(ctx, anAccount("t", "shop")))
		created, err := s.PutAccount(ctx, anAccount("u", "shop"))
		wantCode(t, "PutAccount of another tenant", err, fault.Conflict, "account-taken")
		if created {
			t.Error("got created true; want false")
		}
		wantEqual(t, "account", got[account.Account](t)(s.Account(ctx, "shop")), anAccount("t", "shop"))
		wantList(t, s, "Accounts of the other", accountsOf(s, "u"), accountID)
		must(t, s.DeleteAccount(ctx, "shop"))
		got[bool](t)(s.PutAccount(ctx, anAccount("u", "shop")))
		wantList(t, s, "Accounts of the other, later", accountsOf(s, "u"), accountID, "shop")
	}},
	{"of two tenants that race for an id one gets it", func(t *testing.T, s storeCase) {
		ids := []tenant.ID{"t", "u", "v", "w"}
		won := tried(len(ids), func(i int) bool {
			_, err := s.PutAccount(t.Context(), anAccount(ids[i], "shop"))
			return err == nil
		})
		if n := count(won, func(b bool) bool { return b }); n != 1 {
			t.Errorf("got %d winners; want 1", n)
		}
	}},
	{"a deleted id is its tenant's while conversations are left", func(t *testing.T, s storeCase) {
		ctx := t.Context()
		for _, id := range []account.ID{"shop", "shop2"} {
			got[bool](t)(s.PutAccount(ctx, ofApp("t", id, "wx1")))
		}
		must(t, s.SaveSession(ctx, inState("shop", "mei", "s1", sec(1), session.Closed, ""), 0))
		must(t, s.DeleteAccount(ctx, "shop"))
		must(t, s.DeleteAccount(ctx, "shop2"))
		wantPut(t, s, ofApp("u", "shop", "wx2"), account.ErrTaken)
		wantPut(t, s, ofApp("u", "shop2", "wx2"), nil)
		_, err := s.Account(ctx, "shop")
		wantKind(t, "Account", err, fault.NotFound)
		wantList(t, s, "Accounts of the other", accountsOf(s, "u"), accountID, "shop2")
		again := ofApp("t", "shop", "wx3")
		if created := got[bool](t)(s.PutAccount(ctx, again)); !created {
			t.Error("made again by its tenant: got created false; want true")
		}
		wantPut(t, s, ofApp("u", "shop", "wx2"), account.ErrTaken)
		must(t, s.DeleteAccount(ctx, "shop"))
		wantPut(t, s, ofApp("u", "shop", "wx2"), account.ErrTaken)
		won := tried(6, func(i int) error {
			_, err := s.PutAccount(ctx, ofApp([]tenant.ID{"t", "u", "v"}[i%3], "shop", "wx"+string(rune('4'+i%3))))
			return err
		})
		if n := count(won, func(err error) bool { return err == nil }); n != 2 {
			t.Errorf("of its tenant and two others that race for it %d calls got it; want the tenant's two", n)
		}
	}},
	{"DeleteAccount removes it, its secrets and its place in the list", func(t *testing.T, s storeCase) {
		ctx := t.Context()
		got[bool](t)(s.PutAccount(ctx, anAccount("t", "shop")))
		must(t, s.SetRouting(ctx, "shop", someRouting()))
		must(t, s.DeleteAccount(ctx, "shop"))
		_, err := s.Account(ctx, "shop")
		wantKind(t, "Account", err, fault.NotFound)
		wantKind(t, "DeleteAccount again", s.DeleteAccount(ctx, "shop"), fault.NotFound)
		wantKind(t, "SetRouting", s.SetRouting(ctx, "shop", account.Routing{}), fault.NotFound)
		wantKind(t, "SetWebhook", s.SetWebhook(ctx, "shop", account.Webhook{}, account.Signing{Secret: "s"}), fault.NotFound)
		wantList(t, s, "Accounts", accountsOf(s, "t"), accountID)
		got[bool](t)(s.PutAccount(ctx, anAccount("t", "shop")))
		wantEqual(t, "account made anew", got[account.Account](t)(s.Account(ctx, "shop")), anAccount("t", "shop"))
	}},
	{"Accounts lists a tenant's accounts by id", func(t *testing.T, s storeCase) {
		for _, id := range edge {
			got[bool](t)(s.PutAccount(t.Context(), anAccount("t", account.ID(id))))
		}
		for i, other := range []tenant.ID{"t1", "t-", "T", "s"} {
			got[bool](t)(s.PutAccount(t.Context(), anAccount(other, account.ID("other"+string(rune('a'+i))))))
		}
		wantList(t, s, "Accounts", accountsOf(s, "t"), accountID, edge...)
		wantList(t, s, "Accounts of t1", accountsOf(s, "t1"), accountID, "othera")
		wantList(t, s, "Accounts of none", accountsOf(s, "tt"), accountID)
	}},
	{"what is inserted between pages shows if it is behind the cursor", func(t *testing.T, s storeCase) {
		ctx := t.Context()
		for _, id := range []account.ID{"b", "d", "f"} {
			got[bool](t)(s.PutAccount(ctx, anAccount("t", id)))
		}
		var next string
		s.soon(t, func() string {
			page, cursor, err := s.Accounts(ctx, "t", "", 2)
			if err != nil || len(page) != 2 || cursor == "" {
				return "first page: got " + diff(2, len(page)) + " with cursor " + cursor
			}
			next = cursor
			return ""
		})
		for _, id := range []account.ID{"a", "c", "e", "g"} {
			got[bool](t)(s.PutAccount(ctx, anAccount("t", id)))
		}
		must(t, s.DeleteAccount(ctx, "d")) // the one that the cursor stands on
		s.soon(t, func() string {
			page, _, err := s.Accounts(ctx, "t", next, 10)
			if err != nil {
				return err.Error()
			}
			var ids []string
			for _, a := range page {
				ids = append(ids, accountID(a))
			}
			return diff([]string{"e", "f", "g"}, ids)
		})
	}},
}
