package bolt_test

import (
	"fmt"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"kefu/shared/adapter/bolt"
	"kefu/shared/core/account"
	"kefu/shared/core/message"
	"kefu/shared/core/quota"
	"kefu/shared/core/session"
	"kefu/shared/core/tenant"
)

func benchDB(b *testing.B) *bolt.DB {
	b.Helper()
	db, err := bolt.Open(bolt.Options{Path: filepath.Join(b.TempDir(), "kefu.db")})
	if err != nil {
		b.Fatalf("open: got error %v; want none", err)
	}
	b.Cleanup(func() {
		if err := db.Close(); err != nil {
			b.Errorf("close: got error %v; want none", err)
		}
	})
	return db
}

// rate reports calls per second.
func rate(b *testing.B, unit string) {
	b.Helper()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), unit)
}

// workers runs f b.N times over so many goroutines.
func workers(b *testing.B, n int, f func(worker, i int) error) {
	b.Helper()
	var next atomic.Int64
	errs := make(chan error, n)
	b.ResetTimer()
	for w := range n {
		go func() {
			for {
				i := int(next.Add(1))
				if i > b.N {
					errs <- nil
					return
				}
				if err := f(w, i); err != nil {
					errs <- err
					return
				}
			}
		}()
	}
	for range n {
		if err := <-errs; err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkWrite(b *testing.B) {
	for _, n := range []int{1, 8, 64} {
		b.Run(fmt.Sprintf("writers=%d", n), func(b *testing.B) {
			s := benchDB(b).Store()
			workers(b, n, func(w, i int) error {
				_, err := s.PutTenant(b.Context(), tenant.Tenant{ID: tenant.ID(fmt.Sprintf("t%d", i%5000)), Name: "n"})
				return err
			})
			rate(b, "tx/s")
		})
	}
}

// liveSession is a usual one: an open window, a few remembered pushes, one waiting message.
func liveSession(c account.Customer) session.Session {
	now := time.Now().UTC()
	s := session.Session{
		ID: session.ID("s" + string(c)), Tenant: "t", Account: "shop", Customer: c, State: session.Serving, Agent: "li",
		OpenedAt: now, LastCustomerAt: now, DueAt: now,
		Window: quota.Window{Live: []quota.Live{{Action: quota.Message, At: now, Push: "AAAAAAAAAAAAAAAA", Limit: 5, Until: now}}},
		Outbox: []session.Waiting{{Message: "s-1", N: 1, Parts: 1, ExpiresAt: now}},
	}
	for range 8 {
		s.Recent = append(s.Recent, session.Recent{Key: "AAAAAAAAAAAAAAAA", Message: "s-1"})
	}
	return s
}

func BenchmarkSaveSession(b *testing.B) {
	for _, n := range []int{1, 64} {
		b.Run(fmt.Sprintf("writers=%d", n), func(b *testing.B) {
			store := benchDB(b).Store()
			sessions := make([][]session.Session, n)
			for w := range n {
				for i := range 100 {
					sessions[w] = append(sessions[w], liveSession(account.Customer(fmt.Sprintf("o%d-%d", w, i))))
				}
			}
			workers(b, n, func(w, i int) error {
				s := &sessions[w][i%100]
				s.DueAt = s.DueAt.Add(time.Second)
				err := store.SaveSession(b.Context(), *s, s.Version)
				s.Version++
				return err
			})
			rate(b, "saves/s")
		})
	}
}

func BenchmarkSession(b *testing.B) {
	s := benchDB(b).Store()
	if err := s.SaveSession(b.Context(), liveSession("o"), 0); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Session(b.Context(), "shop", "o"); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkPutMessage(b *testing.B) {
	s := benchDB(b).Store()
	raw := make([]byte, 600)
	workers(b, 64, func(w, i int) error {
		id := session.ID(fmt.Sprintf("s%d", w))
		m := message.Message{ID: message.NewID(id, int64(i)), N: int64(i), Session: id, State: message.Received, Raw: raw}
		return s.PutMessage(b.Context(), m)
	})
	rate(b, "rows/s")
}

// One turn is send, receive and ack, by as many workers, with what is ready before in the queue.
func BenchmarkQueue(b *testing.B) {
	body := make([]byte, 600)
	for _, bench := range []struct{ workers, batch, backlog int }{{1, 1, 0}, {64, 1, 0}, {64, 10, 0}, {64, 10, 100_000}} {
		b.Run(fmt.Sprintf("workers=%d/batch=%d/backlog=%d", bench.workers, bench.batch, bench.backlog), func(b *testing.B) {
			q := benchDB(b).Queue("q", bolt.QueueOptions{Visibility: time.Hour})
			filled := make(chan error)
			for w := range 100 {
				go func() {
					var err error
					for i := 0; i < bench.backlog/100 && err == nil; i++ {
						err = q.Send(b.Context(), fmt.Sprintf("g%d-%d", w, i), 0, body)
					}
					filled <- err
				}()
			}
			for range 100 {
				if err := <-filled; err != nil {
					b.Fatal(err)
				}
			}
			workers(b, bench.workers, func(w, i int) error {
				if err := q.Send(b.Context(), fmt.Sprintf("w%d-%d", w, i%50), 0, body); err != nil {
					return err
				}
				if i%bench.batch != 0 {
					return nil
				}
				list, err := q.Receive(b.Context(), bench.batch)
				if err != nil || len(list) == 0 {
					return err
				}
				receipts := make([]string, 0, len(list))
				for _, d := range list {
					receipts = append(receipts, d.Receipt)
				}
				return q.Ack(b.Context(), receipts...)
			})
			rate(b, "msgs/s")
		})
	}
}
