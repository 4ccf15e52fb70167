package faas_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"kefu/shared/core/fault"
	"kefu/shared/faas"
)

// FuzzHTTPEvent: no event makes HTTP panic; it is refused as Invalid, or h gets a request such as net/http makes.
func FuzzHTTPEvent(f *testing.F) {
	files, err := filepath.Glob("testdata/http/*.json")
	if err != nil || len(files) == 0 {
		f.Fatalf("got %d samples, %v", len(files), err)
	}
	for _, file := range files {
		f.Add(sample(f, "http", filepath.Base(file)))
	}
	f.Add([]byte(`{"httpMethod":"\u0000","path":"%zz","queryString":{"a":[],"":true},"headers":{"":""},"body":"=","isBase64Encoded":true}`))
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		s, err := look(r)
		if err != nil || s.Length != int64(len(s.Body)) || !strings.HasPrefix(s.URI, "/") || s.Method == "" {
			panic("a request that net/http would not make")
		}
		_, _ = io.WriteString(w, s.Body)
	})
	h := faas.HTTP(mux, quiet(), faas.BodyLimit(1<<16))
	f.Fuzz(func(t *testing.T, event []byte) {
		answer, err := h(context.Background(), event)
		if err != nil {
			if !errors.Is(err, fault.Invalid) {
				t.Errorf("got error %v, want an invalid one", err)
			}
			return
		}
		var got struct {
			StatusCode int    `json:"statusCode"`
			Body       string `json:"body"`
			Base64     bool   `json:"isBase64Encoded"`
		}
		if err := json.Unmarshal(answer, &got); err != nil {
			t.Fatalf("got answer %q: %v", answer, err)
		}
		if got.StatusCode == http.StatusInternalServerError {
			t.Errorf("got a panic for %q", event)
		}
	})
}
