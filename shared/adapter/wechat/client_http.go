package wechat

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"net/http/httptrace"
	"sync"
	"time"
)

const (
	dialTimeout      = 4 * time.Second
	handshakeTimeout = 4 * time.Second
	// idleTimeout is short, because a server that closes an idle connection just as a request goes out leaves it open
	// whether the request arrived. The transport goes by the wall clock here, so it also covers a frozen process.
	idleTimeout = 15 * time.Second
	idleConns   = 64
)

// NewHTTPClient returns a long-lived client for [Client]: HTTP/1.1 over kept connections, no proxy from the
// environment, no redirects, and connections that know what was written to them, so that a failed send can be told
// from one whose answer was lost. The time for a whole call is the caller's to set.
func NewHTTPClient() *http.Client {
	return newHTTPClient(&net.Dialer{Timeout: dialTimeout, KeepAlive: 15 * time.Second}, &tls.Config{MinVersion: tls.VersionTLS12})
}

func newHTTPClient(d *net.Dialer, cfg *tls.Config) *http.Client {
	cfg = cfg.Clone()
	cfg.NextProtos = []string{"http/1.1"} // one request at a time on a connection: its bytes are that request's
	cfg.ClientSessionCache = tls.NewLRUClientSessionCache(idleConns)
	return &http.Client{
		CheckRedirect: dontFollow,
		Transport: &http.Transport{
			DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
				conn, err := d.DialContext(ctx, network, addr)
				if err != nil {
					return nil, err
				}
				return &watchedConn{Conn: conn}, nil
			},
			DialTLSContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
				ctx, cancel := context.WithTimeout(ctx, dialTimeout+handshakeTimeout)
				defer cancel()
				conn, err := (&tls.Dialer{NetDialer: d, Config: cfg}).DialContext(ctx, network, addr)
				if err != nil {
					return nil, err
				}
				return &watchedConn{Conn: conn}, nil
			},
			MaxIdleConns:           idleConns,
			MaxIdleConnsPerHost:    idleConns,
			IdleConnTimeout:        idleTimeout,
			MaxResponseHeaderBytes: 64 << 10,
		},
	}
}

// dontFollow leaves a redirect as the answer: the platform's interface has none, and the address holds a token.
func dontFollow(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// watchedConn counts what the operating system has taken of what was to be written, above TLS.
type watchedConn struct {
	net.Conn

	mu      sync.Mutex
	written int64
	failed  bool // a write ended early: what it should have carried is not all out
}

func (c *watchedConn) Write(b []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	n, err := c.Conn.Write(b)
	c.written += int64(n)
	if err != nil {
		c.failed = true
	}
	return n, err
}

func (c *watchedConn) state() (written int64, failed bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.written, c.failed
}

// reportsNothing tells foreign transports, which need not call the hooks of a trip, from the standard library's.
func reportsNothing(c *http.Client) bool {
	if c.Transport == nil {
		return false
	}
	_, standard := c.Transport.(*http.Transport)
	return !standard
}

// trip follows one request on its way out.
type trip struct {
	silent bool // the transport reports nothing of what it does

	mu     sync.Mutex
	conn   net.Conn
	before int64 // bytes written to conn before this request
	wrote  bool  // all of it has been handed to the connection's buffer
	failed bool
}

func (t *trip) hooks() *httptrace.ClientTrace {
	return &httptrace.ClientTrace{
		GotConn: func(info httptrace.GotConnInfo) {
			t.mu.Lock()
			defer t.mu.Unlock()
			t.conn = info.Conn
			if w, ok := info.Conn.(*watchedConn); ok {
				t.before, _ = w.state()
			}
		},
		WroteRequest: func(info httptrace.WroteRequestInfo) {
			t.mu.Lock()
			defer t.mu.Unlock()
			t.wrote, t.failed = info.Err == nil, info.Err != nil
		},
	}
}

// mayHaveArrived says, of a request that failed, whether the platform may have got all of it. Call it after the
// transport has returned its error: that happens only when its writer has come to rest.
//
// The transport reports a request as written before it empties its buffer, so that alone would take a request that
// died in the buffer for one that arrived. The connection knows better.
func (t *trip) mayHaveArrived() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case t.silent:
		return true
	case t.conn == nil:
		return false // dial or handshake
	case t.failed:
		return false
	}
	w, ok := t.conn.(*watchedConn)
	if !ok {
		return true
	}
	written, failed := w.state()
	return t.wrote && !failed && written > t.before
}
