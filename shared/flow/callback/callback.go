// Package callback takes the platform's pushes: verify, decrypt, put into the
// inbound queue, answer at once. Start with [Callback]; it is an http.Handler for
// GET and POST /callback/{account}. What the answer is, the account's settings and the
// push say: "success", or that the platform's own tool shall have the customer.
package callback

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"kefu/shared/core/account"
	"kefu/shared/core/doctor"
	"kefu/shared/core/external"
	"kefu/shared/core/fault"
	"kefu/shared/core/message"
	"kefu/shared/core/queue"
)

// Accounts finds the account that a callback path names; NotFound if there is none.
type Accounts interface {
	Account(ctx context.Context, id account.ID) (account.Account, error)
}

// Channel speaks the platform's callback protocol. Its refusals are of kind
// Denied with a code for the log; nothing of them may reach the caller.
type Channel interface {
	// Echo answers the URL check with the text that it must be answered with.
	Echo(a account.Account, query url.Values) (string, error)
	// Open verifies and decrypts a push. A push that is signed well but can't be
	// read is no error: it is kept raw. What comes with the push is for HandOver alone.
	Open(a account.Account, query url.Values, body []byte, at time.Time) (message.Opened, error)
	// Read brings a push into Kefu's own form. An error means that it can't be read.
	Read(a account.Account, p message.Push) (message.Inbound, error)
	// HandOver writes the answer to a message that hands it to the platform's own tool.
	HandOver(a account.Account, o message.Opened, at time.Time) ([]byte, error)
}

// Inbound takes pushes; a nil error means that the push is durable.
type Inbound interface {
	Send(ctx context.Context, group string, delay time.Duration, body []byte) error
}

// Sights hears of the platform's calls that were refused, and of checks of the address.
// Note never fails, and takes a fraction of a second at most.
type Sights interface {
	Note(ctx context.Context, s doctor.Sighting)
}

// MaxBody is the largest push that is read. The platform's are a few kilobytes.
const MaxBody = 1 << 20

// patience ends our own work before the platform's five seconds do, so that a
// push which could not be queued is answered, and pushed again.
const patience = 4 * time.Second

// Callback answers the platform.
type Callback struct {
	Accounts Accounts
	// Fresh is asked again when a push is refused and Accounts may answer out of a
	// memory: the account's keys may have been changed just now. Nil: Accounts never does.
	Fresh   Accounts
	Channel Channel
	Inbound Inbound
	Sights  Sights // nil: nobody wants to know
	Now     func() time.Time
	Log     *slog.Logger
}

// ServeHTTP answers one call of the platform: 200 with the echo or "success";
// 403 for everything that doesn't prove to come from the platform, whatever the
// reason; 404 for an unknown account; 413 for a body over the limit; 500 when the
// push could not be queued, so that the platform pushes again.
func (c *Callback) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	start := c.Now()
	id := account.ID(r.PathValue("account"))
	done, err := c.answer(r, id, start)
	status, text := http.StatusOK, done.text
	if err != nil {
		status, text = refusal(err)
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, text) // on failure the platform has gone, and pushes again
	c.log(r, id, status, done, err, c.Now().Sub(start))
	c.note(r, done.of, start, err)
}

// note tells of a call of an account that exists: why it was refused, or that it was a
// check that passed. Accepted pushes are told of where they are read.
func (c *Callback) note(r *http.Request, of account.Scope, at time.Time, err error) {
	if c.Sights == nil || of == "" {
		return
	}
	s := doctor.Sighting{Account: of, At: at, Check: r.Method == http.MethodGet}
	if err != nil {
		// Whatever is no refusal has no reason: an unknown account, a queue that is full.
		if s.Reason = doctor.Reason(fault.CodeOf(err)); !s.Reason.Known() {
			return
		}
		if other := (*doctor.Mismatch)(nil); errors.As(err, &other) {
			s.Found = other.Found
		}
	} else if !s.Check {
		return
	}
	c.Sights.Note(r.Context(), s)
}

// reply is what the platform is told.
type reply struct {
	text string
	// of is the account that was called; empty if there is none.
	of account.Scope
	// transferred: it hands the customer to the platform's own tool.
	transferred bool
	// kept is why it does not, although the settings say so.
	kept error
}

// refusal is the answer to an error. It never tells why.
func refusal(err error) (int, string) {
	if status := fault.Status(err); status == http.StatusRequestEntityTooLarge {
		return status, "too large"
	}
	// The outermost kind counts: what a queue calls invalid is still our failure.
	switch fault.KindOf(err) {
	case fault.NotFound:
		return http.StatusNotFound, "not found"
	case fault.Denied, fault.Invalid:
		return http.StatusForbidden, "forbidden"
	}
	return http.StatusInternalServerError, "try again"
}

func (c *Callback) answer(r *http.Request, id account.ID, now time.Time) (reply, error) {
	ctx, cancel := context.WithTimeout(r.Context(), patience)
	defer cancel()
	if !account.ValidID(string(id)) {
		return reply{}, fault.New(fault.NotFound, "no-account", "no such account")
	}
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return reply{}, fault.Wrap(fault.Denied, "query", err)
	}
	a, err := c.Accounts.Account(ctx, id)
	if err != nil {
		return reply{}, fmt.Errorf("account: %w", err)
	}
	done, err := c.called(ctx, r, query, &a, now)
	done.of = a.Scope()
	return done, err
}

// called answers a call to an account, which is then the account as it is.
func (c *Callback) called(ctx context.Context, r *http.Request, query url.Values, a *account.Account, now time.Time) (reply, error) {
	if r.Method == http.MethodGet {
		echo, err := verified(ctx, c, a, func() (string, error) { return c.Channel.Echo(*a, query) })
		return reply{text: echo}, err
	}
	body, err := read(r)
	if err != nil {
		return reply{}, err
	}
	opened, err := verified(ctx, c, a, func() (message.Opened, error) { return c.Channel.Open(*a, query, body, now) })
	if err != nil {
		return reply{}, err
	}
	// Before the push is queued, since it goes there with the mark of what it was answered.
	done := c.decide(*a, opened, now)
	opened.Transferred, opened.Owner = done.transferred, a.Owner()
	return done, c.queue(ctx, opened.Push)
}

// decide says what a push is answered with. It goes by the settings and by the push
// alone, so that every delivery of a push is answered alike, and nothing is waited for.
// A hand-over that can't be written is none: the message is for this system then.
func (c *Callback) decide(a account.Account, o message.Opened, now time.Time) reply {
	success := reply{text: "success"}
	rules := a.Settings.Routing
	if rules.External.Off() { // the usual case is spared the reading
		return success
	}
	in, err := c.Channel.Read(a, o.Push)
	if err != nil {
		return success // ingest keeps it raw, and tells why
	}
	text := ""
	if in.Content.Text != nil {
		text = in.Content.Text.Content
	}
	if !external.HandsOver(rules, text, in.FromCustomer, now) {
		return success
	}
	handOver, err := c.Channel.HandOver(a, o, now)
	if err != nil {
		success.kept = err
		return success
	}
	return reply{text: string(handOver), transferred: true}
}

// verified tries what needs the account's keys, and once more if they are others by now;
// a is then the account as it is.
func verified[T any](ctx context.Context, c *Callback, a *account.Account, try func() (T, error)) (T, error) {
	out, err := try()
	if c.Fresh == nil || fault.KindOf(err) != fault.Denied {
		return out, err
	}
	fresh, failed := c.Fresh.Account(ctx, a.ID)
	if failed != nil || (fresh.Token == a.Token && fresh.AESKey == a.AESKey && fresh.AESKeyPrevious == a.AESKeyPrevious &&
		fresh.Mode == a.Mode && fresh.AppID == a.AppID && fresh.OriginalID == a.OriginalID && fresh.Format == a.Format) {
		return out, err
	}
	*a = fresh
	return try()
}

func read(r *http.Request) ([]byte, error) {
	body, err := io.ReadAll(io.LimitReader(r.Body, MaxBody+1))
	if err != nil {
		return nil, fault.Wrap(fault.Denied, "body", err)
	}
	if len(body) > MaxBody {
		return nil, tooLarge()
	}
	return body, nil
}

func tooLarge() error {
	return fault.WithStatus(fault.New(fault.Invalid, string(doctor.Oversized), "the body is over the limit"), http.StatusRequestEntityTooLarge)
}

func (c *Callback) queue(ctx context.Context, p message.Push) error {
	body, err := json.Marshal(p)
	if err != nil {
		return err
	}
	if len(body) > queue.MaxBody {
		return tooLarge()
	}
	// One customer's pushes are worked on in their order, and one at a time.
	if err := c.Inbound.Send(ctx, string(p.Account)+"/"+string(p.Customer), 0, body); err != nil {
		// Whatever kind it was: the platform must push again.
		return fault.Wrap(fault.Unavailable, "inbound-queue", err)
	}
	return nil
}

func (c *Callback) log(r *http.Request, id account.ID, status int, done reply, err error, took time.Duration) {
	attrs := []slog.Attr{
		slog.String("function", "callback"), slog.String("account", printable(id)), slog.String("method", r.Method),
		slog.Int("status", status), slog.Duration("took", took),
	}
	level := slog.LevelInfo
	switch {
	case err != nil:
		level = slog.LevelWarn
		attrs = append(attrs, slog.String("reason", fault.CodeOf(err)))
		if status >= http.StatusInternalServerError {
			level = slog.LevelError
			attrs = append(attrs, slog.String("cause", err.Error()))
		}
	case done.transferred:
		attrs = append(attrs, slog.Bool("transferred", true))
	case done.kept != nil:
		level = slog.LevelWarn
		attrs = append(attrs, slog.Bool("transferred", false), slog.String("reason", fault.CodeOf(done.kept)))
	}
	c.Log.LogAttrs(r.Context(), level, "push", attrs...)
}

// printable keeps what anybody may put into a path out of the log.
func printable(id account.ID) string {
	if account.ValidID(string(id)) {
		return string(id)
	}
	return "(invalid)"
}
