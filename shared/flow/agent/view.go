package agent

import (
	"fmt"
	"slices"
	"time"

	"kefu/shared/core/account"
	"kefu/shared/core/agent"
	"kefu/shared/core/message"
	"kefu/shared/core/quota"
	"kefu/shared/core/session"
	"kefu/shared/core/tenant"
)

// tenantView is a tenant as the interface shows it.
type tenantView struct {
	ID        tenant.ID `json:"id"`
	Name      string    `json:"name"`
	CreatedAt time.Time `json:"created_at,omitzero"`
}

func viewTenant(t tenant.Tenant) tenantView {
	return tenantView{ID: t.ID, Name: t.Name, CreatedAt: t.CreatedAt.UTC()}
}

// accountView is an account without its secrets; it tells which of them are set.
type accountView struct {
	ID                account.ID       `json:"id"`
	Channel           account.Channel  `json:"channel"`
	AppID             string           `json:"app_id"`
	OriginalID        string           `json:"original_id,omitempty"`
	Mode              account.Mode     `json:"mode"`
	Format            account.Format   `json:"format"`
	HasAESKey         bool             `json:"has_aes_key"`
	HasAESKeyPrevious bool             `json:"has_aes_key_previous"`
	HasSecret         bool             `json:"has_secret"`
	Settings          account.Settings `json:"settings"`
	CreatedAt         time.Time        `json:"created_at"`
	UpdatedAt         time.Time        `json:"updated_at"`
}

func viewAccount(a account.Account) accountView {
	return accountView{
		ID: a.ID, Channel: a.Channel, AppID: a.AppID, OriginalID: a.OriginalID, Mode: a.Mode, Format: a.Format,
		HasAESKey: a.AESKey != "", HasAESKeyPrevious: a.AESKeyPrevious != "", HasSecret: a.AppSecret != "",
		Settings: a.Settings, CreatedAt: a.CreatedAt.UTC(), UpdatedAt: a.UpdatedAt.UTC(),
	}
}

// agentView is an agent; load is how many sessions he serves.
type agentView struct {
	ID        agent.ID     `json:"id"`
	Name      string       `json:"name"`
	Role      agent.Role   `json:"role"`
	Accounts  []account.ID `json:"accounts"`
	Capacity  int          `json:"capacity"`
	Status    agent.Status `json:"status"`
	StatusAt  time.Time    `json:"status_at,omitzero"`
	Until     time.Time    `json:"status_until,omitzero"`
	Load      int          `json:"load"`
	CreatedAt time.Time    `json:"created_at"`
}

// viewAgent shows an agent, with those of his accounts that the key sees itself.
func (c *call) viewAgent(g agent.Agent) (agentView, error) {
	g = g.At(c.now)
	d, err := c.Store.Desk(c.ctx(), g.Tenant, g.ID)
	if err != nil {
		return agentView{}, fmt.Errorf("list seats: %w", err)
	}
	v := agentView{
		ID: g.ID, Name: g.Name, Role: g.Role, Accounts: []account.ID{}, Capacity: g.Capacity, Status: g.Status, Until: g.Until.UTC(),
		StatusAt: g.StatusAt.UTC(), Load: len(d.Seats), CreatedAt: g.CreatedAt.UTC(),
	}
	for _, id := range g.Accounts {
		if c.id.Sees(id) {
			v.Accounts = append(v.Accounts, id)
		}
	}
	slices.Sort(v.Accounts)
	return v, nil
}

// windowView is a customer's window at the time of the call.
type windowView struct {
	Limit     int       `json:"limit"`
	Used      int       `json:"used"`
	Remaining int       `json:"remaining"`
	ExpiresAt time.Time `json:"expires_at,omitzero"`
}

func viewWindow(w quota.Window, now time.Time) windowView {
	s := w.At(now)
	return windowView{Limit: s.Limit, Used: s.Used, Remaining: s.Remaining(), ExpiresAt: s.Until.UTC()}
}

// sessionView is a session. The window and what is waiting belong to the customer:
// a session that another has followed shows none.
type sessionView struct {
	ID            session.ID       `json:"id"`
	Account       account.ID       `json:"account"`
	Channel       account.Channel  `json:"channel"`
	Customer      account.Customer `json:"customer"`
	State         session.State    `json:"state"`
	Agent         agent.ID         `json:"agent,omitempty"`
	LastAgent     agent.ID         `json:"last_agent,omitempty"`
	QueuePosition int              `json:"queue_position,omitempty"`
	// QueueOver stands instead of a position that nobody has counted: a client that doesn't know it sees no number
	// rather than a wrong one.
	QueueOver      int        `json:"queue_position_over,omitempty"`
	QueuedAt       time.Time  `json:"queued_at,omitzero"`
	Priority       int        `json:"priority,omitempty"`
	ExternalUntil  time.Time  `json:"external_until,omitzero"`
	OpenedAt       time.Time  `json:"opened_at"`
	LastCustomerAt time.Time  `json:"last_customer_at,omitzero"`
	EndedAt        time.Time  `json:"ended_at,omitzero"`
	EndedBy        string     `json:"ended_by,omitempty"`
	Waiting        int        `json:"waiting"`
	Window         windowView `json:"window"`
}

func viewSession(s session.Session, place int, now time.Time) sessionView {
	v := sessionView{
		ID: s.ID, Account: s.Account, Channel: s.Channel, Customer: s.Customer, State: s.State, Agent: s.Agent,
		OpenedAt: s.OpenedAt.UTC(), LastCustomerAt: s.LastCustomerAt.UTC(), EndedAt: s.EndedAt.UTC(),
		EndedBy: s.EndedBy, Waiting: len(s.Outbox), Window: viewWindow(s.Window, now), LastAgent: s.LastAgent,
	}
	if v.QueuePosition = place; place > session.CountedPlaces {
		v.QueuePosition, v.QueueOver = 0, session.CountedPlaces
	}
	switch s.State {
	case session.Queued:
		v.QueuedAt, v.Priority = s.QueuedAt.UTC(), s.Priority
	case session.External:
		v.ExternalUntil = s.ExternalUntil.UTC()
	}
	return v
}

// duplicates tells how often the platform delivered a push again.
type duplicates struct {
	Count  int       `json:"count"`
	LastAt time.Time `json:"last_at,omitzero"`
}

// messageView is a message; its state is read from the conversation, which knows more than the row.
type messageView struct {
	ID        message.ID        `json:"id"`
	Session   message.SessionID `json:"session"`
	Direction message.Direction `json:"direction"`
	message.Content
	State     message.State `json:"state"`
	Reason    string        `json:"reason,omitempty"`
	Code      int           `json:"code,omitempty"`
	By        string        `json:"by,omitempty"`
	CreatedAt time.Time     `json:"created_at"`
	SentAt    time.Time     `json:"sent_at,omitzero"`
	SendAt    time.Time     `json:"send_at,omitzero"`
	ExpiresAt time.Time     `json:"expires_at,omitzero"`
	Parts     int           `json:"parts,omitempty"`
	PartsSent int           `json:"parts_sent,omitempty"`
	// With is the message in whose text this one went out too.
	With       message.ID     `json:"with,omitempty"`
	Cause      *message.Cause `json:"cause,omitempty"`
	ApprovedBy string         `json:"approved_by,omitempty"`
	Duplicates *duplicates    `json:"duplicates,omitempty"`
}

func viewMessage(m message.Message, conversation session.Session, now time.Time) messageView {
	state, reason := conversation.Standing(m, now)
	v := messageView{
		ID: m.ID, Session: m.Session, Direction: m.Direction, Content: shown(m), State: state, Reason: reason,
		Code: m.Code, By: m.By, CreatedAt: m.CreatedAt.UTC(), SentAt: m.SentAt.UTC(), SendAt: m.SendAt.UTC(),
		ExpiresAt: m.ExpiresAt.UTC(), Parts: m.Parts, PartsSent: m.PartsSent, With: m.With, Cause: m.Cause, ApprovedBy: m.Approved,
	}
	for _, w := range conversation.Outbox {
		if w.Message == m.ID {
			v.PartsSent = w.PartsSent
		}
	}
	if f := conversation.Flight; f != nil && f.Message == m.ID && !m.State.Final() {
		v.PartsSent = f.PartsSent
	}
	return v
}

// shown is what a message says. What Kefu can't read is shown as it came.
func shown(m message.Message) message.Content {
	c := m.Content
	if c.Unknown != nil {
		c.Unknown = &message.Raw{Type: c.Unknown.Type, Body: string(m.Raw)}
	}
	return c
}
