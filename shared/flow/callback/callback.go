// Package callback takes the platform's pushes: verify, decrypt, put into the
// inbound queue, answer at once. Start with [Callback]; it is an http.Handler for
// GET and POST /callback/{account}.
package callback

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"kefu/shared/core/account"
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
	// read is no error: it is kept raw.
	Open(a account.Account, query url.Values, body []byte, at time.Time) (message.Push, error)
}

// Inbound takes pushes; a nil error means that the push is durable.
type Inbound interface {
	Send(ctx context.Context, group string, delay time.Duration, body []byte) error
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
	answer, err := c.answer(r, id, start)
	status := http.StatusOK
	if err != nil {
		status, answer = refusal(err)
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, answer) // on failure the platform has gone, and pushes again
	c.log(r, id, status, err, c.Now().Sub(start))
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

func (c *Callback) answer(r *http.Request, id account.ID, now time.Time) (string, error) {
	ctx, cancel := context.WithTimeout(r.Context(), patience)
	defer cancel()
	if !account.ValidID(string(id)) {
		return "", fault.New(fault.NotFound, "no-account", "no such account")
	}
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return "", fault.Wrap(fault.Denied, "query", err)
	}
	a, err := c.Accounts.Account(ctx, id)
	if err != nil {
		return "", fmt.Errorf("account: %w", err)
	}
	if r.Method == http.MethodGet {
		return verified(ctx, c, a, func(a account.Account) (string, error) { return c.Channel.Echo(a, query) })
	}
	body, err := read(r)
	if err != nil {
		return "", err
	}
	push, err := verified(ctx, c, a, func(a account.Account) (message.Push, error) { return c.Channel.Open(a, query, body, now) })
	if err != nil {
		return "", err
	}
	return "success", c.queue(ctx, push)
}

// verified tries what needs the account's keys, and once more if they are others by now.
func verified[T any](ctx context.Context, c *Callback, a account.Account, try func(account.Account) (T, error)) (T, error) {
	out, err := try(a)
	if c.Fresh == nil || fault.KindOf(err) != fault.Denied {
		return out, err
	}
	fresh, failed := c.Fresh.Account(ctx, a.ID)
	if failed != nil || (fresh.Token == a.Token && fresh.AESKey == a.AESKey && fresh.AESKeyPrevious == a.AESKeyPrevious &&
		fresh.Mode == a.Mode && fresh.AppID == a.AppID && fresh.OriginalID == a.OriginalID && fresh.Format == a.Format) {
		return out, err
	}
	return try(fresh)
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
	return fault.WithStatus(fault.New(fault.Invalid, "too-large", "the body is over the limit"), http.StatusRequestEntityTooLarge)
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

func (c *Callback) log(r *http.Request, id account.ID, status int, err error, took time.Duration) {
	attrs := []slog.Attr{
		slog.String("function", "callback"), slog.String("account", printable(id)), slog.String("method", r.Method),
		slog.Int("status", status), slog.Duration("took", took),
	}
	level := slog.LevelInfo
	if err != nil {
		level = slog.LevelWarn
		attrs = append(attrs, slog.String("reason", fault.CodeOf(err)))
		if status >= http.StatusInternalServerError {
			level = slog.LevelError
			attrs = append(attrs, slog.String("cause", err.Error()))
		}
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
