package shell

import (
	"context"

	"kefu/shared/core/account"
	"kefu/shared/core/session"
)

// Guard is the store of one change to one conversation. It asks a check about the very
// version that the step then starts from, however often others save in between, and
// remembers whether the change was saved.
type Guard struct {
	Store
	check func(session.Session) error
	saved bool
}

// Guarded makes a shell for one change under the check. It is not for arrivals.
func (sh *Shell) Guarded(check func(session.Session) error) (*Shell, *Guard) {
	g := &Guard{Store: sh.Store, check: check}
	under := *sh
	under.Store = g
	return &under, g
}

// Session reads the conversation and asks the check.
func (g *Guard) Session(ctx context.Context, a account.ID, c account.Customer) (session.Session, error) {
	s, err := g.Store.Session(ctx, a, c)
	if err == nil && !g.saved {
		err = g.check(s)
	}
	return s, err
}

// SaveSession saves, and remembers that it did.
func (g *Guard) SaveSession(ctx context.Context, s session.Session, was int64) error {
	err := g.Store.SaveSession(ctx, s, was)
	g.saved = g.saved || err == nil
	return err
}

// Saved reports that the change has happened: an error then only says that something
// was left undone after it, which the sweep finds.
func (g *Guard) Saved() bool { return g.saved }
