package agent

import (
	"bytes"
	"encoding/json"
	"net/http"

	"kefu/shared/core/fault"
)

// answer is what a call has to say: a value that becomes JSON, or a file.
type answer struct {
	status      int
	value       any
	file        []byte
	contentType string // of the file
	header      http.Header
}

func ok(v any) answer       { return answer{status: http.StatusOK, value: v} }
func created(v any) answer  { return answer{status: http.StatusCreated, value: v} }
func accepted(v any) answer { return answer{status: http.StatusAccepted, value: v} }
func done() answer          { return answer{status: http.StatusNoContent} }

// made answers a PUT.
func made(isNew bool, v any) answer {
	if isNew {
		return created(v)
	}
	return ok(v)
}

// list is a page: items may be empty and are never null, next is absent at the end.
type list[T any] struct {
	Items []T    `json:"items"`
	Next  string `json:"next,omitempty"`
}

func page[T any](items []T, next string) list[T] { return list[T]{Items: items, Next: next} }

// rendered is an answer as it goes out, and as it is kept for a repeated call.
type rendered struct {
	status      int
	contentType string
	body        []byte
	header      http.Header
	retry       bool // not to be kept: the same call may end differently
	open        bool // no secret of anybody's: caches may have it
}

func (o *rendered) set(name, value string) {
	if o.header == nil {
		o.header = http.Header{}
	}
	o.header.Set(name, value)
}

const jsonType = "application/json"

// render turns an answer into bytes.
func (c *call) render(a answer) rendered {
	out := rendered{status: a.status, header: a.header, open: c.route.least == anyone}
	switch {
	case a.file != nil:
		out.body, out.contentType = a.file, a.contentType
	case a.value != nil:
		var b bytes.Buffer
		enc := json.NewEncoder(&b)
		enc.SetEscapeHTML(false)
		if err := enc.Encode(a.value); err != nil {
			return c.problem(fault.Wrap(fault.Internal, "", err), nil)
		}
		out.body, out.contentType = b.Bytes(), jsonType
	}
	return out
}

// write sends it. A client that has gone is told nothing, and misses nothing.
func (o rendered) write(w http.ResponseWriter, method string) {
	h := w.Header()
	for name, values := range o.header {
		h[http.CanonicalHeaderKey(name)] = values
	}
	h.Set("X-Content-Type-Options", "nosniff")
	if !o.open {
		h.Set("Cache-Control", "no-store")
	}
	if o.contentType != "" {
		h.Set("Content-Type", o.contentType)
	}
	w.WriteHeader(o.status)
	if method != http.MethodHead && o.status != http.StatusNoContent {
		_, _ = w.Write(o.body)
	}
}
