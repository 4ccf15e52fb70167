package quota

import (
	"cmp"
	"testing"
	"time"
)

var t0 = time.Date(2026, 11, 21, 8, 0, 0, 0, time.UTC)

func at(seconds float64) time.Time { return t0.Add(time.Duration(seconds * float64(time.Second))) }

// step is one line of a window's story.
type step struct {
	at     float64 // now, seconds
	do     string  // grant, take, refund, close, spent, look
	action Action
	acted  float64 // the customer's time, for grant
	heard  float64 // when the push reached us, if not at
	id     string  // push or message
	n      int
	fails  bool   // the take must be refused
	want   [3]int // limit, used, remaining after the step
	until  float64
}

func TestWindowStories(t *testing.T) {
	t.Parallel()
	mini, official := Preset(MiniProgram2024), Preset(Official2023)
	const day2 = 48 * 3600
	tests := []struct {
		name  string
		table Table
		steps []step
	}{
		{"nobody wrote", mini, []step{{do: "look", want: [3]int{0, 0, 0}, until: -1}, {do: "take", id: "m1", n: 1, fails: true, until: -1}}},
		{"five and no more", mini, []step{
			{do: "grant", action: Message, id: "p1", want: [3]int{5, 0, 5}, until: day2},
			{at: 1, do: "take", id: "m1", n: 1, want: [3]int{5, 1, 4}, until: day2},
			{at: 2, do: "take", id: "m2", n: 3, want: [3]int{5, 4, 1}, until: day2},
			{at: 3, do: "take", id: "m3", n: 2, fails: true, want: [3]int{5, 4, 1}, until: day2},
			{at: 3, do: "take", id: "m3", n: 1, want: [3]int{5, 5, 0}, until: day2},
			{at: 4, do: "take", id: "m4", n: 1, fails: true, want: [3]int{5, 5, 0}, until: day2},
		}},
		{"the same message takes once", mini, []step{
			{do: "grant", action: Message, id: "p1", want: [3]int{5, 0, 5}, until: day2},
			{at: 1, do: "take", id: "m1", n: 2, want: [3]int{5, 2, 3}, until: day2},
			{at: 2, do: "take", id: "m1", n: 2, want: [3]int{5, 2, 3}, until: day2},
		}},
		{"the end is not inside", mini, []step{
			{do: "grant", action: Enter, id: "p1", want: [3]int{2, 0, 2}, until: 60},
			{at: 59.999, do: "take", id: "m1", n: 1, want: [3]int{2, 1, 1}, until: 60},
			{at: 60, do: "take", id: "m2", n: 1, fails: true, want: [3]int{0, 0, 0}, until: 60},
		}},
		{"48 hours to the second", mini, []step{
			{do: "grant", action: Message, id: "p1", want: [3]int{5, 0, 5}, until: day2},
			{at: day2 - 0.001, do: "take", id: "m1", n: 1, want: [3]int{5, 1, 4}, until: day2},
			{at: day2, do: "take", id: "m2", n: 1, fails: true, want: [3]int{0, 0, 0}, until: day2},
		}},
		{"grants refill, they don't add up", mini, []step{
			{do: "grant", action: Message, id: "p1", want: [3]int{5, 0, 5}, until: day2},
			{at: 1, do: "take", id: "m1", n: 3, want: [3]int{5, 3, 2}, until: day2},
			{at: 10, do: "grant", action: Message, acted: 10, id: "p2", want: [3]int{5, 0, 5}, until: day2 + 10},
		}},
		{"entering after writing shortens nothing", mini, []step{
			{do: "grant", action: Message, id: "p1", want: [3]int{5, 0, 5}, until: day2},
			{at: 1, do: "take", id: "m1", n: 5, want: [3]int{5, 5, 0}, until: day2},
			{at: 10, do: "grant", action: Enter, acted: 10, id: "p2", want: [3]int{5, 0, 5}, until: day2},
			{at: 100, do: "look", want: [3]int{5, 0, 5}, until: day2},
		}},
		{"each grant counts until its own end", official, []step{
			{do: "grant", action: Message, id: "p1", want: [3]int{5, 0, 5}, until: day2},
			{at: day2 - 30, do: "grant", action: Click, acted: day2 - 30, id: "p2", want: [3]int{5, 0, 5}, until: day2 + 30},
			{at: day2 - 20, do: "take", id: "m1", n: 2, want: [3]int{5, 2, 3}, until: day2 + 30},
			{at: day2, do: "look", want: [3]int{3, 2, 1}, until: day2 + 30},
			{at: day2 + 30, do: "look", want: [3]int{0, 0, 0}, until: day2 + 30},
		}},
		{"a late, older grant of the same kind changes nothing", mini, []step{
			{at: 10, do: "grant", action: Message, acted: 10, id: "p2", want: [3]int{5, 0, 5}, until: day2 + 10},
			{at: 11, do: "take", id: "m1", n: 2, want: [3]int{5, 2, 3}, until: day2 + 10},
			{at: 12, do: "grant", action: Message, acted: 5, id: "p1", want: [3]int{5, 2, 3}, until: day2 + 10},
		}},
		{"one of the same second, from another push, refills", mini, []step{
			{at: 0.1, do: "grant", action: Message, acted: 0, id: "p1", want: [3]int{5, 0, 5}, until: day2},
			{at: 0.2, do: "take", id: "m1", n: 5, want: [3]int{5, 5, 0}, until: day2},
			{at: 0.3, do: "grant", action: Message, acted: 0, id: "p1", want: [3]int{5, 5, 0}, until: day2},
			{at: 0.4, do: "grant", action: Message, acted: 0, id: "p2", want: [3]int{5, 0, 5}, until: day2},
			{at: 1.6, do: "take", id: "m2", n: 1, want: [3]int{5, 1, 4}, until: day2},
			{at: 2.5, heard: 1.5, do: "grant", action: Message, acted: 0, id: "p3", want: [3]int{5, 0, 5}, until: day2},
		}},
		{"a push that took long does not give back what was sent after the customer acted", mini, []step{
			{do: "grant", action: Message, id: "p1", want: [3]int{5, 0, 5}, until: day2},
			{at: 5, do: "take", id: "m1", n: 1, want: [3]int{5, 1, 4}, until: day2},
			{at: 12, do: "take", id: "m2", n: 2, want: [3]int{5, 3, 2}, until: day2},
			{at: 15, do: "grant", action: Message, acted: 10, id: "p2", want: [3]int{5, 2, 3}, until: day2 + 10},
		}},
		{"what was sent after the push had reached us is not given back, even within the second", mini, []step{
			{do: "grant", action: Message, id: "p1", want: [3]int{5, 0, 5}, until: day2},
			{at: 10.1, do: "take", id: "m1", n: 1, want: [3]int{5, 1, 4}, until: day2},
			{at: 10.3, do: "take", id: "m2", n: 2, want: [3]int{5, 3, 2}, until: day2},
			{at: 10.5, heard: 10.2, do: "grant", action: Message, acted: 10, id: "p2", want: [3]int{5, 2, 3}, until: day2 + 10},
		}},
		{"no grant from the future", mini, []step{
			{do: "grant", action: Message, acted: 3600, id: "p1", want: [3]int{5, 0, 5}, until: day2},
		}},
		{"a refund opens it again", mini, []step{
			{do: "grant", action: Enter, id: "p1", want: [3]int{2, 0, 2}, until: 60},
			{at: 1, do: "take", id: "m1", n: 2, want: [3]int{2, 2, 0}, until: 60},
			{at: 2, do: "refund", id: "m1", n: 1, want: [3]int{2, 1, 1}, until: 60},
			{at: 3, do: "refund", id: "m1", n: 9, want: [3]int{2, 0, 2}, until: 60},
			{at: 3, do: "refund", id: "m1", n: 1, want: [3]int{2, 0, 2}, until: 60},
		}},
		{"the platform says closed", mini, []step{
			{do: "grant", action: Message, id: "p1", want: [3]int{5, 0, 5}, until: day2},
			{at: 3, do: "close", want: [3]int{0, 0, 0}, until: -1},
			{at: 4, do: "grant", action: Message, acted: 1, id: "p0", want: [3]int{0, 0, 0}, until: -1},
			{at: 9, do: "grant", action: Message, acted: 9, id: "p2", want: [3]int{5, 0, 5}, until: day2 + 9},
		}},
		{"the platform says used up", mini, []step{
			{do: "grant", action: Message, id: "p1", want: [3]int{5, 0, 5}, until: day2},
			{at: 3, do: "spent", want: [3]int{5, 5, 0}, until: day2},
			{at: 4, do: "take", id: "m2", n: 1, fails: true, want: [3]int{5, 5, 0}, until: day2},
			{at: 9, do: "grant", action: Message, acted: 9, id: "p2", want: [3]int{5, 0, 5}, until: day2 + 9},
		}},
		{"old preset of official accounts", Preset(Official2021), []step{
			{do: "grant", action: Message, id: "p1", want: [3]int{20, 0, 20}, until: day2},
		}},
		{"what a channel doesn't grant", mini, []step{
			{do: "grant", action: Scan, id: "p1", want: [3]int{0, 0, 0}, until: -1},
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var w Window
			for i, s := range tt.steps {
				now, ok := at(s.at), true
				switch s.do {
				case "grant":
					w = w.Grant(s.action, tt.table[s.action], Notice{Push: s.id, At: at(s.acted), Heard: at(cmp.Or(s.heard, s.at))}, now)
				case "take":
					w, ok = w.Take(s.id, s.n, now)
				case "refund":
					w = w.Refund(s.id, s.n)
				case "close":
					w = w.Correct(Closed, w.Epoch, now)
				case "spent":
					w = w.Correct(UsedUp, w.Epoch, now)
				}
				if ok == s.fails {
					t.Errorf("step %d %s %s: taken %v, want %v", i, s.do, s.id, ok, !s.fails)
				}
				got := w.At(now)
				if have := [3]int{got.Limit, got.Used, got.Remaining()}; have != s.want {
					t.Errorf("step %d %s %s: limit, used, remaining %v, want %v", i, s.do, s.id, have, s.want)
				}
				if s.until < 0 != got.Until.IsZero() || (s.until >= 0 && !got.Until.Equal(at(s.until))) {
					t.Errorf("step %d %s: until %v, want %v s", i, s.do, got.Until.Sub(t0), s.until)
				}
			}
		})
	}
}

func TestCorrectSparesNewerGrant(t *testing.T) {
	t.Parallel()
	table := Preset(MiniProgram2024)
	w := Window{}.Grant(Message, table[Message], Notice{Push: "p1", At: at(0), Heard: at(0)}, at(0))
	reserved := w.Epoch
	w = w.Grant(Message, table[Message], Notice{Push: "p2", At: at(5), Heard: at(5)}, at(5))
	if got := w.Correct(Closed, reserved, at(4)).At(at(6)).Remaining(); got != 5 {
		t.Errorf("a refusal of a call made before the customer wrote again left %d messages, want 5", got)
	}
}

func TestPrune(t *testing.T) {
	t.Parallel()
	table := Preset(MiniProgram2024)
	w := Window{}.Grant(Enter, table[Enter], Notice{Push: "p1", At: at(0), Heard: at(0)}, at(0))
	w, _ = w.Take("m1", 1, at(1))
	if got := w.Prune(at(59)); len(got.Live) != 1 || len(got.Took) != 1 {
		t.Errorf("pruned before its end: %+v", got)
	}
	if got := w.Prune(at(60)); len(got.Live) != 0 || len(got.Took) != 0 {
		t.Errorf("not pruned at its end: %+v", got)
	}
}

func TestValuesAreNotShared(t *testing.T) {
	t.Parallel()
	table := Preset(MiniProgram2024)
	w := Window{}.Grant(Message, table[Message], Notice{Push: "p1", At: at(0), Heard: at(0)}, at(0))
	w, _ = w.Take("m1", 2, at(1))
	before := w.At(at(2))
	_, _ = w.Take("m2", 1, at(2))
	_ = w.Refund("m1", 1)
	_ = w.Grant(Message, table[Message], Notice{Push: "p2", At: at(3), Heard: at(3)}, at(3))
	_ = w.Correct(UsedUp, w.Epoch, at(3))
	if got := w.At(at(2)); got != before {
		t.Errorf("a window changed behind its owner's back: %+v, want %+v", got, before)
	}
	table[Message] = Grant{}
	if got := Preset(MiniProgram2024)[Message].Limit; got != 5 {
		t.Errorf("a preset can be changed from outside: limit %d", got)
	}
}
