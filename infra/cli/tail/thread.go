package tail

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"kefu/infra/cli/client"
)

// thread is what is known of one session.
type thread struct {
	id    string
	look  string    // how the list last showed it
	again bool      // it has just changed: the next round reads it too
	after time.Time // what is not later is old; zero once it has been read

	cursor string          // of the last page
	seen   map[string]bool // what stands on it
}

// read reads from the last page on and returns what is new, also when it fails half way. The next is absent at a list's
// end, so that the last page must be read again each time; what was seen on it is not told twice.
func (h *thread) read(ctx context.Context, api *client.Client) ([]Message, error) {
	var found []Message
	for {
		p, err := api.Page(ctx, client.Path("sessions", h.id, "messages"), nil, h.cursor, pageSize)
		if err != nil {
			return found, err
		}
		fresh, err := h.take(p)
		found = append(found, fresh...)
		if err != nil {
			return found, err
		}
		if p.Next == "" || p.Next == h.cursor {
			h.after = time.Time{}
			return found, nil
		}
		h.cursor, h.seen = p.Next, nil
	}
}

// take notes what stands on a page, and returns what is new.
func (h *thread) take(p client.Page) ([]Message, error) {
	if h.seen == nil {
		h.seen = map[string]bool{}
	}
	var fresh []Message
	for _, raw := range p.Items {
		m := Message{Raw: raw}
		err := json.Unmarshal(raw, &m)
		if err == nil && m.ID == "" {
			err = errors.New("it has no id")
		}
		if err != nil {
			return fresh, fmt.Errorf("a message can't be read: %w", err)
		}
		if !h.seen[m.ID] && (h.after.IsZero() || m.CreatedAt.After(h.after)) {
			fresh = append(fresh, m)
		}
		h.seen[m.ID] = true
	}
	return fresh, nil
}

// glance is a session in the list.
type glance struct {
	id      string
	look    string // changes with anything that a message changes
	ended   bool
	endedAt time.Time
}

func parseSession(raw json.RawMessage) (glance, error) {
	var s struct {
		ID      string    `json:"id"`
		State   string    `json:"state"`
		EndedAt time.Time `json:"ended_at"`
	}
	var all map[string]json.RawMessage
	if err := errors.Join(json.Unmarshal(raw, &s), json.Unmarshal(raw, &all)); err != nil {
		return glance{}, fmt.Errorf("a session can't be read: %w", err)
	}
	delete(all, "queue_position") // changes with everybody's before it
	look, err := json.Marshal(all)
	if err != nil {
		return glance{}, fmt.Errorf("a session can't be read: %w", err)
	}
	return glance{id: s.ID, look: string(look), ended: s.State == "closed" || s.State == "expired", endedAt: s.EndedAt}, nil
}
