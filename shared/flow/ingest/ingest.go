// Package ingest makes conversations out of pushes: read, drop what was seen
// before, step the session, store the message. Start with [Ingest.Handle], which
// takes one message of the inbound queue.
package ingest

import (
	"context"
	"crypto/sha256"
	"encoding/base32"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"kefu/shared/core/account"
	"kefu/shared/core/doctor"
	"kefu/shared/core/fault"
	"kefu/shared/core/message"
	"kefu/shared/core/session"
	"kefu/shared/shell"
)

// Accounts finds an account; NotFound if it has been deleted.
type Accounts interface {
	Account(ctx context.Context, id account.ID) (account.Account, error)
}

// Channel reads a verified push. One that it can't read is Invalid.
type Channel interface {
	Read(a account.Account, p message.Push) (message.Inbound, error)
}

// Store keeps messages and remembers pushes.
type Store interface {
	// PutMessage refuses a row that exists with Conflict.
	PutMessage(ctx context.Context, m message.Message) error
	// Seen may miss what was marked less than a second ago: the session's own
	// short memory covers that time.
	Seen(ctx context.Context, a account.Scope, key string) (message.Seen, error)
	MarkSeen(ctx context.Context, a account.Scope, s message.Seen) error
	RecordDrop(ctx context.Context, a account.Scope, key string, at time.Time) error
	KeepRaw(ctx context.Context, r message.RawPush) error
}

// Media notes the files of a message, which are fetched later; idempotent.
type Media interface {
	Expect(ctx context.Context, a account.Account, files []message.PlatformMedia, at time.Time) error
}

// Sights hears of accepted pushes. Note never fails, and takes a fraction of a second at
// most.
type Sights interface {
	Note(ctx context.Context, s doctor.Sighting)
}

// Fetcher takes requests to fetch files before the platform drops them.
type Fetcher interface {
	Send(ctx context.Context, group string, delay time.Duration, body []byte) error
}

// Ingest works on inbound pushes.
type Ingest struct {
	Accounts Accounts
	Channel  Channel
	Store    Store
	Shell    *shell.Shell
	Media    Media
	Fetch    Fetcher
	Sights   Sights // nil: nobody wants to know
	Now      func() time.Time
	Log      *slog.Logger
}

// Fetch is the body of a request to fetch a file.
type Fetch struct {
	Media string `json:"media"`
}

// Handle works on one push. A fault of kind Invalid means that the body is no
// push at all; whatever else can't be used is kept raw and acknowledged.
func (in *Ingest) Handle(ctx context.Context, body []byte) error {
	start := in.Now()
	var p message.Push
	if err := json.Unmarshal(body, &p); err != nil || p.Account == "" || p.Key == "" {
		return fault.New(fault.Invalid, "not-a-push", "the queue message is no push")
	}
	done, err := in.take(ctx, p)
	level := slog.LevelInfo
	attrs := []slog.Attr{
		slog.String("function", "ingest"), slog.String("account", string(p.Account)), slog.String("session", string(done.session)),
		slog.String("kind", done.kind), slog.String("did", done.did), slog.Duration("took", in.Now().Sub(start)),
	}
	if done.odd {
		level = slog.LevelWarn
	}
	if err != nil {
		level, attrs = slog.LevelError, append(attrs, slog.String("reason", fault.CodeOf(err)), slog.String("cause", err.Error()))
	}
	in.Log.LogAttrs(ctx, level, "push", attrs...)
	if err == nil {
		in.note(ctx, p, done)
	}
	return err
}

// note tells of a push that was accepted. One that had come before says nothing of how
// things are now.
func (in *Ingest) note(ctx context.Context, p message.Push, d done) {
	if in.Sights == nil || d.gone || d.did == "dropped" {
		return
	}
	s := doctor.Sighting{Account: p.Scope(), At: p.ReceivedAt, Mode: p.Mode, Format: p.Format, SentAt: p.SentAt}
	if d.odd {
		s.Reason = doctor.Unreadable
	}
	in.Sights.Note(ctx, s)
}

// done is what became of a push, for the log.
type done struct {
	kind, did string
	session   session.ID
	odd       bool // a customer may have written something that nobody sees
	gone      bool // there is no such account any more
}

func (in *Ingest) take(ctx context.Context, p message.Push) (done, error) {
	a, err := shell.AccountOf(ctx, in.Accounts, p.Account, p.For)
	return in.give(ctx, a, err, p, shell.Remembers(in.Accounts))
}

// give gives the push to its account, which may come out of a memory, or keeps it if the account has gone.
func (in *Ingest) give(ctx context.Context, a account.Account, noAccount error, p message.Push, remembered bool) (done, error) {
	if errors.Is(noAccount, fault.NotFound) {
		d, err := in.keep(ctx, p, "", "account-deleted")
		d.gone = true
		return d, err
	}
	if noAccount != nil {
		return done{}, fmt.Errorf("account: %w", noAccount)
	}
	p.Owner = a.Owner()
	msg, err := in.Channel.Read(a, p)
	if errors.Is(err, fault.Invalid) {
		d, err := in.keep(ctx, p, "", "unreadable")
		d.odd = true
		return d, err
	}
	if err != nil {
		return done{}, err
	}
	if msg.Customer == "" {
		return in.keep(ctx, p, kind(msg), "no-customer")
	}
	p.Key = msg.Key
	return in.converse(ctx, a, p, msg, remembered)
}

// converse lets the push have its one effect on the conversation.
//
// Two memories make it one. The session remembers its last pushes in the same
// write that applies them, so that a redelivery after a crash finds the step
// done and only repeats what follows it. The store remembers each push for
// weeks, written last: what it knows was finished.
func (in *Ingest) converse(ctx context.Context, a account.Account, p message.Push, msg message.Inbound, remembered bool) (done, error) {
	d := done{kind: kind(msg), did: "stored"}
	seen, err := in.Store.Seen(ctx, a.Scope(), msg.Key)
	if err == nil {
		d.did = "dropped"
		d.session, _, _ = seen.Message.Split()
		return d, in.Store.RecordDrop(ctx, a.Scope(), msg.Key, p.ReceivedAt)
	}
	if !errors.Is(err, fault.NotFound) {
		return d, err
	}
	if err := in.Media.Expect(ctx, a, msg.PlatformMedia, p.ReceivedAt); err != nil {
		return d, fmt.Errorf("expect media: %w", err)
	}
	again := false
	row := func(ctx context.Context, s session.Session, e session.Store) error {
		err := in.Store.PutMessage(ctx, rowOf(s, e.Message, p, msg))
		if errors.Is(err, fault.Conflict) {
			again = true
			return nil
		}
		return err
	}
	ref, rules := session.Ref{Account: a.ID, Customer: msg.Customer}, session.RulesOf(a)
	rules.Remembered = remembered
	res, err := in.Shell.Do(ctx, ref, rules, row, arrived(a, p, msg))
	if errors.Is(err, session.ErrRemembered) { // the push opens a session
		now, lost := in.current(ctx, p)
		if lost != nil || now.Owner() != a.Owner() {
			return in.give(ctx, now, lost, p, false)
		}
		res, err = in.Shell.Do(ctx, ref, session.RulesOf(now), row, arrived(now, p, msg))
	}
	if fault.CodeOf(err) == "no-session" {
		return in.keep(ctx, p, d.kind, "no-session")
	}
	if err != nil {
		return d, err
	}
	d.session = res.Session.ID
	if err := in.fetch(ctx, a, msg.PlatformMedia); err != nil {
		return d, err
	}
	if err := in.Store.MarkSeen(ctx, a.Scope(), message.Seen{Key: p.Key, Message: res.Stored.Message, FirstAt: p.ReceivedAt}); err != nil {
		return d, fmt.Errorf("mark seen: %w", err)
	}
	if again {
		d.did = "dropped"
		return d, in.Store.RecordDrop(ctx, a.Scope(), p.Key, p.ReceivedAt)
	}
	return d, nil
}

// current is the push's account as it is now; NotFound if it has gone, whoever has its id since.
func (in *Ingest) current(ctx context.Context, p message.Push) (account.Account, error) {
	a, err := shell.Fresh(ctx, in.Accounts, p.Account)
	if err == nil && !p.For(a) {
		err = fault.Wrap(fault.NotFound, "", errors.New("the account is another one by now"))
	}
	return a, err
}

// arrived is what the push means to the conversation.
func arrived(a account.Account, p message.Push, msg message.Inbound) session.Arrived {
	e := session.Arrived{
		ID: sessionID(a.Scope(), msg.Customer, msg.Key), Account: a.ID, Customer: msg.Customer, Key: msg.Key,
		At: msg.At, HeardAt: p.ReceivedAt, Action: msg.Action, FromCustomer: msg.FromCustomer,
		Text: msg.Content.Words(), Transferred: p.Transferred,
	}
	if t := msg.Content.Text; t != nil {
		e.Tapped = t.MenuID
	}
	if ev := msg.Content.Event; ev != nil {
		e.Name, e.MenuKey = ev.Name, ev.Key
	}
	return e
}

func (in *Ingest) keep(ctx context.Context, p message.Push, kind, reason string) (done, error) {
	return done{kind: kind, did: "kept raw: " + reason}, in.Store.KeepRaw(ctx, message.RawPush{Push: p, Reason: reason})
}

func (in *Ingest) fetch(ctx context.Context, a account.Account, files []message.PlatformMedia) error {
	for _, f := range files {
		body, err := json.Marshal(Fetch{Media: f.ID})
		if err != nil {
			return err
		}
		if err := in.Fetch.Send(ctx, "", 0, body); err != nil {
			return fmt.Errorf("ask for media of account %s: %w", a.ID, err)
		}
	}
	return nil
}

func rowOf(s session.Session, id message.ID, p message.Push, msg message.Inbound) message.Message {
	in, n, _ := id.Split()
	return message.Message{
		ID: id, N: n, Tenant: s.Tenant, Account: s.Account, Customer: s.Customer, Session: in,
		Direction: message.In, Content: msg.Content, State: message.Received,
		Push: msg.Key, Raw: p.Body, CreatedAt: msg.At,
	}
}

// sessionID is the id of the session that a push would open: the same push always
// names the same one, however often it is tried.
func sessionID(a account.Scope, c account.Customer, key string) session.ID {
	sum := sha256.Sum256([]byte(string(a) + "\x00" + string(c) + "\x00" + key))
	return session.ID("s" + strings.ToLower(base32.StdEncoding.EncodeToString(sum[:15])))
}

func kind(msg message.Inbound) string {
	if msg.Content.Event != nil {
		return "event:" + msg.Content.Event.Name
	}
	return string(msg.Content.Type)
}
