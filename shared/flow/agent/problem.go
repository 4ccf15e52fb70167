package agent

import (
	"encoding/json"
	"maps"
	"net/http"
	"strconv"
	"time"

	"kefu/shared/core/fault"
)

// missing says that there is no such thing, or none that the key may see.
func missing(what string) error {
	return fault.New(fault.NotFound, "", "There is no such "+what+".")
}

// problem renders an error as a problem document (RFC 9457) with a stable code. What
// caused it goes to the log alone.
func (c *call) problem(err error, header http.Header) rendered {
	c.code, c.cause = fault.CodeOf(err), err
	status := fault.Status(err)
	if status >= http.StatusInternalServerError && c.code != "contention" {
		// What goes wrong behind the scenes has many names, which nobody outside can act on.
		c.code = string(fault.KindOf(err))
	}
	document := fault.Extra(err)
	if document == nil {
		document = map[string]any{}
	}
	maps.Copy(document, map[string]any{
		"type": "about:blank", "title": http.StatusText(status), "status": status,
		"code": c.code, "detail": fault.DetailOf(err),
	})
	out := rendered{status: status, contentType: "application/problem+json", header: header.Clone(), retry: retryable(status, c.code)}
	body, err := json.Marshal(document)
	if err != nil {
		// Only an extra member of ours can be at fault.
		body = []byte(`{"type":"about:blank","title":"Internal Server Error","status":500,"code":"internal","detail":"Something went wrong on our side."}`)
		out.status = http.StatusInternalServerError
	}
	out.body = body
	if after := fault.RetryAfter(c.cause); after > 0 {
		out.set("Retry-After", strconv.FormatInt(int64((after+time.Second-1)/time.Second), 10))
	}
	return out
}

// retryable tells the answers that the same call may get rid of by itself, so that
// they are not kept under its idempotency key.
func retryable(status int, code string) bool {
	return status >= http.StatusInternalServerError || status == http.StatusTooManyRequests || code == "in-progress"
}
