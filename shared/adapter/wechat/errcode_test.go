package wechat

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"kefu/shared/core/account"
	"kefu/shared/core/fault"
	"kefu/shared/core/session"
)

// wantReactions is the platform's table as the product reads it, written down a second time: code, kind, reason, alert.
var wantReactions = []struct {
	code   int
	kind   session.OutcomeKind
	reason string
	alert  bool
}{
	{-1, session.Busy, "", false},
	{40001, session.Refused, "token-refused", true},
	{40002, session.Refused, "request-invalid", true},
	{40003, session.Refused, "customer-unknown", false},
	{40004, session.Refused, "media-invalid", false},
	{40005, session.Refused, "media-invalid", false},
	{40006, session.Refused, "too-large", false},
	{40007, session.MediaGone, "", false},
	{40008, session.Refused, "request-invalid", true},
	{40009, session.Refused, "too-large", false},
	{40013, session.Refused, "app-id-wrong", true},
	{40014, session.Refused, "token-refused", true},
	{40033, session.Refused, "request-invalid", true},
	{40097, session.Refused, "request-invalid", true},
	{40101, session.Refused, "wrong-path", true},
	{40129, session.Refused, "request-invalid", true},
	{40125, session.Refused, "secret-wrong", true},
	{40164, session.Refused, "ip-not-allowed", true},
	{40200, session.Refused, "wrong-path", true},
	{40243, session.Refused, "secret-frozen", true},
	{41001, session.Refused, "request-invalid", true},
	{41002, session.Refused, "request-invalid", true},
	{41004, session.Refused, "request-invalid", true},
	{41005, session.Refused, "media-invalid", false},
	{41006, session.Refused, "request-invalid", true},
	{41009, session.Refused, "request-invalid", true},
	{42001, session.Refused, "token-refused", true},
	{43002, session.Refused, "request-invalid", true},
	{43003, session.Refused, "request-invalid", true},
	{43004, session.Refused, "not-following", false},
	{43019, session.Refused, "customer-blocked", false},
	{43104, session.Refused, "customer-unknown", false},
	{44002, session.Refused, "request-invalid", true},
	{44003, session.Refused, "request-invalid", true},
	{44004, session.Refused, "request-invalid", true},
	{44991, session.Throttled, "", false},
	{45001, session.Refused, "too-large", false},
	{45002, session.Refused, "too-long", false},
	{45003, session.Refused, "too-long", false},
	{45004, session.Refused, "too-long", false},
	{45005, session.Refused, "too-long", false},
	{45006, session.Refused, "too-long", false},
	{45008, session.Refused, "too-long", false},
	{45009, session.DayQuota, "", true},
	{45011, session.Throttled, "", false},
	{45015, session.WindowClosed, "", false},
	{45047, session.QuotaUsedUp, "", false},
	{45072, session.Refused, "typing-ignored", false},
	{45080, session.Refused, "typing-ignored", false},
	{45081, session.Refused, "typing-ignored", false},
	{45162, session.Refused, "request-invalid", true},
	{47001, session.Refused, "request-invalid", true},
	{48001, session.Refused, "not-authorized", true},
	{48002, session.Refused, "customer-refuses", false},
	{48004, session.Refused, "api-banned", true},
	{48008, session.Refused, "type-not-allowed", true},
	{50002, session.Refused, "customer-limited", false},
	{50004, session.Refused, "token-forbidden", true},
	{50007, session.Refused, "account-frozen", true},
	{61003, session.Refused, "not-authorized", true},
	{61007, session.Refused, "not-authorized", true},
	{61010, session.Refused, "not-visited-lately", false},
	{70000, session.Refused, "minor-protected", false},
	{89503, session.Refused, "ip-unconfirmed", true},
	{89506, session.Refused, "ip-refused", true},
	{89507, session.Refused, "ip-refused", true},
	{45157, session.Refused, "platform-refused", true}, // not in the table
	{-1000, session.Refused, "platform-refused", true},
}

func TestEveryCodeHasItsReaction(t *testing.T) {
	t.Parallel()
	listed := map[int]bool{}
	for _, tc := range wantReactions {
		listed[tc.code] = true
		t.Run(fmt.Sprint(tc.code), func(t *testing.T) {
			t.Parallel()
			c, log := clientFor(t, answering(200, fmt.Sprintf(`{"errcode":%d,"errmsg":"some text rid: 66a1-b2-c3"}`, tc.code)))
			want := session.Outcome{Kind: tc.kind, Code: tc.code, Reason: tc.reason}
			if got := c.Send(t.Context(), clientMini, "o1", clientHi, nil); got != want {
				t.Errorf("got %+v, want %+v", got, want)
			}
			last := lastLine(t, log)
			wantLevel := "WARN"
			if tc.alert {
				wantLevel = "ERROR"
			}
			if last["level"] != wantLevel || last["account"] != "shop" || last["rid"] != "66a1-b2-c3" || last["errcode"] != float64(tc.code) {
				t.Errorf("got log line %v, want level %s, account, code and rid", last, wantLevel)
			}
			if s := log.String(); strings.Contains(s, "some text") || strings.Contains(s, `"hi"`) {
				t.Errorf("got a text in the log: %s", s)
			}
		})
	}
	for code := range reactions {
		if !listed[code] {
			t.Errorf("code %d is in the table and not in this test", code)
		}
	}
}

func lastLine(t *testing.T, log *lockedBuffer) map[string]any {
	t.Helper()
	lines := strings.Split(strings.TrimSpace(log.String()), "\n")
	var m map[string]any
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &m); err != nil {
		t.Fatalf("got log %q, want JSON lines: %v", lines, err)
	}
	return m
}

func TestRefusedTokenIsReplacedOnce(t *testing.T) {
	t.Parallel()
	for _, code := range []int{40001, 40014, 42001} {
		for name, tc := range map[string]struct {
			good string // the token that the platform takes
			want session.Outcome
		}{
			"second is good": {"86_tok2", session.Outcome{Kind: session.Sent}},
			"third would be": {"86_tok3", session.Outcome{Kind: session.Refused, Code: code, Reason: "token-refused"}},
		} {
			t.Run(fmt.Sprint(code, " ", name), func(t *testing.T) {
				t.Parallel()
				var calls atomic.Int32
				c, log := clientFor(t, func(w http.ResponseWriter, r *http.Request) {
					calls.Add(1)
					if r.URL.Query().Get("access_token") == tc.good {
						_, _ = io.WriteString(w, okAnswer)
						return
					}
					_, _ = fmt.Fprintf(w, `{"errcode":%d}`, code)
				})
				tokens := &tokenScript{tokens: []string{"86_tok1", "86_tok2", "86_tok3"}}
				c.Tokens = tokens
				if got := c.Send(t.Context(), clientMini, "o1", clientHi, nil); got != tc.want {
					t.Errorf("got %+v, want %+v", got, tc.want)
				}
				if got := calls.Load(); got != 2 {
					t.Errorf("got %d calls, want 2", got)
				}
				if got, want := fmt.Sprint(tokens.refused), "[ 86_tok1]"; got != want {
					t.Errorf("got tokens called refused %s, want %s", got, want)
				}
				if got, want := strings.Contains(log.String(), `"level":"ERROR"`), tc.want.Kind != session.Sent; got != want {
					t.Errorf("got alert %v, want %v: %s", got, want, log)
				}
			})
		}
	}
}

func TestSecondTryOfARefusedTokenCanBeLost(t *testing.T) {
	t.Parallel()
	var calls atomic.Int32
	c, _ := clientFor(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		if calls.Add(1) == 1 {
			_, _ = io.WriteString(w, `{"errcode":42001}`)
			return
		}
		panic(http.ErrAbortHandler)
	})
	if got, want := c.Send(t.Context(), clientMini, "o1", clientHi, nil), (session.Outcome{Kind: session.Lost}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if got := calls.Load(); got != 2 {
		t.Errorf("got %d calls, want 2", got)
	}
}

func TestSendWithoutAToken(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		err  error
		want session.Outcome
	}{
		"store away":          {fault.Wrap(fault.Unavailable, "", errors.New("store")), session.Outcome{Kind: session.Unreached}},
		"unclassified":        {errors.New("what"), session.Outcome{Kind: session.Unreached}},
		"out of time":         {context.DeadlineExceeded, session.Outcome{Kind: session.Unreached}},
		"answer of it lost":   {fault.Wrap(fault.Unavailable, "", &exchangeError{"stable_token", true, io.EOF}), session.Outcome{Kind: session.Unreached}},
		"forced a moment ago": {fault.Later("token-forced-recently", "", time.Second), session.Outcome{Kind: session.Throttled}},
		"no secret":           {fault.New(fault.Invalid, "secret-missing", ""), session.Outcome{Kind: session.Refused, Reason: "secret-missing"}},
		"wrong secret":        {newRefusal("stable_token", 40001, "", true).asFault(clientNow), session.Outcome{Kind: session.Refused, Code: 40001, Reason: "secret-wrong"}},
		"wrong address":       {newRefusal("stable_token", 40164, "", true).asFault(clientNow), session.Outcome{Kind: session.Refused, Code: 40164, Reason: "ip-not-allowed"}},
		"platform busy":       {newRefusal("stable_token", -1, "", true).asFault(clientNow), session.Outcome{Kind: session.Busy, Code: -1}},
		"day's quota":         {newRefusal("stable_token", 45009, "", true).asFault(clientNow), session.Outcome{Kind: session.DayQuota, Code: 45009}},
		"a window's code":     {newRefusal("stable_token", 45015, "", true).asFault(clientNow), session.Outcome{Kind: session.Refused, Code: 45015, Reason: "window-closed"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, _ := clientFor(t, func(http.ResponseWriter, *http.Request) { t.Error("got a call, want none") })
			c.Tokens = &tokenScript{err: fmt.Errorf("keeper: %w", tc.err)}
			if got := c.Send(t.Context(), clientMini, "o1", clientHi, nil); got != tc.want {
				t.Errorf("got %+v, want %+v", got, tc.want)
			}
		})
	}
}

func TestRefusalReadsIPAndRID(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][2]string{
		"invalid ip 1.2.3.4 ipv6 ::ffff:1.2.3.4, not in whitelist rid: 63c8-1f-77": {"1.2.3.4", "63c8-1f-77"},
		"invalid ip 2001:db8::7, not in whitelist hint: [Xy-9]":                    {"2001:db8::7", "Xy-9"},
		"invalid ip dead.beef, not in whitelist":                                   {"", ""},
		"":                                                                         {"", ""},
	} {
		r := newRefusal("stable_token", 40164, text, true)
		if got := [2]string{r.IP, r.RID}; got != want {
			t.Errorf("%q: got %v, want %v", text, got, want)
		}
		if !r.Alert() {
			t.Errorf("%q: got no alert, want one", text)
		}
	}
}

func TestIssue(t *testing.T) {
	t.Parallel()
	for _, force := range []bool{false, true} {
		t.Run(fmt.Sprint("force ", force), func(t *testing.T) {
			t.Parallel()
			c, _ := clientFor(t, func(w http.ResponseWriter, r *http.Request) {
				b, _ := io.ReadAll(r.Body)
				want := fmt.Sprintf(`{"grant_type":"client_credential","appid":"wx1","secret":"app-secret-text","force_refresh":%v}`, force)
				if got := r.Method + " " + r.URL.String() + " " + string(b); got != "POST /cgi-bin/stable_token "+want {
					t.Errorf("got %s, want POST /cgi-bin/stable_token %s", got, want)
				}
				_, _ = io.WriteString(w, `{"access_token":"86_tok9","expires_in":7200}`)
			})
			want := account.AccessToken{Value: "86_tok9", ExpiresAt: clientNow.Add(2 * time.Hour)}
			if force {
				want.ForcedAt = clientNow
			}
			if got, err := c.Issue(t.Context(), clientMini, force); err != nil || got != want {
				t.Errorf("got %+v, %v; want %+v", got, err, want)
			}
		})
	}
}

func TestIssueFails(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		status int
		body   string
		kind   fault.Kind
		code   string
	}{
		"wrong secret":     {200, `{"errcode":40125}`, fault.Denied, "secret-wrong"},
		"wrong secret too": {200, `{"errcode":40001}`, fault.Denied, "secret-wrong"},
		"wrong address":    {200, `{"errcode":40164,"errmsg":"invalid ip 1.2.3.4 ipv6 ::ffff:1.2.3.4, not in whitelist"}`, fault.Denied, "ip-not-allowed"},
		"busy":             {200, `{"errcode":-1}`, fault.Unavailable, "platform-busy"},
		"minute's quota":   {200, `{"errcode":45011}`, fault.Exhausted, "throttled"},
		"day's quota":      {200, `{"errcode":45009}`, fault.Exhausted, "day-quota"},
		"html":             {502, `<html>`, fault.Unavailable, "platform-unreachable"},
		"no token":         {200, `{"expires_in":7200}`, fault.Unavailable, "platform-unreachable"},
		"no life":          {200, `{"access_token":"86_tok9"}`, fault.Unavailable, "platform-unreachable"},
		"an absurd life":   {200, `{"access_token":"86_tok9","expires_in":9000000000000000}`, fault.Unavailable, "platform-unreachable"},
		"a life in words":  {200, `{"access_token":"86_tok9","expires_in":"long"}`, fault.Unavailable, "platform-unreachable"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, log := clientFor(t, answering(tc.status, tc.body))
			got, err := c.Issue(t.Context(), clientMini, false)
			if fault.KindOf(err) != tc.kind || fault.CodeOf(err) != tc.code || got.Value != "" {
				t.Errorf("got %v, %v; want %s %s", got, err, tc.kind, tc.code)
			}
			if name == "wrong address" && lastLine(t, log)["ip"] != "1.2.3.4" {
				t.Errorf("got %s, want the address in it", log)
			}
			if tc.code == "day-quota" {
				if got, want := fault.RetryAfter(err), 12*time.Hour+time.Minute; got != want {
					t.Errorf("got retry after %v, want %v: a minute past midnight in China", got, want)
				}
			}
		})
	}
	t.Run("without a secret", func(t *testing.T) {
		t.Parallel()
		c, _ := clientFor(t, func(http.ResponseWriter, *http.Request) { t.Error("got a call, want none") })
		if _, err := c.Issue(t.Context(), account.Account{AppID: "wx1"}, false); fault.CodeOf(err) != "secret-missing" {
			t.Errorf("got %v, want secret-missing", err)
		}
	})
}

func TestTyping(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		path   string
		on     bool
		answer string
		want   string
		code   string
	}{
		"on":                  {"", true, okAnswer, "/cgi-bin/message/custom/typing?access_token=86_tok1 {\"touser\":\"o1\",\"command\":\"Typing\"}", ""},
		"off":                 {"", false, okAnswer, "/cgi-bin/message/custom/typing?access_token=86_tok1 {\"touser\":\"o1\",\"command\":\"CancelTyping\"}", ""},
		"a path of no typing": {"/cgi-bin/clear_quota", true, okAnswer, "/cgi-bin/message/custom/typing?access_token=86_tok1 {\"touser\":\"o1\",\"command\":\"Typing\"}", ""},
		"another path":        {"/cgi-bin/message/custom/business/typing", true, okAnswer, "/cgi-bin/message/custom/business/typing?access_token=86_tok1 {\"touser\":\"o1\",\"command\":\"Typing\"}", ""},
		"no exchange":         {"", true, `{"errcode":45080}`, "", "typing-ignored"},
		"wrong path":          {"", true, `{"errcode":40200}`, "", "wrong-path"},
		"an answer lost":      {"", true, "<html>", "", "platform-unreachable"},
		"a closed window":     {"", true, `{"errcode":45015}`, "", "window-closed"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, log := clientFor(t, func(w http.ResponseWriter, r *http.Request) {
				b, _ := io.ReadAll(r.Body)
				if got := r.URL.String() + " " + string(b); tc.want != "" && got != tc.want {
					t.Errorf("got %s, want %s", got, tc.want)
				}
				_, _ = io.WriteString(w, tc.answer)
			})
			a := clientMini
			a.Settings.TypingPath = tc.path
			err := c.Typing(t.Context(), a, "o1", tc.on)
			if (tc.code == "") != (err == nil) || (err != nil && fault.CodeOf(err) != tc.code) {
				t.Errorf("got %v, want code %q", err, tc.code)
			}
			if s := log.String(); strings.Contains(s, "ERROR") || strings.Contains(s, "WARN") {
				t.Errorf("got %s, want nothing above level Debug", s)
			}
		})
	}
}
