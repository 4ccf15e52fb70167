// Package doctor examines an account's set-up on demand (P8), and keeps what was seen
// of the platform's calls meanwhile. Start with [Doctor.Examine]; what the findings mean
// is decided in kefu/shared/core/doctor. [Noter] is for whoever sees a call.
package doctor

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"kefu/shared/core/account"
	"kefu/shared/core/agent"
	"kefu/shared/core/doctor"
	"kefu/shared/core/tenant"
)

// Accounts finds an account as it is now, with its secrets; NotFound if there is none.
type Accounts interface {
	Account(ctx context.Context, id account.ID) (account.Account, error)
}

// Agents lists the agents that are bound to an account, all of them.
type Agents interface {
	AgentsOf(ctx context.Context, t tenant.ID, id account.ID) ([]agent.Agent, error)
}

// Store keeps sightings.
type Store interface {
	// NoteSighting keeps the newest accepted push and check, and the last of each reason
	// of refusal with its count, as doctor.Sightings.With says; for 30 days at least.
	NoteSighting(ctx context.Context, s doctor.Sighting) error
	// Sightings returns them; the zero value if nothing was seen.
	Sightings(ctx context.Context, of account.Scope) (doctor.Sightings, error)
}

// Platform makes calls of the platform that change nothing there, to see whether they
// work. They may run concurrently, end with ctx, and never fail: what went wrong is
// their result.
type Platform interface {
	// TryToken asks for an access token with the account's own secret.
	TryToken(ctx context.Context, a account.Account) doctor.Trial
	// TryCallback has the platform look for the callback address.
	TryCallback(ctx context.Context, a account.Account) doctor.CallbackTrial
	// TrySend asks whether messages may be sent, and how many.
	TrySend(ctx context.Context, a account.Account) doctor.SendTrial
}

// DefaultPatience is how long an examination may take in all: an HTTP call waits for it.
const DefaultPatience = 8 * time.Second

// Doctor examines accounts. It may be used concurrently.
type Doctor struct {
	Accounts Accounts
	Agents   Agents
	Store    Store
	Platform Platform
	// Patience ends what has not answered by then. Default [DefaultPatience].
	Patience time.Duration
	Now      func() time.Time
	Log      *slog.Logger
}

// Examine gathers the evidence about an account and judges it. What can't be found out
// is a finding as well, so the only errors are those of reading the account: NotFound,
// or the store's.
func (d *Doctor) Examine(ctx context.Context, id account.ID) (doctor.Report, error) {
	patience := d.Patience
	if patience <= 0 {
		patience = DefaultPatience
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	a, err := d.Accounts.Account(ctx, id)
	if err != nil {
		return doctor.Report{}, err
	}
	e := d.gather(ctx, a)
	findings := doctor.Diagnose(e)
	return doctor.Report{Account: a.ID, At: e.At, Healthy: doctor.Healthy(findings), Findings: findings}, nil
}

// gather asks everybody at once.
func (d *Doctor) gather(ctx context.Context, a account.Account) doctor.Evidence {
	e := doctor.Evidence{At: d.Now().UTC(), Account: a}
	var agents []agent.Agent
	var noSightings, noAgents error
	var all sync.WaitGroup
	all.Go(func() { e.Seen, noSightings = d.Store.Sightings(ctx, a.Scope()) })
	all.Go(func() { agents, noAgents = d.Agents.AgentsOf(ctx, a.Tenant, a.ID) })
	all.Go(func() { e.Token = d.Platform.TryToken(ctx, a) })
	all.Go(func() { e.Callback = d.Platform.TryCallback(ctx, a) })
	all.Go(func() { e.Send = d.Platform.TrySend(ctx, a) })
	all.Wait()
	for _, lack := range []struct {
		what doctor.Lack
		err  error
	}{{doctor.LackPushes, noSightings}, {doctor.LackAgents, noAgents}} {
		if lack.err != nil {
			e.Lacks = append(e.Lacks, lack.what)
			d.Log.LogAttrs(ctx, slog.LevelError, "an examination lacks evidence", slog.String("account", string(a.ID)),
				slog.String("what", string(lack.what)), slog.String("cause", lack.err.Error()))
		}
	}
	e.Agents = len(agents)
	for _, one := range agents {
		if one.At(e.At).Status == agent.Online {
			e.Online++
		}
	}
	return e
}
