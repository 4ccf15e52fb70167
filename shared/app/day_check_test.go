package app_test

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"kefu/shared/adapter/wechat/wxfake"
)

// record is what the HTTP interface says of a customer in the end.
type record struct {
	sessions []m // in the order of opening
	in, out  []m // messages, in the order of their numbers; events are among in
}

// check holds what the simulator saw of each customer against what the HTTP interface says of him.
func (d *day) check() {
	if d.t.Failed() {
		return // the day is not over
	}
	for _, c := range d.customers {
		c.record = d.recordOf(c)
		d.checkPushes(c)
		d.checkReceived(c)
		d.checkWindow(c)
		d.checkStates(c)
		d.checkSessions(c)
		d.checkNews(c)
	}
	d.checkAccepted()
	d.checkLoads()
	d.checkTenants()
	d.checkRival()
	d.checkRest()
}

// broken is a guarantee that doesn't hold: it names the seed, and tells the customer's story.
func (d *day) broken(guarantee, customer, format string, args ...any) {
	d.t.Helper()
	story := ""
	for _, c := range d.customers {
		if c.OpenID() == customer {
			story = "\n" + d.story(c)
		}
	}
	d.t.Errorf("guarantee %s, seed %d, %d customers, %s: %s%s", guarantee, d.seed, d.size, d.clock(d.now()), fmt.Sprintf(format, args...), story)
}

func (d *day) recordOf(c *dayCustomer) (r record) {
	r.sessions = d.must("admin", "GET", "/sessions?limit=200&account="+c.account+"&customer="+c.OpenID(), nil, 200).items()
	slices.SortFunc(r.sessions, func(a, b m) int { return cmp.Compare(a.str("opened_at"), b.str("opened_at")) })
	for _, s := range r.sessions {
		for _, x := range d.messages(s.str("id")) {
			if x.str("direction") == "in" {
				r.in = append(r.in, x)
			} else {
				r.out = append(r.out, x)
			}
		}
	}
	byNumber := func(a, b m) int { return cmp.Compare(number(a), number(b)) }
	slices.SortFunc(r.in, byNumber)
	slices.SortFunc(r.out, byNumber)
	return r
}

// number is a message's, which grows over all sessions of a customer.
func number(x m) int {
	_, n, _ := strings.Cut(x.str("id"), "-")
	i, _ := strconv.Atoi(n)
	return i
}

// says is a message's text, of an event the word "event".
func says(x m) string {
	switch x.str("type") {
	case "text":
		return x.obj("text").str("content")
	case "msgmenu":
		return x.obj("msgmenu").str("head_content")
	}
	return x.str("type")
}

// checkPushes (1, 2): each accepted push is stored once, in its order; none is stored that wasn't made. One whose answers
// were all lost may be stored or not.
func (d *day) checkPushes(c *dayCustomer) {
	var want, got []string
	for _, x := range c.record.in {
		got = append(got, says(x))
	}
	for _, p := range c.allPushes() {
		text := p.Fields.Get("Content")
		if p.Fields.Get("MsgType") == "event" {
			text = "event"
		}
		lost := !p.Accepted && len(p.Deliveries) > 0
		if p.Accepted || (lost && len(want) < len(got) && got[len(want)] == text) {
			want = append(want, text)
		}
	}
	if c.shuffle {
		slices.Sort(want)
		slices.Sort(got)
	}
	if !slices.Equal(got, want) {
		d.broken("1, 2 (pushes)", c.OpenID(), "stored %q, pushed %q", got, want)
	}
}

// allPushes are what became of all that he did, those too that were held back to be shuffled.
func (c *dayCustomer) allPushes() (all []wxfake.Push) {
	for _, p := range slices.Concat(c.pushes, c.d.flushed) {
		if !p.Held && (p.Skipped || p.Fields.Get("FromUserName") == c.OpenID()) {
			all = append(all, p)
		}
	}
	return all
}

// checkReceived (3, 6, 7): what the customer got is what the rows say, each once, in the order of acceptance. One that
// waited for its time or for a supervisor blocks nobody, so it stands at no certain place; one of which the answer
// was lost may have arrived or not.
func (d *day) checkReceived(c *dayCustomer) {
	aside := map[string]string{} // text to state
	var rows []m
	for _, x := range c.record.out {
		if x.str("approved_by") != "" || x.str("send_at") != "" {
			aside[says(x)] = x.str("state")
		} else if s := x.str("state"); s == "sent" || s == "unknown" {
			rows = append(rows, x)
		}
	}
	var texts []string
	for _, text := range c.received() {
		if state, ok := aside[text]; !ok {
			texts = append(texts, text)
		} else if aside[text] = "got"; state != "sent" && state != "unknown" {
			d.broken("6 (doubled or wrong)", c.OpenID(), "he got %q, which is %s", text, state)
		}
	}
	if fit, ok := explains(rows, texts); !ok {
		d.broken("6, 7 (received)", c.OpenID(), "of what he got, the rows that are sent or unknown explain in their order only %q", texts[:fit])
	}
	for text, state := range aside {
		if state == "sent" {
			d.broken("7 (sent)", c.OpenID(), "%q is sent, and he hasn't got it", text)
		}
	}
}

// explains reports whether the texts are those of the rows, in their order, each once: all that are sent, and any that are
// unknown; texts that went out together are joined. Fit is how many texts it can explain.
func explains(rows []m, texts []string) (fit int, ok bool) {
	if len(rows) == 0 {
		return 0, len(texts) == 0
	}
	if len(texts) > 0 {
		if n := joined(rows, texts[0]); n > 0 {
			if fit, ok = explains(rows[n:], texts[1:]); ok {
				return fit + 1, true
			}
			fit++
		}
	}
	if rows[0].str("state") != "unknown" {
		return fit, false
	}
	without, ok := explains(rows[1:], texts)
	return max(fit, without), ok
}

// joined is how many of the rows, from the first on, make up the text; 0: they don't.
func joined(rows []m, text string) int {
	for i, x := range rows {
		rest, ok := strings.CutPrefix(text, says(x))
		if ok && rest == "" {
			return i + 1
		}
		if text, ok = strings.CutPrefix(rest, "\n"); !ok {
			return 0
		}
	}
	return 0
}

// received are the texts that came to him by custom/send; those of agents that came in one message are taken apart.
func (c *dayCustomer) received() (texts []string) {
	for _, r := range c.Inbox() {
		switch {
		case r.Passive || r.Tool:
		case strings.HasPrefix(r.Text, "["):
			texts = append(texts, strings.Split(r.Text, "\n")...)
		default:
			texts = append(texts, r.Text)
		}
	}
	return texts
}

// checkWindow (4): the platform itself had nothing to refuse; and since his last act no more than five came, in 48 hours.
func (d *day) checkWindow(c *dayCustomer) {
	for _, call := range d.trouble.calls[c.OpenID()] {
		if call.asked && call.code != 0 {
			d.broken("4 (window)", c.OpenID(), "the platform refused a call with %d at %s", call.code, d.clock(call.at))
		}
	}
	acts, n := c.Acts(), 0
	var last wxfake.Act
	for _, r := range c.Inbox() {
		for len(acts) > 0 && acts[0].Seq < r.Seq {
			last, acts, n = acts[0], acts[1:], 0
		}
		if r.Passive || r.Tool {
			continue
		}
		if n++; n > 5 || r.At.Sub(last.At) > 48*time.Hour {
			d.broken("4 (window)", c.OpenID(), "%d messages since %s, the last at %s", n, d.clock(last.At), d.clock(r.At))
		}
	}
}

// checkStates (7): each outbound message has ended, with a reason unless it was sent.
func (d *day) checkStates(c *dayCustomer) {
	for _, x := range c.record.out {
		state, reason := x.str("state"), x.str("reason")
		final := slices.Contains([]string{"sent", "failed", "expired", "cancelled", "unknown"}, state)
		if !final || (state != "sent") != (reason != "") {
			d.broken("7 (final)", c.OpenID(), "%s is %s, reason %q", x.str("id"), state, reason)
		}
	}
}

// checkSessions (3): the sessions of a customer follow each other, and all have ended.
func (d *day) checkSessions(c *dayCustomer) {
	var last string
	for _, s := range c.record.sessions {
		opened, ended := s.str("opened_at"), s.str("ended_at")
		if opened < last {
			d.broken("3 (one session)", c.OpenID(), "%s was opened at %s, the one before ended at %s", s.str("id"), opened, last)
		}
		if ended == "" {
			d.broken("3 (end)", c.OpenID(), "%s is still %s", s.str("id"), s.str("state"))
		}
		last = ended
	}
}
