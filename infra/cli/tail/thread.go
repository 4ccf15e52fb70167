package tail

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"time"

	"kefu/infra/cli/client"
)

// thread is what is known of one session.
type thread struct {
	id    string
	look  string    // how the list last showed it
	again bool      // it has just changed: the next round reads it too
	after time.Time // what is not later is old; zero once it has been read

	seen map[string]bool // what stood on the pages that were read last
}

// read goes back from the newest message to the first page that has a known one, and returns what is new, oldest first;
// nothing when it fails half way, so that the next round finds it all. To begin is to know the newest page.
func (h *thread) read(ctx context.Context, api *client.Client, begin bool) ([]Message, error) {
	var found []Message // newest first
	seen := map[string]bool{}
	for cursor := ""; ; {
		p, err := api.Page(ctx, client.Path("sessions", h.id, "messages"), url.Values{"order": {"newest"}}, cursor, pageSize)
		if err != nil {
			return nil, err
		}
		fresh, err := h.fresh(p, seen)
		if err != nil {
			return nil, err
		}
		found = append(found, fresh...)
		if begin || len(fresh) < len(p.Items) || p.Next == "" || p.Next == cursor {
			break
		}
		cursor = p.Next
	}
	h.after, h.seen = time.Time{}, seen
	slices.Reverse(found)
	return found, nil
}

// fresh returns what is new on a page, and notes in seen all that stands on it.
func (h *thread) fresh(p client.Page, seen map[string]bool) ([]Message, error) {
	var fresh []Message
	for _, raw := range p.Items {
		m := Message{Raw: raw}
		err := json.Unmarshal(raw, &m)
		if err == nil && m.ID == "" {
			err = errors.New("it has no id")
		}
		if err != nil {
			return nil, fmt.Errorf("a message can't be read: %w", err)
		}
		if !h.seen[m.ID] && (h.after.IsZero() || m.CreatedAt.After(h.after)) {
			fresh = append(fresh, m)
		}
		seen[m.ID] = true
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
	for _, place := range []string{"queue_position", "queue_position_over"} { // changes with everybody's before it
		delete(all, place)
	}
	look, err := json.Marshal(all)
	if err != nil {
		return glance{}, fmt.Errorf("a session can't be read: %w", err)
	}
	return glance{id: s.ID, look: string(look), ended: s.State == "closed" || s.State == "expired", endedAt: s.EndedAt}, nil
}
