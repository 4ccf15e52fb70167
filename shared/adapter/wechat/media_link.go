package wechat

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"syscall"
	"time"

	"kefu/shared/core/fault"
)

// follow fetches a file from a link that the platform gave. The token does not go there. The link may lead to the
// platform's own host, or to any public address; an address inside the network that Kefu runs in is refused, so
// that no answer can make Kefu read what only Kefu can reach.
func (c *Client) follow(ctx context.Context, link string) (answer, error) {
	const op = "media/get link"
	u, err := url.Parse(link)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.User != nil {
		return answer{}, &exchangeError{op, true, errors.New("no http(s) address")}
	}
	platform, client := c.httpClients()
	if base, err := url.Parse(c.baseURL()); err == nil && base.Scheme == u.Scheme && base.Host == u.Host {
		client = platform
	}
	ctx, cancel := context.WithTimeout(ctx, c.mediaTimeout())
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), http.NoBody)
	if err != nil {
		return answer{}, &exchangeError{op, false, bare(err)}
	}
	res, err := client.Do(req)
	if err != nil {
		return answer{}, &exchangeError{op, false, bare(err)}
	}
	defer func() { _ = res.Body.Close() }() // nothing is lost: the body was read, or given up
	switch res.StatusCode {
	case http.StatusForbidden, http.StatusNotFound, http.StatusGone:
		return answer{}, fault.Wrap(fault.NotFound, "media-gone", fmt.Errorf("%s: status %d", op, res.StatusCode))
	}
	if res.ContentLength > maxFile {
		return answer{}, &exchangeError{op, true, errTooLong}
	}
	body, err := readAll(res.Body, maxFile)
	if err != nil {
		return answer{}, &exchangeError{op, true, err}
	}
	ans := answer{res.StatusCode, res.Header, body}
	return ans, checkFile(op, ans)
}

func newLinkClient() *http.Client {
	return newHTTPClient(&net.Dialer{Timeout: dialTimeout, KeepAlive: 15 * time.Second, Control: publicOnly},
		&tls.Config{MinVersion: tls.VersionTLS12})
}

// publicOnly refuses to connect to an address that is not a public one. It sees the address that a name has
// resolved to, so no name gets around it.
func publicOnly(_, address string, _ syscall.RawConn) error {
	ap, err := netip.ParseAddrPort(address)
	if err != nil || !public(ap.Addr().Unmap()) {
		return errors.New("not a public address")
	}
	return nil
}

// inside are ranges that netip counts as global unicast and that lead into a provider's network all the same.
var inside = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"),
	netip.MustParsePrefix("100.64.0.0/10"), // carrier NAT; clouds keep services there
	netip.MustParsePrefix("192.0.0.0/24"),
	netip.MustParsePrefix("198.18.0.0/15"),
	netip.MustParsePrefix("240.0.0.0/4"),
	netip.MustParsePrefix("64:ff9b::/96"),   // NAT64
	netip.MustParsePrefix("64:ff9b:1::/48"), // NAT64, local
	netip.MustParsePrefix("2002::/16"),      // 6to4
	netip.MustParsePrefix("2001::/32"),      // Teredo
}

func public(a netip.Addr) bool {
	if !a.IsGlobalUnicast() || a.IsPrivate() {
		return false
	}
	for _, p := range inside {
		if p.Contains(a) {
			return false
		}
	}
	return true
}
