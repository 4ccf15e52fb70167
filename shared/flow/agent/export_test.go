package agent

import (
	"context"
	"encoding/json"
	"net/http/httptest"
	"time"

	"kefu/shared/core/account"
	"kefu/shared/core/fault"
	"kefu/shared/core/message"
)

// Line is a line of the table of routes, for tests.
type Line struct {
	Method, Path, Op string
	Open             bool // needs no key
	Admin            bool // needs an admin's
	Operator         bool // needs the operator's
}

// Table lists the table of routes.
func Table() []Line {
	var all []Line
	for _, r := range routes {
		all = append(all, Line{
			Method: r.method, Path: r.path, Op: r.op,
			Open: r.least == anyone, Admin: r.least == admins, Operator: r.least == operator,
		})
	}
	return all
}

// noFiles is a store in which no file is known.
type noFiles struct{ Store }

func (noFiles) Media(context.Context, string) (message.Media, error) {
	return message.Media{}, fault.NotFound
}

// ReadMessage reads the body of a message to send as the interface does, on a
// store without files.
func ReadMessage(body []byte, ch account.Channel, now time.Time) (message.Content, error) {
	c := &call{API: &API{Store: noFiles{}}, r: httptest.NewRequest("POST", "/", nil), now: now, body: body}
	o := outgoing{call: c}
	err := o.read(account.Account{Channel: ch})
	return o.content, err
}

// WriteContent shows a content as the interface does.
func WriteContent(c message.Content) ([]byte, error) { return json.Marshal(c) }
