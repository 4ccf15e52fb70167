package callback

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"kefu/shared/core/account"
	"kefu/shared/core/fault"
	"kefu/shared/core/message"
)

var errDisk = fault.New(fault.Unavailable, "disk", "the disk is full")

// parts stand for the callback's neighbours; each can be told to fail.
type parts struct {
	account, open, queue error
	customer             account.Customer
	group                string
	queued               []byte
}

func (p *parts) Account(_ context.Context, id account.ID) (account.Account, error) {
	return account.Account{ID: id}, p.account
}

func (p *parts) Echo(_ account.Account, q url.Values) (string, error) {
	return q.Get("echostr"), p.open
}

func (p *parts) Open(a account.Account, _ url.Values, body []byte, at time.Time) (message.Opened, error) {
	return message.Opened{Push: message.Push{Account: a.ID, Customer: p.customer, Key: "k1", Body: body, ReceivedAt: at}}, p.open
}

// Read and HandOver are for accounts that use the platform's own tool.
func (p *parts) Read(account.Account, message.Push) (message.Inbound, error) {
	panic("the push was read, although the account hands nothing over")
}

func (p *parts) HandOver(account.Account, message.Opened, time.Time) ([]byte, error) {
	panic("the push was handed over, although the account hands nothing over")
}

func (p *parts) Send(ctx context.Context, group string, _ time.Duration, body []byte) error {
	if _, ok := ctx.Deadline(); !ok {
		return errors.New("the callback must give the queue a deadline")
	}
	p.group, p.queued = group, body
	return p.queue
}

func TestAnswers(t *testing.T) {
	t.Parallel()
	denied := fault.New(fault.Denied, "padding", "the padding of the secret push is wrong")
	tests := []struct {
		name   string
		method string
		path   string
		body   string
		parts  parts
		status int
		answer string
		logged string // must stand in the log
	}{
		{"URL check", "GET", "/callback/shop?echostr=4375120948345356249", "", parts{}, 200, "4375120948345356249", ""},
		{"URL check, refused", "GET", "/callback/shop?echostr=1", "", parts{open: denied}, 403, "forbidden", "padding"},
		{"push", "POST", "/callback/shop", "<xml/>", parts{customer: "mei"}, 200, "success", ""},
		{"push, refused", "POST", "/callback/shop", "<xml/>", parts{open: denied}, 403, "forbidden", "padding"},
		{"push, malformed parameters", "POST", "/callback/shop?signature=%zz", "<xml/>", parts{}, 403, "forbidden", "query"},
		{"push, wrong kind of refusal", "POST", "/callback/shop", "", parts{open: fault.New(fault.Invalid, "base64", "")}, 403, "forbidden", "base64"},
		{"unknown account", "POST", "/callback/nobody", "<xml/>", parts{account: fault.New(fault.NotFound, "no-account", "")}, 404, "not found", "no-account"},
		{"impossible account", "POST", "/callback/a%20b", "<xml/>", parts{}, 404, "not found", "(invalid)"},
		{"too large", "POST", "/callback/shop", strings.Repeat("x", MaxBody+1), parts{}, 413, "too large", "oversized"},
		{"just not too large", "POST", "/callback/shop", strings.Repeat("x", MaxBody), parts{customer: "mei"}, 200, "success", ""},
		{"the queue is full", "POST", "/callback/shop", "<xml/>", parts{queue: errDisk}, 500, "try again", "inbound-queue"},
		{"the queue refuses for good", "POST", "/callback/shop", "<xml/>", parts{queue: fault.New(fault.Invalid, "x", "")}, 500, "try again", "inbound-queue"},
		{"the store is away", "POST", "/callback/shop", "<xml/>", parts{account: errDisk}, 500, "try again", "disk"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var log bytes.Buffer
			p := tt.parts
			now := time.Date(2026, 11, 21, 8, 0, 0, 0, time.UTC)
			c := &Callback{
				Accounts: &p, Channel: &p, Inbound: &p, Now: func() time.Time { return now },
				Log: slog.New(slog.NewJSONHandler(&log, nil)),
			}
			mux := http.NewServeMux()
			mux.Handle("/callback/{account}", c)
			w := httptest.NewRecorder()
			mux.ServeHTTP(w, httptest.NewRequest(tt.method, tt.path, strings.NewReader(tt.body)))
			if body, _ := io.ReadAll(w.Body); w.Code != tt.status || string(body) != tt.answer {
				t.Errorf("got %d %q, want %d %q", w.Code, body, tt.status, tt.answer)
			}
			if !strings.Contains(log.String(), tt.logged) || strings.Count(log.String(), "\n") != 1 {
				t.Errorf("the log must be one line with %q, got %q", tt.logged, log.String())
			}
			if strings.Contains(log.String(), "secret push") && tt.status == 403 {
				t.Errorf("the log tells the refusal's details: %s", log.String())
			}
			if tt.answer != "success" {
				return
			}
			var push message.Push
			if err := json.Unmarshal(p.queued, &push); err != nil || push.Account != "shop" || string(push.Body) != tt.body || !push.ReceivedAt.Equal(now) {
				t.Errorf("queued %s (%v)", p.queued, err)
			}
			if p.group != "shop/mei" {
				t.Errorf("queued in group %q, want the customer's", p.group)
			}
		})
	}
}
