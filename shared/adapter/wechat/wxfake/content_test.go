package wxfake

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
)

// check has a text checked as if it went to a customer.
func (w *world) check(c *Customer, text string) reply {
	w.t.Helper()
	return w.post("/wxa/msg_sec_check?access_token="+w.token(miniApp),
		fmt.Sprintf(`{"openid":"%s","scene":2,"version":2,"content":%s}`, c.OpenID(), jsonText(text)))
}

func suggestion(t *testing.T, r reply) string {
	t.Helper()
	var out struct {
		Trace  string  `json:"trace_id"`
		Result verdict `json:"result"`
	}
	if err := json.Unmarshal(r.body, &out); err != nil || r.Code != 0 || out.Trace == "" {
		t.Fatalf("got %s, %v; want a result with a trace", r.body, err)
	}
	return fmt.Sprint(out.Result.Suggest, " ", out.Result.Label)
}

func TestTheContentCheckFindsWords(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.p.Named(miniApp, "Li")
	c.Visit()
	w.p.SetContentRules(ContentRule{"代开发票", SuggestRisky, 20008}, ContentRule{"加微信", SuggestReview, 10001}, ContentRule{"转账", SuggestRisky, 20006})
	for text, want := range map[string]string{
		"您的订单已发货": "pass 100", "请加微信": "review 10001", "加微信代开发票": "risky 20008", "代开发票，转账": "risky 20008", "转账后加微信": "risky 20006",
	} {
		if got := suggestion(t, w.check(c, text)); got != want {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
	}
	w.p.SetContentRules()
	if got := suggestion(t, w.check(c, "代开发票")); got != "pass 100" {
		t.Errorf("without rules: got %s, want pass 100", got)
	}
	wantCode(t, "2500 characters", w.check(c, strings.Repeat("服", 2500)), 0)
	wantCode(t, "2501 characters", w.check(c, strings.Repeat("服", 2501)), codeBadArgs)
}

func TestTheContentCheckWantsAVisit(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.p.Named(miniApp, "Li")
	c.Say(t.Context(), "hi") // from the message box
	wantCode(t, "never there", w.check(c, "a"), codeNotVisited)
	c.Enter(t.Context(), "")
	w.clock.add(2 * time.Hour)
	wantCode(t, "two hours after he entered", w.check(c, "a"), 0)
	w.clock.add(time.Nanosecond)
	wantCode(t, "later", w.check(c, "a"), codeNotVisited)
	c.Visit()
	wantCode(t, "there again", w.check(c, "a"), 0)
	next := w.restarted()
	wantCode(t, "after a restart", next.check(next.p.Named(miniApp, "Li"), "a"), 0)
	stranger := w.p.Named(oaApp, "Li")
	wantCode(t, "another account's customer", w.check(stranger, "a"), codeForeignOpenID)
}

func TestTheContentCheckHasLimits(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.p.Named(miniApp, "Li")
	c.Visit()
	w.update(miniApp, func(a *Account) { a.Permissions.ChecksPerMinute, a.Permissions.ChecksPerDay = 2, 4 })
	for i, want := range []int{0, 0, codeCheckQuota} {
		wantCode(t, fmt.Sprintf("call %d of the first minute", i+1), w.check(c, "a"), want)
	}
	w.clock.add(time.Minute)
	wantCode(t, "the next minute", w.check(c, "a"), 0)
	wantCode(t, "the day's last is gone", w.check(c, "a"), codeDailyQuota)
	w.clock.add(24 * time.Hour)
	c.Visit()
	wantCode(t, "the next day", w.check(c, "a"), 0)
	w.update(miniApp, func(a *Account) { a.Permissions.NoContentCheck = true })
	wantCode(t, "not granted", w.check(c, "a"), codeNoPermission)
}

func TestTheContentCheckByThePage(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.act(miniApp, "Li", "visit", "")
	c := w.p.Named(miniApp, "Li")
	for _, body := range []string{`"kind":"risky-word","text":"代开发票"`, `"kind":"review-word","text":"加微信"`} {
		wantCode(t, body, w.post("/sim/fault", `{"app":"`+miniApp+`",`+body+`}`), 0)
	}
	if got := suggestion(t, w.check(c, "代开发票")); !strings.HasPrefix(got, SuggestRisky) {
		t.Errorf("got %s, want risky", got)
	}
	if got := suggestion(t, w.check(c, "加微信")); !strings.HasPrefix(got, SuggestReview) {
		t.Errorf("got %s, want review", got)
	}
	if got := w.state(miniApp, "Li", 0).Faults; len(got) != 2 || !strings.Contains(got[0], "代开发票") {
		t.Errorf("shown: got %q, want both words", got)
	}
	if r := w.post("/sim/fault", `{"app":"`+miniApp+`","kind":"risky-word"}`); r.status != 422 {
		t.Errorf("no word: got %d, want 422", r.status)
	}
	w.post("/sim/fault", `{"app":"`+miniApp+`","kind":"clear"}`)
	if got := w.p.ContentRules(); len(got) != 0 {
		t.Errorf("cleared: got %v", got)
	}
}
