package dynamo

import (
	"context"
	"crypto/sha256"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"kefu/shared/core/account"
	"kefu/shared/core/quota"
	"kefu/shared/core/session"
)

// placeOf is where a session stands among those of a list, and names the conversation, so that the entry of an index
// is enough to read it. Queued sessions have a second one for the queue.
func placeOf(s session.Session) string  { return newest(s.OpenedAt) + tailOf(s) }
func queuedAt(s session.Session) string { return instant(s.Place()) + tailOf(s) }
func tailOf(s session.Session) string {
	return "/" + string(s.ID) + "/" + string(s.Account) + "/" + string(s.Customer)
}

// readPlace takes a place apart; ok is false for a text that is none.
func readPlace(place string) (id session.ID, r session.Ref, ok bool) {
	parts := strings.SplitN(place, "/", 4)
	if len(parts) != 4 {
		return "", session.Ref{}, false
	}
	return session.ID(parts[1]), session.Ref{Account: account.ID(parts[2]), Customer: account.Customer(parts[3])}, true
}

// listKeys are the attributes by which a session stands in the indexes.
func listKeys(s session.Session) item {
	keys := item{
		attrList:   text(sessionList(s.Tenant, s.Account, s.State)),
		attrOrder:  text(placeOf(s)),
		attrTimeOf: text(customerList(s.Tenant, s.Customer)),
		attrTime:   text(placeOf(s)),
	}
	if s.Agent != "" {
		keys[attrAgent] = text(agentList(s.Tenant, s.Agent, s.State))
	}
	if s.State == session.Queued {
		keys[attrQueue] = text(queueList(s.Tenant, s.Account))
		keys[attrQueueAt] = text(queuedAt(s))
	}
	return keys
}

// listAttrs are the attributes that listKeys may set.
var listAttrs = []string{attrList, attrOrder, attrTimeOf, attrTime, attrAgent, attrQueue, attrQueueAt}

// listSum is a digest of a session's place in the lists: while it stays, a save doesn't touch them.
func listSum(keys item) []byte {
	h := sha256.New()
	for _, name := range listAttrs {
		h.Write([]byte(readText(keys[name]) + "\x00"))
	}
	return h.Sum(nil)[:8]
}

// conversationItem is a customer's conversation as it is stored.
func (s *Store) conversationItem(ctx context.Context, in session.Session, lists []byte, by types.AttributeValue) (item, error) {
	at := conversationKey(in.Ref())
	out := at.item()
	out[attrVersion], out[attrWrite], out[attrLists] = number(in.Version), by, binary(lists)
	out[attrTTL] = lifetime(end(in, s.now()))
	if !in.DueAt.IsZero() {
		name := string(in.Account) + "/" + string(in.Customer)
		out[attrTimeOf], out[attrTime] = text(dueShard(name)), text(instant(in.DueAt)+"/"+name)
	}
	// What the key and the version say isn't said again.
	in.Account, in.Customer, in.Version = "", "", 0
	packed, err := pack(in)
	if err != nil {
		return nil, err
	}
	return out, s.setBody(ctx, at, out, packed)
}

// readConversation makes a session of a conversation's item.
func (s *Store) readConversation(ctx context.Context, r session.Ref, in item) (out session.Session, err error) {
	if err := s.body(ctx, "session", in, &out); err != nil {
		return session.Session{}, err
	}
	out.Account, out.Customer, out.Version = r.Account, r.Customer, readNumber(in[attrVersion])
	return out, nil
}

// silence is how long a conversation counts as going on after the customer's last word, at the least: the longest
// reply window of the platform.
const silence = 48 * time.Hour

// end is when a conversation has nothing more to remember. The item is kept for a week beyond it.
func end(s session.Session, now time.Time) time.Time {
	last := now
	for _, t := range []time.Time{s.OpenedAt.Add(silence), s.LastCustomerAt.Add(silence), s.DueAt, s.EndedAt} {
		if t.After(last) {
			last = t
		}
	}
	for _, g := range s.Window.Live {
		if g.Until.After(last) {
			last = g.Until
		}
	}
	for _, w := range s.Outbox {
		if w.ExpiresAt.After(last) {
			last = w.ExpiresAt
		}
	}
	return last
}

// history is a session without what the customer takes along to the next one.
func history(s session.Session) session.Session {
	s.Window, s.Recent, s.Calls, s.Outbox, s.Flight, s.Endings = quota.Window{}, nil, nil, nil, nil, nil
	s.DueAt = time.Time{}
	return s
}

// sessionItem is the entry of a session that is current: its place in the lists, and what shall be known of it when
// its conversation has been deleted.
func (s *Store) sessionItem(ctx context.Context, in session.Session, keys item) (item, error) {
	at := sessionKey(in.ID)
	out := at.item()
	for name, v := range keys {
		out[name] = v
	}
	out[attrHistory] = number(in.Version)
	packed, err := pack(history(in))
	if err != nil {
		return nil, err
	}
	return out, s.setBody(ctx, at, out, packed)
}
