package ingest_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"kefu/shared/adapter/bolt"
	"kefu/shared/adapter/wechat"
	"kefu/shared/core/account"
	"kefu/shared/core/doctor"
	"kefu/shared/core/fault"
	"kefu/shared/core/message"
	"kefu/shared/core/tenant"
	"kefu/shared/flow/ingest"
	"kefu/shared/shell"
)

var start = time.Date(2026, 11, 21, 8, 0, 0, 0, time.UTC)

// witness remembers what it was told.
type witness struct{ all []doctor.Sighting }

func (w *witness) Note(_ context.Context, s doctor.Sighting) { w.all = append(w.all, s) }

// nowhere takes wake-ups and files, and loses them.
type nowhere struct{}

func (nowhere) Send(context.Context, string, time.Duration, []byte) error { return nil }
func (nowhere) Expect(context.Context, account.Account, []message.PlatformMedia, time.Time) error {
	return nil
}

// away is a channel that can't work now.
type away struct{}

func (away) Read(account.Account, message.Push) (message.Inbound, error) {
	return message.Inbound{}, fault.New(fault.Unavailable, "", "")
}

func newIngest(t *testing.T, seen *witness) *ingest.Ingest {
	t.Helper()
	db, err := bolt.Open(bolt.Options{Path: filepath.Join(t.TempDir(), "kefu.db"), Now: clock})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	store := db.Store()
	_, err = store.PutAccount(t.Context(), account.Account{
		ID: "shop", Tenant: tenant.Default, Channel: account.MiniProgram, AppID: "wx1", Mode: account.Plaintext, Format: account.JSON, Token: "t",
	})
	if err != nil {
		t.Fatal(err)
	}
	return &ingest.Ingest{
		Accounts: store, Channel: &wechat.Inbox{}, Store: store, Media: nowhere{}, Fetch: nowhere{}, Sights: seen,
		Shell: &shell.Shell{Store: store, Route: nowhere{}, Outbound: nowhere{}, Hooks: nowhere{}, Now: clock},
		Now:   clock, Log: slog.New(slog.DiscardHandler),
	}
}

func clock() time.Time { return start }

const text = `{"ToUserName":"gh_1","FromUserName":"mei","CreateTime":1795248000,"MsgType":"text","Content":"hello","MsgId":1}`

// TestSights: an accepted push is told of once, with what is known of how it came.
func TestSights(t *testing.T) {
	t.Parallel()
	push := func(body string) message.Push {
		return message.Push{
			Account: "shop", Customer: "mei", Key: "k", Body: []byte(body), ReceivedAt: start,
			Mode: account.Secure, Format: account.XML, SentAt: start.Add(-time.Second),
		}
	}
	good := doctor.Sighting{Account: "shop", At: start, Mode: account.Secure, Format: account.XML, SentAt: start.Add(-time.Second)}
	bad := good
	bad.Reason = doctor.Unreadable
	for name, tc := range map[string]struct {
		push  message.Push
		times int
		want  []doctor.Sighting
	}{
		"a message":               {push(text), 1, []doctor.Sighting{good}},
		"delivered twice":         {push(text), 2, []doctor.Sighting{good}},
		"nobody's":                {push(`{"InfoType":"component_verify_ticket","CreateTime":1795248000}`), 1, []doctor.Sighting{good}},
		"unreadable":              {push("hello"), 1, []doctor.Sighting{bad}},
		"queued before all this":  {message.Push{Account: "shop", Customer: "mei", Key: "k", Body: []byte(text), ReceivedAt: start}, 1, []doctor.Sighting{{Account: "shop", At: start}}},
		"of an account that left": {message.Push{Account: "gone", Key: "k", Body: []byte(text), ReceivedAt: start}, 1, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			seen := &witness{}
			in := newIngest(t, seen)
			body, err := json.Marshal(tc.push)
			if err != nil {
				t.Fatal(err)
			}
			for range tc.times {
				if err := in.Handle(t.Context(), body); err != nil {
					t.Fatal(err)
				}
			}
			if len(seen.all) != len(tc.want) {
				t.Fatalf("got %+v, want %+v", seen.all, tc.want)
			}
			for i, want := range tc.want {
				if seen.all[i] != want {
					t.Errorf("got %+v, want %+v", seen.all[i], want)
				}
			}
		})
	}
}

// TestAFailureIsNotSeen: the push comes again, and is told of then.
func TestAFailureIsNotSeen(t *testing.T) {
	t.Parallel()
	seen := &witness{}
	in := newIngest(t, seen)
	in.Channel = away{}
	body, err := json.Marshal(message.Push{Account: "shop", Key: "k", Body: []byte(text), ReceivedAt: start})
	if err != nil {
		t.Fatal(err)
	}
	if err := in.Handle(t.Context(), body); err == nil || len(seen.all) != 0 {
		t.Errorf("got error %v and %+v; want an error and nothing", err, seen.all)
	}
}
