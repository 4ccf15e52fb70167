// Package tenant names one business (企业) of a deployment. Start with [Tenant]:
// everything else that is stored belongs to one, and no key sees past its own.
package tenant

import "time"

// ID names a tenant within a deployment: 1 to 64 characters of a-z, 0-9, '-' and '_'.
type ID string

// Default is the tenant of the operator's own key.
const Default ID = "default"

// Tenant is one business.
type Tenant struct {
	ID        ID        `json:"id"`
	Name      string    `json:"name"`
	CreatedAt time.Time `json:"created_at"`
}
