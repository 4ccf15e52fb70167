// Command echo is the function that faas's host tests run. ECHO_KIND chooses the wrapper (raw, http, batch, timer);
// the build fails while ECHO_SETTING is empty, or while the file ECHO_GATE is missing.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"time"

	"kefu/shared/core/fault"
	"kefu/shared/faas"
)

func main() { faas.Main(build) }

var builds int

func build(context.Context) (faas.Handler, error) {
	builds++
	if os.Getenv("ECHO_SETTING") == "" {
		return nil, errors.New("ECHO_SETTING is missing")
	}
	if gate := os.Getenv("ECHO_GATE"); gate != "" {
		if _, err := os.Stat(gate); err != nil {
			return nil, errors.New("the gate is closed")
		}
	}
	switch os.Getenv("ECHO_KIND") {
	case "http":
		return faas.HTTP(http.HandlerFunc(serve)), nil
	case "batch":
		return faas.Batch(handle), nil
	case "timer":
		return faas.Timer(func(context.Context) error { return nil }), nil
	default:
		return command, nil
	}
}

type order struct {
	Do   string `json:"do"`
	Text string `json:"text"`
}

type reply struct {
	Text      string `json:"text"`
	Request   string `json:"request"`
	Remaining int64  `json:"remaining_ms"`
	Builds    int    `json:"builds"`
}

func command(ctx context.Context, payload []byte) ([]byte, error) {
	var o order
	if err := json.Unmarshal(payload, &o); err != nil {
		return nil, err
	}
	switch o.Do {
	case "fail":
		return nil, fault.New(fault.Conflict, "told-to", "I was told to fail.")
	case "panic":
		panic("a secret: " + o.Text)
	case "exit":
		os.Exit(3)
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	r := reply{Text: o.Text, Request: faas.RequestID(ctx), Builds: builds}
	if deadline, ok := ctx.Deadline(); ok {
		r.Remaining = time.Until(deadline).Milliseconds()
	}
	return json.Marshal(r)
}

func serve(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = io.WriteString(w, r.Method+" "+r.URL.Path+"?"+r.URL.RawQuery+" ")
	_, _ = io.Copy(w, r.Body)
}

func handle(_ context.Context, m faas.Message) error {
	if m.Body == "bad" {
		return fault.Unavailable
	}
	return nil
}
