package hook

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"kefu/shared/core/account"
	"kefu/shared/core/fault"
	"kefu/shared/core/hook"
)

// Tell posts a body to the account's webhook under an id, which must be the same whenever the same is told. Each answer
// of 200 to 299 means that it was delivered, 410 that the receiver wants to hear no more, all else and none at all that it
// is to be tried again: perhaps it was delivered all the same. Without a secret to sign with nothing goes out.
func (c *Client) Tell(ctx context.Context, a account.Account, id string, body []byte) hook.Outcome {
	ctx, cancel := context.WithTimeout(ctx, c.Timeout)
	defer cancel()
	got, err := c.post(ctx, a.Webhook.URL, a.Signing, id, body)
	switch {
	case errors.Is(err, fault.Invalid):
		return hook.Outcome{Kind: hook.Failed, Reason: fault.CodeOf(err), Cause: err}
	case err != nil:
		return hook.Outcome{Kind: hook.Failed, Reason: reason(err), Cause: err}
	}
	o := hook.Outcome{Status: got.status} // which counts, whatever became of the rest of the answer
	switch {
	case got.status/100 == 2:
		o.Kind = hook.Delivered
	case got.status == http.StatusGone:
		o.Kind, o.Reason = hook.Gone, "gone"
	default:
		o.Kind, o.Reason, o.After = hook.Failed, fmt.Sprintf("http-%d", got.status), c.after(got)
	}
	return o
}

// after reads Retry-After, seconds or a date, of those answers that it means something in
// (RFC 9110, section 10.2.3; RFC 6585, section 4).
func (c *Client) after(got answer) time.Duration {
	if got.status != http.StatusTooManyRequests && got.status != http.StatusServiceUnavailable {
		return 0
	}
	text := got.header.Get("Retry-After")
	if seconds, err := strconv.Atoi(text); err == nil {
		const most = int(hook.LongestPause / time.Second)
		return time.Duration(min(max(seconds, 0), most)) * time.Second
	}
	at, err := http.ParseTime(text)
	if err != nil {
		return 0
	}
	return min(max(at.Sub(c.Now()), 0), hook.LongestPause)
}
