package hook_test

import (
	"encoding/json"
	"slices"
	"testing"

	"kefu/shared/core/account"
	"kefu/shared/core/fault"
	"kefu/shared/core/hook"
	"kefu/shared/core/message"
)

func says(s string) message.Content {
	return message.Content{Type: message.TypeText, Text: &message.Text{Content: s}}
}

func TestAnswerCheck(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name     string
		messages []message.Content
		want     string
	}{
		{"none", nil, ""},
		{"as many as may be", slices.Repeat([]message.Content{says("hi")}, hook.MaxAnswers), ""},
		{"one more", slices.Repeat([]message.Content{says("hi")}, hook.MaxAnswers+1), "answers-too-many"},
		{"an empty one", []message.Content{says("hi"), says("")}, "message-invalid"},
		{"one that the channel doesn't have", []message.Content{{Type: message.TypeVoice, Voice: &message.Voice{Media: "m"}}}, "type-not-supported"},
	} {
		err := hook.Answer{Messages: tt.messages}.Check(account.MiniProgram)
		if got := fault.CodeOf(err); (err != nil || tt.want != "") && (err == nil || got != tt.want) {
			t.Errorf("%s: got %v, want code %q", tt.name, err, tt.want)
		}
	}
}

// TestAskAsJSON holds the form that businesses read.
func TestAskAsJSON(t *testing.T) {
	t.Parallel()
	b, err := json.Marshal(hook.Ask{ID: "s1-1", Account: "shop", Session: "s1", Customer: "mei", State: "bot", Messages: []hook.Said{{ID: "s1-1", Content: says("hi")}}})
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"id":"s1-1","account":"shop","session":"s1","customer":"mei","state":"bot",` +
		`"messages":[{"id":"s1-1","type":"text","text":{"content":"hi"}}]}`
	if string(b) != want {
		t.Errorf("got  %s\nwant %s", b, want)
	}
}
