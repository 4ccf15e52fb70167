package command

import (
	"context"
	"encoding/json"
	"time"

	"github.com/spf13/cobra"

	"kefu/infra/cli/client"
)

// deadRow is what a list shows of an event that could not be told.
type deadRow struct {
	Key     string    `json:"key"`
	Event   string    `json:"event"`
	At      time.Time `json:"at"`
	Session string    `json:"session"`
	Reason  string    `json:"reason"`
	DiedAt  time.Time `json:"died_at"`
	AgainAt time.Time `json:"again_at"`
}

func (r deadRow) cells() []string {
	return []string{r.Key, r.Event, clock(r.At), r.Session, clock(r.DiedAt), clock(r.AgainAt), r.Reason}
}

func (a *app) webhook() *cobra.Command {
	at := func(args []string, more ...string) string {
		return client.Path(append([]string{"accounts", args[0], "webhook"}, more...)...)
	}
	show := a.verb("get ACCOUNT", "Where the account's events are told", func(ctx context.Context, args []string) error {
		return a.show(ctx, get(at(args)), "")
	})
	var events []string
	set := a.verb("put ACCOUNT URL", "Tell the account's events to a URL", func(ctx context.Context, args []string) error {
		body, err := encode(struct {
			URL    string   `json:"url"`
			Events []string `json:"events,omitempty"`
		}{args[1], events})
		if err != nil {
			return err
		}
		return a.putWebhook(ctx, put(at(args), body))
	})
	set.Long = "Tell the account's events to a URL. The first time a signing secret is made, and shown once."
	set.Example = `  kefu webhook put shop https://shop.example.com/kefu --event message.in --event session.queued`
	set.Flags().StringSliceVar(&events, "event", nil, "`event` to tell, such as message.in; may be repeated (default all)")
	complete(set, "event", "session.opened", "session.queued", "session.assigned", "session.released", "session.closed", "session.expired", "message.in", "message.out")
	del := a.verb("delete ACCOUNT", "Tell nobody any more", func(ctx context.Context, args []string) error {
		return a.show(ctx, remove(at(args)), "webhook of "+args[0]+" deleted")
	})
	secret := a.verb("secret ACCOUNT", "Make a new signing secret; it is shown once", func(ctx context.Context, args []string) error {
		return a.showOnce(ctx, at(args, "secret"))
	})
	resend := a.verb("resend ACCOUNT KEY", "Tell an event again that could not be told", func(ctx context.Context, args []string) error {
		return a.show(ctx, post(at(args, "dead", args[1], "resend"), nil), "event "+args[1]+" is told again")
	})
	dead := a.deadList("dead ACCOUNT")
	for _, cmd := range []*cobra.Command{show, set, del, secret, dead} {
		a.completeWords(cmd, accountIDs)
	}
	a.completeWords(resend, accountIDs, deadKeys)
	return a.group("webhook", "Webhook of an account: its events for the business's own software", show, set, del, secret, dead, resend)
}

// putWebhook says so when the answer holds a new secret.
func (a *app) putWebhook(ctx context.Context, call client.Call) error {
	body, err := a.api.Do(ctx, call)
	if err != nil {
		return err
	}
	if err := a.object(body, ""); err != nil {
		return err
	}
	var v struct{ Secret string }
	if json.Unmarshal(body, &v) == nil && v.Secret != "" {
		a.keep()
	}
	return nil
}

// dead is webhook dead under the name that people look for.
func (a *app) dead() *cobra.Command {
	cmd := a.deadList("dead ACCOUNT")
	cmd.Long = `Events that could not be told to the account's webhook; the same list as kefu webhook dead.

The dead letters of the queues are not the interface's: in a clone of Kefu, go run ./infra/local dead lists them and
go run ./infra/local dead -redrive sends them again.`
	a.completeWords(cmd, accountIDs)
	return cmd
}

func (a *app) deadList(use string) *cobra.Command {
	var limit int
	cmd := a.verb(use, "Events that could not be told to the account's webhook", func(ctx context.Context, args []string) error {
		return a.print(ctx, list{
			path: client.Path("accounts", args[0], "webhook", "dead"), limit: limit,
			head: []string{"KEY", "EVENT", "HAPPENED", "SESSION", "GIVEN_UP", "SENT_AGAIN", "REASON"}, row: row(deadRow.cells),
		})
	})
	limitFlag(cmd, &limit)
	return cmd
}
