package dynamo

import (
	"encoding/base32"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"kefu/shared/core/account"
	"kefu/shared/core/message"
	"kefu/shared/core/quota"
	"kefu/shared/core/session"
)

// typical makes what production stores, with ids, digests and nanoseconds that don't compress. The seed makes it the
// same each time.
type typical struct{ dice *rand.Rand }

func newTypical(seed uint64) typical { return typical{rand.New(rand.NewPCG(seed, 1))} }

func (g typical) bytes(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(g.dice.Uint32())
	}
	return b
}

func (g typical) digest() string { return base64.RawURLEncoding.EncodeToString(g.bytes(12)) }

func (g typical) sessionID() session.ID {
	return session.ID("s" + strings.ToLower(base32.StdEncoding.EncodeToString(g.bytes(15))))
}

func (g typical) customer() account.Customer {
	return account.Customer("o" + base64.RawURLEncoding.EncodeToString(g.bytes(24))[:27])
}

// noon is when the typical conversation begins.
var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// at is an instant some seconds into the conversation, to the nanosecond.
func (g typical) at(seconds int) time.Time {
	return noon.Add(time.Duration(seconds)*time.Second + time.Duration(g.dice.Int64N(1e9)))
}

// session is a conversation in full swing: all pushes are remembered that ever are, and the window is used up.
func (g typical) session() session.Session {
	const hour = 3600
	s := session.Session{
		ID: g.sessionID(), Tenant: "default", Account: "main-store", Channel: account.MiniProgram, Customer: g.customer(),
		State: session.Serving, Agent: "zhang-wei", OpenedAt: g.at(0), QueuedAt: g.at(2), LastCustomerAt: noon.Add(hour * time.Second),
		Seq: 57, DueAt: g.at(48 * hour), Version: 140,
	}
	for i := range 16 {
		s.Recent = append(s.Recent, session.Recent{Key: g.digest(), Message: message.NewID(s.ID, 40+int64(i)), At: g.at(2000 + 90*i)})
	}
	for i := range 5 {
		id := message.NewID(s.ID, 36+4*int64(i))
		s.Calls = append(s.Calls, session.Recent{Key: g.digest(), Message: id, At: g.at(1800 + 300*i)})
		s.Window.Took = append(s.Window.Took, quota.Take{ID: string(id), N: 1, At: g.at(1801 + 300*i)})
	}
	for i, a := range []quota.Action{quota.Enter, quota.Message} {
		at := noon.Add(time.Duration(i*hour) * time.Second)
		s.Window.Live = append(s.Window.Live, quota.Live{Action: a, At: at, Push: g.digest(), Limit: 2 + 3*i, Until: at.Add(48 * time.Hour)})
	}
	s.Window.Epoch = 31
	return s
}

// sending is a session with a call under way and another one behind it.
func (g typical) sending() session.Session {
	s := g.session()
	w := session.Waiting{Message: message.NewID(s.ID, s.Seq), N: s.Seq, Parts: 1, ExpiresAt: g.at(50 * 3600)}
	s.Flight = &session.Flight{Waiting: w, Took: string(w.Message), StartedAt: g.at(3601), Deadline: g.at(3661), Epoch: 31}
	s.Seq++
	w.Message, w.N = message.NewID(s.ID, s.Seq), s.Seq
	s.Outbox = append(s.Outbox, w)
	return s
}

// inbound is a customer's text with the push that it came with.
func (g typical) inbound(content string) message.Message {
	s := g.session()
	at, number := noon.Add(time.Duration(g.dice.IntN(86400))*time.Second), 23_637_352_235_060_901+g.dice.Int64N(1e15)
	said, err := json.Marshal(content)
	if err != nil {
		panic(err) // a string
	}
	raw := fmt.Sprintf(`{"ToUserName":"gh_%x","FromUserName":%q,"CreateTime":%d,"MsgType":"text","Content":%s,"MsgId":%d}`,
		g.bytes(6), s.Customer, at.Unix(), said, number)
	return message.Message{
		ID: message.NewID(s.ID, 41), N: 41, Tenant: s.Tenant, Account: s.Account, Customer: s.Customer, Session: s.ID,
		Direction: message.In, Content: message.Content{Type: message.TypeText, Text: &message.Text{Content: content}},
		State: message.Received, Push: fmt.Sprintf("m:%s:%d:%d", s.Customer, at.Unix(), number), Raw: []byte(raw), CreatedAt: at,
	}
}

// outbound is an agent's text.
func (g typical) outbound(content string) message.Message {
	m := g.inbound(content)
	m.Direction, m.State, m.By, m.Push, m.Raw = message.Out, message.Pending, "zhang-wei", "", nil
	m.CreatedAt, m.ExpiresAt = g.at(4000), g.at(4000+48*3600)
	return m
}

// chinese is a text of at most n bytes in which each character is as good as any other: real ones compress better.
func (g typical) chinese(n int) string {
	var b strings.Builder
	for b.Len()+3 <= n {
		b.WriteRune(rune(0x4e00 + g.dice.IntN(3000)))
	}
	return b.String()
}
