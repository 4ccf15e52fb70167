package wechat

import (
	"fmt"
	"log/slog"
	"net/netip"
	"regexp"
	"sync"
	"time"

	"kefu/shared/core/fault"
	"kefu/shared/core/session"
)

// reaction is what Kefu does about an error code.
type reaction struct {
	kind   session.OutcomeKind
	reason string     // stable word; for Refused it goes into the message's row
	fault  fault.Kind // for calls that send no message
	alert  bool       // a person must act
	renew  bool       // the token is no good: another one, once
	issue  string     // replaces reason when it is the token call that answers so
}

// giveUp is about this customer or this message alone.
func giveUp(reason string) reaction {
	return reaction{kind: session.Refused, reason: reason, fault: fault.Denied}
}

// alarm is about the account's set-up: it will hit every message until a person acts.
func alarm(reason string) reaction {
	return reaction{kind: session.Refused, reason: reason, fault: fault.Denied, alert: true}
}

// badInput is about what an agent wrote or uploaded.
func badInput(reason string) reaction {
	return reaction{kind: session.Refused, reason: reason, fault: fault.Invalid}
}

// ownBug is a request that Kefu should not have made.
func ownBug() reaction {
	return reaction{kind: session.Refused, reason: "request-invalid", fault: fault.Internal, alert: true}
}

// badToken calls for another token; only when that is refused as well does it come to the reason. Often a second
// system fetches tokens for the same app id.
func badToken(issue string) reaction {
	return reaction{kind: session.Refused, reason: "token-refused", fault: fault.Denied, alert: true, renew: true, issue: issue}
}

// reactions is the one table of the platform's error codes. What is not in it is [unlisted].
//
// Pages: sendCustomMessage, uploadTempMedia, getMedia, getStableAccessToken, msgSecCheck, and the general list
// https://developers.weixin.qq.com/miniprogram/dev/framework/usability/PublicErrno.html
var reactions = map[int]reaction{
	-1: {kind: session.Busy, reason: "platform-busy", fault: fault.Unavailable},

	// Token, app id and where the call comes from.
	40001: badToken("secret-wrong"),
	40014: badToken(""),
	42001: badToken(""),
	40013: alarm("app-id-wrong"),
	40125: alarm("secret-wrong"),
	40243: alarm("secret-frozen"),
	50004: alarm("token-forbidden"),
	50007: alarm("account-frozen"),
	40164: alarm("ip-not-allowed"),
	89503: alarm("ip-unconfirmed"), // an administrator must confirm
	89506: alarm("ip-refused"),     // by an administrator, for 24 h
	89507: alarm("ip-refused"),     // for 1 h
	61003: alarm("not-authorized"),
	61007: alarm("not-authorized"),
	48001: alarm("not-authorized"),
	48004: alarm("api-banned"),
	48008: alarm("type-not-allowed"),
	40101: alarm("wrong-path"), // seen on /custom/business/send
	40200: alarm("wrong-path"), // this kind of account has another path

	// The customer.
	40003: giveUp("customer-unknown"), // also another account's, or (official account) no follower
	43004: giveUp("not-following"),
	43019: giveUp("customer-blocked"),
	48002: giveUp("customer-refuses"),
	50002: giveUp("customer-limited"),
	70000: giveUp("minor-protected"),

	// The window and the quotas.
	45015: {kind: session.WindowClosed, reason: "window-closed", fault: fault.Conflict},
	45047: {kind: session.QuotaUsedUp, reason: "quota-used-up", fault: fault.Conflict},
	45009: {kind: session.DayQuota, reason: "day-quota", fault: fault.Exhausted, alert: true},
	45011: {kind: session.Throttled, reason: "throttled", fault: fault.Exhausted},

	// The content.
	40007: {kind: session.MediaGone, reason: "media-gone", fault: fault.NotFound},
	40004: badInput("media-invalid"), // type
	40005: badInput("media-invalid"), // format
	40006: badInput("too-large"),
	40009: badInput("too-large"),
	41005: badInput("media-invalid"), // no data
	45001: badInput("too-large"),
	45002: badInput("too-long"),
	45003: badInput("too-long"),
	45004: badInput("too-long"),
	45005: badInput("too-long"),
	45006: badInput("too-long"),
	45008: badInput("too-long"), // more than one article

	// The typing signal.
	45072: giveUp("typing-ignored"),
	45080: giveUp("typing-ignored"), // no exchange in the last 30 s
	45081: giveUp("typing-ignored"), // shown already

	// Content security.
	43104:          giveUp("customer-unknown"), // another account's
	44991:          {kind: session.Throttled, reason: "throttled", fault: fault.Exhausted},
	codeNotVisited: giveUp("not-visited-lately"),

	// Requests that Kefu should not have made.
	40002: ownBug(), // grant type
	40008: ownBug(), // message type
	40033: ownBug(), // \uXXXX in the request
	40097: ownBug(),
	40129: ownBug(), // scene
	41001: ownBug(), // no token
	41002: ownBug(), // no app id
	41004: ownBug(), // no secret
	41006: ownBug(), // no media id
	41009: ownBug(), // no openid
	43002: ownBug(), // not POST
	43003: ownBug(), // not HTTPS
	44002: ownBug(), // empty body
	44003: ownBug(), // empty news
	44004: ownBug(), // empty text
	45162: ownBug(), // a type that is no message
	47001: ownBug(), // not JSON
}

// unlisted is the reaction to every other code: give up, and tell somebody.
var unlisted = alarm("platform-refused")

// Refusal is the platform's answer with an error code. It travels inside the errors of this package, and of
// whatever passes them on; errors.As finds it.
type Refusal struct {
	Op     string // the call
	Code   int    // errcode
	Reason string // stable word
	RID    string // the platform's request id, with which it can look the call up for seven days
	IP     string // of 40164: the address that is not on the account's list
	row    reaction
}

// newRefusal reads what is useful out of an errmsg; the text itself goes nowhere.
func newRefusal(op string, code int, text string, issuing bool) *Refusal {
	row, ok := reactions[code]
	if !ok {
		row = unlisted
	}
	r := &Refusal{Op: op, Code: code, Reason: row.reason, RID: firstMatch(ridShape, text), row: row}
	if issuing && row.issue != "" {
		r.Reason = row.issue
	}
	if addr, err := netip.ParseAddr(firstMatch(ipShape, text)); err == nil {
		r.IP = addr.String()
	}
	return r
}

var (
	ridShape = shape(`(?:rid: |hint: \[)([0-9A-Za-z-]{1,64})`)
	ipShape  = shape(`invalid ip ([0-9A-Fa-f.:]{2,45})`)
)

// shape compiles an expression when it is first needed: a function's start is waited for.
func shape(expr string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(expr) })
}

func firstMatch(re func() *regexp.Regexp, text string) string {
	if m := re().FindStringSubmatch(text); m != nil {
		return m[1]
	}
	return ""
}

// Error names call, code, reason and request id.
func (r *Refusal) Error() string {
	s := fmt.Sprintf("%s: errcode %d (%s)", r.Op, r.Code, r.Reason)
	if r.RID != "" {
		s += " rid " + r.RID
	}
	return s
}

// Alert reports whether a person must act before such calls work again.
func (r *Refusal) Alert() bool { return r.row.alert }

func (r *Refusal) attrs() []slog.Attr {
	attrs := []slog.Attr{slog.Int("errcode", r.Code), slog.String("reason", r.Reason), slog.String("rid", r.RID)}
	if r.IP != "" {
		attrs = append(attrs, slog.String("ip", r.IP))
	}
	return attrs
}

// outcome is what a refusal means for a message: its own, or for want of a token that of the token call, which
// knows nothing of windows and files.
func (r *Refusal) outcome(ofToken bool) session.Outcome {
	o := session.Outcome{Kind: r.row.kind, Code: r.Code}
	switch o.Kind {
	case session.WindowClosed, session.QuotaUsedUp, session.MediaGone:
		if ofToken {
			o.Kind = session.Refused
		}
	}
	if o.Kind == session.Refused {
		o.Reason = r.Reason
	}
	return o
}

// asFault is the refusal of every other call, judged at now.
func (r *Refusal) asFault(now time.Time) error {
	err := fault.Wrap(r.row.fault, r.Reason, r)
	switch r.row.kind {
	case session.Throttled:
		return fault.WithAfter(err, time.Minute)
	case session.DayQuota:
		return fault.WithAfter(err, untilNextDay(now))
	}
	return err
}

// platformDay is the zone in which the platform's daily quotas begin anew.
var platformDay = time.FixedZone("UTC+8", 8*60*60)

// untilNextDay is the time to a minute into the platform's next day.
func untilNextDay(now time.Time) time.Duration {
	y, m, d := now.In(platformDay).Date()
	return time.Date(y, m, d+1, 0, 1, 0, 0, platformDay).Sub(now)
}
