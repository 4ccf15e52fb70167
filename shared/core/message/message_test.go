package message

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"kefu/shared/core/account"
	"kefu/shared/core/fault"
)

func TestID(t *testing.T) {
	t.Parallel()
	if s, n, ok := NewID("s4kq", 12).Split(); s != "s4kq" || n != 12 || !ok {
		t.Errorf("got %q %d %v", s, n, ok)
	}
	for _, bad := range []ID{"", "s4kq", "-3", "s4kq-", "s4kq-x", "s4kq-0", "s4kq--1", "s4kq-1-2", "s4kq-99999999999999999999"} {
		if _, _, ok := bad.Split(); ok {
			t.Errorf("%q is taken for a message id", bad)
		}
	}
}

func TestSettle(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 21, 8, 0, 0, 0, time.UTC)
	m, wrote := Message{State: Pending}.Settle(Settlement{State: Sent, At: now, PartsSent: 2})
	if !wrote || m.State != Sent || !m.SentAt.Equal(now) || m.PartsSent != 2 {
		t.Errorf("sent: got %+v, wrote %v", m, wrote)
	}
	again, wrote := m.Settle(Settlement{State: Unknown, Reason: "answer-lost"})
	if wrote || again.State != Sent || again.Reason != "" {
		t.Errorf("a message that has ended ended again: %+v", again)
	}
	failed, _ := Message{State: Held}.Settle(Settlement{State: Failed, Reason: "bad-openid", Code: 40003, At: now})
	if !failed.SentAt.IsZero() || failed.Reason != "bad-openid" || failed.Code != 40003 {
		t.Errorf("failed: got %+v", failed)
	}
}

func TestCheckOutbound(t *testing.T) {
	t.Parallel()
	const mp, oa = account.MiniProgram, account.Official
	tests := []struct {
		name    string
		json    string
		channel account.Channel
		want    string // code of the fault, empty for none
	}{
		{"text", `{"type":"text","text":{"content":"你好"}}`, mp, ""},
		{"text without content", `{"type":"text","text":{"content":""}}`, mp, "message-invalid"},
		{"text without object", `{"type":"text"}`, mp, "message-invalid"},
		{"two objects", `{"type":"text","text":{"content":"a"},"image":{"media":"m"}}`, mp, "message-invalid"},
		{"object of another type", `{"type":"text","image":{"media":"m"}}`, mp, "message-invalid"},
		{"a customer's menu id", `{"type":"text","text":{"content":"a","menu_id":"1"}}`, mp, "message-invalid"},
		{"image", `{"type":"image","image":{"media":"m1"}}`, mp, ""},
		{"image without media", `{"type":"image","image":{}}`, mp, "message-invalid"},
		{"link", `{"type":"link","link":{"title":"t","description":"d","url":"https://a.example/"}}`, mp, ""},
		{"link on an official account", `{"type":"link","link":{"title":"t","description":"d","url":"https://a.example/"}}`, oa, "type-not-supported"},
		{"link without address", `{"type":"link","link":{"title":"t"}}`, mp, "message-invalid"},
		{"link that runs a script", `{"type":"link","link":{"title":"t","url":"javascript:alert(1)"}}`, mp, "message-invalid"},
		{"card", `{"type":"miniprogrampage","miniprogrampage":{"title":"t","pagepath":"pages/a","thumb_media":"m"}}`, mp, ""},
		{"card without cover", `{"type":"miniprogrampage","miniprogrampage":{"title":"t","pagepath":"pages/a"}}`, mp, "message-invalid"},
		{"card on an official account needs the app", `{"type":"miniprogrampage","miniprogrampage":{"title":"t","pagepath":"p","thumb_media":"m"}}`, oa, "message-invalid"},
		{"card on an official account", `{"type":"miniprogrampage","miniprogrampage":{"title":"t","appid":"wx1","pagepath":"p","thumb_media":"m"}}`, oa, ""},
		{"menu", `{"type":"msgmenu","msgmenu":{"head_content":"h","list":[{"id":"1","content":"yes"}]}}`, oa, ""},
		{"menu on a mini program", `{"type":"msgmenu","msgmenu":{"list":[{"id":"1","content":"yes"}]}}`, mp, "type-not-supported"},
		{"empty menu", `{"type":"msgmenu","msgmenu":{"list":[]}}`, oa, "message-invalid"},
		{"menu item without text", `{"type":"msgmenu","msgmenu":{"list":[{"id":"1"}]}}`, oa, "message-invalid"},
		{"news", `{"type":"news","news":{"articles":[{"title":"t","url":"https://a.example/"}]}}`, oa, ""},
		{"two articles", `{"type":"news","news":{"articles":[{"title":"t","url":"https://a.example/"},{"title":"t","url":"https://a.example/"}]}}`, oa, "message-invalid"},
		{"voice", `{"type":"voice","voice":{"media":"m"}}`, oa, ""},
		{"voice on a mini program", `{"type":"voice","voice":{"media":"m"}}`, mp, "type-not-supported"},
		{"video", `{"type":"video","video":{"media":"m","title":"t"}}`, oa, ""},
		{"location only comes in", `{"type":"location","location":{"latitude":1,"longitude":2}}`, oa, "type-not-supported"},
		{"no type", `{"text":{"content":"a"}}`, mp, "type-not-supported"},
		{"unknown type", `{"type":"dance"}`, mp, "type-not-supported"},
		{"longer than any window", `{"type":"text","text":{"content":"` + strings.Repeat("x", MaxTextBytes*MaxParts+1) + `"}}`, mp, "message-invalid"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var c Content
			if err := json.Unmarshal([]byte(tt.json), &c); err != nil {
				t.Fatal(err)
			}
			err := c.CheckOutbound(tt.channel)
			if err == nil && tt.want == "" {
				return
			}
			if got := fault.CodeOf(err); err == nil || got != tt.want {
				t.Errorf("got %v, want code %q", err, tt.want)
			}
			if want := map[string]int{"type-not-supported": 422, "message-invalid": 400}[tt.want]; want != 0 && fault.Status(err) != want {
				t.Errorf("status %d, want %d", fault.Status(err), want)
			}
		})
	}
}

func TestParts(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("客", MaxTextBytes/3) + "服x" // two bytes short of the limit, then over it
	c := Content{Type: TypeText, Text: &Text{Content: long}}
	if got := c.Parts(); got != 2 {
		t.Fatalf("got %d parts, want 2", got)
	}
	if got := c.Part(0).Text.Content + c.Part(1).Text.Content; got != long {
		t.Error("the parts are not the text")
	}
	if n := len(c.Part(0).Text.Content); n > MaxTextBytes {
		t.Errorf("a part has %d bytes", n)
	}
	short := Content{Type: TypeText, Text: &Text{Content: "a"}}
	if short.Parts() != 1 || short.Part(0).Text.Content != "a" {
		t.Error("a short text is its own only part")
	}
	if got := (Content{Type: TypeImage, Image: &MediaRef{Media: "m"}}).Parts(); got != 1 {
		t.Errorf("an image has %d parts", got)
	}
}
