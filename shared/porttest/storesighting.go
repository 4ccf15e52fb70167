package porttest

import (
	"testing"

	"kefu/shared/core/account"
	"kefu/shared/core/doctor"
	"kefu/shared/core/fault"
)

func aPush(second int) doctor.Sighting {
	return doctor.Sighting{
		Account: "shop", At: sec(second), Mode: account.Secure, Format: account.JSON, SentAt: sec(second - 2), Count: 1,
	}
}

func aRefusal(second int, r doctor.Reason, count int64) doctor.Sighting {
	return doctor.Sighting{Account: "shop", At: sec(second), Reason: r, Found: "wx2", Count: count}
}

// wantSightings notes some and wants what the model makes of them.
func wantSightings(t *testing.T, s storeCase, what string, all ...doctor.Sighting) {
	t.Helper()
	var want doctor.Sightings
	for _, v := range all {
		must(t, s.NoteSighting(t.Context(), v))
		want = want.With(v)
	}
	wantEqual(t, what, got[doctor.Sightings](t)(s.Sightings(t.Context(), "shop")), want)
}

var sightingClauses = []storeClause{
	{"nothing seen is no error", func(t *testing.T, s storeCase) {
		wantEqual(t, "Sightings", got[doctor.Sightings](t)(s.Sightings(t.Context(), "shop")), doctor.Sightings{})
	}},
	{"NoteSighting keeps the newest accepted push and check", func(t *testing.T, s storeCase) {
		check := doctor.Sighting{Account: "shop", At: sec(5), Check: true, Count: 1}
		late := check
		late.At = sec(4)
		bare := doctor.Sighting{Account: "shop", At: sec(30), Count: 1}
		wantSightings(t, s, "in order, and late", aPush(1), aPush(20), aPush(10), check, late, bare)
	}},
	{"NoteSighting keeps the last of each reason with its count", func(t *testing.T, s storeCase) {
		check := aRefusal(4, doctor.WrongToken, 1)
		check.Check, check.Found = true, ""
		wantSightings(t, s, "three reasons", aRefusal(1, doctor.WrongToken, 1), aRefusal(2, doctor.WrongKey, 3),
			aRefusal(3, doctor.WrongToken, 70), check, aRefusal(5, doctor.Unreadable, 0))
	}},
	{"every reason is kept, and no other", func(t *testing.T, s storeCase) {
		var all []doctor.Sighting
		for i, r := range doctor.Reasons() {
			all = append(all, aRefusal(i+1, r, int64(i+1)))
		}
		wantSightings(t, s, "all", all...)
		for _, r := range []doctor.Reason{"strange", "s.push", "signature "} {
			wantCode(t, string(r), s.NoteSighting(t.Context(), aRefusal(1, r, 1)), fault.Invalid, "unknown-reason")
		}
		wantSightings(t, s, "counts start anew with a push", append(all, all[0], aPush(100), all[1])...)
	}},
	{"a push that is older than the newest leaves the counts", func(t *testing.T, s storeCase) {
		check := doctor.Sighting{Account: "shop", At: sec(40), Check: true, Count: 1}
		wantSightings(t, s, "after it", aPush(20), aRefusal(21, doctor.WrongKey, 2), aPush(19), aPush(20), check)
	}},
	{"counts are bounded", func(t *testing.T, s storeCase) {
		wantSightings(t, s, "many", aRefusal(1, doctor.Unsigned, doctor.MaxCount), aRefusal(2, doctor.Unsigned, doctor.MaxCount+1))
	}},
	{"sightings of accounts are apart", func(t *testing.T, s storeCase) {
		for i, id := range edge {
			v := aRefusal(i, doctor.WrongKey, int64(i+1))
			v.Account = account.Scope(id)
			must(t, s.NoteSighting(t.Context(), v))
		}
		for i, id := range edge {
			seen := got[doctor.Sightings](t)(s.Sightings(t.Context(), account.Scope(id)))
			if len(seen.Refused) != 1 || seen.Refused[0].Count != int64(i+1) || seen.Refused[0].Account != account.Scope(id) {
				t.Errorf("%s: got %+v; want the one of count %d", id, seen, i+1)
			}
		}
	}},
	{"of 30 that count at once none is lost", func(t *testing.T, s storeCase) {
		for _, err := range tried(30, func(i int) error { return s.NoteSighting(t.Context(), aRefusal(i, doctor.WrongToken, 2)) }) {
			must(t, err)
		}
		if seen := got[doctor.Sightings](t)(s.Sightings(t.Context(), "shop")); len(seen.Refused) != 1 || seen.Refused[0].Count != 60 {
			t.Errorf("got %+v; want a count of 60", seen.Refused)
		}
	}},
}
