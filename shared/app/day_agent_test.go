package app_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"
)

// dayAgent is one agent, who acts through the HTTP interface only.
type dayAgent struct {
	d        *day
	id       string
	accounts []string
	capacity int
	dice     *rand.Rand
	shift    [2]time.Duration
	pauses   [][2]time.Duration
	dies     [2]time.Duration // when his client is dead
	drops    bool             // logs off with sessions open

	status   string
	cases    map[string]*dayCase
	words    int
	accepted map[string]string // text of each message that was accepted, by id
}

// dayCase is what an agent knows of a session that he serves.
type dayCase struct {
	session   string
	composing bool
	answered  string // the customer's message that he answered last
	at        time.Time
}

// review is a message that waits for the supervisor.
type review struct{ session, message string }

// hireAgents makes them: early and late shifts, lunch in two groups, one who pauses in the rush, one whose client dies,
// one who logs off in the middle. The first is the supervisor.
func (d *day) hireAgents() {
	const h, m5 = time.Hour, 5 * time.Minute
	for i := range min(max(4, d.size/25), 12) {
		a := &dayAgent{
			d: d, id: []string{"lin", "ann", "bo", "cy", "dan", "eva", "fei", "gu", "han", "ida", "jin", "kai"}[i],
			accounts: dayAccounts(), capacity: 1 + (i+1)%3, shift: [2]time.Duration{9*h - m5, 16 * h},
			cases: map[string]*dayCase{}, accepted: map[string]string{}, status: "offline",
		}
		a.dice = d.dice("agent " + a.id)
		role := "agent"
		switch lunch := [2]time.Duration{12 * h, 12*h + 9*m5}; {
		case i == 0:
			role, a.capacity, a.shift[1] = "supervisor", 2, 18*h+2*m5
			a.pauses = [][2]time.Duration{lunch}
		case i%3 == 2:
			a.shift = [2]time.Duration{11*h + 6*m5, 19 * h}
		case i%2 == 0:
			a.pauses = [][2]time.Duration{lunch}
		default:
			a.pauses = [][2]time.Duration{{12*h + 9*m5, 13*h + 6*m5}}
		}
		switch i {
		case 1:
			a.dies = [2]time.Duration{10*h + 25*time.Minute, 11*h + 10*time.Minute}
		case 3:
			a.drops = true
			a.pauses = append(a.pauses, [2]time.Duration{10*h + 6*m5, 10*h + 9*m5})
		case 5:
			a.accounts = []string{shop}
		case 8:
			a.accounts = []string{club}
		}
		d.must("admin", "PUT", "/agents/"+a.id, map[string]any{"name": a.id, "role": role, "accounts": a.accounts, "capacity": a.capacity}, 201)
		d.keys[a.id] = d.must("admin", "POST", "/agents/"+a.id+"/keys", nil, 201).str("key")
		d.agents = append(d.agents, a)
		d.on(d.at(a.shift[0]+between(a.dice, 0, time.Minute)), a.turn)
	}
}

// wants is the presence that he wants now.
func (a *dayAgent) wants() string {
	since := a.d.now().Sub(a.d.midnight)
	for _, p := range a.pauses {
		if since >= p[0] && since < p[1] {
			return "paused"
		}
	}
	switch {
	case since >= a.shift[1]:
		return "offline"
	case since >= a.shift[1]-20*time.Minute && !a.drops:
		return "paused" // he finishes what he has
	}
	return "online"
}

func (a *dayAgent) dead() bool {
	since := a.d.now().Sub(a.d.midnight)
	return since >= a.dies[0] && since < a.dies[1]
}

// turn is his client's heartbeat, and a look at his work.
func (a *dayAgent) turn() {
	next := a.d.rarely(between(a.dice, 35*time.Second, 58*time.Second))
	if a.dead() {
		a.cases = map[string]*dayCase{}
		a.d.in(next, a.turn)
		return
	}
	wants := a.wants()
	if wants == "offline" {
		a.leave()
		return
	}
	// A heartbeat needs no idempotency key: the next one says the same.
	if status, _ := a.d.call(a.id, "PUT", "/agents/me/status", m{"status": wants, "lease": "5m"}); status == 200 {
		a.status = wants
	}
	a.attend()
	if wants == "online" {
		a.help()
	}
	if a.id == "lin" {
		a.supervise()
	}
	a.d.in(next, a.turn)
}

// leave ends his shift: what he still has goes to a colleague or to the queue, or is just left.
func (a *dayAgent) leave() {
	off := func() {
		a.d.ask(a.id, "PUT", "/agents/me/status", m{"status": "offline"}, func(status int, v m) {
			a.want(status, v, "go offline", 200)
			a.status = "offline"
		})
	}
	if !a.drops {
		for _, s := range a.mine() {
			a.pass(s)
		}
	}
	a.cases = map[string]*dayCase{}
	a.d.in(10*time.Second, off)
}

// want fails the test at an answer that he must not get: besides those named, what others did meanwhile explains some.
func (a *dayAgent) want(status int, v m, doing string, fine ...int) bool {
	if slices.Contains(fine, status) {
		return true
	}
	meanwhile := []string{
		"already-taken", "session-closed", "not-yours", "not-available", "capacity-full", "window-closed", "external", "not-serving",
		"already-sent", "not-in-review",
	}
	if !slices.Contains(meanwhile, v.str("code")) {
		a.d.t.Errorf("seed %d, %s: %s wants to %s: got %d %v", a.d.seed, a.d.clock(a.d.now()), a.id, doing, status, v)
	}
	return false
}

func (a *dayAgent) mine() []m {
	return a.d.must(a.id, "GET", "/sessions?state=serving&agent=me&limit=50", nil, 200).items()
}

// attend looks at each of his sessions: it wants an answer, or an end.
func (a *dayAgent) attend() {
	mine := map[string]*dayCase{}
	for _, s := range a.mine() {
		id := s.str("id")
		c := a.cases[id]
		if c == nil {
			c = &dayCase{session: id, at: a.d.now()}
		}
		mine[id] = c
		if c.composing {
			continue
		}
		last := a.read(id)
		switch {
		case last != c.answered && a.dice.IntN(100) < 6:
			a.pass(s)
		case last != c.answered:
			c.composing = true
			a.d.in(between(a.dice, 15*time.Second, 75*time.Second), func() { a.answer(c, last, a.many()) })
		case a.d.now().Sub(c.at) > between(a.dice, 2*time.Minute, 6*time.Minute):
			a.d.ask(a.id, "POST", "/sessions/"+id+"/close", nil, func(status int, v m) { a.want(status, v, "close", 200) })
		}
	}
	a.cases = mine
}

// read reads a session: the newest message of the customer's, and what waits for the supervisor.
func (a *dayAgent) read(session string) (last string) {
	for _, x := range a.d.must(a.id, "GET", "/sessions/"+session+"/messages?limit=200", nil, 200).items() {
		if x.str("direction") == "in" && x.str("type") != "event" {
			last = x.str("id")
		}
		if r := (review{session, x.str("id")}); x.str("reason") == "review" && !slices.Contains(a.d.reviews, r) {
			a.d.reviews = append(a.d.reviews, r)
		}
	}
	return last
}

// many is how many texts he answers with: sometimes more than the window takes.
func (a *dayAgent) many() int {
	if a.dice.IntN(100) < 10 {
		return 6 + a.dice.IntN(4)
	}
	return 1 + a.dice.IntN(3)
}

var phrases = []string{"好的，我看一下。", "您的订单已经发出。", "请提供一下订单号。", "已经为您登记。", "还有什么可以帮您？"}

// answer writes so many texts, one after the other.
func (a *dayAgent) answer(c *dayCase, last string, n int) {
	if a.dead() || a.status == "offline" || a.cases[c.session] != c {
		return
	}
	a.words++
	content := fmt.Sprintf("[%s-%d] %s", a.id, a.words, phrases[a.dice.IntN(len(phrases))])
	body := text(content)
	switch k := a.dice.IntN(100); {
	case k < 3:
		body["when_closed"] = "fail"
	case k < 5:
		body["expires_at"] = a.d.now().Add(20 * time.Minute).Format(time.RFC3339)
	case k < 8:
		body["send_at"] = a.d.now().Add(between(a.dice, time.Minute, 30*time.Minute)).Format(time.RFC3339Nano)
	case k < 10:
		content += riskyWord
		body = text(content)
	case k < 13:
		content += reviewWord
		body = text(content)
	}
	a.d.ask(a.id, "POST", "/sessions/"+c.session+"/messages", body, func(status int, v m) {
		if a.want(status, v, "answer", 202) {
			a.accepted[v.str("id")] = content
			if body["send_at"] != nil && a.dice.IntN(3) == 0 {
				a.d.in(30*time.Second, func() { a.cancel(c.session, v.str("id")) })
			}
		}
		if n > 1 {
			a.d.in(between(a.dice, 2*time.Second, 6*time.Second), func() { a.answer(c, last, n-1) })
			return
		}
		c.composing, c.answered, c.at = false, last, a.d.now()
	})
}

func (a *dayAgent) cancel(session, message string) {
	a.d.ask(a.id, "DELETE", "/sessions/"+session+"/messages/"+message, nil, func(status int, v m) { a.want(status, v, "cancel", 204) })
}

// pass gives a session to a colleague, or to the queue.
func (a *dayAgent) pass(s m) {
	to := m{"to": "queue"}
	if b := a.d.agents[a.dice.IntN(len(a.d.agents))]; b != a && slices.Contains(b.accounts, s.str("account")) && b.status == "online" {
		to = m{"to_agent": b.id}
	}
	a.d.ask(a.id, "POST", "/sessions/"+s.str("id")+"/transfer", to, func(status int, v m) { a.want(status, v, "transfer", 200) })
}

// help takes what nobody gives him: the queue of an account in manual mode, and now and then what a colleague left.
func (a *dayAgent) help() {
	for _, id := range a.accounts {
		var state string
		switch {
		case a.d.modes[id] == "manual":
			state = "queued"
		case a.dice.IntN(5) == 0:
			state = "released"
		default:
			continue
		}
		for _, s := range a.d.must(a.id, "GET", "/sessions?account="+id+"&state="+state+"&limit=1", nil, 200).items() {
			a.d.ask(a.id, "POST", "/sessions/"+s.str("id")+"/accept", nil, func(status int, v m) { a.want(status, v, "accept", 200) })
		}
	}
}

// supervise lets go of what the platform's text check held, or stops it.
func (a *dayAgent) supervise() {
	todo := a.d.reviews
	a.d.reviews = nil
	for _, r := range todo {
		if a.dice.IntN(10) < 7 {
			a.d.ask(a.id, "POST", "/sessions/"+r.session+"/messages/"+r.message+"/approve", nil, func(status int, v m) { a.want(status, v, "approve", 200) })
		} else {
			a.cancel(r.session, r.message)
		}
	}
}
