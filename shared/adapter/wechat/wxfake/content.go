package wxfake

import (
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
)

// ContentRule is a word that the content check finds.
type ContentRule struct {
	Word    string
	Suggest string // SuggestReview or SuggestRisky
	Label   int    // 10001 ads, 20001 politics, 20002 porn, 20003 abuse, 20006 crime, 20008 fraud, 20012 vulgar, 20013 copyright, 21000 other
}

// What the content check suggests.
const (
	SuggestPass   = "pass"
	SuggestReview = "review"
	SuggestRisky  = "risky"
)

// SetContentRules replaces what the content check finds in texts. Without rules everything passes.
func (p *Platform) SetContentRules(rules ...ContentRule) {
	p.checks.mu.Lock()
	p.checks.rules = slices.Clone(rules)
	p.checks.mu.Unlock()
	p.bell.ring()
}

// ContentRules returns what the content check finds.
func (p *Platform) ContentRules() []ContentRule {
	p.checks.mu.Lock()
	defer p.checks.mu.Unlock()
	return slices.Clone(p.checks.rules)
}

// visitLife is how long after his last visit to the Mini Program a customer's openid serves a content check.
const visitLife = 2 * time.Hour

// Visit is opening the Mini Program, as before entering the chat. The account doesn't learn of it.
func (c *Customer) Visit() {
	now := c.p.now()
	c.mu.Lock()
	c.visited = now
	c.mu.Unlock()
	c.p.bell.ring()
}

func (c *Customer) visitedLately(now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return !c.visited.IsZero() && now.Sub(c.visited) <= visitLife
}

// checkInput is what the two content checks read.
type checkInput struct {
	OpenID    string `json:"openid"`
	Scene     int    `json:"scene"`
	Version   int    `json:"version"`
	Content   string `json:"content"`
	MediaURL  string `json:"media_url"`
	MediaType int    `json:"media_type"`
}

// verdict is a content check's result.
type verdict struct {
	Suggest string `json:"suggest"`
	Label   int    `json:"label"`
}

type checkDetail struct {
	Strategy string `json:"strategy"`
	ErrCode  int    `json:"errcode"`
	Suggest  string `json:"suggest"`
	Label    int    `json:"label"`
	Prob     int    `json:"prob,omitempty"`
	Keyword  string `json:"keyword,omitempty"`
	Level    int    `json:"level,omitempty"`
}

// checkInput reads and checks what both calls share; the limits are the platform's own for the path.
func (p *Platform) checkInput(q *call, perMinute, perDay int) (checkInput, int) {
	var in checkInput
	if q.cfg.Channel != MiniProgram || q.cfg.Permissions.NoContentCheck {
		return in, codeNoPermission
	}
	if code := p.checkLimits(q, perMinute, perDay); code != 0 {
		return in, code
	}
	if code := q.decode(&in); code != 0 {
		return in, code
	}
	q.who = in.OpenID
	switch {
	case in.Scene < 1 || in.Scene > 4:
		return in, codeBadScene
	case in.Version != 2:
		return in, codeBadArgs
	case in.OpenID == "":
		return in, codeNoOpenID
	}
	v, ok := q.acc.customers.Load(in.OpenID)
	switch {
	case !ok && p.anybody(in.OpenID):
		return in, codeForeignOpenID
	case !ok:
		return in, codeBadOpenID
	case !v.(*Customer).visitedLately(q.now): //nolint:forcetypeassert // the map holds nothing else
		return in, codeNotVisited
	}
	return in, 0
}

// anybody reports whether some account has this customer.
func (p *Platform) anybody(openID string) bool {
	found := false
	p.accounts.Range(func(_, v any) bool {
		_, found = v.(*account).customers.Load(openID) //nolint:forcetypeassert // the map holds nothing else
		return !found
	})
	return found
}

// checkLimits counts a call against the account's limits by the minute and the day.
func (p *Platform) checkLimits(q *call, perMinute, perDay int) int {
	if n := q.cfg.Permissions.ChecksPerMinute; n > 0 {
		perMinute = n
	}
	if n := q.cfg.Permissions.ChecksPerDay; n > 0 {
		perDay = n
	}
	switch {
	case q.acc.quota.get(q.path, q.now) >= perDay:
		return codeDailyQuota
	case q.acc.checked.count(q.path, q.now) > perMinute:
		return codeCheckQuota
	}
	return 0
}

// minuteBox counts an account's calls by path in the minute of the clock.
type minuteBox struct {
	mu     sync.Mutex
	minute int64
	used   map[string]int
}

func (b *minuteBox) count(path string, now time.Time) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	if minute := now.Unix() / 60; b.used == nil || minute != b.minute {
		b.minute, b.used = minute, make(map[string]int)
	}
	b.used[path]++
	return b.used[path]
}

// maxChecked is the longest text of one check, in characters.
const maxChecked = 2500

// msgSecCheck is POST /wxa/msg_sec_check, version 2.
//
// https://developers.weixin.qq.com/miniprogram/dev/OpenApiDoc/sec-center/sec-check/msgSecCheck.html
func (p *Platform) msgSecCheck(q *call) answer {
	in, code := p.checkInput(q, 4000, 2_000_000)
	if code == 0 && (in.Content == "" || utf8.RuneCountInString(in.Content) > maxChecked) {
		code = codeBadArgs
	}
	if code != 0 {
		return refuse(code)
	}
	out := struct {
		ErrCode int           `json:"errcode"`
		ErrMsg  string        `json:"errmsg"`
		TraceID string        `json:"trace_id"`
		Result  verdict       `json:"result"`
		Detail  []checkDetail `json:"detail"`
	}{
		ErrMsg: "ok", TraceID: p.dice.rid(q.now), Result: verdict{SuggestPass, 100},
		Detail: []checkDetail{{Strategy: "content_model", Suggest: SuggestPass, Label: 100, Prob: 90}},
	}
	for _, r := range p.ContentRules() {
		if r.Word == "" || !strings.Contains(in.Content, r.Word) {
			continue
		}
		out.Detail = append(out.Detail, checkDetail{Strategy: "keyword", Suggest: r.Suggest, Label: r.Label, Keyword: r.Word, Level: 90})
		if out.Result.Suggest == SuggestPass || r.Suggest == SuggestRisky && out.Result.Suggest == SuggestReview {
			out.Result = verdict{r.Suggest, r.Label}
		}
	}
	return result(out)
}
