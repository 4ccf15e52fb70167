package agent_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"kefu/shared/adapter/bolt"
	"kefu/shared/core/account"
	"kefu/shared/core/doctor"
	"kefu/shared/core/fault"
	"kefu/shared/core/message"
)

// physician finds nothing wrong with anybody.
type physician struct{ now func() time.Time }

func (p physician) Examine(_ context.Context, id account.ID) (doctor.Report, error) {
	return doctor.Report{Account: id, At: p.now(), Healthy: true, Findings: []doctor.Finding{
		{Check: doctor.CheckSettings, Code: "token-fine", Level: doctor.OK, Text: "The token is set."},
	}}, nil
}

// wakeUps is a queue that keeps what it is told.
type wakeUps struct {
	mu   sync.Mutex
	sent []wakeUp
	fail error
}

type wakeUp struct {
	group string
	delay time.Duration
	body  string
}

func (q *wakeUps) Send(_ context.Context, group string, delay time.Duration, body []byte) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.fail != nil {
		return q.fail
	}
	q.sent = append(q.sent, wakeUp{group, delay, string(body)})
	return nil
}

// take returns what was sent since the last time.
func (q *wakeUps) take() []wakeUp {
	q.mu.Lock()
	defer q.mu.Unlock()
	sent := q.sent
	q.sent = nil
	return sent
}

func (q *wakeUps) refuse(err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.fail = err
}

// files keeps uploads in memory and what is known of them in the store.
type files struct {
	store *bolt.Store
	now   func() time.Time
	mu    sync.Mutex
	n     int
	bytes map[string][]byte
}

func (f *files) Add(ctx context.Context, acc account.Account, kind, name, contentType string, b []byte) (message.Media, error) {
	if bytes.Equal(b, []byte("bad")) {
		return message.Media{}, fault.New(fault.Invalid, "media-invalid", "This is no picture.")
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.n++
	m := message.Media{
		ID: fmt.Sprintf("m%d%s", f.n, acc.ID), Account: acc.ID, Type: kind, Name: name, ContentType: contentType, Size: int64(len(b)),
		Kept: true, CreatedAt: f.now(), ExpiresAt: f.now().Add(acc.Settings.MediaLife()),
	}
	f.bytes[m.ID] = bytes.Clone(b)
	return m, f.store.PutMedia(ctx, m)
}

func (f *files) Open(ctx context.Context, id string) (message.Media, []byte, error) {
	m, err := f.store.Media(ctx, id)
	f.mu.Lock()
	defer f.mu.Unlock()
	return m, f.bytes[id], err
}

// typer notes who is shown the signal.
type typer struct {
	mu   sync.Mutex
	to   []account.Customer
	fail bool
	wait func() // set: the platform hangs, once this has been called
}

func (y *typer) Typing(ctx context.Context, _ account.Account, to account.Customer, _ bool) error {
	y.mu.Lock()
	defer y.mu.Unlock()
	y.to = append(y.to, to)
	if y.wait != nil {
		y.wait()
		<-ctx.Done()
		if errors.Is(ctx.Err(), context.Canceled) {
			return ctx.Err()
		}
		return nil // it waited for its own time to be over
	}
	if y.fail {
		return errors.New("45081")
	}
	return nil
}

// logText keeps the log.
type logText struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logText) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logText) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
