// Package agent is the HTTP interface for agents, supervisors and the business's
// own software. Fill in an [API] and serve [API.Handler]; [NewKey] makes a key,
// [HashKey] the hash of the operator's. The interface in words and schemas is
// openapi.json, which the handler serves itself; route.go is its table of calls.
//
// One call goes through route.go (find and log it), auth.go (who is it, may he),
// body.go (read it), idempotency.go (has it been answered before), then its own
// file, and comes back through answer.go or problem.go.
package agent

import (
	"context"
	"crypto/sha256"
	"io"
	"log/slog"
	"time"

	"kefu/shared/core/account"
	"kefu/shared/core/message"
	"kefu/shared/shell"
)

// Media keeps files. A type or a file that can't be kept is Invalid.
type Media interface {
	// Add keeps a file of an agent's. kind is image, voice, video or thumb; contentType is what the client said.
	Add(ctx context.Context, acc account.Account, kind, filename, contentType string, b []byte) (message.Media, error)
	// Open returns a file, fetching it from the platform if it is only there. NotFound if it is gone.
	Open(ctx context.Context, id string) (message.Media, []byte, error)
}

// Typer shows the customer that somebody is writing. The platform refuses a second
// signal within 15 s; no failure matters.
type Typer interface {
	Typing(ctx context.Context, acc account.Account, to account.Customer, on bool) error
}

// API is the interface's parts. All but AdminKey and Version are needed. The value
// must not change once Handler has been called.
type API struct {
	Store  Store
	Shell  *shell.Shell // changes conversations, on the same store
	Media  Media
	Typer  Typer
	Doctor Doctor
	Now    func() time.Time // read once per call
	Rand   io.Reader        // for keys: crypto/rand.Reader
	Log    *slog.Logger     // one line per call
	// AdminKey is the hash of the operator's key; zero means that there is none.
	AdminKey [sha256.Size]byte
	Version  string // as health shows it
}

// callTime bounds a writing call, whose client may hang up without cutting it in
// two. It ends before another call could take over its idempotency key.
const callTime = 25 * time.Second
