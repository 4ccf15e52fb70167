package session

import (
	"crypto/sha256"
	"encoding/base64"
	"slices"
	"time"

	"kefu/shared/core/account"
	"kefu/shared/core/agent"
	"kefu/shared/core/bot"
	"kefu/shared/core/message"
	"kefu/shared/core/quota"
	"kefu/shared/core/tenant"
)

// ID names a session.
type ID = message.SessionID

// State is where a conversation stands.
type State string

// A session opens in Bot or Queued and ends Closed (somebody ended it) or
// Expired (the customer has been silent for too long to be answered).
const (
	Bot      State = "bot"      // nobody has been asked for yet
	Queued   State = "queued"   // waits for an agent (待接入)
	Serving  State = "serving"  // an agent has it
	Released State = "released" // its agent left or was silent: must be taken again
	Closed   State = "closed"
	Expired  State = "expired"
	External State = "external" // the platform's own tool has it
)

// Active reports whether the conversation goes on.
func (s State) Active() bool {
	return s == Bot || s == Queued || s == Serving || s == Released || s == External
}

// Valid reports whether s is one of the seven.
func (s State) Valid() bool { return s.Active() || s == Closed || s == Expired }

// Ref points at a customer's conversation.
type Ref struct {
	Account  account.ID       `json:"account"`
	Customer account.Customer `json:"customer"`
}

// Session is a customer's conversation with an account: the session itself and
// what the customer carries from one session to the next.
type Session struct {
	ID             ID                  `json:"id"`
	Tenant         tenant.ID           `json:"tenant"`
	Incarnation    account.Incarnation `json:"inc,omitempty"` // of the account
	Account        account.ID          `json:"account"`
	Channel        account.Channel     `json:"channel"`
	Customer       account.Customer    `json:"customer"`
	State          State               `json:"state"`
	Agent          agent.ID            `json:"agent,omitempty"`      // who serves, or served last
	LastAgent      agent.ID            `json:"last_agent,omitempty"` // who served the customer last, also in an earlier session
	OpenedAt       time.Time           `json:"opened_at"`
	QueuedAt       time.Time           `json:"queued_at,omitzero"`
	LastCustomerAt time.Time           `json:"last_customer_at,omitzero"` // last message, not event
	EndedAt        time.Time           `json:"ended_at,omitzero"`
	EndedBy        string              `json:"ended_by,omitempty"`      // an agent's id, "queue-timeout", or empty
	ActiveAt       time.Time           `json:"active_at,omitzero"`      // when the agent took it or wrote last
	ExternalUntil  time.Time           `json:"external_until,omitzero"` // how long the platform's tool has it

	Priority  int       `json:"priority,omitempty"`  // in the queue, 0 to 9, the highest first
	Told      bool      `json:"told,omitempty"`      // the customer has been told his place in it
	QueueEnds time.Time `json:"queue_ends,omitzero"` // when its waiting ends; zero: never
	Bot       bot.State `json:"bot,omitzero"`        // what the bot remembers
	Turn      *Turn     `json:"turn,omitempty"`      // what the business's responder has yet to answer
	Spent     int       `json:"spent,omitempty"`     // messages that rules have said since the customer's last action
	News      []News    `json:"news,omitempty"`      // what the business's software has yet to be told
	NewsSeq   int64     `json:"news_seq,omitempty"`  // number of the newest news

	Seq     int64                `json:"seq"` // number of the newest message
	Window  quota.Window         `json:"window"`
	Recent  []Recent             `json:"recent,omitempty"` // pushes
	Calls   []Recent             `json:"calls,omitempty"`  // calls with an idempotency key
	Outbox  []Waiting            `json:"outbox,omitempty"`
	Flight  *Flight              `json:"flight,omitempty"`
	Endings []message.Settlement `json:"endings,omitempty"`

	// DueAt is when the sweep comes by: at the latest when it must, see visit. Zero means never.
	DueAt time.Time `json:"due_at,omitzero"`
	// Version is the store's: it grows by one with each save.
	Version int64 `json:"version"`
}

// Ref returns the pointer to this conversation.
func (s Session) Ref() Ref { return Ref{Account: s.Account, Customer: s.Customer} }

// Owner is whose the conversation is.
func (s Session) Owner() account.Owner {
	return account.Owner{Tenant: s.Tenant, Incarnation: s.Incarnation}
}

// Turn is a turn of the bot that the business's responder has to take: the messages
// of these numbers, both included.
type Turn struct {
	From int64 `json:"f"`
	To   int64 `json:"t"`
}

// Place is where a queued session stands: earlier is nearer to the front. A session
// of a higher priority stands before all of a lower one; among equals the one that
// has waited longest.
func (s Session) Place() time.Time {
	const step = 400 * 24 * time.Hour // longer than any session lives
	return s.QueuedAt.Add(-time.Duration(s.Priority) * step)
}

// Recent remembers what a push or a call with an idempotency key became, in the
// same write that made it so.
type Recent struct {
	Key     string     `json:"k"` // digest
	Message message.ID `json:"m"`
	At      time.Time  `json:"t"`
}

const (
	// recentLimit is how many pushes are remembered: more than a queue redelivers at
	// once to one customer. The long memory is the store's.
	recentLimit = 16
	// callLimit is how many calls are remembered. A client repeats a call whose
	// answer it never got, perhaps much later and after many others; pushes must
	// not push it out.
	callLimit = 64
	// callLife is how long an idempotency key means the same call.
	callLife = 24 * time.Hour
)

// Waiting is an outbound message in the outbox.
type Waiting struct {
	Message    message.ID `json:"m"`
	N          int64      `json:"n"`
	Parts      int        `json:"p"`
	PartsSent  int        `json:"ps,omitempty"`
	FailClosed bool       `json:"fc,omitempty"` // a closed window fails it instead of holding it
	SendAt     time.Time  `json:"sa,omitzero"`  // not before; blocks nobody
	ExpiresAt  time.Time  `json:"ea"`
	Tries      Tries      `json:"t,omitzero"`
	By         string     `json:"b,omitempty"`  // who wrote it, as in its row
	Bytes      int        `json:"tb,omitempty"` // length of a text, which may be merged with others; 0 for all else
	Review     bool       `json:"rv,omitempty"` // waits for a supervisor; blocks nobody
	Approved   string     `json:"ap,omitempty"` // who has let it go
	// Content is what a rule wrote, for the case that its row could not be.
	Content *message.Content `json:"c,omitempty"`
}

// Tries is what a message has been through.
type Tries struct {
	NotBefore time.Time `json:"nb,omitzero"` // back-off; blocks those behind
	Busy      int       `json:"b,omitempty"` // -1
	BusySince time.Time `json:"bs,omitzero"`
	Throttled int       `json:"t,omitempty"` // 45011
	Unreached int       `json:"u,omitempty"` // no connection
	Corrected bool      `json:"c,omitempty"` // the platform has corrected the ledger over it once
	Renew     bool      `json:"r,omitempty"` // its media must be uploaded again, which is done once
}

// Flight is a call under way.
type Flight struct {
	Waiting
	Took      string    `json:"tk"` // its reservation in the window
	StartedAt time.Time `json:"at"`
	// Deadline is when another sender may conclude that the answer is lost.
	Deadline time.Time `json:"dl"`
	Epoch    int64     `json:"ep"` // of the window when the call was reserved
	// Along are texts that the same call carries, in one message.
	Along []Waiting `json:"al,omitempty"`
}

// CallLease is how long a flight lasts before its answer counts as lost. A
// sender gives up its call well before that.
const CallLease = 60 * time.Second

// MaxWaiting bounds a customer's outbox.
const MaxWaiting = 100

func digest(key string) string {
	sum := sha256.Sum256([]byte(key))
	return base64.RawURLEncoding.EncodeToString(sum[:12])
}

func recall(list []Recent, key string) (Recent, bool) {
	d := digest(key)
	for _, r := range list {
		if r.Key == d {
			return r, true
		}
	}
	return Recent{}, false
}

// number gives the newest message its number.
func (s *Session) number() message.ID {
	s.Seq++
	return message.NewID(s.ID, s.Seq)
}

// remember notes what a key became, and forgets the oldest over the limit.
func remember(list []Recent, key string, id message.ID, now time.Time, limit int) []Recent {
	list = append(slices.Clone(list), Recent{Key: digest(key), Message: id, At: now})
	return slices.Delete(list, 0, max(0, len(list)-limit))
}

// Clone returns a copy that shares nothing which Step may change.
func (s Session) Clone() Session {
	s.Recent = slices.Clone(s.Recent)
	s.Calls = slices.Clone(s.Calls)
	s.Outbox = slices.Clone(s.Outbox)
	s.Endings = slices.Clone(s.Endings)
	s.News = slices.Clone(s.News)
	if s.Flight != nil {
		f := *s.Flight
		f.Along = slices.Clone(f.Along)
		s.Flight = &f
	}
	if s.Turn != nil {
		t := *s.Turn
		s.Turn = &t
	}
	return s
}
