package agent

import (
	"context"
	"time"

	"kefu/shared/core/account"
	"kefu/shared/core/agent"
	"kefu/shared/core/message"
	"kefu/shared/core/replay"
	"kefu/shared/core/session"
	"kefu/shared/core/tenant"
)

// Store is all that the interface itself asks of a store; conversations are changed
// by the shell. In all of it: errors carry a
// kind of package fault, NotFound for what is not there; lists take an opaque
// cursor and refuse one that they didn't make as Invalid with code "bad-cursor";
// every method may be called concurrently; nil means durable.
type Store interface {
	Tenants
	Accounts
	Agents
	Keys
	Seats
	Sessions
	Messages
	Calls
}

// Tenants are the businesses.
type Tenants interface {
	Tenant(ctx context.Context, id tenant.ID) (tenant.Tenant, error)
	// PutTenant makes or replaces; CreatedAt of an existing one stays.
	PutTenant(ctx context.Context, t tenant.Tenant) (created bool, err error)
}

// Accounts are what customers write to.
type Accounts interface {
	Account(ctx context.Context, id account.ID) (account.Account, error)
	// PutAccount makes or replaces; CreatedAt and routing of an existing one stay. An id of another tenant's is
	// account.ErrTaken, an app id of another tenant's account.ErrAppTaken.
	PutAccount(ctx context.Context, a account.Account) (created bool, err error)
	SetRouting(ctx context.Context, id account.ID, r account.Routing) error
	// SetWebhook replaces where an account's events are told, and the secrets that sign them.
	SetWebhook(ctx context.Context, id account.ID, w account.Webhook, s account.Signing) error
	DeleteAccount(ctx context.Context, id account.ID) error
	Accounts(ctx context.Context, t tenant.ID, cursor string, limit int) (items []account.Account, next string, err error)
}

// Agents are who answers.
type Agents interface {
	Agent(ctx context.Context, t tenant.ID, id agent.ID) (agent.Agent, error)
	// PutAgent makes or replaces; Status, StatusAt, Until and CreatedAt of an existing one stay.
	PutAgent(ctx context.Context, a agent.Agent) (created bool, err error)
	// SetStatus changes the presence as agent.Agent.Present does.
	SetStatus(ctx context.Context, t tenant.ID, id agent.ID, s agent.Status, at, until time.Time) (agent.Agent, error)
	// DeleteAgent removes the agent and all its keys.
	DeleteAgent(ctx context.Context, t tenant.ID, id agent.ID) error
	Agents(ctx context.Context, t tenant.ID, cursor string, limit int) (items []agent.Agent, next string, err error)
}

// Keys are the stored halves of API keys.
type Keys interface {
	PutKey(ctx context.Context, k agent.Key) error
	Key(ctx context.Context, id string) (agent.Key, error)
	// DeleteKey removes a key of the named agent, or of the tenant itself for an empty one; NotFound if there is none.
	DeleteKey(ctx context.Context, t tenant.ID, a agent.ID, id string) error
}

// Seats are the agents' places.
type Seats interface {
	// TakeSeat takes nothing more for a session that has a seat already, and tells so; Conflict "capacity-full" when all are taken.
	TakeSeat(ctx context.Context, t tenant.ID, a agent.ID, s session.ID, capacity int, at time.Time) (taken bool, err error)
	// KeepSeat notes that a session which has a seat needs it as of that time; kept is false if it has none.
	KeepSeat(ctx context.Context, t tenant.ID, a agent.ID, s session.ID, at time.Time) (kept bool, err error)
	// FreeSeat gives it back, unless it was taken or kept after that time; one that isn't taken is no error.
	FreeSeat(ctx context.Context, t tenant.ID, a agent.ID, s session.ID, at time.Time) error
	Desk(ctx context.Context, t tenant.ID, a agent.ID) (agent.Desk, error)
}

// Sessions are the conversations.
type Sessions interface {
	// Session returns a customer's current session, ended or not.
	Session(ctx context.Context, a account.ID, c account.Customer) (session.Session, error)
	// SessionByID finds current and archived sessions.
	SessionByID(ctx context.Context, id session.ID) (session.Session, error)
	Sessions(ctx context.Context, q session.Query) (items []session.Session, next string, err error)
	// QueuePosition is 1-based; 0 for a session that isn't queued. A place beyond session.CountedPlaces tells only
	// that it is beyond.
	QueuePosition(ctx context.Context, s session.Session) (int, error)
}

// Messages are the rows of conversations and what is known of files and pushes.
type Messages interface {
	// PutMessage refuses a row whose id exists with Conflict and leaves it unchanged.
	PutMessage(ctx context.Context, m message.Message) error
	Message(ctx context.Context, id message.ID) (message.Message, error)
	// Messages lists the rows of a session, oldest first.
	Messages(ctx context.Context, s session.ID, cursor string, limit int) (items []message.Message, next string, err error)
	// NewestMessages lists them newest first. A cursor belongs to its order: either refuses the other's.
	NewestMessages(ctx context.Context, s session.ID, cursor string, limit int) (items []message.Message, next string, err error)
	Media(ctx context.Context, id string) (message.Media, error)
	Seen(ctx context.Context, a account.Scope, key string) (message.Seen, error)
	// RawPushes lists what was kept of an account because it had no place in a conversation, oldest first.
	RawPushes(ctx context.Context, a account.Scope, cursor string, limit int) (items []message.RawPush, next string, err error)
}

// Calls are the answers to calls with an idempotency key.
type Calls interface {
	// BeginCall stores c and reports true, unless a record stands in the way, which is then returned with false.
	BeginCall(ctx context.Context, t tenant.ID, c replay.Call, now time.Time) (replay.Call, bool, error)
	FinishCall(ctx context.Context, t tenant.ID, c replay.Call) error
	AbandonCall(ctx context.Context, t tenant.ID, key string) error
}
