package wxfake

import (
	"crypto/subtle"
	"encoding/json"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

const (
	tokenLife     = 7200 * time.Second
	renewalLap    = 5 * time.Minute // how long the former token of GET /token lives on, and how early stable_token renews
	forceGap      = 30 * time.Second
	forcedPerDay  = 20
	plainPerDay   = 2000
	tokenGrave    = time.Hour // how long a dead token is remembered, to answer 42001 and not 40001
	tokenTextSize = 136
	quotaRate     = 5000 // calls a minute that quota/get tells of; not enforced
)

// china is the zone in which the platform's days begin.
var china = time.FixedZone("CST", 8*60*60)

// token is one access token.
type token struct {
	acc   *account
	text  string
	until atomic.Int64 // Unix nanoseconds
	dead  atomic.Bool  // replaced or revoked: "not latest"
}

func (t *token) remaining(now time.Time) time.Duration {
	return time.Duration(t.until.Load() - now.UnixNano())
}

// cut ends the token's life at the moment at, if it would live longer.
func (t *token) cut(at time.Time) { t.until.Store(min(t.until.Load(), at.UnixNano())) }

// tokenBox holds an account's tokens. The two kinds know nothing of each other.
type tokenBox struct {
	mu            sync.Mutex
	plain, stable *token
	issued        []*token // to forget them later
	forcedAt      time.Time
	day           string
	forced, asked int
}

// newTokenLocked makes a token and forgets those long dead. The box is locked.
func (p *Platform) newTokenLocked(a *account, now time.Time) *token {
	a.tokens.issued = slices.DeleteFunc(a.tokens.issued, func(t *token) bool {
		if t.remaining(now) > -tokenGrave {
			return false
		}
		p.tokens.Delete(t.text)
		return true
	})
	t := &token{acc: a, text: "86_" + p.dice.text(tokenTextSize)}
	t.until.Store(now.Add(tokenLife).UnixNano())
	a.tokens.issued = append(a.tokens.issued, t)
	p.tokens.Store(t.text, t)
	return t
}

// countDay starts the daily counters anew when the platform's day has changed. The box is locked.
func (b *tokenBox) countDay(now time.Time) {
	if day := now.In(china).Format(time.DateOnly); day != b.day {
		b.day, b.forced, b.asked = day, 0, 0
	}
}

// getToken is GET /cgi-bin/token: each call makes a new token, the former lives five more minutes.
func (p *Platform) getToken(q *call) answer {
	query := q.r.URL.Query()
	return p.issue(q, query.Get("grant_type"), query.Get("appid"), query.Get("secret"), func(a *account) (*token, int) {
		box := &a.tokens
		if box.asked++; box.asked > plainPerDay {
			return nil, codeDailyQuota
		}
		if box.plain != nil {
			box.plain.cut(q.now.Add(renewalLap))
		}
		box.plain = p.newTokenLocked(a, q.now)
		return box.plain, 0
	})
}

// stableToken is POST /cgi-bin/stable_token: the same token until shortly before its end; force_refresh kills it.
func (p *Platform) stableToken(q *call) answer {
	var in struct {
		GrantType string `json:"grant_type"`
		AppID     string `json:"appid"`
		Secret    string `json:"secret"`
		Force     bool   `json:"force_refresh"`
	}
	if code := q.decode(&in); code != 0 {
		return refuse(code)
	}
	return p.issue(q, in.GrantType, in.AppID, in.Secret, func(a *account) (*token, int) {
		box := &a.tokens
		if in.Force {
			if code := box.force(q.now); code != 0 {
				return nil, code
			}
		} else if box.stable != nil && box.stable.remaining(q.now) > renewalLap {
			return box.stable, 0
		}
		box.stable = p.newTokenLocked(a, q.now)
		return box.stable, 0
	})
}

// force counts a forced refresh and kills the token. The box is locked.
func (b *tokenBox) force(now time.Time) int {
	if b.forced >= forcedPerDay {
		return codeDailyQuota
	}
	if now.Before(b.forcedAt.Add(forceGap)) {
		return codeMinuteQuota
	}
	b.forced++
	b.forcedAt = now
	if b.stable != nil {
		b.stable.dead.Store(true)
	}
	return 0
}

// issue checks who asks and answers with the token that take gives under the box's lock.
func (p *Platform) issue(q *call, grantType, appID, secret string, take func(*account) (*token, int)) answer {
	switch {
	case appID == "":
		return refuse(codeNoAppID)
	case secret == "":
		return refuse(codeNoSecret)
	case grantType != "client_credential":
		return refuse(codeBadGrantType)
	}
	cfg := p.config(appID)
	if cfg == nil {
		return refuse(codeBadAppID)
	}
	q.appID = appID
	perm := cfg.Permissions
	switch {
	case perm.SecretFrozen:
		return refuse(codeSecretFrozen)
	case subtle.ConstantTimeCompare([]byte(secret), []byte(cfg.Secret)) != 1:
		return refuse(codeBadSecret)
	case perm.AccountFrozen:
		return refuse(codeAccountFrozen)
	}
	if ip := clientIP(q.r.RemoteAddr); len(perm.AllowedIPs) > 0 && !slices.Contains(perm.AllowedIPs, ip) {
		return refuseIP(ip)
	}
	a := p.account(appID)
	a.tokens.mu.Lock()
	defer a.tokens.mu.Unlock()
	a.tokens.countDay(q.now)
	t, code := take(a)
	if code != 0 {
		return refuse(code)
	}
	return result(struct {
		AccessToken string `json:"access_token"`
		ExpiresIn   int    `json:"expires_in"`
	}{t.text, int(t.remaining(q.now) / time.Second)})
}

// refuseIP is 40164 with the text that the platform's pages give.
func refuseIP(ip string) answer {
	return answer{code: codeBadIP, text: "invalid ip " + ip + " ipv6 ::ffff:" + ip + ", not in whitelist"}
}

func clientIP(remote string) string {
	host, _, err := net.SplitHostPort(remote)
	if err != nil {
		return remote
	}
	return host
}

// authorize finds the account of an access token, or the code that refuses it.
func (p *Platform) authorize(text string, now time.Time) (*account, int) {
	if text == "" {
		return nil, codeNoToken
	}
	v, ok := p.tokens.Load(text)
	if !ok {
		if i := strings.IndexByte(text, '_'); i < 1 || strings.Trim(text[:i], "0123456789") != "" {
			return nil, codeIllegalToken
		}
		return nil, codeBadToken
	}
	t := v.(*token) //nolint:forcetypeassert // the map holds nothing else
	switch {
	case t.dead.Load():
		return nil, codeBadToken
	case t.remaining(now) <= 0:
		return nil, codeExpiredToken
	}
	return t.acc, 0
}

// ExpireTokens ends every token of an account now, as if its two hours were over: calls answer 42001, and the next
// stable_token gives a new one. An empty AppID means all accounts.
func (p *Platform) ExpireTokens(appID string) {
	now := p.now()
	p.eachTokenBox(appID, func(b *tokenBox) {
		for _, t := range b.issued {
			t.cut(now)
		}
	})
}

// RevokeTokens kills every token of an account as a forced refresh by another system does: calls answer 40001, and
// stable_token without force_refresh goes on to hand out the dead token, which the platform has been seen to do.
// An empty AppID means all accounts.
func (p *Platform) RevokeTokens(appID string) {
	p.eachTokenBox(appID, func(b *tokenBox) {
		for _, t := range b.issued {
			t.dead.Store(true)
		}
	})
}

func (p *Platform) eachTokenBox(appID string, do func(*tokenBox)) {
	p.accounts.Range(func(id, v any) bool {
		if appID == "" || id == appID {
			b := &v.(*account).tokens //nolint:forcetypeassert // the map holds nothing else
			b.mu.Lock()
			do(b)
			b.mu.Unlock()
		}
		return true
	})
}

// quotaBox counts an account's calls by path and day.
type quotaBox struct {
	mu   sync.Mutex
	day  int // days since 1970 in the platform's zone
	used map[string]int
}

func (q *quotaBox) add(path string, now time.Time) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.today(now)
	q.used[path]++
}

func (q *quotaBox) get(path string, now time.Time) int {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.today(now)
	return q.used[path]
}

func (q *quotaBox) today(now time.Time) {
	day := int((now.Unix() + 8*60*60) / (24 * 60 * 60))
	if q.used == nil || day != q.day {
		q.day, q.used = day, make(map[string]int)
	}
}

// quotaGet is POST /cgi-bin/openapi/quota/get.
func (p *Platform) quotaGet(q *call) answer {
	var in struct {
		Path string `json:"cgi_path"`
	}
	if code := q.decode(&in); code != 0 {
		return refuse(code)
	}
	limit, ok := map[string]int{
		"/cgi-bin/token": plainPerDay, "/cgi-bin/stable_token": 500_000, "/cgi-bin/message/custom/send": 500_000,
		"/cgi-bin/media/upload": 100_000, "/cgi-bin/media/get": 200_000,
		"/wxa/msg_sec_check": 2_000_000, "/wxa/media_check_async": 200_000,
	}[in.Path]
	switch perm := q.cfg.Permissions; {
	case strings.HasPrefix(in.Path, "/sns/"):
		return refuse(codeWrongToken)
	case !ok:
		return refuse(codeBadPath)
	case perm.NoCustomerMessages && strings.HasPrefix(in.Path, "/cgi-bin/message/custom/"):
		return refuse(codeNoPermission)
	case perm.Banned && strings.HasPrefix(in.Path, "/cgi-bin/message/custom/"):
		return refuse(codeBanned)
	}
	used := q.acc.quota.get(in.Path, q.now)
	out, err := json.Marshal(map[string]any{
		"errcode": 0, "errmsg": "ok",
		"quota":      map[string]int{"daily_limit": limit, "used": used, "remain": max(0, limit-used)},
		"rate_limit": map[string]int{"call_count": quotaRate, "refresh_second": 60},
	})
	if err != nil {
		return refuse(codeBusy)
	}
	return answer{body: out}
}
