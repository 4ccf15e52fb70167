package shell

import (
	"context"
	"encoding/json"
	"errors"
	"sync"
	"testing"
	"time"

	"kefu/shared/core/session"
)

// tape is a queue that notes the numbers of what it is sent, and fails when told to.
type tape struct {
	mu   sync.Mutex
	seqs []int64
	fail bool
}

func (q *tape) Send(_ context.Context, _ string, _ time.Duration, body []byte) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	var t session.Tell
	if err := json.Unmarshal(body, &t); err != nil {
		return err
	}
	if q.fail {
		return errors.New("the queue is down")
	}
	q.seqs = append(q.seqs, t.News.Seq)
	return nil
}

// TestInformOnce: savers of one process who overtake each other put each news into the queue once, in order.
func TestInformOnce(t *testing.T) {
	t.Parallel()
	q := &tape{}
	sh := &Shell{Hooks: q, Told: NewTold()}
	mei, now := session.Session{Account: "shop", Customer: "mei"}, time.Date(2026, 11, 21, 8, 0, 0, 0, time.UTC)
	news := func(to int64) (list []session.News) {
		for n := range to {
			list = append(list, session.News{Seq: n + 1, Event: "message.in", At: now, Session: "s1"})
		}
		return list
	}
	var all sync.WaitGroup
	for n := range int64(20) {
		all.Go(func() {
			if err := sh.inform(t.Context(), mei, news(n+1), now); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if len(q.seqs) != 20 {
		t.Errorf("20 news were told %d times: %v", len(q.seqs), q.seqs)
	}
	for i, seq := range q.seqs {
		if seq != int64(i+1) {
			t.Fatalf("told %v, want them in order", q.seqs)
		}
	}

	// What could not be put there is put there the next time; what is long ago is told again.
	q.seqs, q.fail = nil, true
	if err := sh.inform(t.Context(), mei, news(22), now); err == nil {
		t.Error("the queue is down, and nobody says so")
	}
	q.fail = false
	if err := sh.inform(t.Context(), mei, news(22), now); err != nil || len(q.seqs) != 2 || q.seqs[0] != 21 {
		t.Errorf("told %v (%v), want 21 and 22", q.seqs, err)
	}
	if err := sh.inform(t.Context(), mei, news(22), now.Add(toldFor)); err != nil || len(q.seqs) != 24 {
		t.Errorf("told %d (%v), want all of them again after a minute", len(q.seqs), err)
	}
}
