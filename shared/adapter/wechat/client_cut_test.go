package wechat

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"kefu/shared/core/account"
	"kefu/shared/core/message"
	"kefu/shared/core/session"
)

// pipeServer hands out connections of which it reads and writes byte by byte as its script says.
type pipeServer struct {
	dials  atomic.Int32
	script func(conn net.Conn, r *bufio.Reader)
	wrap   func(net.Conn) net.Conn
	done   sync.WaitGroup
}

func (s *pipeServer) client() *http.Client {
	return &http.Client{Transport: &http.Transport{
		DialContext: func(context.Context, string, string) (net.Conn, error) {
			s.dials.Add(1)
			near, far := net.Pipe()
			s.done.Go(func() {
				defer func() { _ = far.Close() }()
				s.script(far, bufio.NewReaderSize(far, 16))
			})
			if s.wrap != nil {
				near = s.wrap(near)
			}
			return &watchedConn{Conn: near}, nil
		},
		MaxIdleConnsPerHost: 4,
	}}
}

// serveOne reads a whole request and answers it, keeping the connection.
func serveOne(conn net.Conn, r *bufio.Reader) error {
	req, err := http.ReadRequest(r)
	if err != nil {
		return err
	}
	if _, err := io.Copy(io.Discard, req.Body); err != nil {
		return err
	}
	_, err = fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(okAnswer), okAnswer)
	return err
}

// A pipe hands over byte by byte, so that the moment of the cut is exact.
func TestSendKnowsHowMuchWasWritten(t *testing.T) {
	t.Parallel()
	long := message.Content{Type: message.TypeText, Text: &message.Text{Content: strings.Repeat("长", 680)}}
	huge := message.Content{Type: message.TypeLink, Link: &message.Link{Title: strings.Repeat("x", 9000), URL: "https://a.test/"}}
	readThen := func(n int64) func(net.Conn, *bufio.Reader) {
		return func(conn net.Conn, _ *bufio.Reader) {
			_, _ = io.CopyN(io.Discard, conn, n)
		}
	}
	whole := func(conn net.Conn, r *bufio.Reader) {
		if req, err := http.ReadRequest(r); err == nil {
			_, _ = io.Copy(io.Discard, req.Body)
		}
	}
	for name, tc := range map[string]struct {
		content message.Content
		script  func(net.Conn, *bufio.Reader)
		want    session.OutcomeKind
	}{
		"cut after one byte":            {clientHi, readThen(1), session.Unreached},
		"cut in the head":               {long, readThen(100), session.Unreached},
		"cut in the body":               {long, readThen(1000), session.Unreached},
		"cut behind the buffer":         {huge, readThen(5000), session.Unreached},
		"cut after the last byte":       {clientHi, whole, session.Lost},
		"long, cut after the last byte": {huge, whole, session.Lost},
		"cut in the answer's head":      {clientHi, func(c net.Conn, r *bufio.Reader) { whole(c, r); _, _ = io.WriteString(c, "HTTP/1.1 200 O") }, session.Lost},
		"cut in the answer's body": {clientHi, func(c net.Conn, r *bufio.Reader) {
			whole(c, r)
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{\"e")
		}, session.Lost},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := &pipeServer{script: tc.script}
			c, _ := clientAt(t, "http://platform.test")
			c.HTTP = s.client()
			if got, want := c.Send(t.Context(), clientMini, "o1", tc.content, nil), (session.Outcome{Kind: tc.want}); got != want {
				t.Errorf("got %+v, want %+v", got, want)
			}
			s.done.Wait()
			if got := s.dials.Load(); got != 1 {
				t.Errorf("got %d connections, want 1: the request was made again", got)
			}
		})
	}
}

// deadOnDemand is a connection whose other end is gone without the reader having noticed.
type deadOnDemand struct {
	net.Conn
	dead *atomic.Bool
}

func (d deadOnDemand) Write(b []byte) (int, error) {
	if d.dead.Load() {
		return 0, syscall.ECONNRESET
	}
	return d.Conn.Write(b)
}

func TestSendOnAKeptConnectionThatDies(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		die  bool // before the second request's first byte
		read int64
		want session.OutcomeKind
	}{
		"before a byte": {die: true, want: session.Unreached},
		"after a byte":  {read: 1, want: session.Unreached},
		"in the body":   {read: 260, want: session.Unreached},
		"after it all":  {read: 1 << 20, want: session.Lost},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var dead atomic.Bool
			s := &pipeServer{wrap: func(c net.Conn) net.Conn { return deadOnDemand{c, &dead} }}
			s.script = func(conn net.Conn, r *bufio.Reader) {
				if serveOne(conn, r) != nil {
					return
				}
				if tc.read > 1<<10 {
					req, err := http.ReadRequest(r)
					if err == nil {
						_, _ = io.Copy(io.Discard, req.Body)
					}
					return
				}
				_, _ = io.CopyN(io.Discard, conn, max(tc.read, 1))
			}
			c, _ := clientAt(t, "http://platform.test")
			c.HTTP = s.client()
			if got, want := c.Send(t.Context(), clientMini, "o1", clientHi, nil), (session.Outcome{Kind: session.Sent}); got != want {
				t.Fatalf("first: got %+v, want %+v", got, want)
			}
			dead.Store(tc.die)
			if got, want := c.Send(t.Context(), clientMini, "o1", clientHi, nil), (session.Outcome{Kind: tc.want}); got != want {
				t.Errorf("second: got %+v, want %+v", got, want)
			}
			s.done.Wait()
			if got := s.dials.Load(); got != 1 {
				t.Errorf("got %d connections, want 1: the request was made again", got)
			}
		})
	}
}

// The server closes each connection as soon as it has answered and says nothing of it, so that many a request goes
// out on a connection that is about to die. Whatever becomes of them, none may arrive twice, and none that
// is reported as unreached may have arrived at all.
func TestNoDoubleSendOnDyingConnections(t *testing.T) {
	t.Parallel()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	arrived := map[string]int{}
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			serving.Go(func() {
				defer func() { _ = conn.Close() }()
				req, err := http.ReadRequest(bufio.NewReader(conn))
				if err != nil {
					return
				}
				body, err := io.ReadAll(req.Body)
				if err != nil {
					return
				}
				mu.Lock()
				arrived[string(body)]++
				mu.Unlock()
				_, _ = fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(okAnswer), okAnswer)
			})
		}
	})
	t.Cleanup(serving.Wait)
	t.Cleanup(func() { _ = ln.Close() })

	c, _ := clientAt(t, "http://"+ln.Addr().String())
	kinds := map[session.OutcomeKind]int{}
	for i := range 400 {
		content := message.Content{Type: message.TypeText, Text: &message.Text{Content: fmt.Sprint("n", i)}}
		body, err := sendBody(account.MiniProgram, "o1", content, nil)
		if err != nil {
			t.Fatal(err)
		}
		got := c.Send(t.Context(), clientMini, "o1", content, nil)
		kinds[got.Kind]++
		mu.Lock()
		n := arrived[string(body)]
		mu.Unlock()
		switch {
		case n > 1:
			t.Errorf("message %d: arrived %d times, want at most once (%+v)", i, n, got)
		case got.Kind == session.Sent && n != 1:
			t.Errorf("message %d: got %+v but it did not arrive", i, got)
		case got.Kind == session.Unreached && n != 0:
			t.Errorf("message %d: got %+v but it arrived", i, got)
		}
	}
	if kinds[session.Sent] == 0 {
		t.Errorf("got %v, want some messages sent", kinds)
	}
	t.Logf("outcomes: %v", kinds)
}

// opaque is a transport that the hooks of net/http/httptrace don't reach.
type opaque struct{}

func (opaque) RoundTrip(*http.Request) (*http.Response, error) { return nil, errors.New("broken") }

func TestSendOverAnUnknownTransportCountsAsWritten(t *testing.T) {
	t.Parallel()
	c, _ := clientAt(t, "http://platform.test")
	c.HTTP = &http.Client{Transport: opaque{}}
	if got, want := c.Send(t.Context(), clientMini, "o1", clientHi, nil), (session.Outcome{Kind: session.Lost}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

// In a bubble the clock stands still until everybody waits, so the ten seconds are exact and take no time.
func TestSendTimesOut(t *testing.T) {
	t.Parallel()
	readAll := func(r *bufio.Reader) {
		if req, err := http.ReadRequest(r); err == nil {
			_, _ = io.Copy(io.Discard, req.Body)
		}
	}
	for name, tc := range map[string]struct {
		script func(hold chan struct{}, conn net.Conn, r *bufio.Reader)
		want   session.OutcomeKind
	}{
		"without an answer": {func(_ chan struct{}, _ net.Conn, r *bufio.Reader) { readAll(r); _, _ = r.ReadByte() }, session.Lost},
		"in the answer's head": {func(_ chan struct{}, conn net.Conn, r *bufio.Reader) {
			readAll(r)
			_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\n")
			_, _ = r.ReadByte()
		}, session.Lost},
		"in the answer's body": {func(_ chan struct{}, conn net.Conn, r *bufio.Reader) {
			readAll(r)
			_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 27\r\n\r\n{\"errcode\":")
			_, _ = r.ReadByte()
		}, session.Lost},
		"while the request is written": {func(hold chan struct{}, conn net.Conn, _ *bufio.Reader) {
			_, _ = io.CopyN(io.Discard, conn, 50)
			<-hold
		}, session.Unreached},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				hold := make(chan struct{})
				s := &pipeServer{script: func(conn net.Conn, r *bufio.Reader) { tc.script(hold, conn, r) }}
				c, _ := clientAt(t, "http://platform.test")
				c.HTTP = s.client()
				began := time.Now()
				if got, want := c.Send(t.Context(), clientMini, "o1", clientHi, nil), (session.Outcome{Kind: tc.want}); got != want {
					t.Errorf("got %+v, want %+v", got, want)
				}
				if got := time.Since(began); got != DefaultCallTimeout {
					t.Errorf("got an outcome after %v, want %v", got, DefaultCallTimeout)
				}
				close(hold)
				s.done.Wait()
			})
		})
	}
}
