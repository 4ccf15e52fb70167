package wechat

import (
	"context"
	"errors"

	"kefu/shared/core/account"
	"kefu/shared/core/fault"
	"kefu/shared/core/message"
	"kefu/shared/core/session"
)

const sendPath = "/cgi-bin/message/custom/send"

// Send makes one call of custom/send: content is one part already, of at most [message.MaxTextBytes], and files maps
// the media ids in it to the platform's. The outcome says what became of the call; nothing is tried again but for
// one thing: a refused access token is replaced once.
//
// The message is [session.Lost] when the request went out whole and no answer could be read (timeout, cut
// connection, status 5xx, anything but a JSON object), and [session.Unreached] when it can't have arrived: no
// connection, no token, or a request that was not fully written.
//
// Canceling ctx is like a timeout. https://developers.weixin.qq.com/miniprogram/dev/OpenApiDoc/kf-mgnt/kf-message/sendCustomMessage.html
func (c *Client) Send(ctx context.Context, a account.Account, to account.Customer, content message.Content, files map[string]string) session.Outcome {
	body, err := sendBody(a.Channel, to, content, files)
	if err == nil {
		err = c.withToken(ctx, a, c.post("custom/send", sendPath, body), func(ans answer) error {
			return readJSON("custom/send", false, ans, nil)
		})
	}
	c.report(ctx, a, "custom/send", err, false)
	return outcomeOf(err)
}

// outcomeOf is the one place where a failed send becomes an outcome.
func outcomeOf(err error) session.Outcome {
	if err == nil {
		return session.Outcome{Kind: session.Sent}
	}
	var no *Refusal
	var tok *tokenError
	var ex *exchangeError
	noToken := errors.As(err, &tok)
	if errors.As(err, &no) {
		return no.outcome(noToken)
	}
	if !noToken && errors.As(err, &ex) {
		if ex.lost {
			return session.Outcome{Kind: session.Lost}
		}
		return session.Outcome{Kind: session.Unreached}
	}
	// No call was made: for want of a token, or of a sensible request.
	switch fault.KindOf(err) {
	case fault.Exhausted:
		return session.Outcome{Kind: session.Throttled}
	case fault.Invalid, fault.Denied, fault.NotFound:
		return session.Outcome{Kind: session.Refused, Reason: fault.CodeOf(err)}
	}
	return session.Outcome{Kind: session.Unreached}
}

// faultOf is the one place where a failed call that is no send becomes a fault.
func (c *Client) faultOf(err error) error {
	var no *Refusal
	var tok *tokenError
	var ex *exchangeError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &tok), errors.Is(err, fault.Invalid), errors.Is(err, fault.NotFound), errors.Is(err, fault.Internal):
		return err // judged already, where the token was fetched or the file read
	case errors.As(err, &no):
		return no.asFault(c.now())
	case errors.As(err, &ex):
		return fault.Wrap(fault.Unavailable, "platform-unreachable", err)
	}
	return err
}
