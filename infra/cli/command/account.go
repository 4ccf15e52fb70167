package command

import (
	"context"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"kefu/infra/cli/client"
)

// health asks without a key: whether Kefu is there, and which.
func (a *app) health() *cobra.Command {
	return a.bare("health", "Whether Kefu is there, and its version; needs no key", func(ctx context.Context, _ []string) error {
		return a.show(ctx, client.Call{Path: client.Path("health"), Open: true}, "")
	})
}

// accountRow is what a list shows of an account.
type accountRow struct {
	ID             string    `json:"id"`
	Channel        string    `json:"channel"`
	AppID          string    `json:"app_id"`
	Mode           string    `json:"mode"`
	Format         string    `json:"format"`
	HasAESKey      bool      `json:"has_aes_key"`
	HasAESPrevious bool      `json:"has_aes_key_previous"`
	HasSecret      bool      `json:"has_secret"`
	UpdatedAt      time.Time `json:"updated_at"`
}

func (r accountRow) cells() []string {
	var has []string
	for _, s := range []struct {
		is   bool
		name string
	}{{r.HasAESKey, "aes_key"}, {r.HasAESPrevious, "aes_key_previous"}, {r.HasSecret, "secret"}} {
		if s.is {
			has = append(has, s.name)
		}
	}
	return []string{r.ID, r.Channel, r.AppID, r.Mode, r.Format, strings.Join(has, "+"), clock(r.UpdatedAt)}
}

func (a *app) accounts() *cobra.Command {
	var limit int
	ls := a.verb("list", "The accounts that the key sees", func(ctx context.Context, _ []string) error {
		return a.print(ctx, list{
			path: client.Path("accounts"), limit: limit,
			head: []string{"ID", "CHANNEL", "APP_ID", "MODE", "FORMAT", "HAS", "UPDATED"}, row: row(accountRow.cells),
		})
	})
	limitFlag(ls, &limit)
	show := a.verb("get ACCOUNT", "An account, without its secrets", func(ctx context.Context, args []string) error {
		return a.show(ctx, get(client.Path("accounts", args[0])), "")
	})
	var file string
	set := a.verb("put ACCOUNT", "Make an account, or replace it whole", func(ctx context.Context, args []string) error {
		body, err := a.body(ctx, file)
		if err != nil {
			return err
		}
		return a.show(ctx, put(client.Path("accounts", args[0]), body), "")
	})
	set.Long = `Make an account, or replace it whole: what the JSON leaves out is gone afterwards, secrets included.

The JSON comes from --file or standard input, and only from there: a secret on a command line can be read in the process
list. What get shows can't be put, since it has no secrets.`
	set.Example = `  kefu accounts put shop --file shop.json

  shop.json: {"channel":"miniprogram","app_id":"wx…","token":"…","aes_key":"…","secret":"…","format":"json"}`
	fileFlag(set, &file)
	del := a.verb("delete ACCOUNT", "Remove an account: its sessions are closed, and stay readable", func(ctx context.Context, args []string) error {
		return a.show(ctx, remove(client.Path("accounts", args[0])), "account "+args[0]+" deleted")
	})
	for _, cmd := range []*cobra.Command{show, set, del} {
		a.completeWords(cmd, accountIDs)
	}
	return a.group("accounts", "Accounts: the identities that customers write to", ls, show, set, del)
}

func (a *app) routing() *cobra.Command {
	show := a.verb("get ACCOUNT", "How the account's sessions find their agents", func(ctx context.Context, args []string) error {
		return a.show(ctx, get(client.Path("accounts", args[0], "routing")), "")
	})
	var file string
	set := a.verb("put ACCOUNT", "Replace the routing rules", func(ctx context.Context, args []string) error {
		body, err := a.body(ctx, file)
		if err != nil {
			return err
		}
		return a.show(ctx, put(client.Path("accounts", args[0], "routing"), body), "")
	})
	set.Example = `  kefu routing get shop --output json > rules.json   then edit it, and
  kefu routing put shop --file rules.json`
	fileFlag(set, &file)
	for _, cmd := range []*cobra.Command{show, set} {
		a.completeWords(cmd, accountIDs)
	}
	return a.group("routing", "Routing rules of an account: bot, hand-off, assignment, hours", show, set)
}

func limitFlag(cmd *cobra.Command, limit *int) {
	cmd.Flags().IntVar(limit, "limit", 100, "`how many` at most; 0 means all")
}

func fileFlag(cmd *cobra.Command, file *string) {
	cmd.Flags().StringVarP(file, "file", "f", "", "`file` with the JSON object; - is standard input (default)")
}
