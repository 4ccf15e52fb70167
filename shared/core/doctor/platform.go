package doctor

import (
	"fmt"
	"slices"
	"time"
)

// accessToken tells whether the account's secret opens the platform's interface.
func (d *diagnosis) accessToken() {
	d.check = CheckAccessToken
	t := d.Token
	if t.Worked() {
		d.ok("access-token-given", "The platform gives an access token for the app id and the secret set here.", nil)
		return
	}
	d.troubled(t, "The platform gives no access token")
}

// untilThen follows each reason for which nothing else of the platform can be asked.
const untilThen = " Until then messages are received, and none can be sent."

// troubles is what the reasons of a token call mean, by the page getStableAccessToken.
var troubles = map[string]struct{ text, do string }{
	SecretMissing: {
		"The account has no app secret, so Kefu can receive and not send.", "Copy the AppSecret from the console to secret.",
	},
	"secret-wrong": {
		"The app secret set here is not that of the app id.", "Copy the AppSecret from the console to secret once more; if it was reset there, the former one is dead." + untilThen,
	},
	"app-id-wrong": {
		"The platform knows no such app id.", "Copy the AppID from the console to app_id." + untilThen,
	},
	"secret-frozen": {
		"The app secret has been frozen in the console.", "Unfreeze it in the console, or make a new one and set it here." + untilThen,
	},
	"token-forbidden": {
		"The platform forbids this account to fetch access tokens.", "Look into the console for a notice of the platform." + untilThen,
	},
	"account-frozen": {
		"The platform has frozen the account.", "Look into the console for a notice of the platform." + untilThen,
	},
	"ip-unconfirmed": {
		"The account's administrator must confirm the address from which Kefu calls.", "Let the administrator confirm it in WeChat." + untilThen,
	},
	"ip-refused": {
		"The account's administrator has refused the address from which Kefu calls.", "Ask the administrator; a refusal lasts an hour or a day." + untilThen,
	},
}

// troubled tells why a call of the platform failed. What begins the sentence for reasons that have none of their own.
func (d *diagnosis) troubled(t Trial, what string) {
	data := refusalOf(t)
	if known, ok := troubles[t.Reason]; ok {
		d.say(Error, t.Reason, known.text, known.do, data)
		return
	}
	switch t.Reason {
	case "ip-not-allowed":
		text := "The address from which Kefu calls is not on the account's IP whitelist (IP 白名单)."
		if t.IP != "" {
			text = "The address from which Kefu calls, " + t.IP + ", is not on the account's IP whitelist (IP 白名单)."
		}
		d.say(Error, "ip-not-allowed", text, "Add it in the console, on the page of the AppSecret. Let Kefu call from a fixed address."+untilThen, data)
	case Unreachable:
		d.unreachable(t)
	case "platform-busy", "throttled", "day-quota", "token-busy", "token-forced-recently":
		d.say(Warning, t.Reason, what+" just now.", "Ask again in a minute; if the day's quota is used up, tomorrow.", data)
	default:
		d.say(Error, "platform-refused", what+": it answers with an error code.",
			"Look the code up on the platform's page of error codes, and the rid with openapi/rid/get, within seven days.", data)
	}
}

// refusalOf is what the platform told of a refusal.
func refusalOf(t Trial) facts {
	data := facts{}
	if t.Code != 0 {
		data["errcode"] = t.Code
	}
	for name, text := range map[string]string{"rid": t.RID, "ip": t.IP, "address": t.Host, "reason": t.Reason} {
		if text != "" {
			data[name] = text
		}
	}
	return data
}

func (d *diagnosis) unreachable(t Trial) {
	where, ok := map[How]string{
		AtName:    "its name can't be resolved",
		AtConnect: "it takes no connection",
		AtTLS:     "its certificate or TLS is not in order",
		AtAnswer:  "what answers there doesn't speak as the platform does",
		AtTime:    "nothing came in time",
	}[t.How]
	if !ok {
		where = "the call failed"
	}
	data := refusalOf(t)
	if t.How != "" {
		data["how"] = string(t.How)
	}
	d.say(Error, Unreachable, fmt.Sprintf("The platform can't be reached at %s: %s.", t.Host, where),
		"Check name service, routes, proxies and firewalls on the way out, and KEFU_WECHAT_URL if it is set.", data)
}

// callback tells what the platform found when it looked for the callback address.
//
// https://developers.weixin.qq.com/doc/offiaccount/Basic_Information/Network_Detection.html
func (d *diagnosis) callback() {
	d.check = CheckCallback
	c := d.Callback
	switch {
	case c.Reason == NoToken:
	case c.Worked():
		d.reach(c)
	case c.Code == 40201:
		d.say(Error, "callback-not-set", "No callback address is set in the console.", fmt.Sprintf(where, d.Account.ID), refusalOf(c.Trial))
	case c.Reason == Unreachable && d.Token.Reason == Unreachable: // said already
	default:
		d.say(Warning, "callback-not-checked", "The platform didn't look for the callback address.",
			"Ask again. Some kinds of account have no such call; then nothing is wrong.", refusalOf(c.Trial))
	}
}

// reach judges names and pings. Only a name that nobody can resolve is beyond doubt:
// many gateways answer no ping.
func (d *diagnosis) reach(c CallbackTrial) {
	lost := 0
	for _, p := range c.Pings {
		if p.Loss >= 100 {
			lost++
		}
	}
	data := facts{"names": slices.Concat([]Resolved{}, c.Names), "pings": slices.Concat([]Ping{}, c.Pings)} // never null
	switch {
	case len(c.Names) == 0:
		d.say(Error, "callback-no-name", "The platform finds no address for the host of the callback address set in the console.",
			"Correct the host in the console, or its DNS records.", data)
	case lost > 0 && lost == len(c.Pings):
		d.say(Warning, "callback-no-ping", "The platform finds the host of the callback address, and gets no answer to its pings, which many gateways don't give.",
			"If pushes come, this is nothing. If not, look at firewalls: the address must be open on port 80 or 443.", data)
	case lost > 0:
		d.say(Warning, "callback-some-pings", "Some of the addresses of the callback's host answer no ping.",
			"Look whether all of them are in service.", data)
	default:
		d.ok("callback-reachable", "The platform finds the host of the callback address.", data)
	}
}

// scarce is the part of a day's quota below which a word is said.
const scarce = 10 // percent

// permission tells whether the account may send customer messages, by asking for the
// quota of the call that sends them, which harms nothing.
//
// https://developers.weixin.qq.com/doc/offiaccount/openApi/get_api_quota.html
func (d *diagnosis) permission() {
	d.check = CheckPermission
	s := d.Send
	switch {
	case s.Reason == NoToken:
	case s.Worked():
		d.quota(s)
	case s.Code == 48001 || s.Code == 61003 || s.Code == 61007:
		d.say(Error, "permission-missing", "The account may not send customer messages.",
			"In the console, see under the interface permissions (接口权限) that customer messages are granted; an Official Account must be verified, and a third-party platform authorised for them.", refusalOf(s.Trial))
	case s.Code == 48004:
		d.say(Error, "api-banned", "The platform has banned the account from this call for breaking its rules.",
			"Look into the console for a notice of the platform.", refusalOf(s.Trial))
	case s.Reason == Unreachable && d.Token.Reason == Unreachable: // said already
	default:
		d.say(Warning, "quota-unknown", "The platform doesn't tell the quota of customer messages.",
			"Ask again. If it stays so, send a message and look how it ends.", refusalOf(s.Trial))
	}
}

func (d *diagnosis) quota(s SendTrial) {
	data := facts{"daily_limit": s.Limit, "used": s.Used, "remain": s.Remain}
	if s.RateCalls > 0 {
		data["rate_calls"], data["rate_seconds"] = s.RateCalls, int64(s.RateFor/time.Second)
	}
	switch {
	case s.Limit == 0:
		d.say(Warning, "quota-none", "The platform grants the account no customer messages a day.",
			"In the console, see under the interface permissions (接口权限) that customer messages are granted.", data)
	case s.Remain <= 0:
		d.say(Error, "quota-used-up", "Today's quota of customer messages is used up.",
			"It begins anew at midnight in China (UTC+8).", data)
	case s.Remain <= s.Limit/100*scarce:
		d.say(Warning, "quota-low", fmt.Sprintf("Less than %d %% of today's quota of customer messages is left.", scarce),
			"It begins anew at midnight in China (UTC+8).", data)
	default:
		d.ok("send-permitted", "The account may send customer messages.", data)
	}
}
