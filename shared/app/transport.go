package app

import (
	"io"
	"net"
	"net/http"
	"time"
)

// newWeb makes the client for all services of a cloud.
func newWeb(c Config) *http.Client {
	web := &http.Client{Transport: steady{newTransport()}}
	if wire := c.probe.wire; wire != nil {
		web.Transport = wire(web.Transport)
	}
	return web
}

// newTransport keeps connections open between events, and gives up one that doesn't come about or doesn't answer long
// before a function's time is over.
func newTransport() *http.Transport {
	dialer := &net.Dialer{Timeout: time.Second, KeepAlive: 30 * time.Second}
	return &http.Transport{
		DialContext: dialer.DialContext, TLSHandshakeTimeout: 2 * time.Second, ResponseHeaderTimeout: 5 * time.Second,
		MaxIdleConns: 256, MaxIdleConnsPerHost: 64, IdleConnTimeout: 5 * time.Minute, ForceAttemptHTTP2: true,
		Proxy: http.ProxyFromEnvironment,
	}
}

// steady keeps the clients of the SDK from losing answers. They close a request's body as soon as the head of the answer
// is there, while the transport may still ask that body, through io.WriterTo, whether it goes on; what it hears then
// makes it close the connection under the answer. A body that has nothing but Read and Close isn't asked so.
type steady struct{ next http.RoundTripper }

// RoundTrip sends the request.
func (s steady) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil && r.Body != http.NoBody {
		r = r.WithContext(r.Context()) // a copy
		r.Body = struct{ io.ReadCloser }{r.Body}
	}
	return s.next.RoundTrip(r)
}
