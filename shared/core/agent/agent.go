// Package agent describes who answers: people, their roles and presence, and
// the keys that act for them. Start with [Agent]; [Identity] is what a key proves.
package agent

import (
	"fmt"
	"slices"
	"time"

	"kefu/shared/core/account"
	"kefu/shared/core/fault"
	"kefu/shared/core/tenant"
)

// ID names an agent within its tenant; the shape is that of [account.ValidID].
type ID string

// Role is what an agent may do. Each role may do all that the one before may.
type Role string

// Agents answer their own sessions; supervisors act on every session of their
// accounts; admins also manage accounts, agents and keys.
const (
	RoleAgent      Role = "agent"
	RoleSupervisor Role = "supervisor"
	RoleAdmin      Role = "admin"
)

// DefaultCapacity is how many sessions an agent serves at once when nothing else is set.
const DefaultCapacity = 10

// MaxCapacity bounds an agent's seats: the platform's own limit for one servicer.
const MaxCapacity = 200

// Agent is a person who answers.
type Agent struct {
	ID       ID           `json:"id"`
	Tenant   tenant.ID    `json:"tenant"`
	Name     string       `json:"name"`
	Role     Role         `json:"role"`
	Accounts []account.ID `json:"accounts"` // what the agent sees; admins see all of the tenant
	Capacity int          `json:"capacity"`
	Status   Status       `json:"status"`
	StatusAt time.Time    `json:"status_at"` // since when
	// Until is when his presence ends by itself, see [Agent.At]; zero means never.
	Until     time.Time `json:"status_until,omitzero"`
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
}

// Check says what is missing or out of range.
func (a Agent) Check() error {
	wrong := func(format string, args ...any) error {
		return fault.New(fault.Invalid, "agent-invalid", fmt.Sprintf(format, args...))
	}
	switch {
	case a.Name == "" || len(a.Name) > 200:
		return wrong("name is missing or longer than 200 bytes")
	case a.Role != RoleAgent && a.Role != RoleSupervisor && a.Role != RoleAdmin:
		return wrong("role is %q; want agent, supervisor or admin", a.Role)
	case a.Capacity < 0 || a.Capacity > MaxCapacity:
		return wrong("capacity must be between 0 and %d", MaxCapacity)
	case len(a.Accounts) > 1000:
		return wrong("accounts has more than 1000 entries")
	}
	for _, id := range a.Accounts {
		if !account.ValidID(string(id)) {
			return wrong("accounts has %q, which is no account id", id)
		}
	}
	return nil
}

// Identity is what a key proves: a tenant, and usually an agent of it.
type Identity struct {
	Tenant   tenant.ID
	Agent    ID // empty for a key of the tenant itself
	Role     Role
	Accounts []account.ID // bound accounts; ignored for admins
	Operator bool         // the deployment's own admin key: may make tenants
}

// Sees reports whether the identity may know of an account of its own tenant.
func (i Identity) Sees(id account.ID) bool {
	return i.Role == RoleAdmin || slices.Contains(i.Accounts, id)
}

// Supervises reports whether the identity may act on other agents' sessions.
func (i Identity) Supervises() bool { return i.Role == RoleSupervisor || i.Role == RoleAdmin }

// Admin reports whether the identity may manage accounts, agents and keys.
func (i Identity) Admin() bool { return i.Role == RoleAdmin }
