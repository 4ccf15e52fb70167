package wxfake

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"time"
)

// reachTimeout bounds each look-up and each connection of the callback check.
const reachTimeout = 2 * time.Second

// resolved and ping are what callback/check finds, for each address of the callback's host.
type (
	resolved struct {
		IP       string `json:"ip"`
		Operator string `json:"real_operator"`
	}
	ping struct {
		IP       string `json:"ip"`
		Operator string `json:"from_operator"`
		Loss     string `json:"package_loss"`
		Time     string `json:"time"`
	}
)

// callbackCheck is POST /cgi-bin/callback/check: it really looks the callback's host up, and connects to it in place of a
// ping. As with the platform, the address itself is not called; see [Platform.VerifyURL] for that.
func (p *Platform) callbackCheck(q *call) answer {
	var in struct {
		Action   string `json:"action"`
		Operator string `json:"check_operator"`
	}
	if code := q.decode(&in); code != 0 {
		return refuse(code)
	}
	switch in.Action {
	case "all", "dns", "ping":
	default:
		return refuse(codeBadCheckAction)
	}
	switch in.Operator {
	case "CHINANET", "UNICOM", "CAP", "DEFAULT":
	default:
		return refuse(codeBadCheckOperator)
	}
	u, err := url.Parse(q.cfg.CallbackURL)
	if err != nil || u.Hostname() == "" {
		return refuse(codeNoCallbackURL)
	}
	operator := in.Operator
	if operator == "DEFAULT" {
		operator = "UNICOM"
	}
	ctx, done := p.joined(q.r.Context())
	defer done()
	var out struct {
		DNS  []resolved `json:"dns,omitempty"`
		Ping []ping     `json:"ping,omitempty"`
	}
	for _, ip := range lookUp(ctx, u.Hostname()) {
		if in.Action != "ping" {
			out.DNS = append(out.DNS, resolved{ip, operator})
		}
		if in.Action != "dns" {
			out.Ping = append(out.Ping, reach(ctx, ip, portOf(u), operator))
		}
	}
	return result(out)
}

func lookUp(ctx context.Context, host string) []string {
	ctx, cancel := context.WithTimeout(ctx, reachTimeout)
	defer cancel()
	ips, err := net.DefaultResolver.LookupHost(ctx, host)
	if err != nil {
		return nil // found nowhere: that is the result
	}
	return ips
}

func portOf(u *url.URL) string {
	switch {
	case u.Port() != "":
		return u.Port()
	case u.Scheme == "http":
		return "80"
	}
	return "443"
}

// reach connects to an address.
func reach(ctx context.Context, ip, port, operator string) ping {
	ctx, cancel := context.WithTimeout(ctx, reachTimeout)
	defer cancel()
	began := time.Now()
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", net.JoinHostPort(ip, port))
	took := fmt.Sprintf("%.3fms", float64(time.Since(began).Microseconds())/1000)
	if err != nil {
		return ping{ip, operator, "100%", took}
	}
	_ = conn.Close() // nothing was written
	return ping{ip, operator, "0%", took}
}

// callbackIP is GET /cgi-bin/getcallbackip and /cgi-bin/get_api_domain_ip.
func (p *Platform) callbackIP(*call) answer {
	return result(struct {
		List []string `json:"ip_list"`
	}{[]string{"127.0.0.1"}})
}
