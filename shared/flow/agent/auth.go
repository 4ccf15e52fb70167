package agent

import (
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"net/http"
	"strings"

	"kefu/shared/core/agent"
	"kefu/shared/core/fault"
	"kefu/shared/core/tenant"
)

// errUnauthorized is the one answer to every key that opens nothing.
var errUnauthorized = fault.WithStatus(fault.New(fault.Denied, "unauthorized",
	"The key is missing, wrong or no longer valid; send it as \"Authorization: Bearer KEY\"."), http.StatusUnauthorized)

// errRole refuses a call to everybody below a role.
func errRole(who string) error {
	return fault.New(fault.Denied, "role", "This call is for "+who+".")
}

// authenticate finds out whose key it is. The agent is read anew each time: one
// who was deleted is out at once, a new role counts at once.
func (c *call) authenticate() error {
	text, ok := bearer(c.r.Header.Get("Authorization"))
	if !ok {
		return errUnauthorized
	}
	if sum := HashKey(text); c.AdminKey != [sha256.Size]byte{} && subtle.ConstantTimeCompare(sum[:], c.AdminKey[:]) == 1 {
		c.id = agent.Identity{Tenant: tenant.Default, Role: agent.RoleAdmin, Operator: true}
		return nil
	}
	id, secret, ok := splitKey(text)
	if !ok {
		return errUnauthorized
	}
	k, err := c.Store.Key(c.ctx(), id)
	if errors.Is(err, fault.NotFound) {
		return errUnauthorized
	}
	if err != nil {
		return err
	}
	if sum := HashKey(secret); subtle.ConstantTimeCompare(sum[:], k.Hash[:]) != 1 {
		return errUnauthorized
	}
	return c.identify(k)
}

// identify takes the key's rights from its agent, or from the key of a tenant itself.
func (c *call) identify(k agent.Key) error {
	if k.Agent == "" {
		c.id = agent.Identity{Tenant: k.Tenant, Role: k.Role}
		return nil
	}
	g, err := c.Store.Agent(c.ctx(), k.Tenant, k.Agent)
	if errors.Is(err, fault.NotFound) {
		return errUnauthorized
	}
	if err != nil {
		return err
	}
	c.self = &g
	c.id = identity(g)
	return nil
}

// identity is what a key of the agent proves.
func identity(g agent.Agent) agent.Identity {
	return agent.Identity{Tenant: g.Tenant, Agent: g.ID, Role: g.Role, Accounts: g.Accounts}
}

// permit holds the key against the call's least level.
func (c *call) permit() error {
	switch c.route.least {
	case operator:
		if !c.id.Operator {
			return errRole("the operator's own key")
		}
	case admins:
		if !c.id.Admin() {
			return errRole("admins")
		}
	case anyone, agents:
	}
	return nil
}

// bearer takes the key out of the header.
func bearer(header string) (string, bool) {
	scheme, key, ok := strings.Cut(header, " ")
	key = strings.TrimSpace(key)
	return key, ok && strings.EqualFold(scheme, "Bearer") && key != ""
}
