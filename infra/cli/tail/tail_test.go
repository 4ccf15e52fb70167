package tail_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"kefu/infra/cli/client"
	"kefu/infra/cli/tail"
)

// desk is a server with sessions and messages.
type desk struct {
	*httptest.Server
	sessions []*conversation // newest first
	fail     int             // status of all that is asked, 0: none
	failAt   int             // which call of a round fails, and all after it; 0: none
	calls    []string
}

type conversation struct {
	id, state string
	wrote     int // second of the customer's last message
	used      int
	place     int
	ended     int
	messages  []message
}

type message struct {
	id string
	at int // second
}

func second(n int) string {
	return time.Date(2026, 1, 31, 8, 0, n, 0, time.UTC).Format(time.RFC3339)
}

func (c *conversation) view() map[string]any {
	v := map[string]any{"id": c.id, "state": c.state, "last_customer_at": second(c.wrote), "window": map[string]int{"used": c.used}}
	if c.place > 0 {
		v["queue_position"] = c.place
	}
	if c.ended > 0 {
		v["ended_at"] = second(c.ended)
	}
	return v
}

// says adds a message; the list shows it by the second in which the customer wrote.
func (c *conversation) says(id string, at int) {
	c.messages = append(c.messages, message{id, at})
	c.wrote = max(c.wrote, at)
}

func (d *desk) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	d.calls = append(d.calls, r.URL.Path)
	if d.failAt > 0 && len(d.calls) >= d.failAt {
		http.Error(w, "not now", http.StatusServiceUnavailable)
		return
	}
	if d.fail != 0 {
		w.Header().Set("Content-Type", "application/problem+json")
		w.WriteHeader(d.fail)
		_, _ = fmt.Fprintf(w, `{"code":"x","detail":"Said why.","status":%d}`, d.fail)
		return
	}
	items := []map[string]any{}
	next := ""
	id, ofOne := strings.CutPrefix(r.URL.Path, "/v1/sessions/")
	if !ofOne {
		for _, s := range d.sessions {
			items = append(items, s.view())
		}
	} else {
		id = strings.TrimSuffix(id, "/messages")
		s := d.sessions[slices.IndexFunc(d.sessions, func(s *conversation) bool { return s.id == id })]
		if r.URL.Query().Get("order") != "newest" {
			http.Error(w, "want the newest first", http.StatusTeapot)
			return
		}
		limit, _ := strconv.Atoi(r.URL.Query().Get("limit"))
		to := len(s.messages)
		if cursor := r.URL.Query().Get("cursor"); cursor != "" {
			to, _ = strconv.Atoi(cursor) // the place of the last that was shown: what comes later moves nothing
		}
		from := max(to-limit, 0)
		for i := to - 1; i >= from; i-- {
			m := s.messages[i]
			items = append(items, map[string]any{"id": m.id, "session": s.id, "created_at": second(m.at)})
		}
		if from > 0 {
			next = strconv.Itoa(from)
		}
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{"items": items, "next": next})
}

// follow runs a tail in which each step happens between two rounds, and returns what was printed in each round after the
// first, and the notes.
func follow(t *testing.T, d *desk, session string, steps ...func()) (rounds []string, notes []string, err error) {
	t.Helper()
	d.Server = httptest.NewServer(d)
	t.Cleanup(d.Close)
	ctx, cancel := context.WithCancel(t.Context())
	d.calls = nil
	at := func(context.Context, time.Duration) error { return nil } // between tries
	var line []string
	tl := tail.Tail{
		API:     &client.Client{Base: d.URL, Key: "k", HTTP: client.NewHTTP(10 * time.Second), Wait: at},
		Session: session,
		Every:   time.Second,
		Print:   func(m tail.Message) error { line = append(line, m.ID); return nil },
		Note:    func(s string) { notes = append(notes, s) },
	}
	n := -1
	tl.Wait = func(ctx context.Context, _ time.Duration) error {
		rounds = append(rounds, strings.Join(line, " "))
		line = nil
		if n++; n == len(steps) {
			cancel()
			return ctx.Err()
		}
		d.calls = nil
		steps[n]()
		return nil
	}
	err = tl.Run(ctx)
	cancel()
	return rounds, notes, err
}

func nothing() {}

func check(t *testing.T, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("got rounds %q, want %q", got, want)
	}
}

// TestNewMessages: what was there is old; each new one comes once, also the second of one second.
func TestNewMessages(t *testing.T) {
	t.Parallel()
	a := &conversation{id: "a", state: "queued", place: 1}
	a.says("a-1", 1)
	d := &desk{sessions: []*conversation{a}}
	b := &conversation{id: "b", state: "queued"}
	rounds, notes, err := follow(t, d, "",
		nothing, // the round that comes after a change anyway
		func() { a.says("a-2", 5) },
		func() { a.says("a-3", 5) }, // leaves no trace in the list
		func() { b.says("b-1", 6); d.sessions = slices.Insert(d.sessions, 0, b) },
		nothing,
		nothing,
	)
	if err != nil || notes != nil {
		t.Errorf("got %v and notes %q, want none", err, notes)
	}
	check(t, rounds, "", "", "a-2", "a-3", "b-1", "", "")
}

// TestQuietRoundsAreCheap: with nothing new a round is one call, however many sessions there are and however the queue moves.
func TestQuietRoundsAreCheap(t *testing.T) {
	t.Parallel()
	d := &desk{}
	for i := range 30 {
		c := &conversation{id: fmt.Sprint("s", i), state: "queued", place: i + 1}
		c.says(c.id+"-1", i)
		d.sessions = append(d.sessions, c)
	}
	_, _, err := follow(t, d, "", nothing, func() {
		for _, c := range d.sessions {
			c.place++
		}
	})
	if err != nil || !slices.Equal(d.calls, []string{"/v1/sessions"}) {
		t.Errorf("got %v and calls %q, want the list alone", err, d.calls)
	}
}

// TestOrder: messages of several sessions come by time, those of one in its own order.
func TestOrder(t *testing.T) {
	t.Parallel()
	a, b := &conversation{id: "a", state: "serving"}, &conversation{id: "b", state: "serving"}
	d := &desk{sessions: []*conversation{b, a}}
	rounds, _, err := follow(t, d, "", func() {
		a.says("a-1", 10)
		a.says("a-2", 30)
		a.says("a-3", 20) // arrived late
		b.says("b-1", 15)
		b.says("b-2", 25)
		b.says("b-3", 40)
	})
	if err != nil {
		t.Fatal(err)
	}
	check(t, rounds, "", "a-1 b-1 b-2 a-2 a-3 b-3")
}

// TestEnded: an old session isn't read at the start; what comes after its end is told all the same.
func TestEnded(t *testing.T) {
	t.Parallel()
	a := &conversation{id: "a", state: "expired", ended: 20}
	a.says("a-1", 10)
	d := &desk{sessions: []*conversation{a}}
	rounds, _, err := follow(t, d, "",
		func() { a.says("a-2", 30); a.used++ },
		func() { a.says("a-3", 31); a.used++ })
	if err != nil {
		t.Fatal(err)
	}
	check(t, rounds, "", "a-2", "a-3")
	if _, _, err := follow(t, d, ""); err != nil || !slices.Equal(d.calls, []string{"/v1/sessions"}) {
		t.Errorf("got %v and calls %q at the start, want the list alone", err, d.calls)
	}
}

// TestOneSession reads its newest page alone, however long it is, also at the start.
func TestOneSession(t *testing.T) {
	t.Parallel()
	a := &conversation{id: "a", state: "serving"}
	more := func(n int) func() {
		return func() {
			for range n {
				a.says(fmt.Sprint("a-", len(a.messages)+1), 1)
			}
		}
	}
	more(120)()
	d := &desk{sessions: []*conversation{a}}
	if _, _, err := follow(t, d, "a"); err != nil || len(d.calls) != 1 {
		t.Errorf("got %v and %d calls to begin, want one page", err, len(d.calls))
	}
	rounds, _, err := follow(t, d, "a", more(2), nothing, more(60))
	if err != nil || len(d.calls) != 2 {
		t.Errorf("got %v and %d calls for 60 new ones, want two pages", err, len(d.calls))
	}
	if len(rounds) != 4 || rounds[0] != "" || rounds[1] != "a-121 a-122" || rounds[2] != "" ||
		!strings.HasPrefix(rounds[3], "a-123 a-124") || len(strings.Fields(rounds[3])) != 60 {
		t.Errorf("got rounds %q, want 2, 0 and 60 new ones", rounds)
	}
}

// TestHalfWay: what can't be read to its end is told in the next round, whole and in order.
func TestHalfWay(t *testing.T) {
	t.Parallel()
	a := &conversation{id: "a", state: "serving"}
	d := &desk{sessions: []*conversation{a}}
	var want []string
	rounds, _, err := follow(t, d, "a", func() {
		for i := range 80 {
			a.says(fmt.Sprint("a-", i), i)
			want = append(want, fmt.Sprint("a-", i))
		}
		d.failAt = 2 // of the round's two pages
	}, func() { d.failAt = 0 })
	if err != nil {
		t.Fatal(err)
	}
	check(t, rounds, "", "", strings.Join(want, " "))
}

// TestTrouble: what passes by itself is noted once and waited out, and nothing is missed; a refusal ends it.
func TestTrouble(t *testing.T) {
	t.Parallel()
	a := &conversation{id: "a", state: "serving"}
	d := &desk{sessions: []*conversation{a}}
	rounds, notes, err := follow(t, d, "",
		func() { d.fail = 503; a.says("a-1", 1) },
		nothing,
		func() { d.fail = 0 },
		nothing,
		func() { d.fail = 401 })
	check(t, rounds, "", "", "", "a-1", "")
	if len(notes) != 2 || !strings.HasSuffix(notes[0], "trying on") || notes[1] != "reached again" {
		t.Errorf("got notes %q, want one at the beginning and one at the end", notes)
	}
	var no *client.Refusal
	if !errors.As(err, &no) || no.Status != 401 {
		t.Errorf("got %v, want the refusal", err)
	}
	_, _, err = follow(t, &desk{fail: 503}, "")
	if err == nil {
		t.Error("a server that isn't there at the start: got no error")
	}
}
