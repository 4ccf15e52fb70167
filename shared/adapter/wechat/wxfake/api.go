package wxfake

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"
)

// Bodies above these sizes are refused before anything else is looked at.
const (
	maxBody   = 1 << 20
	maxUpload = 12 << 20
)

// route is one API call of the platform.
type route struct {
	method string
	open   bool // needs no access token
	size   int64
	run    func(*Platform, *call) answer
}

// routes is every call that the simulator knows, by path.
var routes = map[string]route{
	"/cgi-bin/token":                          {http.MethodGet, true, maxBody, (*Platform).getToken},
	"/cgi-bin/stable_token":                   {http.MethodPost, true, maxBody, (*Platform).stableToken},
	"/cgi-bin/message/custom/send":            {http.MethodPost, false, maxBody, (*Platform).customSend},
	"/cgi-bin/message/custom/typing":          {http.MethodPost, false, maxBody, (*Platform).typing},
	"/cgi-bin/message/custom/business/typing": {http.MethodPost, false, maxBody, (*Platform).typing},
	"/cgi-bin/media/upload":                   {http.MethodPost, false, maxUpload, (*Platform).mediaUpload},
	"/cgi-bin/media/get":                      {http.MethodGet, false, maxBody, (*Platform).mediaGet},
	"/wxa/msg_sec_check":                      {http.MethodPost, false, maxBody, (*Platform).msgSecCheck},
	"/wxa/media_check_async":                  {http.MethodPost, false, maxBody, (*Platform).mediaCheckAsync},
	"/cgi-bin/callback/check":                 {http.MethodPost, false, maxBody, (*Platform).callbackCheck},
	"/cgi-bin/getcallbackip":                  {http.MethodGet, false, maxBody, (*Platform).callbackIP},
	"/cgi-bin/get_api_domain_ip":              {http.MethodGet, false, maxBody, (*Platform).callbackIP},
	"/cgi-bin/openapi/quota/get":              {http.MethodPost, false, maxBody, (*Platform).quotaGet},
}

// call is one API request on its way.
type call struct {
	r     *http.Request
	path  string
	now   time.Time
	body  []byte
	acc   *account // nil for calls without a token
	cfg   *Account
	appID string // for the traffic log
	who   string // the openid concerned, for the traffic log
}

// answer is what a call gives back: a code, a JSON body, or raw bytes with their headers.
type answer struct {
	code   int
	text   string // replaces the code's usual errmsg
	body   []byte
	header map[string]string
}

func refuse(code int) answer { return answer{code: code} }

// result encodes a body; errors can't happen for the structs it is given.
func result(v any) answer {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return refuse(codeBusy)
	}
	return answer{body: bytes.TrimSuffix(b.Bytes(), []byte("\n"))}
}

// decode reads the JSON body the way the platform does, and returns the code of what is wrong with it.
func (q *call) decode(into any) int {
	switch {
	case len(bytes.TrimSpace(q.body)) == 0:
		return codeEmptyBody
	case !utf8.Valid(q.body) || hasUnicodeEscape(q.body):
		return codeBadCharset
	case json.Unmarshal(q.body, into) != nil:
		return codeBadJSON
	}
	return 0
}

// hasUnicodeEscape reports whether JSON text holds \uXXXX. A doubled backslash is a backslash and no escape.
func hasUnicodeEscape(b []byte) bool {
	for i := 0; i+1 < len(b); i++ {
		if b[i] == '\\' {
			i++
			if b[i] == 'u' {
				return true
			}
		}
	}
	return false
}

// Handler returns the platform as an HTTP server: the API under its usual paths (/cgi-bin/…, /wxa/…), the page at /,
// and the page's own calls under /sim/. It may be mounted below any prefix with http.StripPrefix.
func (p *Platform) Handler() http.Handler { return http.HandlerFunc(p.serve) }

func (p *Platform) serve(w http.ResponseWriter, r *http.Request) {
	path := "/" + strings.TrimLeft(r.URL.Path, "/")
	if rt, ok := routes[path]; ok {
		p.serveAPI(w, r, path, rt)
		return
	}
	p.servePage(w, r, path)
}

// serveAPI runs one call between the faults that may hit it, and records it.
func (p *Platform) serveAPI(w http.ResponseWriter, r *http.Request, path string, rt route) {
	began := time.Now()
	p.stats.calls.Add(1)
	q := &call{r: r, path: path, now: p.now()}
	token := accessToken(r.URL)
	acc, tokenCode := p.authorize(token, q.now)
	if acc != nil {
		q.acc, q.cfg, q.appID = acc, acc.cfg.Load(), acc.appID
	}
	fault := p.takeFault(path, q.appID)
	if fault.cut && !fault.perform {
		p.record(q, Exchange{Kind: KindAPI, Err: "connection closed before the request was read", Took: time.Since(began)})
		panic(http.ErrAbortHandler)
	}
	var err error
	q.body, err = io.ReadAll(http.MaxBytesReader(w, r.Body, rt.size))
	if strings.HasSuffix(path, "/custom/send") {
		defer p.coming(q)()
	}
	p.delay(q, fault.delay)
	ans := answer{}
	switch tooBig := new(http.MaxBytesError); {
	case errors.As(err, &tooBig):
		ans = refuse(codeMediaTooBig)
	case err != nil:
		p.record(q, Exchange{Kind: KindAPI, Err: "request cut: " + err.Error(), Took: time.Since(began)})
		return
	case fault.perform && r.Method != rt.method:
		ans = refuse(map[string]int{http.MethodGet: codeNeedGet, http.MethodPost: codeNeedPost}[rt.method])
	case fault.perform && !rt.open && tokenCode != 0:
		ans = refuse(tokenCode)
	case fault.perform:
		ans = rt.run(p, q)
		if q.appID != "" {
			p.account(q.appID).quota.add(path, q.now)
		}
	case fault.code == codeBadIP:
		ans = refuseIP(clientIP(r.RemoteAddr))
	case fault.code != 0:
		ans = refuse(fault.code)
	}
	p.respond(w, q, ans, fault, began)
}

// coming notes that a send for a customer is under way, until its answer is written.
func (p *Platform) coming(q *call) (done func()) {
	var in struct {
		ToUser string `json:"touser"`
	}
	if q.acc == nil || json.Unmarshal(q.body, &in) != nil {
		return func() {}
	}
	v, ok := q.acc.customers.Load(in.ToUser)
	if !ok {
		return func() {}
	}
	c := v.(*Customer) //nolint:forcetypeassert // the map holds nothing else
	c.coming.Add(1)
	return func() { c.coming.Add(-1) }
}

// delay holds a call up. A caller who leaves meanwhile has sent its request all the same: the call goes on.
func (p *Platform) delay(q *call, d time.Duration) {
	if d <= 0 {
		return
	}
	ctx, done := p.joined(q.r.Context())
	defer done()
	if err := p.opt.Wait(ctx, d); err != nil {
		p.opt.Log.LogAttrs(ctx, slog.LevelDebug, "slow answer not awaited", slog.String("path", q.path))
	}
	q.now = p.now()
}

// respond writes the answer, or what a fault makes of it.
func (p *Platform) respond(w http.ResponseWriter, q *call, ans answer, fault apiFault, began time.Time) {
	status, body := http.StatusOK, ans.body
	if ans.code != 0 {
		p.stats.refused.Add(1)
		p.refused.add(ans.code)
		p.opt.Log.LogAttrs(q.r.Context(), slog.LevelDebug, "call refused",
			slog.String("path", q.path), slog.String("app_id", q.appID), slog.Int("errcode", ans.code))
	}
	if body == nil {
		body = p.errorBody(ans, q.now)
	}
	header := w.Header()
	header.Set("Content-Type", "application/json; charset=UTF-8")
	for name, value := range ans.header {
		header.Set(name, value)
	}
	if fault.status != 0 {
		status, body = fault.status, fault.body
		header.Del("Content-Disposition")
		header.Set("Content-Type", "text/html")
	}
	x := Exchange{Kind: KindAPI, Status: status, Code: ans.code, Answer: body, Took: time.Since(began)}
	if fault.cut {
		x.Status, x.Err = 0, "performed, then the connection was cut without an answer"
	}
	p.record(q, x)
	if fault.cut {
		panic(http.ErrAbortHandler)
	}
	w.WriteHeader(status)
	_, _ = w.Write(body) // the client may be gone: that is its loss
}

// errorBody is {"errcode","errmsg"}; every text but "ok" ends with a request id.
func (p *Platform) errorBody(ans answer, now time.Time) []byte {
	text := ans.text
	if text == "" {
		text = textOf(ans.code)
	}
	if ans.code != 0 {
		text += " rid: " + p.dice.rid(now)
	}
	return fmt.Appendf(nil, `{"errcode":%d,"errmsg":%s}`, ans.code, jsonText(text))
}

// accessToken reads the query parameter without decoding the rest of the query.
func accessToken(u *url.URL) string {
	for part := range strings.SplitSeq(u.RawQuery, "&") {
		if v, ok := strings.CutPrefix(part, "access_token="); ok {
			if text, err := url.QueryUnescape(v); err == nil {
				return text
			}
		}
	}
	return ""
}

// secrets finds what the traffic log must not show.
var secrets = regexp.MustCompile(`("(?:access_token|secret|appsecret)"\s*:\s*")[^"]*`)

// record puts a call into the traffic log with tokens and secrets masked.
func (p *Platform) record(q *call, x Exchange) {
	x.At, x.AppID, x.OpenID, x.Method = q.now, q.appID, q.who, q.r.Method
	x.URL = q.path + maskedQuery(q.r.URL.RawQuery)
	x.Outer = clip(q.body)
	x.Answer = clip(x.Answer)
	if strings.HasSuffix(q.path, "token") {
		x.Outer = secrets.ReplaceAll(x.Outer, []byte("${1}***"))
		x.Answer = secrets.ReplaceAll(x.Answer, []byte("${1}***"))
	}
	p.traffic.add(x)
	p.bell.ring()
}

// maskedQuery is the query with the values of tokens and secrets starred out.
func maskedQuery(raw string) string {
	if raw == "" {
		return ""
	}
	parts := strings.Split(raw, "&")
	for i, part := range parts {
		if name, _, _ := strings.Cut(part, "="); name == "access_token" || name == "secret" {
			parts[i] = name + "=***"
		}
	}
	return "?" + strings.Join(parts, "&")
}
