package hook

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"kefu/shared/core/account"
	"kefu/shared/core/fault"
	"kefu/shared/core/hook"
)

var errTooLong = errors.New("the answer is too long")

// Ask asks the account's responder, once, and waits as long as the account's rules say. An answer of 204 says nothing.
// What the messages hold is the caller's to check.
//
// No answer, and one that isn't 200 to 299, is Unavailable with code "responder-unavailable"; an answer that can't be
// read Invalid with code "responder-answer", one without a secret to sign the question with Invalid as well.
func (c *Client) Ask(ctx context.Context, a account.Account, q hook.Ask) (hook.Answer, error) {
	responder := a.Settings.Routing.Bot.Responder
	body, err := json.Marshal(q)
	if err != nil {
		return hook.Answer{}, fault.Wrap(fault.Invalid, "responder-question", err)
	}
	ctx, cancel := context.WithTimeout(ctx, responder.Patience())
	defer cancel()
	got, err := c.post(ctx, responder.URL, a.Signing, q.ID, body)
	if err == nil {
		err = got.broken
	}
	switch {
	case errors.Is(err, fault.Invalid):
		return hook.Answer{}, err
	case err != nil:
		return hook.Answer{}, fault.Wrap(fault.Unavailable, "responder-unavailable", fmt.Errorf("%s: %w", reason(err), err))
	case got.status == http.StatusNoContent:
		return hook.Answer{}, nil
	case got.status/100 != 2:
		return hook.Answer{}, fault.Wrap(fault.Unavailable, "responder-unavailable", fmt.Errorf("it answered %d", got.status))
	case len(got.body) > maxAnswer:
		return hook.Answer{}, fault.Wrap(fault.Invalid, "responder-answer", errTooLong)
	}
	var said hook.Answer
	if err := json.Unmarshal(got.body, &said); err != nil {
		return hook.Answer{}, fault.Wrap(fault.Invalid, "responder-answer", unquoted(err))
	}
	return said, nil
}

// unquoted says what is wrong with JSON, without a word of what stands in it.
func unquoted(err error) error {
	var syntax *json.SyntaxError
	var wrongType *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		return fmt.Errorf("no JSON, from byte %d on", syntax.Offset)
	case errors.As(err, &wrongType):
		return fmt.Errorf("member %q is of the wrong type", wrongType.Field)
	}
	return errors.New("it can't be read as JSON")
}
