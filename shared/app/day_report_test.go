package app_test

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// report prints the day's figures. All of them come from what the simulator, the receivers and the HTTP interface say.
func (d *day) report(w io.Writer) {
	t := d.tally()
	line := func(name, format string, args ...any) {
		_, _ = fmt.Fprintf(w, "%-44s %s\n", name, fmt.Sprintf(format, args...))
	}
	_, _ = fmt.Fprintf(w, "A working day, %s, seed %d, China time; all guarantees hold\n\n", d.midnight.Format(time.DateOnly), d.seed)
	line("customers", "%d", d.size)
	line("sessions", "%d", t.sessions)
	line("  answered by the bot alone", "%s", share(t.botAlone, t.sessions))
	line("  handed to humans", "%s", share(t.served, t.sessions))
	line("  called a human, and nobody came", "%s", share(t.called-t.calledServed, t.sessions))
	line("  ended or sent back by the queue's timeout", "%d", t.timeouts)
	line("  released, to be taken again", "%d", t.released)
	line("  lent to the platform's own tool", "%d", t.lent)
	line("messages in", "%d", t.in)
	line("messages out", "%d", t.out)
	for _, s := range []string{"sent", "failed", "expired", "cancelled", "unknown"} {
		line("  "+s, "%d%s", t.states[s], t.reasonsOf(s))
	}
	line("  sent along with another in one text", "%d", t.merged)
	line("  held, and sent later than a minute", "%d", t.late)
	line("  let go by the supervisor", "%d", t.approved)
	line("waiting time, from queue to agent", "%s", quantiles(t.waits))
	line("  of those who came outside the hours", "%s", quantiles(t.overnight))
	line("first answer of a human, from the queue", "%s", quantiles(t.answers))
	line("pushes delivered again, and dropped", "%d", t.again)
	line("refused by the platform itself", "%d", t.refused)
	line("windows compared with the platform's", "%d", d.watch.windows)
	line("webhook events", "%d in %d requests", t.news, t.requests)
	line("another tenant's attempts at it, all refused", "%d, and %d pushes in %d floods", d.rival.reached, d.rival.pushed, d.rival.floods)
	_, _ = fmt.Fprintf(w, "\n%-44s times\n", "what went wrong")
	for _, kind := range d.trouble.kinds() {
		line("  "+kind, "%d", d.trouble.counts[kind])
	}
	_, _ = fmt.Fprintf(w, "\n%-8s %-12s %9s %14s %9s\n", "agent", "accounts", "sessions", "peak/capacity", "messages")
	for _, a := range d.agents {
		_, _ = fmt.Fprintf(w, "%-8s %-12s %9d %14s %9d\n", a.id, strings.Join(a.accounts, ","), t.byAgent[a.id],
			fmt.Sprintf("%d/%d", t.peak[a.id], a.capacity), len(a.accepted))
	}
	_, _ = fmt.Fprintf(w, "\n%-8s %-8s %-8s %-14s %s\n", "from", "account", "mode", "strategy", "assigned")
	for i, r := range timetable() {
		_, _ = fmt.Fprintf(w, "%-8s %-8s %-8s %-14s %d\n", d.at(r.at).Format("15:04"), r.then.account, r.then.mode, r.then.strategy, t.byRules[i])
	}
}

// tally is the day in figures.
type tally struct {
	sessions, botAlone, called, calledServed, served, timeouts, released, lent int
	in, out, merged, late, approved, again, refused, news, requests            int

	states    map[string]int
	reasons   map[string]map[string]int // by state
	waits     []time.Duration           // of who queued in the service hours
	overnight []time.Duration           // of the others
	answers   []time.Duration
	byAgent   map[string]int
	peak      map[string]int
	byRules   []int // by line of the timetable
}

func (d *day) tally() *tally {
	t := &tally{
		states: map[string]int{}, reasons: map[string]map[string]int{}, byAgent: map[string]int{}, peak: d.peaks(), byRules: make([]int, len(timetable())),
	}
	for _, c := range d.customers {
		t.sessions += len(c.record.sessions)
		d.tallySessions(t, c)
		tallyMessages(t, c)
		for _, p := range c.allPushes() {
			for i, got := range p.Deliveries {
				if i > 0 && got.Status == 200 {
					t.again++
				}
			}
		}
		for _, call := range d.trouble.calls[c.OpenID()] {
			if call.asked && call.code != 0 {
				t.refused++
			}
		}
	}
	for _, id := range dayAccounts() {
		t.news, t.requests = t.news+len(d.hooks[id].first("")), t.requests+d.hooks[id].tries
	}
	return t
}

func tallyMessages(t *tally, c *dayCustomer) {
	t.in += len(c.record.in)
	for _, x := range c.record.out {
		t.out++
		state := x.str("state")
		t.states[state]++
		if reason := x.str("reason"); reason != "" {
			if t.reasons[state] == nil {
				t.reasons[state] = map[string]int{}
			}
			t.reasons[state][reason]++
		}
		if x.str("with") != "" {
			t.merged++
		}
		if x.str("approved_by") != "" {
			t.approved++
		}
		accepted, sent := moment(x.str("created_at")), moment(x.str("sent_at"))
		if x.str("send_at") == "" && state == "sent" && sent.Sub(accepted) > time.Minute {
			t.late++
		}
	}
}

// tallySessions reads what the receiver was told of a customer's sessions.
func (d *day) tallySessions(t *tally, c *dayCustomer) {
	type past struct{ wrote, queued, served, lent bool }
	of := map[string]*past{}
	var waiting time.Time
	unanswered := map[string]time.Time{} // sessions that were queued, and no human has answered
	for _, n := range d.hooks[c.account].first(c.OpenID()) {
		p := of[n.session()]
		if p == nil {
			p = &past{}
			of[n.session()] = p
		}
		switch n.event {
		case "message.in":
			p.wrote = true
			p.lent = p.lent || n.data.str("state") == "external"
		case "message.out":
			asked := unanswered[n.session()]
			if !asked.IsZero() && n.message.str("state") == "sent" && d.isAgent(n.message.str("by")) {
				t.answers = append(t.answers, n.at.Sub(asked))
				delete(unanswered, n.session())
			}
		case "session.queued":
			waiting = n.at
			if !p.queued && !p.served && d.isOpen(n.at) {
				unanswered[n.session()] = n.at
			}
			p.queued = true
		case "session.assigned":
			t.byAgent[n.data.str("agent")]++
			t.byRules[d.rulesAt(c.account, n.at)]++
			p.served = true
			switch {
			case waiting.IsZero():
			case d.isOpen(waiting):
				t.waits = append(t.waits, n.at.Sub(waiting))
			default:
				t.overnight = append(t.overnight, n.at.Sub(waiting))
			}
			waiting = time.Time{}
		case "session.released":
			t.released++
		case "session.closed", "session.expired":
			waiting = time.Time{}
		}
	}
	for _, p := range of {
		count(&t.called, p.queued)
		count(&t.calledServed, p.queued && p.served)
		count(&t.served, p.served)
		count(&t.lent, p.lent)
		count(&t.botAlone, !p.queued && !p.served && !p.lent)
	}
	for _, x := range c.record.out {
		count(&t.timeouts, says(x) == "客服繁忙，请稍后再来。")
	}
}

func count(n *int, is bool) {
	if is {
		*n++
	}
}

func (d *day) isAgent(id string) bool {
	return slices.ContainsFunc(d.agents, func(a *dayAgent) bool { return a.id == id })
}

// rulesAt is the line of the timetable that held for an account at a moment.
func (d *day) rulesAt(account string, at time.Time) (line int) {
	for i, r := range timetable() {
		if r.then.account == account && !at.Before(d.at(r.at)) {
			line = i
		}
	}
	return line
}

func moment(s string) time.Time {
	at, _ := time.Parse(time.RFC3339Nano, s)
	return at
}

// reasonsOf lists why messages ended in a state, the most frequent first.
func (t *tally) reasonsOf(state string) string {
	names := sorted(t.reasons[state])
	slices.SortStableFunc(names, func(a, b string) int { return t.reasons[state][b] - t.reasons[state][a] })
	for i, n := range names {
		names[i] = fmt.Sprintf("%s %d", n, t.reasons[state][n])
	}
	if len(names) == 0 {
		return ""
	}
	return " (" + strings.Join(names, ", ") + ")"
}

func share(n, of int) string { return fmt.Sprintf("%d (%d %%)", n, 100*n/max(of, 1)) }

func quantiles(all []time.Duration) string {
	if len(all) == 0 {
		return "none"
	}
	slices.Sort(all)
	at := func(p int) time.Duration { return all[(len(all)-1)*p/100].Round(time.Second) }
	return fmt.Sprintf("p50 %s, p95 %s, longest %s, of %d", at(50), at(95), at(100), len(all))
}
