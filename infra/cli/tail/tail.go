// Package tail follows a conversation, or all of them, by asking again and again: fill in a [Tail] and call Run.
//
// What it costs. One conversation: one call per round, for the newest page of its messages (at most 50). All of them: one
// call per round for the newest 200 sessions, and one for each session that differs from the round before (a customer
// wrote, an answer was sent, somebody took it …). A session that has changed is read in the following round too, because
// a second message within the same second leaves no trace in the list. At the start each open session counts as changed:
// it is read to know what is old. What leaves no trace at all in the list, such as an answer that failed between two
// rounds, is told with the session's next change.
package tail

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"slices"
	"time"

	"kefu/infra/cli/client"
)

const (
	pageSize = 50 // of messages: the newest page is read again and again
	newest   = client.MaxPage
)

// Message is what a line of output needs of a message; Raw is the API's own object.
type Message struct {
	ID        string          `json:"id"`
	Session   string          `json:"session"`
	CreatedAt time.Time       `json:"created_at"`
	Raw       json.RawMessage `json:"-"`
}

// Tail follows new messages.
type Tail struct {
	API     *client.Client
	Session string // empty: all sessions …
	Account string // … of this account, or of all that the key sees
	Every   time.Duration
	Wait    func(ctx context.Context, d time.Duration) error
	Print   func(Message) error // is given each new message once, in the order of its session
	Note    func(string)        // is told when Kefu can't be reached any more, and when it can again

	threads map[string]*thread
	started bool
}

// Run follows until ctx ends, which is no error. It ends by itself when Kefu refuses, or can't be reached at the start.
func (t *Tail) Run(ctx context.Context) error {
	t.threads = map[string]*thread{}
	for lost := false; ; {
		found, err := t.round(ctx)
		for _, m := range found {
			if err := t.Print(m); err != nil {
				return err
			}
		}
		var away *client.Unreachable
		switch {
		case ctx.Err() != nil:
			return nil //nolint:nilerr // how it is meant to end
		case err == nil && lost:
			t.Note("reached again")
			lost = false
		case err == nil:
		case t.started && goesAway(err, &away):
			if !lost {
				t.Note(err.Error() + "; trying on")
			}
			lost = true
		default:
			return err
		}
		t.started = t.started || err == nil
		if t.Wait(ctx, t.Every) != nil {
			return nil //nolint:nilerr // ctx has ended
		}
	}
}

// goesAway tells what may pass by itself: nobody there, or a server in trouble.
func goesAway(err error, away **client.Unreachable) bool {
	var r *client.Refusal
	return errors.As(err, away) || (errors.As(err, &r) && (r.Status >= 500 || r.Status == 429))
}

// round looks once, and returns what is new in the order in which it is to be told, also when it fails half way.
func (t *Tail) round(ctx context.Context) ([]Message, error) {
	if t.Session != "" {
		found, err := t.thread(t.Session).read(ctx, t.API, !t.started)
		if !t.started {
			found = nil
		}
		return found, err
	}
	query := url.Values{}
	if t.Account != "" {
		query.Set("account", t.Account)
	}
	list, _, err := t.API.List(ctx, client.Path("sessions"), query, newest)
	if err != nil {
		return nil, err
	}
	var found []Message
	for _, raw := range list {
		fresh, err := t.look(ctx, raw)
		found = append(found, fresh...)
		if err != nil {
			return inOrder(found), err
		}
	}
	return inOrder(found), nil
}

// look reads the messages of a session if there may be new ones.
func (t *Tail) look(ctx context.Context, raw json.RawMessage) ([]Message, error) {
	s, err := parseSession(raw)
	if err != nil {
		return nil, err
	}
	_, known := t.threads[s.id]
	h := t.thread(s.id)
	changed := h.look != s.look
	switch {
	case !t.started && !known && s.ended:
		// Nobody writes there any more, as a rule: should it change, what is later than its end is new.
		h.look, h.after = s.look, s.endedAt
		return nil, nil
	case !changed && !h.again:
		return nil, nil
	}
	found, err := h.read(ctx, t.API, !t.started)
	if err == nil {
		h.look, h.again = s.look, changed
	}
	if !t.started {
		found = nil
	}
	return found, err
}

func (t *Tail) thread(id string) *thread {
	h, ok := t.threads[id]
	if !ok {
		h = &thread{id: id}
		t.threads[id] = h
	}
	return h
}

// inOrder merges the messages of several sessions by time. Those of one session stay in its order, even where a
// customer's clock says otherwise.
func inOrder(found []Message) []Message {
	type dated struct {
		Message
		at time.Time
	}
	all := make([]dated, len(found))
	for i, m := range found {
		all[i] = dated{m, m.CreatedAt}
		if i > 0 && found[i-1].Session == m.Session && all[i-1].at.After(m.CreatedAt) {
			all[i].at = all[i-1].at
		}
	}
	slices.SortStableFunc(all, func(a, b dated) int { return a.at.Compare(b.at) })
	out := make([]Message, len(all))
	for i, d := range all {
		out[i] = d.Message
	}
	return out
}
