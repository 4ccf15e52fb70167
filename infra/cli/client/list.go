package client

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"strconv"
)

// MaxPage is the longest page of a list.
const MaxPage = 200

// Page is one page of a list. It may be shorter than asked for: only an empty Next ends the list.
type Page struct {
	Items []json.RawMessage `json:"items"`
	Next  string            `json:"next"`
}

// Page reads the page of a list that begins at a cursor, the first at an empty one.
func (c *Client) Page(ctx context.Context, path string, query url.Values, cursor string, limit int) (Page, error) {
	q := url.Values{}
	maps.Copy(q, query)
	q.Set("limit", strconv.Itoa(limit))
	if cursor != "" {
		q.Set("cursor", cursor)
	}
	body, err := c.Do(ctx, Call{Path: path, Query: q})
	if err != nil {
		return Page{}, err
	}
	var p Page
	if err := json.Unmarshal(body, &p); err != nil {
		return Page{}, fmt.Errorf("the list at %s can't be read: %w", path, err)
	}
	return p, nil
}

// List reads a list page by page, up to limit items; 0 means all. More tells that the list goes on.
func (c *Client) List(ctx context.Context, path string, query url.Values, limit int) (items []json.RawMessage, more bool, err error) {
	items = []json.RawMessage{}
	for cursor := ""; ; {
		size := MaxPage
		if limit > 0 {
			size = min(size, limit-len(items))
		}
		p, err := c.Page(ctx, path, query, cursor, size)
		if err != nil {
			return nil, false, err
		}
		items = append(items, p.Items...)
		switch {
		case limit > 0 && len(items) >= limit:
			return items[:limit], p.Next != "" || len(items) > limit, nil
		case p.Next == "":
			return items, false, nil
		case p.Next == cursor:
			return nil, false, fmt.Errorf("the list at %s does not go on: its pages name themselves as the next", path)
		}
		cursor = p.Next
	}
}
