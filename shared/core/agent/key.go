package agent

import (
	"time"

	"kefu/shared/core/tenant"
)

// Key is the stored half of an API key. The key itself is shown once; what is
// kept is the SHA-256 of its secret part, which has 256 bits of randomness and
// therefore needs no slow hash.
type Key struct {
	ID        string    `json:"id"` // public part, unique in the deployment
	Hash      [32]byte  `json:"hash"`
	Tenant    tenant.ID `json:"tenant"`
	Agent     ID        `json:"agent,omitempty"` // empty: a key of the tenant itself
	Role      Role      `json:"role,omitempty"`  // of a key without an agent
	CreatedAt time.Time `json:"created_at"`
}
