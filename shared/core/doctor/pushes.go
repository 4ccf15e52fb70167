package doctor

import (
	"fmt"
	"slices"
	"time"
)

const (
	// skewLimit is beyond what the way of a push, or its retries of 5 s each, explain.
	skewLimit = time.Minute
	// quietFor is how long an account may be silent before that is worth a word.
	quietFor = 7 * 24 * time.Hour
)

// pushes looks at what has come to the callback address.
func (d *diagnosis) pushes() {
	d.check = CheckPushes
	if d.lacks(LackPushes) {
		d.unknown(LackPushes)
		return
	}
	d.Seen = d.Seen.between(d.Account.CreatedAt, d.At)
	refusals := d.standing()
	d.lastPush(refusals)
	if p := d.Seen.Push; !p.At.IsZero() {
		d.modeSeen(p)
		d.formatSeen(p)
		d.clock(p)
	}
	for _, r := range refusals {
		d.refused(r)
	}
	if len(refusals) == 0 && !d.Seen.Push.At.IsZero() {
		d.ok("push-none-refused", "No push has been refused since the last one that was accepted.", nil)
	}
}

// where is what to look at when nothing comes.
const where = "In the console, on the page of the message push (消息推送), set the address to https://YOUR-HOST/callback/%s " +
	"with the same token, EncodingAESKey, mode and format as here, and switch it on."

// elsewhere is where pushes go that don't come.
//
// Page "Message push" (消息推送): what a cloud function or cloud hosting takes, or a
// third-party platform, is not pushed to the address.
const elsewhere = "Write a message to the account. If nothing comes, look in the console whether the message push is switched on, " +
	"and whether a cloud function, cloud hosting or an authorised third-party platform gets the messages instead."

func (d *diagnosis) lastPush(refusals []refusal) {
	came := func(keep func(Reason) bool) bool {
		return slices.ContainsFunc(refusals, func(r refusal) bool { return keep(r.Reason) })
	}
	p := d.Seen.Push
	age := d.At.Sub(p.At)
	switch {
	case !p.At.IsZero() && age > quietFor:
		d.say(Warning, "push-quiet", "The last push came "+span(age)+" ago.", elsewhere, facts{"last_at": moment(p.At), "age_seconds": seconds(age)})
	case !p.At.IsZero():
		d.ok("push-seen", "The last push came "+span(age)+" ago.", facts{"last_at": moment(p.At), "age_seconds": seconds(age)})
	case came(func(r Reason) bool { return r == Unreadable }): // which is told with its number
	case came(func(r Reason) bool { return r != Unsigned }):
		d.say(Error, "push-none-accepted", "Calls have come to the callback address, and none could be accepted.",
			"See what is said below about those that were refused.", nil)
	case !d.Seen.Check.At.IsZero():
		d.say(Warning, "push-never", "The console's check of the address has passed, but no push has come yet.", elsewhere,
			facts{"checked_at": moment(d.Seen.Check.At)})
	default:
		d.say(Error, "push-never", "The platform has never called the callback address.", fmt.Sprintf(where, d.Account.ID), nil)
	}
}

func (d *diagnosis) modeSeen(p Sighting) {
	set := d.Account.Mode
	data := facts{"seen": string(p.Mode), "set": string(set)}
	switch {
	case p.Mode == "":
	case p.Mode == set:
		d.ok("push-mode-same", "Pushes come in the mode that is set here.", data)
	default:
		d.say(Warning, "push-mode-differs",
			fmt.Sprintf("Pushes come in mode %s, and %s is set here; they are accepted, but one of the two is not what you meant.", p.Mode, set),
			"Set the same mode in the console and here; secure is the one to have.", data)
	}
}

// formatSeen: pushes of either format are read, but an answer in the other one is lost.
//
// Page "Message push" (消息推送): the answer must be in the format of the account.
func (d *diagnosis) formatSeen(p Sighting) {
	set := d.Account.Format
	data := facts{"seen": string(p.Format), "set": string(set)}
	switch {
	case p.Format == "":
	case p.Format == set:
		d.ok("push-format-same", "Pushes come in the format that is set here.", data)
	default:
		d.say(Warning, "push-format-differs",
			fmt.Sprintf("Pushes come as %s, and %s is set here: messages are read all the same, but the platform drops answers in another format than its own.", p.Format, set),
			"Set format to "+string(p.Format)+" here, or change it in the console.", data)
	}
}

func (d *diagnosis) clock(p Sighting) {
	skew, known := p.Skew()
	data := facts{"skew_seconds": seconds(skew)}
	switch {
	case !known:
	case skew > skewLimit:
		d.say(Warning, "clock-skew", "The last push arrived "+span(skew)+" after the time in its signature: the clock here is fast, or it was on its way for long.",
			"Compare the clock with a time server.", data)
	case skew < -skewLimit:
		d.say(Warning, "clock-skew", "The last push arrived "+span(skew)+" before the time in its signature: the clock here is slow.",
			"Compare the clock with a time server.", data)
	default:
		d.ok("clock-right", "The clock agrees with the platform's.", data)
	}
}

// proven reports that something signed with the token has come since the settings were changed.
func (d *diagnosis) proven() bool {
	since := d.Account.UpdatedAt
	return d.Seen.Push.At.After(since) || d.Seen.Check.At.After(since)
}

// refusal is one or more reasons with the same likely cause.
type refusal struct {
	Sighting // the newest of them, with the count of all
	cause
}

// standing are the refusals since which nothing has come that shows the contrary.
func (d *diagnosis) standing() (all []refusal) {
	for _, f := range d.Seen.Refused {
		c, ok := causes[f.Reason]
		passed := (f.Reason == WrongToken || f.Reason == NoEcho) && !f.At.After(d.Seen.Check.At)
		if !ok || passed || !f.At.After(d.Seen.Push.At) {
			continue
		}
		f.Count = max(f.Count, 1)
		at := slices.IndexFunc(all, func(r refusal) bool { return r.code == c.code })
		if at < 0 {
			all = append(all, refusal{f, c})
			continue
		}
		f.Count += all[at].Count
		if f.At.Before(all[at].At) {
			all[at].Count = f.Count
		} else {
			all[at] = refusal{f, c}
		}
	}
	return all
}

// weigh says how bad a refusal is.
func (d *diagnosis) weigh(r refusal) Level {
	switch {
	case r.level != "":
		return r.level
	case d.stale(r), r.anybody && d.proven():
		return Warning
	}
	return Error
}

// stale reports that the settings have been changed since: what was wrong may be right now.
func (d *diagnosis) stale(r refusal) bool { return !r.At.After(d.Account.UpdatedAt) }

// refused tells what a refusal likely means.
func (d *diagnosis) refused(r refusal) {
	calls := plural(r.Count, "call") + ", "
	if r.Count > 1 {
		calls += "the last one "
	}
	calls += span(d.At.Sub(r.At)) + " ago,"
	if d.stale(r) {
		calls += " before the settings were changed,"
	}
	data := facts{"reason": string(r.Reason), "count": r.Count, "last_at": moment(r.At), "last": "push"}
	if r.Check {
		data["last"] = "check"
	}
	switch r.Reason {
	case WrongAppID:
		data["expected"], data["found"] = d.Account.AppID, r.Found
	case WrongOriginalID:
		data["expected"], data["found"] = d.Account.OriginalID, r.Found
	default:
	}
	d.say(d.weigh(r), r.code, fmt.Sprintf(r.text, calls), r.do, data)
}

// cause is what a reason likely means.
type cause struct {
	code, text, do string
	level          Level // if it is always the same
	anybody        bool  // it takes no secret to bring it about
}

const sameInBoth = "Copy it from the console's page of the message push (消息推送) once more"

// causes is the table of likely causes. In texts, %s is how many calls and when.
var causes = map[Reason]cause{
	Unsigned: {
		code: "push-unsigned", level: OK,
		text: "%s had no signature at all: that was hardly the platform, and was refused.",
	},
	WrongToken: {
		code: "push-wrong-token", anybody: true,
		text: "%s had a signature that doesn't hold with the token set here.",
		do:   sameInBoth + ", to token. If messages arrive all the same, somebody else is calling the address.",
	},
	WrongBody: {
		code: "push-wrong-body",
		text: "%s had a good signature, but msg_signature, which covers the body, was missing or wrong: the token is right, the mode is not, or something on the way changes the body.",
		do:   "Set the same mode in the console and here, and let no proxy rewrite bodies.",
	},
	Unencrypted: {
		code: "push-unencrypted",
		text: "%s came unencrypted, although the mode set here wants encryption.",
		do:   "Choose the secure mode (安全模式) in the console.",
	},
	BadEnvelope: {
		code: "push-garbled",
		text: "%s had a good signature and a body that can't be read.",
		do:   "Let no proxy rewrite or cut bodies between the platform and Kefu.",
	},
	NotBase64: {
		code: "push-garbled",
		text: "%s had a good signature and ciphertext that is no base64.",
		do:   "Let no proxy rewrite or cut bodies between the platform and Kefu.",
	},
	NoKey: {
		code: "push-no-aes-key",
		text: "%s came encrypted, and there is no usable AES key here.",
		do:   sameInBoth + ", the EncodingAESKey, to aes_key.",
	},
	WrongLength: wrongKey,
	WrongKey:    wrongKey,
	WrongAppID: {
		code: "push-wrong-app-id",
		text: "%s could be decrypted, and was meant for another app id than the one set here.",
		do:   "Compare app_id with the console's: data has both. An account of a third-party platform gets pushes under that platform's app id.",
	},
	WrongOriginalID: {
		code: "push-wrong-original-id",
		text: "%s was addressed to another original id (原始 ID) than the one set here.",
		do:   "Compare original_id with the console's: data has both. Or does another account push to this address?",
	},
	NoEcho: {
		code: "check-without-echo", level: Warning,
		text: "%s was a well-signed check of the address without its echostr.",
		do:   "Let nothing between the platform and Kefu take parameters off the address.",
	},
	Oversized: {
		code: "push-oversized", level: Warning,
		text: "%s was larger than 1 MiB, and was refused.",
		do:   "The platform's pushes are a few kilobytes: look who calls.",
	},
	Unreadable: {
		code: "push-unreadable", level: Warning,
		text: "%s brought what is no push that can be read; it has been kept raw.",
		do:   "Look at what was kept: no customer sees an answer to it.",
	},
}

var wrongKey = cause{
	code: "push-wrong-aes-key",
	text: "%s had good signatures and could not be decrypted: the AES key set here is not the console's.",
	do:   sameInBoth + ", the EncodingAESKey, to aes_key; during a key change keep the former one in aes_key_previous.",
}
