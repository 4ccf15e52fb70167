package account

import (
	"strings"
	"testing"
	"time"

	"kefu/shared/core/fault"
)

// TestHours reads service hours as a support manager would: by China's clock unless another is set.
func TestHours(t *testing.T) {
	t.Parallel()
	office := Hours{
		Open: []Span{
			{Days: []string{"mon", "tue", "wed", "thu", "fri"}, From: "09:00", To: "12:00"},
			{Days: []string{"mon", "tue", "wed", "thu", "fri"}, From: "13:30", To: "18:00"},
			{Days: []string{"sat"}, From: "22:00", To: "24:00"},
		},
		Closed: []string{"2026-10-01"},
	}
	tests := []struct {
		at   string // UTC
		open bool
		why  string
	}{
		{"2026-11-23T00:59:59Z", false, "Monday 08:59 in China"},
		{"2026-11-23T01:00:00Z", true, "Monday 09:00"},
		{"2026-11-23T03:59:59Z", true, "Monday 11:59"},
		{"2026-11-23T04:00:00Z", false, "lunch"},
		{"2026-11-23T05:30:00Z", true, "Monday 13:30"},
		{"2026-11-23T10:00:00Z", false, "Monday 18:00"},
		{"2026-11-22T02:00:00Z", false, "Sunday"},
		{"2026-11-22T17:30:00Z", false, "Monday 01:30 in China, still Sunday in London"},
		{"2026-11-21T15:59:59Z", true, "Saturday 23:59"},
		{"2026-11-21T16:00:00Z", false, "midnight"},
		{"2026-10-01T02:00:00Z", false, "the National Day, a Thursday"},
	}
	for _, tt := range tests {
		at, err := time.Parse(time.RFC3339, tt.at)
		if err != nil {
			t.Fatal(err)
		}
		if got := office.IsOpen(at); got != tt.open {
			t.Errorf("%s (%s): open is %v, want %v", tt.at, tt.why, got, tt.open)
		}
	}
	if !(Hours{}).IsOpen(time.Time{}) {
		t.Error("without hours an account is always open")
	}
	west := Hours{UTCOffset: "-05:00", Open: []Span{{Days: []string{"sun"}, From: "20:00", To: "21:00"}}}
	if !west.IsOpen(time.Date(2026, 11, 23, 1, 30, 0, 0, time.UTC)) {
		t.Error("Sunday 20:30 west of London is Monday there")
	}
}

func TestRoutingCheck(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("长", 700)
	tests := []struct {
		name string
		r    Routing
		want string // part of the detail; empty: fine
	}{
		{"nothing", Routing{}, ""},
		{"text over one message", Routing{Queue: Queue{Text: long}}, "queue.text"},
		{"menu over one message", Routing{Bot: Bot{Menus: map[string]Menu{"m": {Head: long, Items: []Choice{{Label: "a", Reply: Reply{Answer: "b"}}}}}}}, "bot.menus.m"},
		{"menu without items", Routing{Bot: Bot{Menus: map[string]Menu{"m": {}}}}, "items"},
		{"menu of a bad name", Routing{Bot: Bot{Menus: map[string]Menu{"a/b": {Items: []Choice{{Label: "a", Reply: Reply{Answer: "b"}}}}}}}, "a/b"},
		{"choice to a menu that isn't there", Routing{Bot: Bot{Menus: map[string]Menu{"m": {Items: []Choice{{Label: "a", Reply: Reply{Menu: "n"}}}}}}}, `"n"`},
		{"choice that does nothing", Routing{Bot: Bot{Menus: map[string]Menu{"m": {Items: []Choice{{Label: "a"}}}}}}, "neither"},
		{"menu and hand-off", Routing{Bot: Bot{Menus: map[string]Menu{"m": {Items: []Choice{{Label: "a", Reply: Reply{Menu: "m", Handoff: true}}}}}}}, "both"},
		{"question without wordings", Routing{Bot: Bot{Questions: []Question{{Reply: Reply{Answer: "b"}}}}}, "ask"},
		{"likeness above 1", Routing{Bot: Bot{Likeness: 1.5}}, "likeness"},
		{"slow responder", Routing{Bot: Bot{Responder: Responder{URL: "https://a.example", Timeout: Duration(time.Minute)}}}, "timeout"},
		{"responder with a password in its address", Routing{Bot: Bot{Responder: Responder{URL: "https://u:p@a.example"}}}, "without a user"},
		{"back to the bot, which hands it back", Routing{Hours: Hours{Open: []Span{{Days: []string{"mon"}, From: "09:00", To: "10:00"}}, Then: ThenBot}}, "handoff.enabled"},
		{"closed days without hours", Routing{Hours: Hours{Closed: []string{"2026-10-01"}}}, "hours.open"},
		{"separator of a page", Routing{Spend: Spend{Separator: long}}, "separator"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			err := tt.r.Check()
			if tt.want == "" && err != nil {
				t.Fatalf("got %v, want none", err)
			}
			if tt.want != "" && (fault.CodeOf(err) != "routing-invalid" || !strings.Contains(fault.DetailOf(err), tt.want)) {
				t.Errorf("got %v, want routing-invalid with %q", err, tt.want)
			}
		})
	}
}
