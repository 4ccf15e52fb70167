package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// watchEvery is how often Keep looks after its engines.
const watchEvery = time.Second

// session is what Keep leaves in the cache for Find and Down.
type session struct {
	Engines
	PID int `json:"pid"` // of the keeper; to be believed only while somebody holds the keeper's lock
}

func (o Options) statePath() string { return filepath.Join(o.Cache, "state.json") }
func (o Options) lockPath() string  { return filepath.Join(o.Cache, "keeper.lock") }

// Keep starts the engines and holds them up for other processes to Find, until ctx or an engine ends, or the cache folder
// is cleaned away. If somebody keeps some already it returns nil at once.
func Keep(ctx context.Context, o Options) error {
	o = o.withDefaults()
	if err := os.MkdirAll(o.Cache, 0o750); err != nil {
		return err
	}
	unlock, err := tryLock(o.lockPath())
	if errors.Is(err, errLocked) {
		return nil
	}
	if err != nil {
		return err
	}
	defer unlock()
	e, err := Start(ctx, o)
	if err != nil {
		return err
	}
	defer e.Stop()
	if err := o.saveSession(session{Engines: *e, PID: os.Getpid()}); err != nil {
		return err
	}
	defer os.Remove(o.statePath()) //nolint:errcheck // nobody believes it without the lock
	return o.watch(ctx, e)
}

func (o Options) watch(ctx context.Context, e *Engines) error {
	again := time.NewTicker(watchEvery)
	defer again.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-again.C:
		}
		if err := e.Err(); err != nil {
			return err
		}
		if s, err := o.loadSession(); err != nil || s.PID != os.Getpid() {
			return nil // the folder was cleaned: nobody can find these engines any more
		}
	}
}

// Find gives the engines that Keep holds up, if they answer. Stop does nothing to them. Without any it returns nil and no
// error.
func Find(ctx context.Context, o Options) (*Engines, error) {
	o = o.withDefaults()
	s, err := o.loadSession()
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil //nolint:nilnil // nothing found is no error
	}
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, askWithin)
	defer cancel()
	if dynamoDB("", "").ask(ctx, s.DynamoDB) != nil || sqs("", "").ask(ctx, s.SQS) != nil {
		return nil, nil //nolint:nilnil // what was found is dead
	}
	return &s.Engines, nil
}

// Down ends the engines that Keep holds up, and tells whether there were any.
func Down(ctx context.Context, o Options) (bool, error) {
	o = o.withDefaults()
	s, err := o.loadSession()
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	unlock, err := tryLock(o.lockPath())
	if err == nil { // a keeper that was killed: its engines died with it
		defer unlock()
		return false, os.Remove(o.statePath())
	}
	if !errors.Is(err, errLocked) {
		return false, err
	}
	keeper, err := os.FindProcess(s.PID)
	if err != nil {
		return false, err
	}
	if err := keeper.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return false, fmt.Errorf("stop the keeper, process %d: %w", s.PID, err)
	}
	if unlock, err = lock(ctx, o.lockPath()); err != nil {
		return false, fmt.Errorf("wait for the keeper, process %d: %w", s.PID, err)
	}
	unlock()
	return true, nil
}

func (o Options) loadSession() (session, error) {
	var s session
	b, err := os.ReadFile(o.statePath())
	if err != nil {
		return s, err
	}
	if err := json.Unmarshal(b, &s); err != nil {
		return s, fmt.Errorf("%s: %w", o.statePath(), err)
	}
	return s, nil
}

// saveSession lets nobody read half of it.
func (o Options) saveSession(s session) error {
	b, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return err
	}
	part := o.statePath() + ".part"
	if err := os.WriteFile(part, append(b, '\n'), 0o600); err != nil {
		return err
	}
	return os.Rename(part, o.statePath())
}
