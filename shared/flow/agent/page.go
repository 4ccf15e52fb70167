package agent

import (
	"strconv"

	"kefu/shared/core/fault"
)

const (
	defaultLimit = 50
	maxLimit     = 200
)

// paging reads where a list begins and how long a page is. The cursor is the store's to judge.
func (c *call) paging() (cursor string, limit int, err error) {
	q := c.r.URL.Query()
	limit = defaultLimit
	if q.Has("limit") {
		limit, err = strconv.Atoi(q.Get("limit"))
		if err != nil || limit < 1 || limit > maxLimit {
			return "", 0, wrongField("bad-parameter", "limit", "limit must be a whole number from 1 to 200.")
		}
	}
	cursor = q.Get("cursor")
	if len(cursor) > 2048 {
		return "", 0, fault.New(fault.Invalid, "bad-cursor", "The cursor is none that a list has given.")
	}
	return cursor, limit, nil
}
