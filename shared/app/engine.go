package app

import (
	"context"
	"time"

	"kefu/shared/core/queue"
	"kefu/shared/flow/agent"
	"kefu/shared/flow/callback"
	"kefu/shared/flow/doctor"
	"kefu/shared/flow/expire"
	"kefu/shared/flow/ingest"
	"kefu/shared/flow/media"
	"kefu/shared/flow/route"
	"kefu/shared/flow/token"
	"kefu/shared/shell"
)

// Store is what the flows need of an engine's store, taken together. Its contract is
// kefu/shared/porttest.Store.
type Store interface {
	agent.Store
	callback.Accounts
	doctor.Agents
	doctor.Store
	expire.Index
	ingest.Store
	media.Files
	route.Agents
	route.Sessions
	shell.Store
	token.Store
}

// Queue is what the system, and whoever drives its consumers, needs of a queue. Its
// contract is kefu/shared/porttest.Queue.
type Queue interface {
	Send(ctx context.Context, group string, delay time.Duration, body []byte) error
	Receive(ctx context.Context, limit int) ([]queue.Delivery, error)
	Ack(ctx context.Context, receipts ...string) error
	Retry(ctx context.Context, receipt string, delay time.Duration) error
	Dead(ctx context.Context, limit int) ([]queue.DeadLetter, error)
	Redrive(ctx context.Context, ids ...string) (int, error)
}

// Queues are the engine's queues. On a cloud one that the function has no setting of is nil.
type Queues struct {
	Inbound, Route, Outbound, Hooks Queue
}

// engine is what stores and queues, and what is special about it.
type engine struct {
	store    Store
	queues   Queues
	accounts accounts
	// unpack reads a queue message's body out of what the host hands over.
	unpack func(ctx context.Context, text string) ([]byte, error)
	// rests says that a message which failed is given back here, with a pause; else whoever drives the consumer does.
	rests bool
	// cleaner removes records whose time is over; nil where the engine does that by itself.
	cleaner expire.Cleaner
	// alone says that no other process works on the data, so what an earlier one had under way is given up at once.
	alone bool
	close func() error
}

// accounts finds accounts for the functions on the hot paths, perhaps out of a cache.
type accounts interface {
	callback.Accounts
}
