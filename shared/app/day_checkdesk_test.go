package app_test

import (
	"cmp"
	"fmt"
	"slices"
	"sort"
	"strings"
	"time"

	"kefu/shared/core/agent"
	"kefu/shared/core/route"
	"kefu/shared/core/tenant"
)

// checkNews (webhooks): of each conversation all arrived in order: its messages each once and with the state that the
// interface shows, its sessions with one beginning and one end.
func (d *day) checkNews(c *dayCustomer) {
	told := d.hooks[c.account].first(c.OpenID())
	in, out, opened, ended := map[string]int{}, map[string]string{}, map[string]int{}, map[string]int{}
	for i, n := range told {
		if got := n.data.num("sequence"); got != i+1 {
			d.broken("webhooks (order)", c.OpenID(), "news number %d came as number %d", got, i+1)
			return
		}
		id := n.message.str("id")
		switch n.event {
		case "message.in":
			in[id]++
		case "message.out":
			if was, twice := out[id]; twice {
				d.broken("webhooks (once)", c.OpenID(), "the end of %s was told twice, the first time as %s", id, was)
			}
			out[id] = n.message.str("state") + " " + n.message.str("reason")
		case "session.opened":
			opened[n.session()]++
		case "session.closed", "session.expired":
			ended[n.session()]++
		}
	}
	for _, x := range c.record.in {
		if x.str("type") != "event" && in[x.str("id")] != 1 {
			d.broken("webhooks (complete)", c.OpenID(), "message %s was told %d times", x.str("id"), in[x.str("id")])
		}
	}
	for _, x := range c.record.out {
		if got, want := out[x.str("id")], x.str("state")+" "+x.str("reason"); got != want {
			d.broken("webhooks (states)", c.OpenID(), "%s was told as %q, the interface says %q", x.str("id"), got, want)
		}
	}
	for _, s := range c.record.sessions {
		if id := s.str("id"); opened[id] != 1 || ended[id] != 1 {
			d.broken("webhooks (sessions)", c.OpenID(), "%s was told as opened %d times and as ended %d times", id, opened[id], ended[id])
		}
	}
}

// checkAccepted (7): each message that the interface accepted is still there.
func (d *day) checkAccepted() {
	rows := map[string]string{}
	for _, c := range d.customers {
		for _, x := range c.record.out {
			rows[x.str("id")] = says(x)
		}
	}
	for _, a := range d.agents {
		for id, text := range a.accepted {
			if rows[id] != text {
				d.t.Errorf("guarantee 7, seed %d: %s accepted from %s as %q reads %q", d.seed, id, a.id, text, rows[id])
			}
		}
	}
}

// checkLoads (9): by what the webhooks told, no agent ever had more sessions than his capacity.
func (d *day) checkLoads() {
	peak := d.peaks()
	for _, a := range d.agents {
		if peak[a.id] > a.capacity {
			d.broken("9 (capacity)", "", "by the webhooks %s had %d sessions, capacity %d", a.id, peak[a.id], a.capacity)
		}
	}
}

// peaks is the most sessions that each agent had at once, by what the webhooks told. Of what happened in one moment,
// who lost a session comes first.
func (d *day) peaks() map[string]int {
	var all []news
	for _, id := range dayAccounts() {
		all = append(all, d.hooks[id].first("")...)
	}
	gains := func(n news) int {
		if n.event == "session.assigned" {
			return 1
		}
		return 0
	}
	slices.SortStableFunc(all, func(a, b news) int { return cmp.Or(a.at.Compare(b.at), cmp.Compare(gains(a), gains(b))) })
	agentOf, load, peak := map[string]string{}, map[string]int{}, map[string]int{}
	for _, n := range all {
		if !strings.HasPrefix(n.event, "session.") {
			continue
		}
		if was := agentOf[n.session()]; was != "" {
			load[was]--
			delete(agentOf, n.session())
		}
		if n.event == "session.assigned" {
			a := n.data.str("agent")
			agentOf[n.session()] = a
			load[a]++
			peak[a] = max(peak[a], load[a])
		}
	}
	return peak
}

// checkTenants (10): a second tenant's key sees nothing of the first.
func (d *day) checkTenants() {
	c := d.customers[0]
	for _, path := range []string{"/accounts", "/agents", "/sessions", "/sessions?customer=" + c.OpenID()} {
		if list := d.must("other", "GET", path, nil, 200).items(); len(list) > 0 {
			d.t.Errorf("guarantee 10, seed %d: GET %s shows %v to another tenant", d.seed, path, list)
		}
	}
	if len(c.record.sessions) == 0 {
		return
	}
	session := "/sessions/" + c.record.sessions[0].str("id")
	for _, path := range []string{"/accounts/shop", "/accounts/shop/routing", "/agents/lin", session, session + "/messages", session + "/messages/" + c.record.in[0].str("id")} {
		d.must("other", "GET", path, nil, 404)
	}
	d.must("other", "POST", session+"/messages", text("not mine"), 404)
	d.must("other", "POST", session+"/close", nil, 404)
}

// checkRest: no queue has dead letters, no news are dead, and no seat is taken but one that a crash left in an agent's last
// minute: it is found when he comes back.
func (d *day) checkRest() {
	for name, q := range d.queues() {
		if dead, err := q.Dead(d.ctx, 10); err != nil || len(dead) > 0 {
			d.t.Errorf("seed %d: queue %s has dead letters %v (%v)", d.seed, name, dead, err)
		}
	}
	for _, a := range d.agents {
		desk, err := d.system.Store().Desk(d.ctx, tenant.Default, agent.ID(a.id))
		if err != nil {
			d.t.Fatal(err)
		}
		left := moment(d.must("admin", "GET", "/agents/"+a.id, nil, 200).str("status_at"))
		for _, s := range desk.Seats {
			if left.Sub(s.TakenAt) > route.SeatGrace {
				d.t.Errorf("seed %d: %s left at %s, and has a seat taken since %s for %s", d.seed, a.id, d.clock(left), d.clock(s.TakenAt), s.Session)
			}
		}
	}
	for _, id := range dayAccounts() {
		if dead := d.must("admin", "GET", "/accounts/"+id+"/webhook/dead", nil, 200).items(); len(dead) > 0 {
			d.t.Errorf("seed %d: news of %s are dead: %v", d.seed, id, dead)
		}
	}
}

// story is a customer's day from all sides, in order of time.
func (d *day) story(c *dayCustomer) string {
	type line struct {
		at   time.Time
		text string
	}
	var lines []line
	add := func(at time.Time, format string, args ...any) {
		lines = append(lines, line{at, fmt.Sprintf(format, args...)})
	}
	for _, a := range c.Acts() {
		add(a.At, "did  %s %q %s", a.Kind, a.Text, a.State)
	}
	for _, r := range c.Inbox() {
		add(r.At, "got  %s %q", r.MsgType, r.Text)
	}
	for _, call := range d.trouble.calls[c.OpenID()] {
		if call.fault != "" || call.code != 0 {
			add(call.at, "call %s, answered %d", call.fault, call.code)
		}
	}
	for _, n := range d.hooks[c.account].first(c.OpenID()) {
		if strings.HasPrefix(n.event, "session.") {
			add(n.at, "news %d %s %s %s %s", n.data.num("sequence"), n.event, n.session(), n.data.str("state"), n.data.str("agent"))
		} else {
			add(n.at, "news %d %s %s %s %s", n.data.num("sequence"), n.event, n.message.str("id"), n.message.str("state"), n.message.str("reason"))
		}
	}
	for _, x := range d.recordOf(c).out {
		add(moment(x.str("created_at")), "row  %s by %s: %s %s %d, sent %s, with %q: %q", x.str("id"), x.str("by"), x.str("state"), x.str("reason"), x.num("code"),
			d.clock(moment(x.str("sent_at"))), x.str("with"), says(x))
	}
	sort.SliceStable(lines, func(i, j int) bool { return lines[i].at.Before(lines[j].at) })
	var b strings.Builder
	for _, l := range lines {
		fmt.Fprintf(&b, "  %s  %s\n", d.clock(l.at), l.text)
	}
	return b.String()
}
