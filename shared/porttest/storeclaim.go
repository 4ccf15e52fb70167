package porttest

import (
	"errors"
	"testing"

	"kefu/shared/core/account"
	"kefu/shared/core/fault"
	"kefu/shared/core/tenant"
)

// ofApp is an account with this app id.
func ofApp(of tenant.ID, id account.ID, appID string) account.Account {
	a := anAccount(of, id)
	a.AppID = appID
	return a
}

// wantPut puts an account and compares the refusal, if one is wanted.
func wantPut(t *testing.T, s storeCase, a account.Account, want error) {
	t.Helper()
	if _, err := s.PutAccount(t.Context(), a); !errors.Is(err, want) {
		t.Fatalf("PutAccount of %s with app id %s for %s: got error %v; want %v", a.ID, a.AppID, a.Tenant, err, want)
	}
}

var claimClauses = []storeClause{
	{"an app id of another tenant is app-taken and changes nothing", func(t *testing.T, s storeCase) {
		ctx := t.Context()
		wantPut(t, s, ofApp("t", "shop", "wx1"), nil)
		wantPut(t, s, ofApp("u", "stolen", "wx1"), account.ErrAppTaken)
		_, err := s.Account(ctx, "stolen")
		wantKind(t, "Account", err, fault.NotFound)
		wantList(t, s, "Accounts of the other", accountsOf(s, "u"), accountID)
		wantPut(t, s, ofApp("u", "stolen", "wx2"), nil)
		wantPut(t, s, ofApp("u", "stolen", "wx1"), account.ErrAppTaken)
		wantEqual(t, "account", got[account.Account](t)(s.Account(ctx, "stolen")), ofApp("u", "stolen", "wx2"))
		wantPut(t, s, ofApp("t", "shop", "wx2"), account.ErrAppTaken)
		wantPut(t, s, ofApp("t", "stolen", "wx1"), account.ErrTaken)
		wantPut(t, s, ofApp("u", "shop", "wx9"), account.ErrTaken)
		wantPut(t, s, ofApp("v", "free", "wx9"), nil) // what was refused has claimed nothing
	}},
	{"accounts of one tenant share an app id, which is free after the last", func(t *testing.T, s storeCase) {
		ctx := t.Context()
		for _, id := range []account.ID{"a", "b", "c", "b"} {
			wantPut(t, s, ofApp("t", id, "wx1"), nil)
		}
		must(t, s.DeleteAccount(ctx, "a"))
		wantPut(t, s, ofApp("u", "mine", "wx1"), account.ErrAppTaken)
		wantPut(t, s, ofApp("t", "b", "wx2"), nil)
		wantPut(t, s, ofApp("u", "mine", "wx1"), account.ErrAppTaken)
		must(t, s.DeleteAccount(ctx, "c"))
		wantPut(t, s, ofApp("u", "mine", "wx1"), nil)
		wantPut(t, s, ofApp("t", "c", "wx1"), account.ErrAppTaken)
		wantPut(t, s, ofApp("u", "mine", "wx2"), account.ErrAppTaken)
		wantPut(t, s, ofApp("t", "b", "wx3"), nil)
		wantPut(t, s, ofApp("u", "mine", "wx2"), nil)
		must(t, s.DeleteAccount(ctx, "mine"))
		wantPut(t, s, ofApp("t", "d", "wx2"), nil)
	}},
	{"of tenants that race for an app id one gets it", func(t *testing.T, s storeCase) {
		ids := []tenant.ID{"t", "u", "v", "w"}
		won := tried(2*len(ids), func(i int) tenant.ID {
			of := ids[i%len(ids)]
			if _, err := s.PutAccount(t.Context(), ofApp(of, account.ID(of)+account.ID(rune('0'+i)), "wx1")); err != nil {
				return ""
			}
			return of
		})
		var winner tenant.ID
		for _, of := range won {
			if of != "" && winner != "" && of != winner {
				t.Errorf("got the winners %s and %s; want one tenant", winner, of)
			}
			winner = max(winner, of)
		}
		if winner == "" {
			t.Error("got no winner; want one")
		}
	}},
	{"an app id is left and taken by racers without a trace", func(t *testing.T, s storeCase) {
		ctx := t.Context()
		for range 5 {
			wantPut(t, s, ofApp("t", "a", "wx1"), nil)
			tried(4, func(i int) error {
				switch i {
				case 0:
					return s.DeleteAccount(ctx, "a")
				case 1:
					_, err := s.PutAccount(ctx, ofApp("t", "b", "wx1"))
					return err
				}
				_, err := s.PutAccount(ctx, ofApp("t", "a", "wx"+string(rune('0'+i))))
				return err
			})
			for _, id := range []account.ID{"a", "b"} {
				if err := s.DeleteAccount(ctx, id); err != nil {
					wantKind(t, "DeleteAccount", err, fault.NotFound)
				}
			}
			for _, app := range []string{"wx1", "wx2", "wx3"} {
				wantPut(t, s, ofApp("u", "u", app), nil)
			}
			must(t, s.DeleteAccount(ctx, "u"))
		}
	}},
}
