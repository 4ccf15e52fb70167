// Package send makes the calls to the platform: one at a time for each customer,
// in order, each reserved in the ledger before it is made. Start with
// [Sender.Handle], which takes one wake-up of the outbound queue.
package send

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"kefu/shared/core/account"
	"kefu/shared/core/fault"
	"kefu/shared/core/message"
	"kefu/shared/core/session"
	"kefu/shared/shell"
)

// Accounts finds an account; NotFound if it has been deleted.
type Accounts interface {
	Account(ctx context.Context, id account.ID) (account.Account, error)
}

// Checker has the platform look at a text before it goes out. It gives a verdict in
// every case, if need be that it couldn't look.
type Checker interface {
	CheckText(ctx context.Context, a account.Account, to account.Customer, text string) message.Verdict
}

// Messenger makes one call. It tells what became of it in every case, and never
// makes it twice.
type Messenger interface {
	Send(ctx context.Context, a account.Account, to account.Customer, c message.Content, files map[string]string) session.Outcome
}

// Media knows the platform's ids of kept files, uploading them if need be, and
// fetches those that only the platform has. A file that isn't there is NotFound,
// one that the platform refuses Invalid.
type Media interface {
	PlatformID(ctx context.Context, a account.Account, id string, renew bool) (string, error)
	Fetch(ctx context.Context, id string) error
}

// Sender works on wake-ups.
type Sender struct {
	Accounts  Accounts
	Messenger Messenger
	Checker   Checker
	Media     Media
	Shell     *shell.Shell
	Now       func() time.Time
	Log       *slog.Logger
}

const (
	// callTime bounds one call with all that belongs to it: uploads, a token, one
	// more try with a new token. It ends well before the flight's lease does.
	callTime = 45 * time.Second
	// visitTime bounds a visit: after it no further call is begun.
	visitTime = 15 * time.Second
	// recordTime is how long it may take to record what became of a call, also of one that was cut.
	recordTime = 5 * time.Second
	// patience is how often a message whose row isn't there yet is left for later,
	// with a growing pause: half a minute in all. An API call that has not written
	// its row by then has died or must not succeed any more.
	patience = 5
)

// wake is either a conversation with work or a file to fetch.
type wake struct {
	shell.SenderWake
	Media string `json:"media"`
}

// Handle works on one wake-up. A wake-up for which there is nothing to do (any
// more) changes nothing.
func (s *Sender) Handle(ctx context.Context, body []byte) error {
	var w wake
	if err := json.Unmarshal(body, &w); err != nil || (w.Media == "" && (w.Account == "" || w.Customer == "")) {
		return fault.New(fault.Invalid, "not-a-wake-up", "the queue message names neither a conversation nor a file")
	}
	if w.Media != "" {
		return s.fetch(ctx, w.Media)
	}
	a, err := shell.AccountOf(ctx, s.Accounts, w.Account, func(a account.Account) bool { return w.Owner.MayBe(a.Owner()) })
	if errors.Is(err, fault.NotFound) {
		return nil // nothing can be sent for it; its holds end in their time
	}
	if err != nil {
		return fmt.Errorf("account: %w", err)
	}
	return s.visit(ctx, a, w.Ref)
}

// visit makes calls until there is none to make or the visit has lasted long
// enough; what is left then gets a wake-up of its own.
func (s *Sender) visit(ctx context.Context, a account.Account, ref session.Ref) error {
	start, rules := s.Now(), session.RulesOf(a)
	if !timeFor(ctx, callTime) {
		return fault.New(fault.Unavailable, "no-time", "the function's time is too short for a call")
	}
	res, err := s.Shell.Do(ctx, ref, rules, nil, session.Next{})
	for err == nil && res.Call != nil {
		call := *res.Call
		event := s.call(ctx, a, res.Session, call)
		if answered, ok := event.(session.Answered); ok {
			answered.Yield = s.Now().Sub(start) > visitTime || !timeFor(ctx, callTime)
			event = answered
		}
		res, err = s.record(ctx, ref, rules, event)
	}
	if errors.Is(err, fault.NotFound) {
		return nil
	}
	return err
}

// record notes what became of a call. When ctx ends, as it does when the process has to stop, the call is cut; what is
// known of it by then must be recorded all the same, or nobody could tell it from a call that is still under way.
func (s *Sender) record(ctx context.Context, ref session.Ref, rules session.Rules, e session.Event) (shell.Result, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordTime)
	defer cancel()
	return s.Shell.Do(ctx, ref, rules, nil, e)
}

// timeFor reports whether ctx leaves that much time; none once it has ended.
func timeFor(ctx context.Context, d time.Duration) bool {
	end, ok := ctx.Deadline()
	return ctx.Err() == nil && (!ok || time.Until(end) > d)
}

// call makes one call and returns what became of it.
func (s *Sender) call(ctx context.Context, a account.Account, conv session.Session, c session.Call) session.Event {
	start := s.Now()
	outcome, missing := s.attempt(ctx, a, conv, c)
	attrs := []slog.Attr{
		slog.String("function", "sender"), slog.String("account", string(a.ID)), slog.String("session", string(conv.ID)),
		slog.String("message", string(c.Message)), slog.Int("part", c.Part), slog.String("outcome", string(outcome.Kind)),
		slog.Int("code", outcome.Code), slog.String("reason", outcome.Reason), slog.Duration("took", s.Now().Sub(start)),
	}
	level := slog.LevelInfo
	if outcome.Kind != session.Sent {
		level = slog.LevelWarn
	}
	s.Log.LogAttrs(ctx, level, "call", attrs...)
	if missing != "" && conv.Flight != nil && conv.Flight.Tries.Unreached >= patience {
		// The row must never appear now. If it just has, the call is made next time.
		if buried, err := s.Shell.Bury(ctx, conv, missing); buried && err == nil {
			return session.Drop{Message: missing}
		}
	}
	return session.Answered{Message: c.Message, Outcome: outcome}
}

// attempt makes the call if the rows of its messages are there; otherwise it names one
// that is missing.
func (s *Sender) attempt(ctx context.Context, a account.Account, conv session.Session, c session.Call) (o session.Outcome, missing message.ID) {
	rows, missing, err := s.rows(ctx, conv)
	if err != nil {
		return session.Outcome{Kind: session.Unreached, Reason: "row-missing"}, missing
	}
	if rows[0].State.Final() {
		// Its end was recorded by a visit that died before it could save.
		return session.OutcomeOf(rows[0]), ""
	}
	// The flight's lease was given out by s.Now; a call that could outlive it
	// must not be made, since another sender may then think that it was lost.
	left := c.Deadline.Sub(s.Now()) - (session.CallLease - callTime)
	if left <= 0 {
		return session.Outcome{Kind: session.Unreached, Reason: "late"}, ""
	}
	ctx, cancel := context.WithTimeout(ctx, left)
	defer cancel()
	content := merge(rows, a.Settings.Routing.Spend)
	o, stopped := s.check(ctx, a, conv, content, c.Part)
	if ctx.Err() != nil {
		return session.Outcome{Kind: session.Unreached, Reason: "cut"}, "" // what the check would have said is not known
	}
	if stopped {
		return o, ""
	}
	part := content.Part(c.Part)
	files, err := s.files(ctx, a, part, c.Renew)
	if err != nil {
		return mediaOutcome(err), ""
	}
	return s.Messenger.Send(ctx, a, conv.Customer, part, files), ""
}

// rows are those of the flight's messages, in order.
func (s *Sender) rows(ctx context.Context, conv session.Session) (rows []message.Message, missing message.ID, err error) {
	for _, w := range conv.Flight.Messages() {
		m, err := s.Shell.Said(ctx, conv, w)
		if errors.Is(err, fault.NotFound) {
			return nil, w.Message, err
		}
		if err != nil {
			return nil, "", err
		}
		rows = append(rows, m)
	}
	return rows, "", nil
}

// merge is what the call says: one message, or several texts as one.
func merge(rows []message.Message, p account.Spend) message.Content {
	content := rows[0].Content
	if len(rows) == 1 {
		return content
	}
	texts := make([]string, len(rows))
	for i, m := range rows {
		texts[i] = m.Content.Text.Content
	}
	return message.Content{Type: message.TypeText, Text: &message.Text{Content: strings.Join(texts, p.Between())}}
}

func (s *Sender) files(ctx context.Context, a account.Account, c message.Content, renew bool) (map[string]string, error) {
	ids := c.Media()
	if len(ids) == 0 {
		return nil, nil
	}
	files := make(map[string]string, len(ids))
	for _, id := range ids {
		platformID, err := s.Media.PlatformID(ctx, a, id, renew)
		if err != nil {
			return nil, err
		}
		files[id] = platformID
	}
	return files, nil
}

// mediaOutcome is what a failed upload means for the message. No message has been
// sent, so nothing is lost or unknown.
func mediaOutcome(err error) session.Outcome {
	switch fault.KindOf(err) {
	case fault.NotFound:
		return session.Outcome{Kind: session.Refused, Reason: "media-missing"}
	case fault.Invalid, fault.Denied:
		return session.Outcome{Kind: session.Refused, Reason: "media-refused"}
	}
	return session.Outcome{Kind: session.Unreached, Reason: "media-upload"}
}

// fetch keeps a file that only the platform has. One that is gone stays gone.
func (s *Sender) fetch(ctx context.Context, id string) error {
	err := s.Media.Fetch(ctx, id)
	level, reason := slog.LevelInfo, ""
	if err != nil {
		level, reason = slog.LevelWarn, fault.CodeOf(err)
	}
	s.Log.LogAttrs(ctx, level, "fetch", slog.String("function", "sender"), slog.String("media", id), slog.String("reason", reason))
	if errors.Is(err, fault.NotFound) || errors.Is(err, fault.Invalid) {
		return nil
	}
	return err
}
