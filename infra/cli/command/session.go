package command

import (
	"context"
	"fmt"
	"net/url"
	"time"

	"github.com/spf13/cobra"

	"kefu/infra/cli/client"
)

// sessionRow is what a list shows of a session.
type sessionRow struct {
	ID             string    `json:"id"`
	Account        string    `json:"account"`
	Customer       string    `json:"customer"`
	State          string    `json:"state"`
	Agent          string    `json:"agent"`
	QueuePosition  int       `json:"queue_position"`
	QueueOver      int       `json:"queue_position_over"`
	LastCustomerAt time.Time `json:"last_customer_at"`
	Waiting        int       `json:"waiting"`
	Window         struct {
		Limit     int       `json:"limit"`
		Remaining int       `json:"remaining"`
		ExpiresAt time.Time `json:"expires_at"`
	} `json:"window"`
}

func (r sessionRow) cells() []string {
	who := r.Agent
	switch {
	case r.QueuePosition > 0:
		who = fmt.Sprintf("no. %d", r.QueuePosition)
	case r.QueueOver > 0:
		who = fmt.Sprintf("over %d", r.QueueOver)
	}
	left, until := "closed", ""
	if r.Window.Remaining > 0 {
		left, until = fmt.Sprintf("%d of %d", r.Window.Remaining, r.Window.Limit), clock(r.Window.ExpiresAt)
	}
	waiting := ""
	if r.Waiting > 0 {
		waiting = fmt.Sprint(r.Waiting)
	}
	return []string{r.ID, r.Account, r.State, who, left, until, waiting, clock(r.LastCustomerAt), r.Customer}
}

func (a *app) sessions() *cobra.Command {
	show := a.verb("get SESSION", "A session, with its window", func(ctx context.Context, args []string) error {
		return a.show(ctx, get(client.Path("sessions", args[0])), "")
	})
	accept := a.verb("accept SESSION", "Take a session; the key must be an agent's who is online", func(ctx context.Context, args []string) error {
		return a.show(ctx, post(client.Path("sessions", args[0], "accept"), nil), "")
	})
	end := a.verb("close SESSION", "End a session", func(ctx context.Context, args []string) error {
		return a.show(ctx, post(client.Path("sessions", args[0], "close"), nil), "")
	})
	var limit int
	var newest bool
	messages := a.verb("messages SESSION", "Messages and events of a session, oldest first", func(ctx context.Context, args []string) error {
		query := url.Values{}
		if newest {
			query.Set("order", "newest")
		}
		return a.print(ctx, list{
			path: client.Path("sessions", args[0], "messages"), query: query, limit: limit,
			head: []string{"ID", "TIME", "DIR", "TYPE", "STATE", "REASON", "BY", "TEXT"}, row: row(messageRow.cells),
		})
	})
	limitFlag(messages, &limit)
	messages.Flags().BoolVar(&newest, "newest", false, "newest first")
	transfer := a.sessionsTransfer()
	for _, cmd := range []*cobra.Command{show, accept, transfer, end, messages} {
		a.completeWords(cmd, sessionIDs)
	}
	return a.group("sessions", "Sessions: conversations with customers", a.sessionsList(), show, accept, transfer, end, messages)
}

func (a *app) sessionsList() *cobra.Command {
	var limit int
	filters := map[string]*string{}
	cmd := a.verb("list", "Sessions, newest first; of the state queued in the order of the queue", func(ctx context.Context, _ []string) error {
		query := url.Values{}
		for name, value := range filters {
			if *value != "" {
				query.Set(name, *value)
			}
		}
		return a.print(ctx, list{
			path: client.Path("sessions"), query: query, limit: limit,
			head: []string{"ID", "ACCOUNT", "STATE", "AGENT", "WINDOW", "UNTIL", "WAITING", "CUSTOMER_WROTE", "CUSTOMER"}, row: row(sessionRow.cells),
		})
	})
	cmd.Long = `Sessions, newest first; of the state queued in the order of the queue, with their place (no. 1 is next) as AGENT.

WINDOW is how many messages may still be sent, until UNTIL. WAITING is how many wait to be sent.`
	limitFlag(cmd, &limit)
	for name, about := range map[string]string{
		"account": "only of this `account`", "state": "only in this `state`: bot, queued, serving, released, external, closed or expired",
		"agent": "only of this `agent`; me is the key's own", "customer": "only of this `openid` or external_userid",
	} {
		filters[name] = cmd.Flags().String(name, "", about)
	}
	complete(cmd, "state", "bot", "queued", "serving", "released", "external", "closed", "expired")
	a.completeFlag(cmd, "account", accountIDs)
	a.completeFlag(cmd, "agent", agentIDs)
	return cmd
}

func (a *app) sessionsTransfer() *cobra.Command {
	var agent string
	var queue bool
	cmd := a.verb("transfer SESSION", "Pass a session to another agent or back to the queue", func(ctx context.Context, args []string) error {
		if (agent == "") != queue {
			return usage("want either --to-agent AGENT or --to-queue")
		}
		to := map[string]string{"to": "queue"}
		if agent != "" {
			to = map[string]string{"to_agent": agent}
		}
		body, err := encode(to)
		if err != nil {
			return err
		}
		return a.show(ctx, post(client.Path("sessions", args[0], "transfer"), body), "")
	})
	cmd.Flags().StringVar(&agent, "to-agent", "", "an `agent` who is online and bound to the account")
	cmd.Flags().BoolVar(&queue, "to-queue", false, "back to the queue")
	a.completeFlag(cmd, "to-agent", agentIDs)
	return cmd
}
