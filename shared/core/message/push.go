package message

import (
	"time"

	"kefu/shared/core/account"
	"kefu/shared/core/quota"
)

// Push is one delivery of the platform: verified, decrypted, not yet read. It is
// what stands in the inbound queue.
type Push struct {
	Account account.ID `json:"account"`
	account.Owner
	Customer   account.Customer `json:"customer,omitempty"` // empty: nobody's, or unreadable
	Key        string           `json:"key"`                // see Inbound.Key; of an unreadable one the hash of its body
	Body       []byte           `json:"body"`               // the decrypted text
	ReceivedAt time.Time        `json:"received_at"`
	// Transferred: the push was answered with a hand-over to the platform's own tool.
	Transferred bool `json:"transferred,omitempty"`
	// How it came: encrypted or not, in which format, and the time that its signature covers. Empty and zero in what
	// was queued before these were noted.
	Mode   account.Mode   `json:"mode,omitempty"`
	Format account.Format `json:"format,omitempty"`
	SentAt time.Time      `json:"sent_at,omitzero"`
}

// Scope is where what is remembered of the push is kept.
func (p Push) Scope() account.Scope { return account.ScopeOf(p.Account, p.Incarnation) }

// For reports whether the push is for the account. Who took it in may have had an older account of the id in mind, for
// a minute at most: what came since the account was made, and is not another tenant's, is for the account.
func (p Push) For(a account.Account) bool {
	return p.Owner.Is(a.Owner()) || ((p.Tenant == a.Tenant || p.Tenant == "") && !p.ReceivedAt.Before(a.CreatedAt))
}

// Inbound is a push in Kefu's own form.
type Inbound struct {
	Customer account.Customer
	// Key identifies the push among all of its account: the same for every
	// delivery of it, however often and whenever it comes.
	//
	// The platform advises MsgId for messages and sender + time for events; both
	// are known to repeat, so the key is made of sender, time and MsgId, or of
	// sender, time, event name and event key.
	Key string
	// At is the platform's CreateTime, in whole seconds.
	At      time.Time
	Content Content
	// Action is what the push grants, empty when nothing.
	Action quota.Action
	// FromCustomer tells messages from events: only a message queues a session.
	FromCustomer bool
	// PlatformMedia are the platform's ids of the files that Content refers to by
	// Kefu's ids, to be kept before the platform drops them after three days.
	PlatformMedia []PlatformMedia
}

// PlatformMedia ties a kept file to the platform's temporary one.
type PlatformMedia struct {
	ID         string // Kefu's media id
	PlatformID string
	Type       Type
}

// Media is a file that a customer or an agent sent.
type Media struct {
	ID      string
	Account account.ID
	account.Owner
	Type        string // image, voice, video, thumb
	ContentType string
	Name        string
	Size        int64 // bytes; 0 while it is only on the platform
	// PlatformID is the platform's temporary id and PlatformUntil when it ends:
	// three days after the upload.
	PlatformID    string
	PlatformUntil time.Time
	// Kept is whether the bytes are in our store.
	Kept      bool
	CreatedAt time.Time
	ExpiresAt time.Time
}

// Seen is the long memory of one push: what it became, and how often it came again.
type Seen struct {
	Key        string    `json:"key"`
	Message    ID        `json:"message,omitempty"`
	FirstAt    time.Time `json:"first_at"`
	Drops      int       `json:"drops,omitempty"`
	LastDropAt time.Time `json:"last_drop_at,omitzero"`
}

// RawPush is a push that could not be read or has no place in a conversation.
type RawPush struct {
	Push   Push   `json:"push"`
	Reason string `json:"reason"`
}
