package session

import (
	"kefu/shared/core/account"
	"kefu/shared/core/agent"
	"kefu/shared/core/tenant"
)

// Query asks for sessions of one tenant. Empty members don't restrict.
//
// The order is by opening, newest first; with State Queued it is the order of the
// queue, longest waiting first. Neither moves with each message.
type Query struct {
	Tenant   tenant.ID
	Visible  []account.ID // only these accounts; nil means all of the tenant
	Account  account.ID
	State    State
	Agent    agent.ID
	Customer account.Customer
	Cursor   string // as returned by the page before
	Limit    int    // 1 to 200
}

// CountedPlaces is how far places in a queue are counted: each thousand costs 12.5 read units on DynamoDB, and nobody
// who stands behind so many is helped by a number. What stands further back has a place beyond it, no matter which.
const CountedPlaces = 1000
