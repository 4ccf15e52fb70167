package faas

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"strconv"
	"time"

	"kefu/shared/core/fault"
)

// WriteProblem answers with err as a problem document (RFC 9457): its status, its stable code, the text that users
// may see and its extra members, never its cause. An Exhausted error's wait becomes Retry-After, in seconds,
// rounded up. Headers that w already has stay, but for Content-Type.
func WriteProblem(w http.ResponseWriter, err error) {
	status := fault.Status(err)
	body, failed := json.Marshal(problem(err, status, fault.Extra(err)))
	if failed != nil {
		// An extra member that is not JSON-able is our mistake, and must not hide the error itself.
		body, _ = json.Marshal(problem(err, status, nil)) // strings and an int always marshal
	}
	if after := fault.RetryAfter(err); after > 0 {
		seconds := (after + time.Second - 1) / time.Second
		w.Header().Set("Retry-After", strconv.FormatInt(int64(seconds), 10))
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	_, _ = w.Write(body) // the client has gone: nobody is left to tell
}

// problem gives the members of the document. The standard ones win over extra ones of the same name.
func problem(err error, status int, extra map[string]any) map[string]any {
	document := make(map[string]any, len(extra)+5)
	maps.Copy(document, extra)
	document["type"] = "about:blank"
	document["title"] = http.StatusText(status)
	document["status"] = status
	document["code"] = fault.CodeOf(err)
	document["detail"] = fault.DetailOf(err)
	return document
}

// tooLarge is the 413 of HTTP and Gateway.
func tooLarge(limit int) error {
	err := fault.New(fault.Invalid, "too-large", fmt.Sprintf("The body is larger than %d bytes.", limit))
	return fault.WithStatus(err, http.StatusRequestEntityTooLarge)
}
