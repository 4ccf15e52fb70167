// Package porttest holds what an engine must pass: one suite for stores
// ([TestStore]) and one for queues ([TestQueue]), with one subtest per clause of
// the contracts written here. An engine's own test calls the suite with a
// constructor; whatever an engine can't do is a visible skip with a reason.
package porttest

import (
	"context"
	"time"

	"kefu/shared/core/account"
	"kefu/shared/core/agent"
	"kefu/shared/core/doctor"
	"kefu/shared/core/message"
	"kefu/shared/core/replay"
	"kefu/shared/core/session"
	"kefu/shared/core/tenant"
)

// Store is the union of the flows' ports. In all of it: errors carry a kind of
// package fault; NotFound for what is not there; a value that is passed in is not
// kept, one that is returned is the caller's; every method may be called
// concurrently; a method that returns nil has made its change durable; a method
// that returns an error of kind Unavailable may or may not have; zero lists are
// empty, not an error; cursors are opaque, a cursor that the store didn't make is
// Invalid with code "bad-cursor". A page has at most limit items (0: the engine's own
// size); one that is shorter, even empty, is the last only if it comes without a cursor.
type Store interface {
	Directory
	Conversations
	Memory
	Platform
	Files
	Sightings
}

// Directory is who there is.
type Directory interface {
	Tenant(ctx context.Context, id tenant.ID) (tenant.Tenant, error)
	// PutTenant makes or replaces; CreatedAt of an existing one stays.
	PutTenant(ctx context.Context, t tenant.Tenant) (created bool, err error)

	// Account returns the account with its secrets.
	Account(ctx context.Context, id account.ID) (account.Account, error)
	// PutAccount makes or replaces, secrets included; CreatedAt, Incarnation, Settings.Routing, Webhook
	// and Signing of an existing one stay. An id that another tenant has is account.ErrTaken. So is an app id: it is the
	// tenant's from its first account of it to its last, and account.ErrAppTaken to others, who then change nothing.
	// (Accounts of a version without this rule claim theirs when they are put again.) Secrets must not be readable in
	// the engine's files.
	PutAccount(ctx context.Context, a account.Account) (created bool, err error)
	// SetRouting replaces the routing rules of an account; NotFound if there is none.
	SetRouting(ctx context.Context, id account.ID, r account.Routing) error
	// SetWebhook replaces where the account's events are told, and the secrets that sign them, which are
	// secrets as the others; NotFound if there is no account.
	SetWebhook(ctx context.Context, id account.ID, w account.Webhook, s account.Signing) error
	// DeleteAccount removes an account with its part in the app id; NotFound if there is none. Its id stays its
	// tenant's, and account.ErrTaken to others, as long as conversations are left that were held under it.
	DeleteAccount(ctx context.Context, id account.ID) error
	// Accounts lists a tenant's accounts by id.
	Accounts(ctx context.Context, t tenant.ID, cursor string, limit int) (items []account.Account, next string, err error)

	Agent(ctx context.Context, t tenant.ID, id agent.ID) (agent.Agent, error)
	// PutAgent makes or replaces; Status, StatusAt, Until and CreatedAt of an existing one stay.
	PutAgent(ctx context.Context, a agent.Agent) (created bool, err error)
	// SetStatus changes the presence of an existing agent and returns him, as agent.Agent.Present
	// does: StatusAt becomes at unless he has that status already, Until becomes until.
	SetStatus(ctx context.Context, t tenant.ID, id agent.ID, s agent.Status, at, until time.Time) (agent.Agent, error)
	// DeleteAgent removes the agent and all its keys. Seats that its sessions hold stay until they are freed.
	DeleteAgent(ctx context.Context, t tenant.ID, id agent.ID) error
	Agents(ctx context.Context, t tenant.ID, cursor string, limit int) (items []agent.Agent, next string, err error)
	// AgentsOf lists the agents bound to an account, all of them.
	AgentsOf(ctx context.Context, t tenant.ID, id account.ID) ([]agent.Agent, error)

	// PutKey stores a new key; Conflict if the id exists.
	PutKey(ctx context.Context, k agent.Key) error
	Key(ctx context.Context, id string) (agent.Key, error)
	// DeleteKey removes a key of the named agent; NotFound if that agent has no such key.
	DeleteKey(ctx context.Context, t tenant.ID, a agent.ID, id string) error

	// TakeSeat gives one of the agent's capacity seats to the session. For a session that has one
	// already it succeeds, changes nothing, and taken is false. All taken: Conflict with code
	// "capacity-full". However many race, no more than capacity seats are ever taken.
	TakeSeat(ctx context.Context, t tenant.ID, a agent.ID, s session.ID, capacity int, at time.Time) (taken bool, err error)
	// KeepSeat notes that a session which has a seat needs it as of that time; kept is false if it has none.
	KeepSeat(ctx context.Context, t tenant.ID, a agent.ID, s session.ID, at time.Time) (kept bool, err error)
	// FreeSeat gives the seat back, unless it was taken or kept after that time: so one who comes
	// late takes it from nobody. Freeing one that isn't taken is no error.
	FreeSeat(ctx context.Context, t tenant.ID, a agent.ID, s session.ID, at time.Time) error
	// Desk returns the taken seats of an agent, longest taken first, and the times of the last
	// TakeSeat that took one and of the last FreeSeat that gave one back. Of an agent who never had
	// one, and of one who doesn't exist, all of it is empty.
	Desk(ctx context.Context, t tenant.ID, a agent.ID) (agent.Desk, error)
	// Desks returns those of several agents, in their order.
	Desks(ctx context.Context, t tenant.ID, agents []agent.ID) ([]agent.Desk, error)
}

// Conversations are sessions and their messages.
type Conversations interface {
	// Session returns the current session of a customer, ended or not.
	Session(ctx context.Context, a account.ID, c account.Customer) (session.Session, error)
	// GlanceSession is Session, but may miss what was saved less than a second ago: for a caller whose save
	// is refused then, and who looks again before concluding that there is nothing to do.
	GlanceSession(ctx context.Context, a account.ID, c account.Customer) (session.Session, error)
	// SaveSession replaces the customer's session on condition that the stored version is was (0: there
	// is none); it is stored with version was+1. Otherwise Conflict, and nothing is changed.
	// Of any number that race on one version, one wins. Lists and DueAt index follow in the same step.
	SaveSession(ctx context.Context, s session.Session, was int64) error
	// ArchiveSession keeps a session that is about to be replaced by one of another id. Idempotent.
	// Until it is replaced the current one is what SessionByID and Sessions show for this id, once.
	// Of two archives of one id the one of the higher version stays, so a late repetition harms nothing.
	ArchiveSession(ctx context.Context, s session.Session) error
	// SessionByID finds current and archived sessions.
	SessionByID(ctx context.Context, id session.ID) (session.Session, error)
	// Sessions answers a query in the order that session.Query states, current and archived.
	Sessions(ctx context.Context, q session.Query) (items []session.Session, next string, err error)
	// QueuePosition is the 1-based place of a queued session among those of its account,
	// in the order of session.Session.Place; 0 for a session that isn't queued. It is exact up to
	// session.CountedPlaces; one that stands further back is given any place beyond.
	QueuePosition(ctx context.Context, s session.Session) (int, error)
	// Due lists conversations whose DueAt is not zero and before the given time, earliest first.
	Due(ctx context.Context, before time.Time, cursor string, limit int) (refs []session.Ref, next string, err error)

	// PutMessage stores a new row; Conflict if a row of that id exists, which is then unchanged. Invalid
	// unless the id is message.NewID of its session and number.
	PutMessage(ctx context.Context, m message.Message) error
	Message(ctx context.Context, id message.ID) (message.Message, error)
	// Messages lists the rows of a session by N, oldest first.
	Messages(ctx context.Context, s session.ID, cursor string, limit int) (items []message.Message, next string, err error)
	// NewestMessages lists them newest first, at the price of the page. A cursor belongs to its order: either list
	// refuses the other's.
	NewestMessages(ctx context.Context, s session.ID, cursor string, limit int) (items []message.Message, next string, err error)
	// SettleMessage writes how a message ended unless its row has a final state already; it reports
	// whether it wrote. NotFound if there is no row.
	SettleMessage(ctx context.Context, s message.Settlement) (wrote bool, err error)
}

// Memory is what has been seen and answered before.
type Memory interface {
	// Seen may miss what was marked less than a second ago.
	Seen(ctx context.Context, a account.Scope, key string) (message.Seen, error)
	// MarkSeen notes a push for at least 30 days; of a push that is noted already nothing changes.
	MarkSeen(ctx context.Context, a account.Scope, s message.Seen) error
	// RecordDrop counts a repeated delivery of a noted push; NotFound if it isn't noted.
	RecordDrop(ctx context.Context, a account.Scope, key string, at time.Time) error
	// KeepRaw keeps a push that has no place in a conversation under its Scope; idempotent by its key there.
	KeepRaw(ctx context.Context, r message.RawPush) error
	// RawPushes lists them, oldest first.
	RawPushes(ctx context.Context, a account.Scope, cursor string, limit int) (items []message.RawPush, next string, err error)

	// BeginCall stores c and reports true, unless a record of that key stands in the way
	// (replay.Call.Blocks at now), which is then returned with false.
	BeginCall(ctx context.Context, t tenant.ID, c replay.Call, now time.Time) (replay.Call, bool, error)
	// FinishCall replaces the record by c.
	FinishCall(ctx context.Context, t tenant.ID, c replay.Call) error
	// AbandonCall removes the record, so that the call can be made anew.
	AbandonCall(ctx context.Context, t tenant.ID, key string) error
}

// Platform is what is kept of the platform's own state.
type Platform interface {
	// Token returns the access token that a credential fetched, its lease included; NotFound if none was ever
	// kept: a lease alone is no token. Of another secret's token for the same app id it says nothing.
	Token(ctx context.Context, c account.Credential) (account.AccessToken, error)
	// LeaseToken lets one caller fetch a new token until the lease ends: Conflict while another's lease runs at now.
	LeaseToken(ctx context.Context, c account.Credential, now, until time.Time) error
	// SaveToken stores a token and ends the lease. Values, and the secret, must not be readable in
	// the engine's files.
	SaveToken(ctx context.Context, c account.Credential, t account.AccessToken) error
}

// Files are pictures, voices and videos.
type Files interface {
	// PutMedia stores or replaces what is known of a file.
	PutMedia(ctx context.Context, m message.Media) error
	Media(ctx context.Context, id string) (message.Media, error)
	// DueMedia lists ids of files whose ExpiresAt is before the given time, earliest first.
	DueMedia(ctx context.Context, before time.Time, limit int) ([]string, error)
	// DeleteMedia removes the record and the bytes; removing what isn't there is no error.
	DeleteMedia(ctx context.Context, id string) error
	// PutBlob stores the bytes of a file, at most 16 MiB; replacing is allowed and atomic.
	PutBlob(ctx context.Context, id string, b []byte) error
	Blob(ctx context.Context, id string) ([]byte, error)
}

// Sightings is what has been seen of the platform's calls to the callback.
type Sightings interface {
	// NoteSighting keeps the newest accepted push, the newest check that passed, and the last of each reason of refusal,
	// as doctor.Sightings.With says; for 30 days after the last, at least. A reason that package doctor doesn't know is
	// Invalid with code "unknown-reason". Counts of writes whose answer was lost may be too high.
	NoteSighting(ctx context.Context, v doctor.Sighting) error
	// Sightings returns them; the zero value for an account of which nothing has been seen.
	Sightings(ctx context.Context, a account.Scope) (doctor.Sightings, error)
}
