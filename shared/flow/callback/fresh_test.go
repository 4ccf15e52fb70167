package callback

import (
	"context"
	"log/slog"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"kefu/shared/core/account"
	"kefu/shared/core/fault"
	"kefu/shared/core/message"
)

// keys is a channel that takes one token, and counts.
type keys struct {
	parts
	good  account.Secret
	tries int
}

func (k *keys) Open(a account.Account, _ url.Values, body []byte, at time.Time) (message.Opened, error) {
	k.tries++
	if a.Token != k.good {
		return message.Opened{}, fault.New(fault.Denied, "signature", "")
	}
	return message.Opened{Push: message.Push{Account: a.ID, Key: "k", Body: body, ReceivedAt: at}}, nil
}

// holding is an Accounts with one token.
type holding struct {
	token account.Secret
	err   error
	reads int
}

func (h *holding) Account(_ context.Context, id account.ID) (account.Account, error) {
	h.reads++
	return account.Account{ID: id, Token: h.token}, h.err
}

// TestChangedKeys: a push under keys that have just been changed is accepted although the memory has the old ones; a
// forged one costs a second look and no second try.
func TestChangedKeys(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		remembered, stored account.Secret
		fails              error
		status, tries      int
		looks              int
	}{
		"the keys are known":       {"new", "new", nil, 200, 1, 0},
		"the keys have changed":    {"old", "new", nil, 200, 2, 1},
		"forged":                   {"old", "old", nil, 403, 1, 1},
		"forged, store away":       {"old", "", fault.Unavailable, 403, 1, 1},
		"changed, and still wrong": {"old", "older", nil, 403, 2, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			channel, fresh := &keys{good: "new"}, &holding{token: tc.stored, err: tc.fails}
			c := &Callback{
				Accounts: &holding{token: tc.remembered}, Fresh: fresh, Channel: channel, Inbound: channel,
				Now: time.Now, Log: slog.New(slog.DiscardHandler),
			}
			r := httptest.NewRequestWithContext(t.Context(), "POST", "/callback/shop", strings.NewReader("<xml/>"))
			r.SetPathValue("account", "shop")
			w := httptest.NewRecorder()
			c.ServeHTTP(w, r)
			if w.Code != tc.status || channel.tries != tc.tries || fresh.reads != tc.looks {
				t.Errorf("got %d after %d tries and %d second looks; want %d, %d, %d", w.Code, channel.tries, fresh.reads, tc.status, tc.tries, tc.looks)
			}
		})
	}
}
