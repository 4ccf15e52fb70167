package app_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"kefu/shared/app"
)

// silence stands before the platform: a call of the path is not answered until its caller leaves.
type silence struct {
	path    atomic.Value  // string, the end of the calls' path; empty: none hangs
	arrived chan struct{} // one for each call that hangs
}

// before leads the system's calls through h.
func (h *silence) before(t *testing.T) func(*app.Config) {
	t.Helper()
	return func(c *app.Config) {
		to, err := url.Parse(c.WeChatURL)
		if err != nil {
			t.Fatal(err)
		}
		platform := httputil.NewSingleHostReverseProxy(to)
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if path := h.path.Load().(string); path == "" || !strings.HasSuffix(r.URL.Path, path) {
				platform.ServeHTTP(w, r)
				return
			}
			_, _ = io.Copy(io.Discard, r.Body) // the server sees that a caller leaves only when it has read all
			h.arrived <- struct{}{}
			<-r.Context().Done()
		}))
		t.Cleanup(server.Close)
		c.WeChatURL = server.URL
	}
}

// TestACallThatIsCut: a process that has to stop ends its calls to a platform that hangs. What was sent by then is
// recorded as unknown, what was not goes out later, and no message is left "sending".
func TestACallThatIsCut(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		path         string
		cut, settled string
	}{
		"the send itself":     {"custom/send", "unknown answer-lost", "unknown answer-lost"},
		"the access token":    {"stable_token", "held retrying", "sent "},
		"a check of the text": {"msg_sec_check", "held retrying", "sent "},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := &silence{arrived: make(chan struct{}, 1)}
			h.path.Store("")
			r, mei, id := served(t, h.before(t))
			r.must("admin", "PUT", "/accounts/shop/routing", m{"conduct": m{"check": true, "unchecked": "hold"}}, 200)
			r.pass(2 * time.Minute)
			mei.Visit()
			h.path.Store(tt.path)
			first := r.must("ann", "POST", "/sessions/"+id+"/messages", text("first"), 202).str("id")
			second := r.must("ann", "POST", "/sessions/"+id+"/messages", text("second"), 202).str("id")
			batch, err := r.queues()["outbound"].Receive(r.ctx, 10)
			if err != nil {
				t.Fatal(err)
			}
			ctx, cut := context.WithCancel(r.ctx)
			go func() {
				<-h.arrived
				cut()
			}()
			r.invokeBy(ctx, "outbound", r.handlers["outbound"], batch)
			state := func(message string) string {
				m := r.must("ann", "GET", "/sessions/"+id+"/messages/"+message, nil, 200)
				return m.str("state") + " " + m.str("reason")
			}
			r.want("the message whose call was cut", state(first), tt.cut)
			if got := state(second); strings.HasPrefix(got, "sending") {
				t.Errorf("the one behind it: got %s, want it to wait", got)
			}
			h.path.Store("")
			r.restart()
			r.pass(3 * time.Minute) // what was not acknowledged comes again
			r.want("the first, in the end", state(first), tt.settled)
			r.want("the second, in the end", state(second), "sent ")
			want := "first,second"
			if tt.settled != "sent " {
				want = "second"
			}
			r.want("received", strings.Join(mei.Texts(), ","), want)
		})
	}
}
