package wechat

import (
	"context"
	"errors"
	"time"

	"kefu/shared/core/account"
	"kefu/shared/core/fault"
	"kefu/shared/core/message"
)

const (
	checkPath = "/wxa/msg_sec_check"
	// checkVersion is the one that answers with a suggestion; version 1 is frozen since 2021.
	checkVersion = 2
	// checkScene is "comment". The platform knows profile (1), comment (2), forum (3) and social log (4), and none for
	// conversations; a short text in answer to what somebody wrote is nearest to a comment.
	checkScene = 2
	// checkSize is the longest text of one call, in characters.
	checkSize = 2500
	// checkOverlap is how much of a piece the next one repeats, so that no word is cut in two unseen.
	checkOverlap = 50
	// checkTimeout ends one call: the customer waits for the message that is being checked.
	checkTimeout = 5 * time.Second
)

// codeNotVisited: the customer has not opened the Mini Program in the last two hours. Whoever writes from the message
// box mostly has not, so it is no news.
const codeNotVisited = 61010

// CheckText has the platform's content security look at a text that shall go to a customer. A text longer than 2500
// characters is checked in pieces, and is what its worst piece is.
//
// It always has a verdict: [message.Unchecked], with a reason and, where the platform refused the check, its code, is the
// outcome of whatever went wrong, for that is for the account's settings to judge. A refused access token is replaced
// once. Official Accounts are not offered the check, so no call is made for them. Failures have been logged, but for
// 61010, which is usual.
//
// https://developers.weixin.qq.com/miniprogram/dev/OpenApiDoc/sec-center/sec-check/msgSecCheck.html
func (c *Client) CheckText(ctx context.Context, a account.Account, to account.Customer, text string) message.Verdict {
	if a.Channel != account.MiniProgram {
		return message.Verdict{Judgement: message.Unchecked, Reason: message.NotOffered}
	}
	worst := message.Verdict{Judgement: message.Pass}
	for i, piece := range pieces(text) {
		v, err := c.checkPiece(ctx, a, to, piece)
		if err != nil {
			c.report(ctx, a, "msg_sec_check", err, isNotVisited(err))
			v = uncheckedFor(err)
		}
		if worst = worst.Worse(v); i == 0 {
			worst = v // with its label and trace
		}
		if v.Judgement == message.Risky || v.Judgement == message.Unchecked {
			break // nothing is worse; and what kept one piece from being checked keeps the next
		}
	}
	return worst
}

// checkPiece makes one call.
func (c *Client) checkPiece(ctx context.Context, a account.Account, to account.Customer, text string) (message.Verdict, error) {
	body, err := encode(struct {
		OpenID  string `json:"openid"`
		Scene   int    `json:"scene"`
		Version int    `json:"version"`
		Content string `json:"content"`
	}{string(to), checkScene, checkVersion, text})
	if err != nil {
		return message.Verdict{}, err
	}
	r := c.post("msg_sec_check", checkPath, body)
	r.timeout = min(r.timeout, checkTimeout)
	var v message.Verdict
	err = c.withToken(ctx, a, r, func(ans answer) (err error) {
		v, err = readVerdict(ans)
		return err
	})
	return v, err
}

// readVerdict reads the answer to one call.
func readVerdict(ans answer) (message.Verdict, error) {
	var out struct {
		TraceID string `json:"trace_id"`
		Result  struct {
			Suggest string `json:"suggest"`
			Label   int    `json:"label"`
		} `json:"result"`
	}
	if err := readJSON("msg_sec_check", false, ans, &out); err != nil {
		return message.Verdict{}, err
	}
	v := message.Verdict{Judgement: message.Judgement(out.Result.Suggest), Label: out.Result.Label, TraceID: out.TraceID}
	switch v.Judgement {
	case message.Pass, message.Review, message.Risky:
		return v, nil
	case message.Unchecked: // no word of the platform's
	}
	return message.Verdict{}, &exchangeError{"msg_sec_check", true, errors.New("no suggestion in the answer")}
}

// uncheckedFor says why a text was not checked.
func uncheckedFor(err error) message.Verdict {
	v := message.Verdict{Judgement: message.Unchecked, Reason: "platform-unreachable"}
	var no *Refusal
	var tok *tokenError
	var ex *exchangeError
	switch {
	case errors.As(err, &no):
		v.Reason, v.Code = no.Reason, no.Code
	case errors.As(err, &tok), !errors.As(err, &ex):
		v.Reason = fault.CodeOf(err)
	}
	return v
}

func isNotVisited(err error) bool {
	var no *Refusal
	return errors.As(err, &no) && no.Code == codeNotVisited
}

// pieces cuts a text into what one call takes; none for an empty text, which the platform refuses.
func pieces(text string) []string {
	if len(text) <= checkSize { // bytes are never fewer than characters
		if text == "" {
			return nil
		}
		return []string{text}
	}
	runes := []rune(text)
	var out []string
	for len(runes) > checkSize {
		out = append(out, string(runes[:checkSize]))
		runes = runes[checkSize-checkOverlap:]
	}
	return append(out, string(runes))
}
