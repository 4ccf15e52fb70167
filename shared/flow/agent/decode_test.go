package agent_test

import (
	"reflect"
	"strings"
	"testing"

	"kefu/shared/core/account"
	"kefu/shared/core/fault"
	"kefu/shared/flow/agent"
)

// TestStrictJSON sends broken bodies to calls of each kind.
func TestStrictJSON(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.served("shop")
	tests := []struct {
		name, body string
		status     int
		code       string
		field      string
	}{
		{"empty", "", 400, "malformed-json", ""},
		{"blank", " \n", 400, "malformed-json", ""},
		{"null", "null", 400, "malformed-json", ""},
		{"list", "[]", 400, "malformed-json", ""},
		{"text", `"x"`, 400, "malformed-json", ""},
		{"cut", `{"name":`, 400, "malformed-json", ""},
		{"cut in a string", `{"name":"x`, 400, "malformed-json", ""},
		{"syntax", `{"name" "x"}`, 400, "malformed-json", ""},
		{"comma", `{"name":"x",}`, 400, "malformed-json", ""},
		{"comment", `{/* hi */}`, 400, "malformed-json", ""},
		{"two", `{"name":"x"}{"name":"y"}`, 400, "malformed-json", ""},
		{"tail", `{"name":"x"} x`, 400, "malformed-json", ""},
		{"not UTF-8", "{\"name\":\"\xff\"}", 400, "malformed-json", ""},
		{"form", "name=x&role=agent", 400, "malformed-json", ""},
		{"unknown", `{"name":"x","nick\"name":"y"}`, 400, "unknown-field", `nick"name`},
		{"number for text", `{"name":5}`, 400, "wrong-type", "name"},
		{"text for number", `{"name":"x","capacity":"5"}`, 400, "wrong-type", "capacity"},
		{"fraction", `{"name":"x","capacity":1.5}`, 400, "wrong-type", "capacity"},
		{"huge number", `{"name":"x","capacity":1e99}`, 400, "wrong-type", "capacity"},
		{"object for list", `{"name":"x","accounts":{}}`, 400, "wrong-type", "accounts"},
		{"number in list", `{"name":"x","accounts":[1]}`, 400, "wrong-type", "accounts"},
		{"too large", `{"name":"` + strings.Repeat("x", 1<<20) + `"}`, 413, "too-large", ""},
		{"deep", `{"name":` + strings.Repeat("[", 20000) + strings.Repeat("]", 20000) + `}`, 400, "malformed-json", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := w.call("ada", "PUT", "/v1/agents/zoe", tt.body).want(tt.status, tt.code)
			if tt.field != "" {
				if got := r.text("field"); got != tt.field {
					t.Errorf("field %q, want %q: %s", got, tt.field, r.raw)
				}
				if !strings.Contains(r.text("detail"), strings.ReplaceAll(tt.field, `"`, `\"`)) {
					t.Errorf("the detail does not name the field: %s", r.raw)
				}
			}
		})
	}
	r := w.call("ann", "POST", path(s, "messages"), `{"type":"link","link":{"title":7}}`).want(400, "wrong-type")
	if got := r.text("field"); got != "link.title" {
		t.Errorf("nested field %q, want link.title", got)
	}
	w.call("ada", "GET", "/v1/agents/zoe", nil).want(404, "not-found")
}

// FuzzReadMessage: whatever is sent as a message, it is refused in an orderly way or
// is one that the channel takes, and then it is shown as it was read.
func FuzzReadMessage(f *testing.F) {
	for _, seed := range []string{
		`{"type":"text","text":{"content":"x"}}`, `{"type":"news","news":{"articles":[null]}}`, `{"type":"image","image":null}`,
		`{"type":"video","video":{"media":""}}`, `{"type":"text","text":{"content":"x"},"send_at":"9999-12-31T23:59:59Z"}`, `null`, `{`,
		`{"TYPE":"text","Text":{"CONTENT":"x"}}`, `{"type":"text","type":"image","text":{"content":"x"}}`,
		`{"type":"link","link":{"title":"t","url":"https://example.com"}}`, `{"type":"msgmenu","msgmenu":{"list":[{"id":"1","content":"c"}]}}`,
		`{"type":"news","news":{"articles":[{"title":"t","url":"http://a"}]},"when_closed":"fail"}`,
	} {
		f.Add([]byte(seed), true)
		f.Add([]byte(seed), false)
	}
	f.Fuzz(func(t *testing.T, body []byte, official bool) {
		ch := account.MiniProgram
		if official {
			ch = account.Official
		}
		c, err := agent.ReadMessage(body, ch, epoch)
		if err != nil {
			if status := fault.Status(err); status != 400 && status != 422 {
				t.Fatalf("%q: status %d, want 400 or 422: %v", body, status, err)
			}
			return
		}
		if err := c.CheckOutbound(ch); err != nil {
			t.Fatalf("%q is accepted, and can't be sent: %v", body, err)
		}
		shown, err := agent.WriteContent(c)
		if err != nil {
			t.Fatal(err)
		}
		again, err := agent.ReadMessage(shown, ch, epoch)
		if err != nil || !reflect.DeepEqual(c, again) {
			t.Fatalf("%q is shown as %s, which reads as %+v, %v", body, shown, again, err)
		}
	})
}
