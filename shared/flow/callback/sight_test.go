package callback

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"kefu/shared/core/doctor"
	"kefu/shared/core/fault"
)

// witness remembers what it was told.
type witness struct{ all []doctor.Sighting }

func (w *witness) Note(_ context.Context, s doctor.Sighting) { w.all = append(w.all, s) }

// TestSights: each refusal of an account that exists is told of with its reason, and a check that passed; nothing else.
func TestSights(t *testing.T) {
	t.Parallel()
	denied := func(r doctor.Reason, cause error) error { return fault.Wrap(fault.Denied, string(r), cause) }
	bare := errors.New("refused")
	now := time.Date(2026, 11, 21, 8, 0, 0, 0, time.UTC)
	for name, tc := range map[string]struct {
		method, path, body string
		parts              parts
		want               []doctor.Sighting
	}{
		"a check that passed":         {"GET", "/callback/shop?echostr=1", "", parts{}, []doctor.Sighting{{Check: true}}},
		"a check that was refused":    {"GET", "/callback/shop", "", parts{open: denied(doctor.WrongToken, bare)}, []doctor.Sighting{{Check: true, Reason: doctor.WrongToken}}},
		"a push that was refused":     {"POST", "/callback/shop", "", parts{open: denied(doctor.WrongKey, bare)}, []doctor.Sighting{{Reason: doctor.WrongKey}}},
		"one for another app id":      {"POST", "/callback/shop", "", parts{open: denied(doctor.WrongAppID, &doctor.Mismatch{Found: "wx2"})}, []doctor.Sighting{{Reason: doctor.WrongAppID, Found: "wx2"}}},
		"one that is too large":       {"POST", "/callback/shop", strings.Repeat("x", MaxBody+1), parts{}, []doctor.Sighting{{Reason: doctor.Oversized}}},
		"an accepted push":            {"POST", "/callback/shop", "<xml/>", parts{customer: "mei"}, nil},
		"an unknown account":          {"POST", "/callback/nobody", "", parts{account: fault.New(fault.NotFound, "no-account", "")}, nil},
		"an impossible account":       {"POST", "/callback/a%20b", "", parts{}, nil},
		"a query that is none":        {"POST", "/callback/shop?a=%zz", "", parts{}, nil},
		"the store is away":           {"POST", "/callback/shop", "", parts{account: errDisk}, nil},
		"the queue is full":           {"POST", "/callback/shop", "<xml/>", parts{queue: errDisk}, nil},
		"a refusal of a later coming": {"POST", "/callback/shop", "", parts{open: denied("strange", bare)}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, seen := tc.parts, &witness{}
			c := &Callback{
				Accounts: &p, Channel: &p, Inbound: &p, Sights: seen, Now: func() time.Time { return now }, Log: slog.New(slog.DiscardHandler),
			}
			mux := http.NewServeMux()
			mux.Handle("/callback/{account}", c)
			w := httptest.NewRecorder()
			mux.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), tc.method, tc.path, strings.NewReader(tc.body)))
			if len(seen.all) != len(tc.want) {
				t.Fatalf("got %+v, want %+v", seen.all, tc.want)
			}
			for i, want := range tc.want {
				if want.Account, want.At = "shop", now; seen.all[i] != want {
					t.Errorf("got %+v, want %+v", seen.all[i], want)
				}
			}
		})
	}
}
