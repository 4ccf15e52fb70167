package app_test

import (
	"slices"
	"time"

	"kefu/shared/adapter/wechat/wxfake"
)

// watcher is what was seen of the desk while the day went by, each 20 seconds.
type watcher struct {
	peak    map[string]int       // of each agent's sessions
	first   map[string]stays     // of each account's queue, while somebody is free for it
	n       int                  // samples
	looked  time.Time            // at the windows
	differs map[string]time.Time // customers for whom Kefu's window is not the platform's, since when
	windows int                  // compared
}

// stays is a session that is first in a queue, and since when.
type stays struct {
	session string
	since   time.Time
}

func newWatch() watcher {
	return watcher{peak: map[string]int{}, first: map[string]stays{}, differs: map[string]time.Time{}}
}

// sample looks at the agents' loads, at the queues and, now and then, at the windows.
func (d *day) sample() {
	d.watch.n++
	agents := d.must("admin", "GET", "/agents?limit=200", nil, 200).items()
	for _, a := range agents {
		id, load := a.str("id"), a.num("load")
		d.watch.peak[id] = max(d.watch.peak[id], load)
		if load > a.num("capacity") {
			d.broken("9 (capacity)", "", "%s has %d sessions, capacity %d", id, load, a.num("capacity"))
		}
	}
	queue := d.must("admin", "GET", "/sessions?state=queued&limit=200", nil, 200).items()
	for _, id := range dayAccounts() {
		d.sampleQueue(id, queue, agents)
	}
	if d.now().Sub(d.watch.looked) >= 5*time.Minute {
		d.watch.looked = d.now()
		d.sampleWindows()
	}
}

// sampleQueue wants no session to be first in the queue for more than a minute while an agent is free for it.
func (d *day) sampleQueue(account string, queue, agents []m) {
	free := slices.ContainsFunc(agents, func(a m) bool {
		bound, _ := a["accounts"].([]any)
		return a.str("status") == "online" && a.num("load") < a.num("capacity") && slices.Contains(bound, any(account))
	})
	first := slices.IndexFunc(queue, func(s m) bool { return s.str("account") == account && s.num("queue_position") == 1 })
	if !free || first < 0 || d.modes[account] != "auto" {
		delete(d.watch.first, account)
		return
	}
	id, was := queue[first].str("id"), d.watch.first[account]
	if was.session != id {
		d.watch.first[account] = stays{id, d.now()}
		return
	}
	if d.now().Sub(was.since) > time.Minute {
		d.broken("9 (queue)", queue[first].str("customer"), "%s is first in the queue of %s since %s, and somebody is free", id, account, d.clock(was.since))
		delete(d.watch.first, account)
	}
}

// sampleWindows compares what Kefu believes that it may send with what the platform would take. Less is right only after
// a call of which the outcome isn't known, or an injected refusal; more never is. A push may be on its way.
func (d *day) sampleWindows() {
	for _, state := range []string{"bot", "queued", "serving", "released"} {
		for _, s := range d.must("admin", "GET", "/sessions?limit=200&state="+state, nil, 200).items() {
			openID := s.str("customer")
			c := d.platform.Customer("wx"+s.str("account"), openID)
			got, want := s.obj("window").num("remaining"), c.Window().Remaining()
			d.watch.windows++
			if got == want || (got < want && d.cloudedNow(c)) {
				delete(d.watch.differs, openID)
				continue
			}
			if since, ok := d.watch.differs[openID]; ok && d.now().Sub(since) > 4*time.Minute {
				d.broken("4, 5 (window)", openID, "Kefu would send %d more, the platform take %d", got, want)
			} else if !ok {
				d.watch.differs[openID] = d.now()
			}
		}
	}
}

// cloudedNow says whether something befell a call to the customer, or its sender, since he opened the window last.
func (d *day) cloudedNow(c *wxfake.Customer) bool {
	d.trouble.mu.Lock()
	at, ok := d.trouble.clouded[c.OpenID()]
	d.trouble.mu.Unlock()
	acts := c.Acts()
	return ok && (len(acts) == 0 || !at.Before(acts[len(acts)-1].At))
}
