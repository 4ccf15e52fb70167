package wxfake

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"time"
)

const (
	miniApp = "wx0123456789abcdef"
	miniGH  = "gh_0123456789ab"
	oaApp   = "wxfedcba9876543210"
	oaGH    = "gh_ba9876543210"
	testKey = "rveUEcRZy6I2qWdY1qfru2nlYZAUDk6U2qmtiScUTGG" // last character not canonical
	otherID = "oSomebodyNobodyKnows_000000"
)

// clock is a clock that only moves when told; waiting moves it.
type clock struct {
	mu    sync.Mutex
	t     time.Time
	waits []time.Duration
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	c.t = c.t.Add(d)
	c.mu.Unlock()
}

func (c *clock) wait(ctx context.Context, d time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
	c.waits = append(c.waits, d)
	return ctx.Err()
}

func (c *clock) waited() []time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]time.Duration(nil), c.waits...)
}

// seen is one request that the account's server got.
type seen struct {
	method, contentType string
	query               url.Values
	body                []byte
}

// shop is an account's server: it records what it gets and answers what it is told.
type shop struct {
	*httptest.Server
	mu     sync.Mutex
	got    []seen
	answer func(n int, w http.ResponseWriter, s seen) // n counts from 1
}

func (s *shop) requests() []seen {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]seen(nil), s.got...)
}

func (s *shop) answers(f func(n int, w http.ResponseWriter, s seen)) {
	s.mu.Lock()
	s.answer = f
	s.mu.Unlock()
}

func newShop(t testing.TB) *shop {
	t.Helper()
	s := &shop{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		one := seen{r.Method, r.Header.Get("Content-Type"), r.URL.Query(), body}
		s.mu.Lock()
		s.got = append(s.got, one)
		n, answer := len(s.got), s.answer
		s.mu.Unlock()
		if answer != nil {
			answer(n, w, one)
			return
		}
		_, _ = io.WriteString(w, "success")
	}))
	t.Cleanup(s.Close)
	return s
}

// world is a platform with a Mini Program and an official account, both served by one shop.
type world struct {
	t     testing.TB
	p     *Platform
	api   *httptest.Server
	shop  *shop
	clock *clock
}

func newWorld(t testing.TB, change ...func(*Options)) *world {
	t.Helper()
	w := &world{t: t, shop: newShop(t), clock: &clock{t: time.Date(2026, 3, 4, 5, 6, 7, 800_000_000, time.UTC)}}
	opt := Options{Now: w.clock.now, Wait: w.clock.wait, Seed: 1}
	for _, f := range change {
		f(&opt)
	}
	w.p = New(opt)
	t.Cleanup(w.p.Close)
	w.api = httptest.NewServer(w.p.Handler())
	t.Cleanup(w.api.Close)
	w.p.SetBaseURL(w.api.URL)
	w.add(Account{Channel: MiniProgram, AppID: miniApp, OriginalID: miniGH, Mode: Secure, Format: JSON})
	w.add(Account{Channel: Official, AppID: oaApp, OriginalID: oaGH, Mode: Secure, Format: XML})
	return w
}

func (w *world) add(a Account) {
	w.t.Helper()
	a.Secret, a.Token, a.AESKey, a.CallbackURL = "secret-of-"+a.AppID, "kfToken2026", testKey, w.shop.URL+"/callback"
	if err := w.p.AddAccount(a); err != nil {
		w.t.Fatalf("AddAccount: %v", err)
	}
}

func (w *world) update(appID string, change func(*Account)) {
	w.t.Helper()
	if err := w.p.UpdateAccount(appID, change); err != nil {
		w.t.Fatalf("UpdateAccount: %v", err)
	}
}

// reply is an API answer of any kind.
type reply struct {
	Code      int    `json:"errcode"`
	Text      string `json:"errmsg"`
	Token     string `json:"access_token"`
	ExpiresIn int    `json:"expires_in"`
	MediaID   string `json:"media_id"`
	VideoURL  string `json:"video_url"`
	status    int
	body      []byte
	header    http.Header
}

func (w *world) do(method, path, contentType string, body []byte) (reply, error) {
	w.t.Helper()
	req, err := http.NewRequestWithContext(w.t.Context(), method, w.api.URL+path, bytes.NewReader(body))
	if err != nil {
		w.t.Fatalf("NewRequest: %v", err)
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	res, err := w.api.Client().Do(req)
	if err != nil {
		return reply{}, err
	}
	defer func() { _ = res.Body.Close() }()
	var out reply
	if out.body, err = io.ReadAll(res.Body); err != nil {
		return reply{}, err
	}
	out.status, out.header = res.StatusCode, res.Header
	_ = json.Unmarshal(out.body, &out) // not every answer is JSON
	return out, nil
}

func (w *world) post(path, body string) reply {
	w.t.Helper()
	r, err := w.do(http.MethodPost, path, "application/json", []byte(body))
	if err != nil {
		w.t.Fatalf("POST %s: %v", path, err)
	}
	return r
}

func (w *world) get(path string) reply {
	w.t.Helper()
	r, err := w.do(http.MethodGet, path, "", nil)
	if err != nil {
		w.t.Fatalf("GET %s: %v", path, err)
	}
	return r
}

func (w *world) stable(appID string, force bool) reply {
	w.t.Helper()
	return w.post("/cgi-bin/stable_token", fmt.Sprintf(
		`{"grant_type":"client_credential","appid":%q,"secret":%q,"force_refresh":%v}`, appID, "secret-of-"+appID, force))
}

func (w *world) token(appID string) string {
	w.t.Helper()
	r := w.stable(appID, false)
	if r.Token == "" {
		w.t.Fatalf("stable_token: no token in %s", r.body)
	}
	return r.Token
}

// send posts to custom/send with a good token.
func (w *world) send(appID, body string) reply {
	w.t.Helper()
	return w.post("/cgi-bin/message/custom/send?access_token="+w.token(appID), body)
}

func (w *world) sendText(c *Customer, text string) reply {
	w.t.Helper()
	return w.send(c.AppID(), textTo(c.OpenID(), text))
}

func textTo(openID, text string) string {
	return fmt.Sprintf(`{"touser":"%s","msgtype":"text","text":{"content":%s}}`, openID, jsonText(text))
}

func (w *world) upload(appID, kind, part string, data []byte) reply {
	w.t.Helper()
	var b bytes.Buffer
	form := multipart.NewWriter(&b)
	file, err := form.CreateFormFile(part, "file.bin")
	if err == nil {
		_, err = file.Write(data)
	}
	if err == nil {
		err = form.Close()
	}
	if err != nil {
		w.t.Fatalf("multipart: %v", err)
	}
	r, err := w.do(http.MethodPost, "/cgi-bin/media/upload?access_token="+w.token(appID)+"&type="+kind, form.FormDataContentType(), b.Bytes())
	if err != nil {
		w.t.Fatalf("upload: %v", err)
	}
	return r
}

// Files that are what they claim by their first bytes.
var (
	pngFile = []byte("\x89PNG\r\n\x1a\n0000")
	jpgFile = []byte("\xff\xd8\xff\xe0 jpeg")
	amrFile = []byte("#!AMR\nvoice")
	mp4File = []byte("\x00\x00\x00\x18ftypmp42 film")
)

func (w *world) media(appID, kind string, data []byte) string {
	w.t.Helper()
	r := w.upload(appID, kind, "media", data)
	if r.MediaID == "" {
		w.t.Fatalf("upload of %s: no media_id in %s", kind, r.body)
	}
	return r.MediaID
}

func wantCode(t testing.TB, what string, r reply, want int) {
	t.Helper()
	if r.Code != want || r.status != http.StatusOK {
		t.Errorf("%s: got status %d and %s, want errcode %d", what, r.status, r.body, want)
	}
}
