package hook

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kefu/shared/core/account"
	"kefu/shared/core/fault"
	"kefu/shared/core/hook"
	"kefu/shared/core/message"
)

// TestAskRequest: the responder gets the question, signed.
func TestAskRequest(t *testing.T) {
	t.Parallel()
	var body, signature, id string
	a := receiver(t, func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		body, signature, id = string(b), r.Header.Get("webhook-signature"), r.Header.Get("webhook-id")
		w.WriteHeader(http.StatusNoContent)
	})
	q := hook.Ask{ID: "ask_s1-4", Account: "shop", Customer: "o1", Session: "s1", State: "bot", Messages: []hook.Said{
		{ID: "s1-4", Content: message.Content{Type: message.TypeText, Text: &message.Text{Content: "你好"}}},
	}}
	got, err := client().Ask(t.Context(), a, q)
	if err != nil || len(got.Messages) != 0 || got.Handoff {
		t.Errorf("got %+v, %v, want that it says nothing", got, err)
	}
	const want = `{"id":"ask_s1-4","account":"shop","session":"s1","customer":"o1","state":"bot",` +
		`"messages":[{"id":"s1-4","type":"text","text":{"content":"你好"}}]}`
	if body != want {
		t.Errorf("got question %s\nwant %s", body, want)
	}
	if signed, err := hook.Sign(a.Signing, "ask_s1-4", now, []byte(body)); err != nil || id != "ask_s1-4" || signature != signed {
		t.Errorf("got id %s, signature %s, want %s", id, signature, signed)
	}
}

func TestAnswers(t *testing.T) {
	t.Parallel()
	hello := hook.Answer{Messages: []message.Content{{Type: message.TypeText, Text: &message.Text{Content: "你好"}}}}
	long := `{"messages":[],"x":"` + strings.Repeat("x", maxAnswer-22) + `"}`
	for name, tc := range map[string]struct {
		status int
		body   string
		want   hook.Answer
		code   string // of the error
	}{
		"a text":                {200, `{"messages":[{"type":"text","text":{"content":"你好"}}]}`, hello, ""},
		"created":               {201, `{"messages":[{"type":"text","text":{"content":"你好"}}]}`, hello, ""},
		"unknown members":       {200, `{"v":2,"messages":[{"type":"text","text":{"content":"你好","bold":true}}]}`, hello, ""},
		"a human":               {200, `{"handoff":true}`, hook.Answer{Handoff: true}, ""},
		"nothing":               {200, `{}`, hook.Answer{}, ""},
		"no content":            {204, ``, hook.Answer{}, ""},
		"as long as may be":     {200, long, hook.Answer{Messages: []message.Content{}}, ""},
		"a byte longer":         {200, long + " ", hook.Answer{}, "responder-answer"},
		"empty":                 {200, ``, hook.Answer{}, "responder-answer"},
		"no JSON":               {200, `s3cret`, hook.Answer{}, "responder-answer"},
		"two answers":           {200, `{}{}`, hook.Answer{}, "responder-answer"},
		"a list":                {200, `["s3cret"]`, hook.Answer{}, "responder-answer"},
		"messages that are one": {200, `{"messages":"s3cret"}`, hook.Answer{}, "responder-answer"},
		"broken":                {500, `{"messages":[{"type":"text","text":{"content":"你好"}}]}`, hook.Answer{}, "responder-unavailable"},
		"a redirect":            {302, ``, hook.Answer{}, "responder-unavailable"},
		"gone":                  {410, ``, hook.Answer{}, "responder-unavailable"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := receiver(t, func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(tc.status)
				_, _ = io.WriteString(w, tc.body)
			})
			got, err := client().Ask(t.Context(), a, hook.Ask{ID: "ask"})
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("want (-) and got (+):\n%s", diff)
			}
			if (tc.code == "") != (err == nil) || (err != nil && fault.CodeOf(err) != tc.code) {
				t.Errorf("got %v, want code %q", err, tc.code)
			}
			if err != nil && strings.Contains(err.Error(), "s3cret") {
				t.Errorf("the error tells what was answered: %v", err)
			}
		})
	}
	cut := receiver(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		_, _ = io.WriteString(w, `{}`)
	})
	if _, err := client().Ask(t.Context(), cut, hook.Ask{}); !errors.Is(err, fault.Unavailable) {
		t.Errorf("half an answer: got %v, want Unavailable", err)
	}
	if _, err := client().Ask(t.Context(), account.Account{}, hook.Ask{}); !errors.Is(err, fault.Unavailable) {
		t.Errorf("without an address: got %v, want Unavailable", err)
	}
	if _, err := New(Options{}).Ask(t.Context(), pointing("https://127.0.0.1:9/p4ssw0rd"), hook.Ask{}); !errors.Is(err, errRefused) || strings.Contains(err.Error(), "p4ssw0rd") {
		t.Errorf("this machine: got %v, want a refusal that doesn't tell the address", err)
	}
	unsigned := pointing("http://127.0.0.1:9")
	unsigned.Signing = account.Signing{}
	if _, err := client().Ask(t.Context(), unsigned, hook.Ask{}); fault.CodeOf(err) != "no-signing-secret" {
		t.Errorf("without a secret: got %v, want no-signing-secret", err)
	}
}
