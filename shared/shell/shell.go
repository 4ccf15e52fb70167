// Package shell carries out what the core decides: load, step, save on condition
// of the version, act. It is written once, here, because the order of these lines
// is what makes a crash between any two of them harmless. Every flow that changes
// a conversation calls [Shell.Do].
package shell

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"time"

	"kefu/shared/core/account"
	"kefu/shared/core/agent"
	"kefu/shared/core/fault"
	"kefu/shared/core/message"
	"kefu/shared/core/session"
	"kefu/shared/core/tenant"
)

// Store is what the shell needs of a store. SaveSession refuses with Conflict when
// the stored version is not was; all the rest may be repeated without harm.
type Store interface {
	Session(ctx context.Context, a account.ID, c account.Customer) (session.Session, error)
	// GlanceSession may miss what was saved less than a second ago.
	GlanceSession(ctx context.Context, a account.ID, c account.Customer) (session.Session, error)
	Message(ctx context.Context, id message.ID) (message.Message, error)
	SaveSession(ctx context.Context, s session.Session, was int64) error
	ArchiveSession(ctx context.Context, s session.Session) error
	SettleMessage(ctx context.Context, s message.Settlement) (wrote bool, err error)
	PutMessage(ctx context.Context, m message.Message) error
	// FreeSeat leaves a seat that was taken after that time.
	FreeSeat(ctx context.Context, t tenant.ID, a agent.ID, s session.ID, at time.Time) error
	Agent(ctx context.Context, t tenant.ID, id agent.ID) (agent.Agent, error)
}

// Queue takes wake-ups. A message that is sent twice, late or out of order must
// then change nothing.
type Queue interface {
	Send(ctx context.Context, group string, delay time.Duration, body []byte) error
}

// Shell changes conversations.
type Shell struct {
	Store    Store
	Route    Queue
	Outbound Queue
	// Hooks takes what the business's own software is to be told, as session.Tell bodies.
	Hooks Queue
	// Told keeps this process from putting news there twice; nil: it may.
	Told *Told
	Now  func() time.Time
	// Turns lets the callers of one process queue up for a conversation instead of
	// racing for it; nil lets them race, which is as safe.
	Turns *Turns
}

// Row writes the row of the message that an event brought. It is called after
// the save and before the wake-ups, and again when the event is repeated.
type Row func(ctx context.Context, s session.Session, e session.Store) error

// Result is what became of a conversation.
type Result struct {
	Session session.Session
	// Call is a call to the platform that the caller has to make now, if any.
	Call *session.Call
	// Stored is the row that an Arrived or Enqueue event brought.
	Stored session.Store
	// At is the time that the step was given.
	At time.Time
}

// races is how often a step is tried when others save in between. A customer's
// conversation has a handful of writers; more than this means something is wrong.
const races = 16

// Do applies the events, one after the other, to the conversation and saves the
// outcome as one version. A conversation that doesn't exist is NotFound, unless
// the first event is an arrival. A fault of Step leaves everything as it was.
func (sh *Shell) Do(ctx context.Context, ref session.Ref, r session.Rules, row Row, events ...session.Event) (Result, error) {
	return sh.DoFor(ctx, "", ref, r, row, events...)
}

// DoFor is Do on condition that the conversation still stands in the session of
// that id; otherwise it is Conflict with code "session-closed".
func (sh *Shell) DoFor(ctx context.Context, id session.ID, ref session.Ref, r session.Rules, row Row, events ...session.Event) (Result, error) {
	for range races {
		res, err := sh.once(ctx, id, ref, r, row, events)
		if !errors.Is(err, errRaced) {
			return res, err
		}
	}
	return Result{}, fault.New(fault.Unavailable, "contention", "the conversation is being changed by too many at once")
}

var errRaced = errors.New("another version was saved in between")

func (sh *Shell) once(ctx context.Context, id session.ID, ref session.Ref, r session.Rules, row Row, events []session.Event) (Result, error) {
	res, effects, err := sh.change(ctx, id, ref, r, events)
	if err != nil {
		return res, err
	}
	err = sh.after(ctx, &res, r, row, effects)
	return res, err
}

// change loads, steps and saves, taking turns with others of this process.
func (sh *Shell) change(ctx context.Context, id session.ID, ref session.Ref, r session.Rules, events []session.Event) (Result, []session.Effect, error) {
	defer sh.Turns.take(ref)()
	if arrives(events) {
		// What a customer does changes the conversation, so a glance is enough: if it
		// is out of date, the save is refused. Any other outcome asks for a proper look.
		res, effects, saved, err := sh.try(ctx, sh.Store.GlanceSession, id, ref, r, events)
		if saved || (!errors.Is(err, errRaced) && errors.Is(err, fault.Unavailable)) {
			return res, effects, err
		}
	}
	res, effects, _, err := sh.try(ctx, sh.Store.Session, id, ref, r, events)
	return res, effects, err
}

// load reads a conversation.
type load func(ctx context.Context, a account.ID, c account.Customer) (session.Session, error)

// try makes one attempt with what load gives; saved tells that it led to a save.
func (sh *Shell) try(
	ctx context.Context, read load, id session.ID, ref session.Ref, r session.Rules, events []session.Event,
) (res Result, effects []session.Effect, saved bool, err error) {
	was, err := read(ctx, ref.Account, ref.Customer)
	if err != nil && !(errors.Is(err, fault.NotFound) && arrives(events)) {
		return Result{}, nil, false, err
	}
	if id != "" && was.ID != id {
		return Result{Session: was}, nil, false, fault.New(fault.Conflict, "session-closed", "the customer has opened another session since")
	}
	events, landed, err := sh.land(ctx, was, events)
	if err != nil {
		return Result{}, nil, false, err
	}
	res, effects, err = sh.step(was, r, events)
	if err != nil {
		return res, nil, false, err
	}
	if err := sh.before(ctx, was, effects); err != nil {
		return Result{}, nil, false, err
	}
	if reflect.DeepEqual(res.Session, was) {
		return res, effects, false, nil
	}
	if (landed || sent(was, effects)) && session.Rests(was, res.Session) {
		return res, effects, false, sh.confirm(ctx, ref, was, landed)
	}
	err = sh.Store.SaveSession(ctx, res.Session, was.Version)
	if errors.Is(err, fault.Conflict) {
		return Result{}, nil, false, errRaced
	}
	if err != nil {
		return Result{}, nil, false, fmt.Errorf("save session: %w", err)
	}
	res.Session.Version = was.Version + 1
	return res, effects, true, nil
}

// step applies the events one after the other; a refusal leaves all as it was.
func (sh *Shell) step(was session.Session, r session.Rules, events []session.Event) (Result, []session.Effect, error) {
	res := Result{Session: was, At: sh.Now()}
	var effects []session.Effect
	for _, e := range events {
		next, more, refused := session.Step(res.Session, e, r, res.At)
		if refused != nil {
			return Result{Session: was, At: res.At}, nil, refused
		}
		res.Session, effects = next, append(effects, more...)
	}
	return res, effects, nil
}

func arrives(events []session.Event) bool {
	if len(events) == 0 {
		return false
	}
	_, ok := events[0].(session.Arrived)
	return ok
}

// before does what has to be durable before the save.
func (sh *Shell) before(ctx context.Context, was session.Session, effects []session.Effect) error {
	for _, e := range effects {
		switch e := e.(type) {
		case session.Record:
			if err := sh.settle(ctx, was, e.Settlement); err != nil {
				return err
			}
		case session.Archive:
			if err := sh.Store.ArchiveSession(ctx, e.Session); err != nil {
				return fmt.Errorf("archive session: %w", err)
			}
		}
	}
	return nil
}

// after acts on what has been saved. One deed that fails doesn't keep the others
// from being done, except that nobody is woken for a row which isn't there.
func (sh *Shell) after(ctx context.Context, res *Result, r session.Rules, row Row, effects []session.Effect) error {
	var settled []message.ID
	var informed int64
	var failed []error
	for _, e := range effects {
		var err error
		switch e := e.(type) {
		case session.Record, session.Archive: // done before the save
		case session.Store:
			res.Stored = e
			if row == nil {
				continue
			}
			if err := row(ctx, res.Session, e); err != nil {
				return errors.Join(append(failed, err)...)
			}
		case session.Say:
			err = sh.say(ctx, res.Session, e, res.At)
		case session.Settle:
			if err = sh.settleSaid(ctx, res, e); err == nil {
				settled = append(settled, e.Settlement.Message)
			}
		case session.FreeSeat:
			err = sh.freeSeat(ctx, e, res.At)
		case session.WakeRouter:
			err = sh.WakeRouter(ctx, res.Session.Account, res.Session.Owner())
		case session.WakeBot:
			err = sh.wakeBot(ctx, res.Session)
		case session.Inform:
			if err = sh.inform(ctx, res.Session, e.News, res.At); err == nil {
				informed = e.News[len(e.News)-1].Seq
			}
		case session.WakeSender:
			err = sh.wakeSender(ctx, res.Session, e.At, res.At)
		case session.Call:
			res.Call = &e
		default:
			err = fault.New(fault.Internal, "unknown-effect", fmt.Sprintf("no deed for effect %T", e))
		}
		if err != nil {
			failed = append(failed, err)
		}
	}
	if len(settled) > 0 || informed > 0 {
		failed = append(failed, sh.forget(ctx, res, r, session.Informed{UpTo: informed}, session.Settled{Messages: settled}))
	}
	return errors.Join(failed...)
}

// forget tells the session what has been done of what it kept in mind: rows of endings
// that were written, and news that are in their queue.
func (sh *Shell) forget(ctx context.Context, res *Result, r session.Rules, did ...session.Event) error {
	done, err := sh.Do(ctx, res.Session.Ref(), r, nil, did...)
	if err != nil {
		return fmt.Errorf("note what was done: %w", err)
	}
	res.Session = done.Session
	return nil
}

// settleSaid is settle for a message that a rule may have written, whose row a crash
// may have kept from being written.
func (sh *Shell) settleSaid(ctx context.Context, res *Result, e session.Settle) error {
	if e.Said != nil {
		if err := sh.say(ctx, res.Session, *e.Said, res.At); err != nil {
			return err
		}
	}
	return sh.settle(ctx, res.Session, e.Settlement)
}

func (sh *Shell) settle(ctx context.Context, s session.Session, end message.Settlement) error {
	_, err := sh.Store.SettleMessage(ctx, end)
	if errors.Is(err, fault.NotFound) {
		// The row was never written: nobody was told that the message is accepted,
		// and now nobody must be.
		var buried bool
		if buried, err = sh.Bury(ctx, s, end.Message); err == nil && !buried {
			_, err = sh.Store.SettleMessage(ctx, end) // it has appeared just now
		}
	}
	if err != nil {
		return fmt.Errorf("settle message: %w", err)
	}
	return nil
}

// NeverAccepted is the reason of a row that stands where a message was enqueued
// and its row never written, so that it can't be written any more.
const NeverAccepted = "never-accepted"

// Bury puts such a row into the conversation; it reports false if the message's
// own has appeared just now.
func (sh *Shell) Bury(ctx context.Context, s session.Session, id message.ID) (bool, error) {
	in, n, ok := id.Split()
	if !ok {
		return true, nil
	}
	err := sh.Store.PutMessage(ctx, message.Message{
		ID: id, N: n, Tenant: s.Tenant, Account: s.Account, Customer: s.Customer, Session: in,
		Direction: message.Out, Content: message.Content{Type: message.TypeUnknown}, State: message.Cancelled,
		Reason: NeverAccepted, CreatedAt: sh.Now(),
	})
	if errors.Is(err, fault.Conflict) {
		return false, nil
	}
	return err == nil, err
}

// freeSeat gives the agent's seat back, as of the step that took the session from him,
// and wakes the router of each account that he could now take a session of.
func (sh *Shell) freeSeat(ctx context.Context, e session.FreeSeat, at time.Time) error {
	if err := sh.Store.FreeSeat(ctx, e.Tenant, e.Agent, e.Session, at); err != nil {
		return fmt.Errorf("free seat: %w", err)
	}
	a, err := sh.Store.Agent(ctx, e.Tenant, e.Agent)
	if errors.Is(err, fault.NotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	return sh.WakeRouters(ctx, a)
}
