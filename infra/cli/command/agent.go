package command

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"kefu/infra/cli/client"
)

// agentRow is what a list shows of an agent.
type agentRow struct {
	ID       string    `json:"id"`
	Name     string    `json:"name"`
	Role     string    `json:"role"`
	Accounts []string  `json:"accounts"`
	Capacity int       `json:"capacity"`
	Status   string    `json:"status"`
	StatusAt time.Time `json:"status_at"`
	Load     int       `json:"load"`
}

func (r agentRow) cells() []string {
	return []string{
		r.ID, r.Name, r.Role, r.Status, clock(r.StatusAt), fmt.Sprintf("%d of %d", r.Load, r.Capacity), strings.Join(r.Accounts, ", "),
	}
}

func (a *app) agents() *cobra.Command {
	var limit int
	ls := a.verb("list", "All agents of the tenant", func(ctx context.Context, _ []string) error {
		return a.print(ctx, list{
			path: client.Path("agents"), limit: limit,
			head: []string{"ID", "NAME", "ROLE", "STATUS", "SINCE", "SERVES", "ACCOUNTS"}, row: row(agentRow.cells),
		})
	})
	limitFlag(ls, &limit)
	show := a.verb("get AGENT", "An agent; me is the key's own", func(ctx context.Context, args []string) error {
		return a.show(ctx, get(client.Path("agents", args[0])), "")
	})
	del := a.verb("delete AGENT", "Remove an agent with his keys; his sessions are released", func(ctx context.Context, args []string) error {
		return a.show(ctx, remove(client.Path("agents", args[0])), "agent "+args[0]+" deleted")
	})
	set := a.agentsPut()
	for _, cmd := range []*cobra.Command{show, set, del} {
		a.completeWords(cmd, agentIDs)
	}
	return a.group("agents", "Agents: the people who answer", ls, show, set, del, a.agentsStatus())
}

func (a *app) agentsPut() *cobra.Command {
	var file string
	var agent struct {
		Name     string   `json:"name"`
		Role     string   `json:"role,omitempty"`
		Accounts []string `json:"accounts,omitempty"`
		Capacity *int     `json:"capacity,omitempty"`
	}
	var capacity int
	var set *cobra.Command
	set = a.verb("put AGENT", "Make an agent, or replace him; his status and sessions stay", func(ctx context.Context, args []string) error {
		said := set.Flags().Changed("name") || set.Flags().Changed("role") || set.Flags().Changed("account") || set.Flags().Changed("capacity")
		if said && file != "" {
			return usage("the agent comes from --file or from --name, --role, --account and --capacity, not from both")
		}
		if set.Flags().Changed("capacity") {
			agent.Capacity = &capacity
		}
		body, err := encode(agent)
		if !said {
			body, err = a.body(ctx, file)
		}
		if err != nil {
			return err
		}
		return a.show(ctx, put(client.Path("agents", args[0]), body), "")
	})
	set.Long = `Make an agent, or replace him: what is left out has its default afterwards. His status and sessions stay, but for
sessions of accounts that he is no longer bound to: those are released. Without a flag the JSON comes from standard input.`
	set.Example = `  kefu agents put ann --name "Ann 安" --account shop --account news --capacity 5`
	fileFlag(set, &file)
	f := set.Flags()
	f.StringVar(&agent.Name, "name", "", "`name` (default the id)")
	f.StringVar(&agent.Role, "role", "", "`role`: agent (default), supervisor or admin")
	f.StringSliceVar(&agent.Accounts, "account", nil, "`account` that the agent is bound to; may be repeated")
	f.IntVar(&capacity, "capacity", 0, "`sessions` at once (default the server's)")
	complete(set, "role", "agent", "supervisor", "admin")
	a.completeFlag(set, "account", accountIDs)
	return set
}

func (a *app) agentsStatus() *cobra.Command {
	var lease string
	cmd := a.verb("status AGENT STATUS", "Say whether an agent is there: online, away, paused or offline", func(ctx context.Context, args []string) error {
		status := struct {
			Status string `json:"status"`
			Lease  string `json:"lease,omitempty"`
		}{args[1], lease}
		if d, err := time.ParseDuration(lease); lease != "" && (err != nil || d <= 0) {
			return usage("--lease is %q; want a time span such as 3m", lease)
		}
		body, err := encode(status)
		if err != nil {
			return err
		}
		return a.show(ctx, put(client.Path("agents", args[0], "status"), body), "")
	})
	cmd.Long = `Say whether an agent is there: online, away, paused or offline. The agent may be me, the key's own.

With --lease the agent is taken to be gone when the status isn't said again within that time.`
	cmd.Example = `  kefu agents status me online --lease 3m`
	cmd.Flags().StringVar(&lease, "lease", "", "how `long` the status holds unless it is said again (default for good)")
	a.completeWords(cmd, agentIDs, fixed("online", "away", "paused", "offline"))
	return cmd
}

func (a *app) keys() *cobra.Command {
	create := a.verb("create AGENT", "Make a key that acts for an agent; it is shown once", func(ctx context.Context, args []string) error {
		return a.showOnce(ctx, client.Path("agents", args[0], "keys"))
	})
	del := a.verb("delete AGENT KEY", "Revoke a key, by its id", func(ctx context.Context, args []string) error {
		return a.show(ctx, remove(client.Path("agents", args[0], "keys", args[1])), "key "+args[1]+" deleted")
	})
	a.completeWords(create, agentIDs)
	a.completeWords(del, agentIDs)
	return a.group("keys", "Keys of agents", create, del)
}

// showOnce makes something secret and prints it.
func (a *app) showOnce(ctx context.Context, path string) error {
	if err := a.show(ctx, post(path, nil), ""); err != nil {
		return err
	}
	a.keep()
	return nil
}

// keep tells that what has been printed comes only once.
func (a *app) keep() { a.note("It is not shown again: keep it now.") }

func (a *app) tenants() *cobra.Command {
	var name string
	set := a.verb("put TENANT", "Make a tenant, or rename it", func(ctx context.Context, args []string) error {
		body, err := encode(struct {
			Name string `json:"name,omitempty"`
		}{name})
		if err != nil {
			return err
		}
		return a.show(ctx, put(client.Path("tenants", args[0]), body), "")
	})
	set.Flags().StringVar(&name, "name", "", "`name` (default the id)")
	show := a.verb("get TENANT", "A tenant", func(ctx context.Context, args []string) error {
		return a.show(ctx, get(client.Path("tenants", args[0])), "")
	})
	create := a.verb("create TENANT", "Make an admin key of a tenant; it is shown once", func(ctx context.Context, args []string) error {
		return a.showOnce(ctx, client.Path("tenants", args[0], "keys"))
	})
	del := a.verb("delete TENANT KEY", "Revoke a key of a tenant, by its id", func(ctx context.Context, args []string) error {
		return a.show(ctx, remove(client.Path("tenants", args[0], "keys", args[1])), "key "+args[1]+" deleted")
	})
	return a.group("tenants", "Tenants: the businesses of a deployment; with the operator's key alone",
		set, show, a.group("key", "Admin keys of a tenant", create, del))
}
