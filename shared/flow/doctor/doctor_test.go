package doctor_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"kefu/shared/adapter/bolt"
	"kefu/shared/adapter/wechat"
	"kefu/shared/adapter/wechat/wxfake"
	"kefu/shared/core/account"
	"kefu/shared/core/agent"
	core "kefu/shared/core/doctor"
	"kefu/shared/core/fault"
	"kefu/shared/core/tenant"
	"kefu/shared/flow/doctor"
)

var start = time.Date(2026, 11, 21, 8, 0, 0, 0, time.UTC)

const aesKey = "aozyxq4R650BCa5DxPYsLsBF2fPPCyUnOo8Ni0Whbc0"

// tokens asks the platform at every call.
type tokens struct{ c *wechat.Client }

func (k tokens) Token(ctx context.Context, a account.Account, _ string) (string, error) {
	t, err := k.c.Issue(ctx, a, false)
	return t.Value.Reveal(), err
}

// world is an account with nothing wrong, on the embedded engine and the simulator.
type world struct {
	t        *testing.T
	store    *bolt.Store
	platform *wxfake.Platform
	client   *wechat.Client
	doctor   *doctor.Doctor
	log      bytes.Buffer
	hang     sync.Once
	hung     chan struct{} // closed when a call is held up
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, hung: make(chan struct{})}
	clock := func() time.Time { return start }
	db, err := bolt.Open(bolt.Options{Path: filepath.Join(t.TempDir(), "kefu.db"), Now: clock})
	w.must(err)
	t.Cleanup(func() { w.must(db.Close()) })
	w.store = db.Store()
	w.platform = wxfake.New(wxfake.Options{Now: clock, Seed: 1, Wait: func(ctx context.Context, _ time.Duration) error {
		w.hang.Do(func() { close(w.hung) })
		<-ctx.Done() // as slow as its caller is patient
		return ctx.Err()
	}})
	api := httptest.NewServer(w.platform.Handler())
	shop := httptest.NewServer(http.NotFoundHandler()) // for the callback check, which calls nobody
	t.Cleanup(func() { api.Close(); shop.Close(); w.platform.Close() })
	w.must(w.platform.AddAccount(wxfake.Account{
		Channel: wxfake.MiniProgram, AppID: "wx1", OriginalID: "gh_1", Secret: "the-secret", Token: "token1", AESKey: aesKey,
		Mode: wxfake.Secure, Format: wxfake.JSON, CallbackURL: shop.URL + "/callback/shop",
	}))
	w.account(func(*account.Account) {})
	_, err = w.store.PutAgent(t.Context(), agent.Agent{
		ID: "ann", Tenant: tenant.Default, Name: "Ann", Role: agent.RoleAgent, Accounts: []account.ID{"shop"}, Capacity: 3, Status: agent.Online,
	})
	w.must(err)
	w.seen(core.Sighting{Account: "shop", At: start.Add(-time.Minute), Mode: account.Secure, Format: account.JSON, SentAt: start.Add(-time.Minute)})
	w.client = &wechat.Client{BaseURL: api.URL, Now: clock}
	w.client.Tokens = tokens{w.client}
	w.doctor = &doctor.Doctor{
		Accounts: w.store, Agents: w.store, Store: w.store, Platform: w.client, Now: clock, Log: slog.New(slog.NewJSONHandler(&w.log, nil)),
	}
	return w
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// account sets the account as it is in the console, but for a change.
func (w *world) account(change func(*account.Account)) {
	w.t.Helper()
	a := account.Account{
		ID: "shop", Tenant: tenant.Default, Channel: account.MiniProgram, AppID: "wx1", OriginalID: "gh_1", Mode: account.Secure,
		Format: account.JSON, Token: "token1", AESKey: aesKey, AppSecret: "the-secret",
		CreatedAt: start.Add(-48 * time.Hour), UpdatedAt: start.Add(-24 * time.Hour),
	}
	change(&a)
	_, err := w.store.PutAccount(w.t.Context(), a)
	w.must(err)
}

func (w *world) console(change func(*wxfake.Account)) {
	w.t.Helper()
	w.must(w.platform.UpdateAccount("wx1", change))
}

func (w *world) seen(s core.Sighting) {
	w.t.Helper()
	s.Account = "shop"
	w.must(w.store.NoteSighting(w.t.Context(), s))
}

func (w *world) examine() core.Report {
	w.t.Helper()
	r, err := w.doctor.Examine(w.t.Context(), "shop")
	w.must(err)
	return r
}

// wrong are the codes of findings that are not ok.
func wrong(r core.Report) string {
	var codes []string
	for _, f := range r.Findings {
		if f.Level != core.OK {
			codes = append(codes, f.Code)
		}
	}
	return strings.Join(codes, " ")
}

// TestExamine: what is wrong on either side is found, and nothing else; put right, it is gone.
func TestExamine(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		spoil func(*world)
		want  string
		well  bool
	}{
		"nothing is wrong": {func(*world) {}, "", true},
		"plaintext":        {func(w *world) { w.account(func(a *account.Account) { a.Mode = account.Plaintext }) }, "mode-plaintext push-mode-differs", true},
		"another format":   {func(w *world) { w.account(func(a *account.Account) { a.Format = account.XML }) }, "push-format-differs", true},
		"clock": {func(w *world) {
			w.seen(core.Sighting{At: start, SentAt: start.Add(-5 * time.Minute)})
		}, "clock-skew", true},
		"another AES key": {func(w *world) { w.seen(core.Sighting{At: start, Reason: core.WrongKey}) }, "push-wrong-aes-key", false},
		"no secret": {func(w *world) {
			w.account(func(a *account.Account) { a.AppSecret = "" })
		}, "secret-missing", false},
		"another secret": {func(w *world) {
			w.console(func(a *wxfake.Account) { a.Secret = "another" })
		}, "secret-wrong", false},
		"another app id": {func(w *world) { w.account(func(a *account.Account) { a.AppID = "wx2" }) }, "app-id-wrong", false},
		"secret frozen":  {func(w *world) { w.console(func(a *wxfake.Account) { a.Permissions.SecretFrozen = true }) }, "secret-frozen", false},
		"account frozen": {func(w *world) { w.console(func(a *wxfake.Account) { a.Permissions.AccountFrozen = true }) }, "account-frozen", false},
		"address not known": {func(w *world) {
			w.console(func(a *wxfake.Account) { a.Permissions.AllowedIPs = []string{"192.0.2.1"} })
		}, "ip-not-allowed", false},
		"no callback":      {func(w *world) { w.console(func(a *wxfake.Account) { a.CallbackURL = "" }) }, "callback-not-set", false},
		"callback nowhere": {func(w *world) { w.console(func(a *wxfake.Account) { a.CallbackURL = "http://nobody.invalid/" }) }, "callback-no-name", false},
		"no permission":    {func(w *world) { w.console(func(a *wxfake.Account) { a.Permissions.NoCustomerMessages = true }) }, "permission-missing", false},
		"banned":           {func(w *world) { w.console(func(a *wxfake.Account) { a.Permissions.Banned = true }) }, "api-banned", false},
		"no agent": {func(w *world) {
			w.must(w.store.DeleteAgent(w.t.Context(), tenant.Default, "ann"))
		}, "no-agents", true},
		"no agent, automatic": {func(w *world) {
			w.must(w.store.DeleteAgent(w.t.Context(), tenant.Default, "ann"))
			w.must(w.store.SetRouting(w.t.Context(), "shop", account.Routing{Assign: account.Assign{Mode: account.Auto}}))
		}, "auto-without-agents", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			tc.spoil(w)
			r := w.examine()
			if got := wrong(r); got != tc.want || r.Healthy != tc.well || r.Account != "shop" || !r.At.Equal(start) {
				t.Errorf("got %q, healthy %v; want %q, %v", got, r.Healthy, tc.want, tc.well)
			}
		})
	}
}

// TestReportHasNoSecrets, whatever the platform answers.
func TestReportHasNoSecrets(t *testing.T) {
	t.Parallel()
	for _, code := range []int{0, -1, 40001, 40164, 45009, 48001, 99999} {
		w := newWorld(t)
		w.account(func(a *account.Account) { a.AESKeyPrevious = "rveUEcRZy6I2qWdY1qfru2nlYZAUDk6U2qmtiScUTGG" })
		if code != 0 {
			w.platform.Inject(wxfake.Fault{Kind: wxfake.FaultCode, Code: code})
		}
		b, err := json.Marshal(w.examine())
		w.must(err)
		for _, secret := range []string{"the-secret", "token1", aesKey, "rveUE", "access_token="} {
			if strings.Contains(string(b)+w.log.String(), secret) {
				t.Errorf("%d: the report or the log tells %q: %s", code, secret, b)
			}
		}
	}
}

// TestExamineEndsInTime: a platform that hangs is a finding, and the rest is told.
func TestExamineEndsInTime(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.doctor.Patience = 200 * time.Millisecond
	w.platform.Inject(wxfake.Fault{Kind: wxfake.FaultSlow, Delay: time.Hour})
	began := time.Now()
	r := w.examine()
	if took := time.Since(began); took > 4*time.Second {
		t.Errorf("took %v", took)
	}
	<-w.hung
	if got := wrong(r); got != "platform-unreachable" {
		t.Errorf("got %q", got)
	}
	for _, f := range r.Findings {
		if f.Code == "platform-unreachable" && (f.Data["how"] != "time" || !strings.HasPrefix(w.client.BaseURL, "http://"+f.Data["address"].(string))) {
			t.Errorf("got %+v; want the address, and that nothing came in time", f)
		}
	}
}

// blind is a store that tells nothing but the account.
type blind struct{ *bolt.Store }

var errBlind = errors.New("the table is on fire")

func (blind) Sightings(context.Context, account.Scope) (core.Sightings, error) {
	return core.Sightings{}, errBlind
}

func (blind) AgentsOf(context.Context, tenant.ID, account.ID) ([]agent.Agent, error) {
	return nil, errBlind
}

func TestExamineWithoutOwnStore(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.doctor.Store, w.doctor.Agents = blind{w.store}, blind{w.store}
	if got := wrong(w.examine()); got != "pushes-not-examined agents-not-examined" {
		t.Errorf("got %q", got)
	}
	if n := strings.Count(w.log.String(), "on fire"); n != 2 {
		t.Errorf("the log has %d causes, want 2: %s", n, w.log.String())
	}
}

func TestExamineNobody(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if _, err := w.doctor.Examine(t.Context(), "nobody"); fault.KindOf(err) != fault.NotFound {
		t.Errorf("got %v, want not found", err)
	}
}
