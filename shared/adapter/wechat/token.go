package wechat

import (
	"context"
	"errors"
	"time"

	"kefu/shared/core/account"
)

const tokenPath = "/cgi-bin/stable_token" //nolint:gosec // a path

// Issue fetches an access token (stable_token). Plainly asked it gives the same token to everybody until about five
// minutes before its end; with force it kills that one and gives another, which the platform allows 20 times a day
// and not twice within 30 s. It is for the one keeper of tokens: everybody else asks [Tokens].
//
// Errors: Denied when the platform refuses the account (codes such as "secret-wrong" or "ip-not-allowed"), Exhausted
// for quotas, Unavailable when it can't be reached, Invalid with code "secret-missing" for an account without
// secret; a [Refusal] is inside where there is one. Each has been logged.
//
// https://developers.weixin.qq.com/miniprogram/dev/OpenApiDoc/mp-access-token/getStableAccessToken.html
func (c *Client) Issue(ctx context.Context, a account.Account, force bool) (account.AccessToken, error) {
	t, err := c.issue(ctx, a, force)
	c.report(ctx, a, "stable_token", err, false)
	return t, c.faultOf(err)
}

func (c *Client) issue(ctx context.Context, a account.Account, force bool) (account.AccessToken, error) {
	if _, err := a.Credential(); err != nil {
		return account.AccessToken{}, err
	}
	body, err := encode(struct {
		GrantType string `json:"grant_type"`
		AppID     string `json:"appid"`
		Secret    string `json:"secret"`
		Force     bool   `json:"force_refresh"`
	}{"client_credential", a.AppID, a.AppSecret.Reveal(), force})
	if err != nil {
		return account.AccessToken{}, err
	}
	asked := c.now() // the life of the token is counted from before the call
	ans, err := c.exchange(ctx, c.post("stable_token", tokenPath, body), "")
	if err != nil {
		return account.AccessToken{}, err
	}
	var out struct {
		Value     string `json:"access_token"`
		ExpiresIn int64  `json:"expires_in"`
	}
	if err := readJSON("stable_token", true, ans, &out); err != nil {
		return account.AccessToken{}, err
	}
	const longest = int64(24 * time.Hour / time.Second)
	if out.Value == "" || out.ExpiresIn <= 0 || out.ExpiresIn > longest {
		return account.AccessToken{}, &exchangeError{"stable_token", true, errors.New("no token, or an impossible life, in the answer")}
	}
	t := account.AccessToken{Value: account.Secret(out.Value), ExpiresAt: asked.Add(time.Duration(out.ExpiresIn) * time.Second)}
	if force {
		t.ForcedAt = asked
	}
	return t, nil
}
