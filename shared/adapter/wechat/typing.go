package wechat

import (
	"context"

	"kefu/shared/core/account"
)

// Typing shows or takes away the typing signal, which the platform shows for 15 s. It needs an open window and an
// exchange in the last 30 s. Its failures harm nobody: they are returned as faults and logged at level Debug only,
// and callers may ignore them. The path differs between editions of the platform's pages, so it is a setting of the account.
//
// https://developers.weixin.qq.com/miniprogram/dev/OpenApiDoc/kf-mgnt/kf-message/setTyping.html
func (c *Client) Typing(ctx context.Context, a account.Account, to account.Customer, on bool) error {
	command := "CancelTyping"
	if on {
		command = "Typing"
	}
	body, err := encode(struct {
		ToUser  string `json:"touser"`
		Command string `json:"command"`
	}{string(to), command})
	if err == nil {
		err = c.withToken(ctx, a, c.post("custom/typing", a.Settings.Typing(), body), func(ans answer) error {
			return readJSON("custom/typing", false, ans, nil)
		})
	}
	c.report(ctx, a, "custom/typing", err, true)
	return c.faultOf(err)
}
