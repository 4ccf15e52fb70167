package dynamo

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"kefu/shared/core/account"
	"kefu/shared/core/agent"
	"kefu/shared/core/message"
	"kefu/shared/core/session"
	"kefu/shared/core/tenant"
)

// tally sums what calls used.
type tally struct {
	mu   sync.Mutex
	used Usage
}

func (y *tally) add(u Usage) {
	y.mu.Lock()
	defer y.mu.Unlock()
	y.used.Read += u.Read
	y.used.Write += u.Write
	y.used.Index += u.Index
}

// TestUsage holds what a call costs, by DynamoDB's own account: units of writing, of them in the indexes, and of reading.
func TestUsage(t *testing.T) {
	t.Parallel()
	var y tally
	s := newStore(t, func(_ *aws.Config, o *Options) { o.Meter = y.add })
	ctx := t.Context()
	must(t, takeSeat(t, s, "s0", 10, start)) // the first ever makes the item
	for _, c := range []struct {
		what               string
		write, index, read float64
		call               func() error
	}{
		{"PutTenant", 1, 0, 0, func() error { _, err := s.PutTenant(ctx, tenant.Tenant{ID: "t", Name: "一"}); return err }},
		{"PutAccount, new", 14, 4, 2, func() error { _, err := s.PutAccount(ctx, anAccount("t", "shop")); return err }},
		{"PutAccount again", 4, 0, 1, func() error { _, err := s.PutAccount(ctx, anAccount("t", "shop")); return err }},
		{"SetRouting", 1, 0, 0, func() error { return s.SetRouting(ctx, "shop", account.Routing{}) }},
		{"Account", 0, 0, 1, func() error { _, err := s.Account(ctx, "shop"); return err }},
		{"PutAgent", 1, 0, 0, func() error { _, err := s.PutAgent(ctx, anAgent("t", "li", "shop")); return err }},
		{"SetStatus", 1, 0, 0, func() error { _, err := s.SetStatus(ctx, "t", "li", agent.Away, start, time.Time{}); return err }},
		// This one begins with a refused write, which DynamoDB charges for and doesn't report.
		{"SetStatus, a lease begins", 1, 0, 0, func() error {
			_, err := s.SetStatus(ctx, "t", "li", agent.Online, start, after(time.Minute))
			return err
		}},
		{"SetStatus, a lease is prolonged", 1, 0, 0, func() error { _, err := s.SetStatus(ctx, "t", "li", agent.Online, start, after(time.Hour)); return err }},
		{"Agent", 0, 0, 1, func() error { _, err := s.Agent(ctx, "t", "li"); return err }},
		{"AgentsOf, one agent", 0, 0, 1, func() error { _, err := s.AgentsOf(ctx, "t", "shop"); return err }},
		{"PutKey", 4, 0, 0, func() error { return s.PutKey(ctx, aKey("t", "li", "k")) }},
		{"Key", 0, 0, 1, func() error { _, err := s.Key(ctx, "k"); return err }},
		{"TakeSeat, 2 to 10", 9, 0, 0, func() error {
			for i := 1; i < 10; i++ {
				id := session.ID(fmt.Sprintf("0123456789abcdef0123%02d", i))
				if err := takeSeat(t, s, id, 10, start.Add(time.Duration(i))); err != nil {
					return err
				}
			}
			return nil
		}},
		{"KeepSeat", 1, 0, 0, func() error { _, err := s.KeepSeat(ctx, "t", "li", "s0", after(time.Second)); return err }},
		{"Desk", 0, 0, 1, func() error { _, err := s.Desk(ctx, "t", "li"); return err }},
		{"Desks, one of three is there", 0, 0, 1, func() error { _, err := s.Desks(ctx, "t", []agent.ID{"li", "wu", "xu"}); return err }},
		{"FreeSeat", 1, 0, 0, func() error { return s.FreeSeat(ctx, "t", "li", "s0", after(time.Second)) }},
		{"MarkSeen", 1, 0, 0, func() error {
			return s.MarkSeen(ctx, "shop", message.Seen{Key: "o0123456789abcdefghijklmnop/1763798400/24680135791113151", Message: "0123456789abcdef0123-1", FirstAt: start})
		}},
		{"Seen, not there", 0, 0, 0.5, func() error { _, _ = s.Seen(ctx, "shop", "none"); return nil }},
		{"KeepRaw", 2, 1, 0, func() error {
			return s.KeepRaw(ctx, message.RawPush{Push: message.Push{Account: "shop", Key: "k", Body: noise(700), ReceivedAt: start}})
		}},
		{"BeginCall", 1, 0, 0, func() error {
			_, _, err := s.BeginCall(ctx, "t", aCall("0b9f1e4e-6f2c-4f39-9a39-9d6c9d0e7a11"), start)
			return err
		}},
		{"FinishCall", 1, 0, 0, func() error {
			c := aCall("0b9f1e4e-6f2c-4f39-9a39-9d6c9d0e7a11")
			c.Done, c.Status = true, 202
			c.Body = []byte(`{"id":"0123456789abcdef0123-17","direction":"out","type":"text","text":{"content":"您好，请问有什么可以帮您？"},"state":"pending","created_at":"2026-11-22T08:00:00.123Z"}`)
			return s.FinishCall(ctx, "t", c)
		}},
		{"LeaseToken", 1, 0, 0, func() error { return s.LeaseToken(ctx, ofApp("wx1"), start, start.Add(time.Minute)) }},
		{"SaveToken", 1, 0, 0, func() error {
			return s.SaveToken(ctx, ofApp("wx1"), account.AccessToken{Value: "a-token-of-the-platform", ExpiresAt: start})
		}},
		{"Token", 0, 0, 1, func() error { _, err := s.Token(ctx, ofApp("wx1")); return err }},
		{"PutMedia, new", 2, 1, 0, func() error { return s.PutMedia(ctx, message.Media{ID: "m", ExpiresAt: start}) }},
	} {
		y.used = Usage{}
		must(t, c.call())
		if y.used.Write != c.write || y.used.Index != c.index || y.used.Read != c.read {
			t.Errorf("%s: got %v written (%v of it in indexes), %v read; want %v (%v), %v",
				c.what, y.used.Write, y.used.Index, y.used.Read, c.write, c.index, c.read)
		}
	}
}

// TestWhatEndsIsCleanedUp checks the TTL attribute of all items of the journey: a week past the end, or none.
func TestWhatEndsIsCleanedUp(t *testing.T) {
	t.Parallel()
	s := newStore(t, func(_ *aws.Config, o *Options) { o.Now = func() time.Time { return start } })
	ctx := t.Context()
	journey(t, s)
	_, err := s.PutAccount(ctx, anAccount("t", "shop"))
	must(t, err)
	_, err = s.PutAgent(ctx, anAgent("t", "li"))
	must(t, err)
	must(t, s.PutKey(ctx, aKey("t", "li", "k")))
	_, _, err = s.BeginCall(ctx, "t", aCall("k"), start)
	must(t, err)
	must(t, s.LeaseToken(ctx, ofApp("wx2"), start, start.Add(time.Minute)))
	must(t, s.PutMedia(ctx, message.Media{ID: "m", ExpiresAt: start.Add(30 * time.Hour)}))
	must(t, s.PutMedia(ctx, message.Media{ID: "for good"}))

	day := 24 * time.Hour
	want := map[string]time.Duration{
		"P#shop/k": 31*day + week, "W#shop/k": 90*day + week, "Q#t/k": day + week, tokenKey(ofApp("wx1")).pk: time.Hour + week,
		tokenKey(ofApp("wx2")).pk: time.Minute + week, "F#m": 30*time.Hour + week,
		"T#t": 0, "A#shop": 0, "N#wx0123456789abcdef": 0, "T#t/agents": 0, "K#k": 0, "S#t/li": 0, "F#for good": 0,
	}
	for _, it := range scan(t, s) {
		pk := readText(it[attrPK])
		life, known := want[pk]
		if !known {
			t.Errorf("got an item %q; want none", pk)
		}
		end := int64(0)
		if life > 0 {
			end = start.Add(life).Unix()
		}
		if got := readNumber(it[attrTTL]); got != end {
			t.Errorf("%s: got ttl %d; want %d", pk, got, end)
		}
	}
}
