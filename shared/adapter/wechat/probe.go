package wechat

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"

	"kefu/shared/core/account"
	"kefu/shared/core/doctor"
	"kefu/shared/core/fault"
)

// The calls of this file are made to see whether they work. None of them changes
// anything at the platform, what goes wrong is their result, and nothing is logged:
// who asked is told.

// TryToken asks for an access token with the account's own secret, past [Tokens]: what
// is kept there may come from a secret that is good no longer, or of another account.
// Asked plainly, the platform gives everybody the same token, so no other is harmed.
func (c *Client) TryToken(ctx context.Context, a account.Account) doctor.Trial {
	_, err := c.issue(ctx, a, false)
	return c.trial(err)
}

// TrySend asks how many messages the account may still send today.
//
// https://developers.weixin.qq.com/miniprogram/dev/OpenApiDoc/openApi-mgnt/getApiQuota.html
func (c *Client) TrySend(ctx context.Context, a account.Account) doctor.SendTrial {
	var out struct {
		Quota struct {
			Limit  int64 `json:"daily_limit"`
			Used   int64 `json:"used"`
			Remain int64 `json:"remain"`
		} `json:"quota"`
		Rate struct {
			Calls   int64 `json:"call_count"`
			Seconds int64 `json:"refresh_second"`
		} `json:"rate_limit"`
	}
	err := c.ask(ctx, a, "openapi/quota/get", "/cgi-bin/openapi/quota/get", struct {
		Path string `json:"cgi_path"`
	}{sendPath}, &out)
	if err != nil {
		return doctor.SendTrial{Trial: c.trial(err)}
	}
	const day = 24 * 60 * 60
	return doctor.SendTrial{
		Limit: out.Quota.Limit, Used: out.Quota.Used, Remain: out.Quota.Remain,
		RateCalls: out.Rate.Calls, RateFor: time.Duration(min(max(out.Rate.Seconds, 0), day)) * time.Second,
	}
}

// TryCallback has the platform look for the callback address that is set in its console.
// It looks the host's name up and pings it; the address itself is not called.
//
// https://developers.weixin.qq.com/doc/offiaccount/Basic_Information/Network_Detection.html
func (c *Client) TryCallback(ctx context.Context, a account.Account) doctor.CallbackTrial {
	var out struct {
		DNS []struct {
			IP       string `json:"ip"`
			Operator string `json:"real_operator"`
		} `json:"dns"`
		Ping []struct {
			IP       string `json:"ip"`
			Operator string `json:"from_operator"`
			Loss     string `json:"package_loss"`
			Time     string `json:"time"`
		} `json:"ping"`
	}
	err := c.ask(ctx, a, "callback/check", "/cgi-bin/callback/check", struct {
		Action   string `json:"action"`
		Operator string `json:"check_operator"`
	}{"all", "DEFAULT"}, &out)
	if err != nil {
		return doctor.CallbackTrial{Trial: c.trial(err)}
	}
	const most = 20 // of each; the platform's operators are four
	var t doctor.CallbackTrial
	for _, d := range out.DNS[:min(len(out.DNS), most)] {
		if ip := address(d.IP); ip != "" {
			t.Names = append(t.Names, doctor.Resolved{IP: ip, Operator: operator(d.Operator)})
		}
	}
	for _, p := range out.Ping[:min(len(out.Ping), most)] {
		if ip := address(p.IP); ip != "" {
			t.Pings = append(t.Pings, doctor.Ping{IP: ip, Operator: operator(p.Operator), Loss: percent(p.Loss), Millis: millis(p.Time)})
		}
	}
	return t
}

// ask makes a call that takes and gives JSON.
func (c *Client) ask(ctx context.Context, a account.Account, op, path string, in, out any) error {
	body, err := encode(in)
	if err != nil {
		return err
	}
	return c.withToken(ctx, a, c.post(op, path, body), func(ans answer) error { return readJSON(op, false, ans, out) })
}

// trial is what an error means for a call that was to be tried.
func (c *Client) trial(err error) doctor.Trial {
	var token *tokenError
	var no *Refusal
	var ex *exchangeError
	switch {
	case err == nil:
		return doctor.Trial{}
	case errors.As(err, &token):
		return doctor.Trial{Reason: doctor.NoToken}
	case errors.As(err, &no):
		return doctor.Trial{Reason: no.Reason, Code: no.Code, RID: no.RID, IP: no.IP}
	case errors.As(err, &ex):
		return doctor.Trial{Reason: doctor.Unreachable, Host: c.host(), How: howFar(ex)}
	}
	return doctor.Trial{Reason: fault.CodeOf(err)}
}

// host is where the platform is looked for.
func (c *Client) host() string {
	u, err := url.Parse(c.baseURL())
	if err != nil {
		return ""
	}
	return u.Host
}

// howFar says where an exchange ended.
func howFar(ex *exchangeError) doctor.How {
	var name *net.DNSError
	var timeout interface{ Timeout() bool }
	var dial *net.OpError
	switch {
	case errors.As(ex.err, &name):
		return doctor.AtName
	case isTLS(ex.err):
		return doctor.AtTLS
	case errors.As(ex.err, &timeout) && timeout.Timeout(), errors.Is(ex.err, context.Canceled):
		return doctor.AtTime
	case errors.As(ex.err, &dial) && dial.Op == "dial":
		return doctor.AtConnect
	}
	return doctor.AtAnswer
}

func isTLS(err error) bool {
	var verify *tls.CertificateVerificationError
	var header tls.RecordHeaderError
	var alert tls.AlertError
	var unknown x509.UnknownAuthorityError
	var host x509.HostnameError
	return errors.As(err, &verify) || errors.As(err, &header) || errors.As(err, &alert) || errors.As(err, &unknown) || errors.As(err, &host)
}

// What the platform answers goes to a person, so nothing is passed on as it came.

func address(text string) string {
	addr, err := netip.ParseAddr(text)
	if err != nil {
		return ""
	}
	return addr.WithZone("").String()
}

// operator is one of the platform's words: capital letters.
func operator(text string) string {
	if len(text) > 20 || strings.Trim(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_") != "" {
		return ""
	}
	return text
}

// percent reads "0%"; what can't be read counts as nothing lost, so that it alarms nobody.
func percent(text string) int {
	n, err := strconv.ParseFloat(strings.TrimSuffix(text, "%"), 64)
	if err != nil || !(n >= 0 && n <= 100) {
		return 0
	}
	return int(n)
}

// millis reads "23.079ms".
func millis(text string) int64 {
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 {
		return 0
	}
	return d.Milliseconds()
}
