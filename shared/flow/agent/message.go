package agent

import (
	"context"
	"errors"
	"fmt"

	"kefu/shared/core/account"
	"kefu/shared/core/fault"
	"kefu/shared/core/message"
	"kefu/shared/core/session"
)

// buried recognizes the row that the sender writes in place of one which came too
// late: nobody was told that the message was accepted, so nobody is shown it.
func buried(m message.Message) bool {
	return m.Direction == message.Out && m.Content.Type == message.TypeUnknown
}

// rowLister is a list of a session's rows, in one order.
type rowLister func(ctx context.Context, s session.ID, cursor string, limit int) (items []message.Message, next string, err error)

// order reads in which order the messages are wanted.
func (c *call) order() (rowLister, error) {
	q := c.r.URL.Query()
	switch order := q.Get("order"); {
	case !q.Has("order"), order == "oldest":
		return c.Store.Messages, nil
	case order == "newest":
		return c.Store.NewestMessages, nil
	}
	return nil, wrongField("bad-parameter", "order", "order must be oldest, which is the default, or newest.")
}

// listMessages lists the messages and events of a session, oldest first unless asked otherwise.
func (c *call) listMessages() (answer, error) {
	s, err := c.session()
	if err != nil {
		return answer{}, err
	}
	cursor, limit, err := c.paging()
	if err != nil {
		return answer{}, err
	}
	list, err := c.order()
	if err != nil {
		return answer{}, err
	}
	// The conversation before the rows: a message that ends in between then reads ended.
	conversation, err := c.conversation(s)
	if err != nil {
		return answer{}, err
	}
	all, next, err := list(c.ctx(), s.ID, cursor, limit)
	if err != nil {
		return answer{}, fmt.Errorf("list messages: %w", err)
	}
	items := make([]messageView, 0, len(all))
	for _, m := range all {
		if !buried(m) {
			items = append(items, viewMessage(m, conversation, c.now))
		}
	}
	return ok(page(items, next)), nil
}

// message finds the message of the path, and before it the conversation it stands in.
func (c *call) message() (message.Message, session.Session, error) {
	s, err := c.session()
	if err != nil {
		return message.Message{}, session.Session{}, err
	}
	return c.messageOf(s)
}

// messageOf finds the message of the path in its session, and before it the conversation it stands in.
func (c *call) messageOf(s session.Session) (message.Message, session.Session, error) {
	id := message.ID(c.r.PathValue("message"))
	if in, _, ok := id.Split(); !ok || in != s.ID {
		return message.Message{}, session.Session{}, missing("message")
	}
	conversation, err := c.conversation(s)
	if err != nil {
		return message.Message{}, session.Session{}, err
	}
	m, err := c.Store.Message(c.ctx(), id)
	if err == nil && buried(m) {
		err = missing("message")
	}
	return m, conversation, named(err, "message")
}

func (c *call) getMessage() (answer, error) {
	s, err := c.session()
	if err != nil {
		return answer{}, err
	}
	m, conversation, err := c.messageOf(s)
	if err != nil {
		return answer{}, err
	}
	v := viewMessage(m, conversation, c.now)
	if v.Duplicates, err = c.duplicates(s, m); err != nil {
		return answer{}, err
	}
	return ok(v), nil
}

// duplicates looks up how often the platform delivered an inbound message again;
// nil when it didn't.
func (c *call) duplicates(s session.Session, m message.Message) (*duplicates, error) {
	if m.Push == "" {
		return nil, nil
	}
	seen, err := c.Store.Seen(c.ctx(), account.ScopeOf(s.Account, s.Incarnation), m.Push)
	switch {
	case errors.Is(err, fault.NotFound):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("duplicates: %w", err)
	case seen.Drops == 0:
		return nil, nil
	}
	return &duplicates{Count: seen.Drops, LastAt: seen.LastDropAt.UTC()}, nil
}

// errCancelled stands for a message that has been cancelled already, which is what was wanted.
var errCancelled = errors.New("cancelled already")

// cancelMessage takes back a message that no sender has begun to send.
func (c *call) cancelMessage() (answer, error) {
	m, conversation, err := c.message()
	if err != nil {
		return answer{}, err
	}
	permitted := func(cur session.Session) error {
		if m.By == "" || m.By != string(c.id.Agent) {
			if err := cur.PermitsActing(c.id); err != nil {
				return err
			}
		}
		state, _ := cur.Standing(m, c.now)
		switch {
		case state == message.Cancelled:
			return errCancelled
		case state.Final(), state == message.Sending:
			return fault.New(fault.Conflict, "already-sent", "The message is on its way or has ended: it is "+string(state)+".")
		}
		return nil
	}
	if err := permitted(conversation); errors.Is(err, errCancelled) {
		return done(), nil
	} else if err != nil {
		return answer{}, err
	}
	rules, _, err := c.rulesOf(conversation)
	if err != nil {
		return answer{}, err
	}
	_, err = c.change(conversation, rules, permitted, session.Cancel{Message: m.ID})
	if err != nil && !errors.Is(err, errCancelled) {
		return answer{}, err
	}
	return done(), nil
}
