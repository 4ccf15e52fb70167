package dynamo

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"kefu/shared/core/fault"
	"kefu/shared/core/message"
	"kefu/shared/core/session"
)

// splitMessage takes a message's id apart; ok is false for a text that is none.
func splitMessage(id message.ID) (in session.ID, n int64, ok bool) {
	cut := strings.LastIndexByte(string(id), '-')
	if cut <= 0 {
		return "", 0, false
	}
	n, err := strconv.ParseInt(string(id[cut+1:]), 10, 64)
	if err != nil || n < 0 || message.NewID(session.ID(id[:cut]), n) != id {
		return "", 0, false
	}
	return session.ID(id[:cut]), n, true
}

// PutMessage stores a new row. That it is new is the condition of its one write, so the row itself is what a
// repetition is recognised by.
func (s *Store) PutMessage(ctx context.Context, m message.Message) error {
	in, n, ok := splitMessage(m.ID)
	if !ok || in != m.Session || n != m.N {
		return fault.Wrap(fault.Invalid, "message-id",
			fmt.Errorf("message id %q is not that of number %d in session %q", m.ID, m.N, m.Session))
	}
	row, err := s.messageItem(ctx, m)
	if err != nil {
		return err
	}
	stood, was, err := s.put(ctx, row, absent)
	if err != nil {
		return err
	}
	if was && !mine(stood, row[attrWrite]) {
		return fault.Wrap(fault.Conflict, "message-exists", fmt.Errorf("message %q exists", m.ID))
	}
	return nil
}

// Message returns a row.
func (s *Store) Message(ctx context.Context, id message.ID) (message.Message, error) {
	in, n, ok := splitMessage(id)
	if !ok {
		return message.Message{}, missing("message", string(id))
	}
	row, err := s.get(ctx, messageKey(in, n), true)
	if err != nil {
		return message.Message{}, err
	}
	if row == nil {
		return message.Message{}, missing("message", string(id))
	}
	return s.readMessage(ctx, in, row)
}

// Messages lists the rows of a session by number.
func (s *Store) Messages(ctx context.Context, in session.ID, cursor string, limit int) ([]message.Message, string, error) {
	return s.messages(ctx, in, true, cursor, limit)
}

// NewestMessages lists the rows of a session by number, the last first.
func (s *Store) NewestMessages(ctx context.Context, in session.ID, cursor string, limit int) ([]message.Message, string, error) {
	return s.messages(ctx, in, false, cursor, limit)
}

// messages is a page of the rows of a session. A cursor belongs to its order.
func (s *Store) messages(ctx context.Context, in session.ID, forward bool, cursor string, limit int) ([]message.Message, string, error) {
	scope := "messages/" + string(in)
	if !forward {
		scope = "newest-" + scope
	}
	after, err := placeAt(scope, cursor)
	if err != nil {
		return nil, "", err
	}
	limit = pageSize(limit)
	rows, more, err := s.rows(ctx, in, forward, after, limit)
	if err != nil {
		return nil, "", err
	}
	items := make([]message.Message, 0, len(rows))
	for _, row := range rows {
		m, err := s.readMessage(ctx, in, row)
		if err != nil {
			return nil, "", err
		}
		items = append(items, m)
	}
	if more {
		return items, cursorAt(scope, readText(rows[len(rows)-1][attrSK])), nil
	}
	return items, "", nil
}

// rows reads up to limit rows after a place, or in front of it if not forward, however few of them DynamoDB gives at once (a megabyte), and reports
// whether there are more.
func (s *Store) rows(ctx context.Context, in session.ID, forward bool, after string, limit int) (rows []item, more bool, err error) {
	q := &dynamodb.QueryInput{
		ConsistentRead: aws.Bool(true), ScanIndexForward: &forward, KeyConditionExpression: aws.String("pk = :p"),
		ExpressionAttributeValues: item{":p": text(messagesOf(in))},
	}
	if after != "" {
		beyond := "<"
		if forward {
			beyond = ">"
		}
		q.KeyConditionExpression = aws.String("pk = :p AND sk " + beyond + " :a")
		q.ExpressionAttributeValues[":a"] = text(after)
	}
	for {
		q.Limit = aws.Int32(int32(limit + 1 - len(rows))) //nolint:gosec // at most maxPage + 1
		out, err := s.query(ctx, q)
		if err != nil {
			return nil, false, err
		}
		rows = append(rows, out.Items...)
		if len(rows) > limit {
			return rows[:limit], true, nil
		}
		if len(out.LastEvaluatedKey) == 0 {
			return rows, false, nil
		}
		q.ExclusiveStartKey = out.LastEvaluatedKey
	}
}

// SettleMessage writes how a message ended, once.
func (s *Store) SettleMessage(ctx context.Context, end message.Settlement) (wrote bool, err error) {
	in, n, ok := splitMessage(end.Message)
	if !ok {
		return false, missing("message", string(end.Message))
	}
	by := nonce()
	_, stood, was, err := s.update(ctx, messageKey(in, n), settle(end, by))
	switch {
	case err != nil:
		return false, err
	case !was:
		return true, nil
	case len(stood) == 0:
		return false, missing("message", string(end.Message))
	}
	return string(readBinary(stood[attrEnder])) == string(readBinary(by)), nil
}

// settle is message.Message.Settle in DynamoDB's words. A row that has gone isn't made anew by it.
func settle(end message.Settlement, by types.AttributeValue) change {
	finals := item{}
	for i, st := range []message.State{
		message.Received, message.Sent, message.Failed, message.Expired, message.Cancelled, message.Unknown,
	} {
		finals[":final"+strconv.Itoa(i)] = text(string(st))
	}
	names := strings.Join(slices.Sorted(maps.Keys(finals)), ", ")
	e := editIf("attribute_exists(#"+attrPK+") AND NOT #"+attrState+" IN ("+names+")", finals)
	row := item{}
	setEnd(row, message.Message{
		State: end.State, Reason: end.Reason, Code: end.Code, PartsSent: end.PartsSent, SentAt: end.At,
		With: end.With, Cause: end.Cause, Approved: end.Approved,
	})
	e.replace(row, attrState, attrReason, attrCode, attrParts, attrGround)
	if end.State == message.Sent {
		e.replace(row, attrAt)
	}
	e.attr(attrEnder, by)
	return e.change()
}

// setEnd puts what a settlement changes into attributes of their own; what is zero isn't stored, but for the state.
func setEnd(row item, m message.Message) {
	row[attrState] = text(string(m.State))
	if m.Reason != "" {
		row[attrReason] = text(m.Reason)
	}
	if m.Code != 0 {
		row[attrCode] = number(int64(m.Code))
	}
	if m.PartsSent != 0 {
		row[attrParts] = number(int64(m.PartsSent))
	}
	if !m.SentAt.IsZero() {
		row[attrAt] = moment(m.SentAt)
	}
	if g := (ground{m.With, m.Cause, m.Approved}); g != (ground{}) {
		b, _ := json.Marshal(g) // texts and times marshal always
		row[attrGround] = text(string(b))
	}
}

// ground is why and how a message went out, where there is more to say than that it did.
type ground struct {
	With     message.ID     `json:"w,omitempty"`
	Cause    *message.Cause `json:"c,omitempty"`
	Approved string         `json:"a,omitempty"`
}

// messageItem is a row as it is stored. Its body is the message without what its key says and without its end. The push
// comes after the rest as it is, for it repeats most of the content.
func (s *Store) messageItem(ctx context.Context, m message.Message) (item, error) {
	at, raw := messageKey(m.Session, m.N), m.Raw
	row := at.item()
	row[attrWrite] = nonce()
	setEnd(row, m)
	m.Raw = nil
	m.ID, m.Session, m.N = "", "", 0
	m.State, m.Reason, m.Code, m.PartsSent, m.SentAt = "", "", 0, 0, time.Time{}
	m.With, m.Cause, m.Approved = "", nil, ""
	packed, err := packBoth(m, raw)
	if err != nil {
		return nil, err
	}
	return row, s.setBody(ctx, at, row, packed)
}

// readMessage makes a message of its row.
func (s *Store) readMessage(ctx context.Context, in session.ID, row item) (m message.Message, err error) {
	if m.Raw, err = s.bodyBoth(ctx, "message", row, &m); err != nil {
		return message.Message{}, err
	}
	if m.N, err = strconv.ParseInt(readText(row[attrSK]), 10, 64); err != nil {
		return message.Message{}, broken("message", err)
	}
	m.ID, m.Session = message.NewID(in, m.N), in
	m.State, m.Reason = message.State(readText(row[attrState])), readText(row[attrReason])
	m.Code, m.PartsSent = int(readNumber(row[attrCode])), int(readNumber(row[attrParts]))
	m.SentAt = readMoment(row[attrAt])
	if kept := readText(row[attrGround]); kept != "" {
		var g ground
		if err := json.Unmarshal([]byte(kept), &g); err != nil {
			return message.Message{}, broken("message", err)
		}
		m.With, m.Cause, m.Approved = g.With, g.Cause, g.Approved
	}
	return m, nil
}
