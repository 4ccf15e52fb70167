package quota

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// platform is the naive model: it knows everything at the moment it happens and
// keeps nothing but what the rules name.
type platform struct {
	table Table
	ends  map[Action]time.Time
	used  int
}

func (p *platform) act(a Action, now time.Time) {
	if g, ok := p.table[a]; ok {
		p.ends[a] = now.Add(g.For)
		p.used = 0
	}
}

func (p *platform) left(now time.Time) int {
	limit := 0
	for a, end := range p.ends {
		if now.Before(end) {
			limit = max(limit, p.table[a].Limit)
		}
	}
	return max(0, limit-p.used)
}

// TestAgainstModel lets customers act and messages be sent at random, while the
// ledger hears of the actions late and out of order. Whatever it believes in
// between, the platform never counts more than it allows, the ledger never takes
// a message that it would have to take back, and once it has heard everything
// the two agree to the message.
func TestAgainstModel(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		table := Preset(rapid.SampledFrom(Presets()).Draw(rt, "preset"))
		p := &platform{table: table, ends: map[Action]time.Time{}}
		type push struct {
			action Action
			at     time.Time
			id     string
		}
		var late []push
		var w Window
		now, refused := t0, false
		hear := func(i int) {
			h := late[i]
			late = append(late[:i], late[i+1:]...)
			w = w.Grant(h.action, table[h.action], Notice{Push: h.id, At: h.at, Heard: now}, now)
		}
		for i := range rapid.IntRange(1, 60).Draw(rt, "steps") {
			// Seconds are all that the platform tells; sends and actions of one and
			// the same second are covered by the stories.
			now = now.Add(time.Duration(rapid.SampledFrom([]int{1, 2, 7, 59, 60, 61, 3600, 47 * 3600}).Draw(rt, "pause")) * time.Second)
			switch rapid.IntRange(0, 3).Draw(rt, "what") {
			case 0:
				a := rapid.SampledFrom([]Action{Message, Message, Enter, Click, Follow, Scan}).Draw(rt, "action")
				p.act(a, now)
				late = append(late, push{a, now, fmt.Sprint("p", i)})
			case 1:
				if len(late) > 0 {
					hear(rapid.IntRange(0, len(late)-1).Draw(rt, "which"))
				}
			default:
				id := fmt.Sprint("m", i)
				next, ok := w.Take(id, 1, now)
				if !ok {
					continue
				}
				epoch := w.Epoch
				w = next
				if p.left(now) > 0 {
					p.used++
					continue
				}
				// The platform refuses; this is possible only while an action is unheard.
				if len(late) == 0 {
					rt.Fatalf("step %d: the ledger had heard everything and still promised a message that the platform refuses", i)
				}
				refused = true
				w = w.Refund(id, 1).Correct(UsedUp, epoch, now)
			}
		}
		for len(late) > 0 {
			hear(0)
		}
		if got, want := w.At(now).Remaining(), p.left(now); got != want && !refused {
			rt.Fatalf("ledger says %d left, the platform %d", got, want)
		} else if got > want {
			rt.Fatalf("after a refusal the ledger says %d left, the platform %d", got, want)
		}
	})
}
