package contract_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"io"
	"log/slog"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/legacy"

	"kefu/shared/adapter/bolt"
	"kefu/shared/core/account"
	"kefu/shared/core/doctor"
	"kefu/shared/core/hook"
	"kefu/shared/core/message"
	"kefu/shared/core/quota"
	"kefu/shared/core/session"
	"kefu/shared/flow/agent"
	"kefu/shared/shell"
)

// operator is the deployment's own key.
const operator = "the-operators-own-key"

func load(t *testing.T) *openapi3.T {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromData(agent.OpenAPI())
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

// desk is the interface with a validator around it.
type desk struct {
	t       *testing.T
	doc     *openapi3.T
	router  routers.Router
	store   *bolt.Store
	shell   *shell.Shell
	h       http.Handler
	covered map[string]bool // operations that were answered well

	mu  sync.Mutex
	now time.Time
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	d := &desk{t: t, doc: load(t), covered: map[string]bool{}, now: time.Date(2026, 11, 21, 8, 0, 0, 0, time.UTC)}
	router, err := legacy.NewRouter(d.doc)
	if err != nil {
		t.Fatal(err)
	}
	d.router = router
	db, err := bolt.Open(bolt.Options{Path: filepath.Join(t.TempDir(), "kefu.db"), Now: d.clock})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	d.store = db.Store()
	d.shell = &shell.Shell{Store: d.store, Route: nowhere{}, Outbound: nowhere{}, Hooks: nowhere{}, Now: d.clock}
	api := &agent.API{
		Store: d.store, Shell: d.shell, Media: files{d.store}, Typer: nowhere{}, Doctor: nowhere{}, Now: d.clock, Rand: rand.Reader,
		Log: slog.New(slog.DiscardHandler), AdminKey: agent.HashKey(operator), Version: "test",
	}
	d.h = api.Handler()
	return d
}

func (d *desk) clock() time.Time {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.now
}

func (d *desk) pass(by time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.now = d.now.Add(by)
}

// says lets a customer write to the shop and returns the session.
func (d *desk) says(who account.Customer) string {
	d.t.Helper()
	a, err := d.store.Account(d.t.Context(), "shop")
	if err != nil {
		d.t.Fatal(err)
	}
	fresh := session.ID(strings.ToLower(rand.Text()))
	row := func(ctx context.Context, s session.Session, e session.Store) error {
		in, n, _ := e.Message.Split()
		return d.store.PutMessage(ctx, message.Message{
			ID: e.Message, N: n, Tenant: s.Tenant, Account: s.Account, Customer: s.Customer, Session: in, Direction: message.In,
			Content: message.Content{Type: message.TypeText, Text: &message.Text{Content: "hi"}}, State: message.Received, CreatedAt: d.clock(),
		})
	}
	res, err := d.shell.Do(d.t.Context(), session.Ref{Account: "shop", Customer: who}, session.RulesOf(a), row, session.Arrived{
		ID: fresh, Account: "shop", Customer: who, Key: string(fresh), At: d.clock(), Action: quota.Message, FromCustomer: true,
	})
	if err != nil {
		d.t.Fatal(err)
	}
	return string(res.Session.ID)
}

// answer is an answer that the document allows.
type answer struct {
	t      *testing.T
	what   string
	status int
	body   []byte
}

func (a answer) want(status int) answer {
	a.t.Helper()
	if a.status != status {
		a.t.Fatalf("%s: status %d, want %d: %s", a.what, a.status, status, a.body)
	}
	return a
}

func (a answer) text(member string) string {
	a.t.Helper()
	var m map[string]any
	if err := json.Unmarshal(a.body, &m); err != nil {
		a.t.Fatal(err)
	}
	s, ok := m[member].(string)
	if !ok {
		a.t.Fatalf("%s: no text %q: %s", a.what, member, a.body)
	}
	return s
}

// call makes a call whose request the document allows.
func (d *desk) call(key, method, path string, body any, headers ...string) answer {
	d.t.Helper()
	return d.do(true, key, method, path, "application/json", encode(d.t, body), headers...)
}

// broken makes a call whose request the document must refuse.
func (d *desk) broken(key, method, path string, body any) answer {
	d.t.Helper()
	return d.do(false, key, method, path, "application/json", encode(d.t, body))
}

func encode(t *testing.T, body any) []byte {
	t.Helper()
	if body == nil {
		return nil
	}
	b, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// upload uploads a file.
func (d *desk) upload(key, kind string) answer {
	d.t.Helper()
	var b bytes.Buffer
	form := multipart.NewWriter(&b)
	part, err := form.CreateFormFile("media", "cat.png")
	if err == nil {
		_, err = part.Write([]byte("pixels"))
	}
	if err == nil {
		err = form.Close()
	}
	if err != nil {
		d.t.Fatal(err)
	}
	return d.do(true, key, "POST", "/v1/accounts/shop/media?type="+kind, form.FormDataContentType(), b.Bytes())
}

// do makes a call and validates request and answer.
func (d *desk) do(sound bool, key, method, path, contentType string, body []byte, headers ...string) answer {
	d.t.Helper()
	request := func() *http.Request {
		r := httptest.NewRequestWithContext(d.t.Context(), method, path, bytes.NewReader(body))
		if key != "" {
			r.Header.Set("Authorization", "Bearer "+key)
		}
		if len(body) > 0 {
			r.Header.Set("Content-Type", contentType)
		}
		for i := 0; i < len(headers); i += 2 {
			r.Header.Set(headers[i], headers[i+1])
		}
		return r
	}
	what := method + " " + path
	asked := request()
	route, params, err := d.router.FindRoute(asked)
	if err != nil {
		d.t.Fatalf("%s: %v", what, err)
	}
	in := &openapi3filter.RequestValidationInput{
		Request: asked, PathParams: params, Route: route,
		Options: &openapi3filter.Options{
			AuthenticationFunc:    openapi3filter.NoopAuthenticationFunc,
			IncludeResponseStatus: true,
		},
	}
	switch err := openapi3filter.ValidateRequest(d.t.Context(), in); {
	case sound && err != nil:
		d.t.Errorf("%s: the document refuses the request: %v", what, err)
	case !sound && err == nil:
		d.t.Errorf("%s: the document allows the request %s", what, body)
	}
	rec := httptest.NewRecorder()
	d.h.ServeHTTP(rec, request())
	got := rec.Result()
	text, err := io.ReadAll(got.Body)
	if err != nil {
		d.t.Fatal(err)
	}
	out := &openapi3filter.ResponseValidationInput{RequestValidationInput: in, Status: got.StatusCode, Header: got.Header, Options: in.Options}
	out.SetBodyBytes(text)
	if err := openapi3filter.ValidateResponse(d.t.Context(), out); err != nil {
		d.t.Errorf("%s: the document does not allow the answer %d %s: %v", what, got.StatusCode, text, err)
	}
	if got.StatusCode < 300 {
		d.covered[route.Operation.OperationID] = true
	}
	return answer{d.t, what, got.StatusCode, text}
}

// nowhere is a queue that nobody reads, and a customer whom nobody tells.
type nowhere struct{}

func (nowhere) Send(context.Context, string, time.Duration, []byte) error { return nil }

func (nowhere) Typing(context.Context, account.Account, account.Customer, bool) error { return nil }

func (nowhere) Examine(_ context.Context, id account.ID) (doctor.Report, error) {
	found := doctor.Diagnose(doctor.Evidence{At: time.Date(2026, 11, 21, 8, 0, 0, 0, time.UTC), Account: account.Account{ID: id}})
	return doctor.Report{Account: id, At: time.Date(2026, 11, 21, 8, 0, 0, 0, time.UTC), Healthy: doctor.Healthy(found), Findings: found}, nil
}

// bury keeps an event that could not be told, and returns its key in the list.
func (d *desk) bury() string {
	d.t.Helper()
	a, err := d.store.Account(d.t.Context(), "shop")
	if err != nil {
		d.t.Fatal(err)
	}
	kept, err := hook.Bury(hook.Told{Tell: session.Tell{
		Ref: session.Ref{Account: "shop", Customer: "alice"}, Owner: a.Owner(), News: session.News{Seq: 1, Event: account.MessageIn, At: d.clock(), Session: "s1", Message: "s1-1"},
	}}, "status-500", d.clock())
	if err == nil {
		err = d.store.KeepRaw(d.t.Context(), kept)
	}
	if err != nil {
		d.t.Fatal(err)
	}
	return kept.Push.Key
}

// review has the platform's text check hold a message.
func (d *desk) review(who account.Customer, id string) {
	d.t.Helper()
	a, err := d.store.Account(d.t.Context(), "shop")
	for _, e := range []session.Event{session.Next{}, session.Answered{Message: message.ID(id), Outcome: session.Outcome{Kind: session.Review}}} {
		if err == nil {
			_, err = d.shell.Do(d.t.Context(), session.Ref{Account: "shop", Customer: who}, session.RulesOf(a), nil, e)
		}
	}
	if err != nil {
		d.t.Fatal(err)
	}
}

// files keeps uploads in the store.
type files struct{ *bolt.Store }

func (f files) Add(ctx context.Context, a account.Account, kind, name, contentType string, b []byte) (message.Media, error) {
	m := message.Media{ID: "m1", Account: a.ID, Owner: a.Owner(), Type: kind, Name: name, ContentType: contentType, Size: int64(len(b)), Kept: true}
	if err := f.PutBlob(ctx, m.ID, b); err != nil {
		return m, err
	}
	return m, f.PutMedia(ctx, m)
}

func (f files) Open(ctx context.Context, id string) (message.Media, []byte, error) {
	m, err := f.Media(ctx, id)
	if err != nil {
		return m, nil, err
	}
	b, err := f.Blob(ctx, id)
	return m, b, err
}
