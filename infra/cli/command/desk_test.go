package command_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
)

// desk is a server that gives the answers of testdata/answers.json, the same each time, and notes what it was asked. The
// address /v1/accounts/proxy is that of a proxy.
type desk struct {
	*httptest.Server
	answers map[string]json.RawMessage // by method and path; a problem document has a status

	mu    sync.Mutex
	calls []string
	keys  []string // of Authorization
}

func openDesk(t *testing.T) *desk {
	t.Helper()
	b, err := os.ReadFile("testdata/answers.json")
	if err != nil {
		t.Fatal(err)
	}
	d := &desk{}
	if err := json.Unmarshal(b, &d.answers); err != nil {
		t.Fatal(err)
	}
	d.Server = httptest.NewServer(d)
	t.Cleanup(d.Close)
	return d
}

func (d *desk) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	call := strings.TrimSpace(fmt.Sprintf("%s %s %s", r.Method, r.URL.RequestURI(), body))
	d.mu.Lock()
	d.calls = append(d.calls, call)
	d.keys = append(d.keys, r.Header.Get("Authorization"))
	d.mu.Unlock()
	answer, known := d.answers[r.Method+" "+r.URL.Path]
	switch {
	case strings.HasPrefix(r.URL.Path, "/v1/accounts/proxy"):
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = io.WriteString(w, "<!doctype html><title>Sign in</title>")
		return
	case !known:
		answer = d.answers["nothing"]
	case string(answer) == "null":
		w.WriteHeader(http.StatusNoContent)
		return
	}
	var problem struct {
		Status json.RawMessage
		Code   string
	}
	_ = json.Unmarshal(answer, &problem) // a list has neither
	kind, status := "application/json", http.StatusOK
	if problem.Code != "" {
		kind = "application/problem+json"
		_ = json.Unmarshal(problem.Status, &status)
	}
	w.Header().Set("Content-Type", kind)
	w.WriteHeader(status)
	_, _ = w.Write(answer)
}

// asked tells what was asked since the last time.
func (d *desk) asked() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	calls := d.calls
	d.calls = nil
	return calls
}
