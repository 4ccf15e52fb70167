package external_test

import (
	"testing"
	"time"

	"kefu/shared/core/account"
	"kefu/shared/core/external"
)

func TestHandsOver(t *testing.T) {
	t.Parallel()
	// Saturday 2026-10-10; China is eight hours ahead.
	china := func(clock string) time.Time {
		at, err := time.Parse("2006-01-02 15:04:05 -07:00", "2026-10-10 "+clock+" +08:00")
		if err != nil {
			t.Fatal(err)
		}
		return at.UTC()
	}
	hours := account.Hours{Open: []account.Span{{Days: []string{"sat"}, From: "09:00", To: "18:00"}}}
	const noon = "12:00:00"
	for _, tc := range []struct {
		name     string
		external account.External
		clock    string
		text     string
		event    bool
		want     bool
	}{
		{"no setting", account.External{}, noon, "你好", false, false},
		{"off", account.External{Mode: account.ExternalOff}, noon, "你好", false, false},
		{"off, with keywords left", account.External{Mode: account.ExternalOff, Keywords: []string{"人工"}}, noon, "人工", false, false},
		{"a mode of a later version", account.External{Mode: "at_random"}, noon, "你好", false, false},

		{"always, a text", account.External{Mode: account.ExternalAlways}, noon, "你好", false, true},
		{"always, a picture", account.External{Mode: account.ExternalAlways}, noon, "", false, true},
		{"always, an event", account.External{Mode: account.ExternalAlways}, noon, "", true, false},

		{"in hours, before", account.External{Mode: account.ExternalOpen}, "08:59:59", "你好", false, false},
		{"in hours, at their beginning", account.External{Mode: account.ExternalOpen}, "09:00:00", "你好", false, true},
		{"in hours, at their last second", account.External{Mode: account.ExternalOpen}, "17:59:59", "你好", false, true},
		{"in hours, at their end", account.External{Mode: account.ExternalOpen}, "18:00:00", "你好", false, false},
		{"in hours, an event", account.External{Mode: account.ExternalOpen}, noon, "", true, false},
		{"outside, before", account.External{Mode: account.ExternalClosed}, "08:59:59", "你好", false, true},
		{"outside, within", account.External{Mode: account.ExternalClosed}, "09:00:00", "你好", false, false},
		{"outside, at their end", account.External{Mode: account.ExternalClosed}, "18:00:00", "你好", false, true},
		{"outside, an event", account.External{Mode: account.ExternalClosed}, "18:00:00", "", true, false},

		{"keyword", account.External{Mode: account.ExternalKeyword, Keywords: []string{"官方客服", "kf"}}, noon, " ＫＦ！", false, true},
		{"keyword, not alone", account.External{Mode: account.ExternalKeyword, Keywords: []string{"官方客服"}}, noon, "我要官方客服", false, false},
		{"keyword, within", account.External{Mode: account.ExternalKeyword, Keywords: []string{"官方客服"}, Match: account.Contains}, noon, "我要官方客服", false, true},
		{"keyword, another text", account.External{Mode: account.ExternalKeyword, Keywords: []string{"官方客服"}}, noon, "你好", false, false},
		{"keyword, a picture", account.External{Mode: account.ExternalKeyword, Keywords: []string{"官方客服"}, Match: account.Contains}, noon, "", false, false},
		{"keyword, an event", account.External{Mode: account.ExternalKeyword, Keywords: []string{"kf"}}, noon, "kf", true, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			r := account.Routing{External: tc.external, Hours: hours}
			if got := external.HandsOver(r, tc.text, !tc.event, china(tc.clock)); got != tc.want {
				t.Errorf("got %v, want %v", got, tc.want)
			}
		})
	}
}
