package client_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"kefu/infra/cli/client"
)

// numbers serves the list 0, 1, … n-1 with pages that are one shorter than asked for, which the interface allows.
func numbers(t *testing.T, n int) (c *client.Client, asked *[]url.Values) {
	t.Helper()
	asked = &[]url.Values{}
	s := &script{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		*asked = append(*asked, q)
		limit, _ := strconv.Atoi(q.Get("limit"))
		from, _ := strconv.Atoi(q.Get("cursor"))
		if limit < 1 || limit > 200 {
			t.Errorf("limit %q is asked for", q.Get("limit"))
		}
		to := min(n, from+max(1, limit-1))
		p := client.Page{Items: []json.RawMessage{}}
		for i := from; i < to; i++ {
			p.Items = append(p.Items, json.RawMessage(strconv.Itoa(i)))
		}
		if to < n {
			p.Next = strconv.Itoa(to)
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(p)
	}))
	t.Cleanup(s.Close)
	c, _ = patient(s)
	return c, asked
}

func TestList(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		there, limit, want int
		more               bool
	}{
		{0, 0, 0, false},
		{0, 10, 0, false},
		{5, 0, 5, false},
		{5, 4, 4, true},
		{5, 5, 5, false},
		{5, 6, 5, false},
		{1000, 0, 1000, false},
		{1000, 500, 500, true},
		{1000, 1, 1, true},
	} {
		t.Run(fmt.Sprintf("%d of %d", tt.limit, tt.there), func(t *testing.T) {
			t.Parallel()
			c, asked := numbers(t, tt.there)
			items, more, err := c.List(t.Context(), "/v1/n", url.Values{"state": {"queued"}}, tt.limit)
			if err != nil || len(items) != tt.want || more != tt.more || items == nil {
				t.Errorf("got %d items, more %t, %v; want %d, %t", len(items), more, err, tt.want, tt.more)
			}
			for i, item := range items {
				if string(item) != strconv.Itoa(i) {
					t.Fatalf("item %d is %s", i, item)
				}
			}
			for _, q := range *asked {
				if q.Get("state") != "queued" {
					t.Errorf("a page is asked for with %v, want the filter on each", q)
				}
			}
		})
	}
}

// TestListThatTurnsInCircles ends.
func TestListThatTurnsInCircles(t *testing.T) {
	t.Parallel()
	c, _ := patient(play(t, answer{200, "", "application/json", `{"items":[1],"next":"a"}`}))
	if _, _, err := c.List(t.Context(), "/v1/n", nil, 0); err == nil || !strings.Contains(err.Error(), "name themselves") {
		t.Errorf("got %v, want an error", err)
	}
}
