package command

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"kefu/infra/cli/client"
	"kefu/infra/cli/table"
)

// diagnosis is what doctor found.
type diagnosis struct {
	Account  string `json:"account"`
	At       string `json:"at"`
	Healthy  bool   `json:"healthy"`
	Findings []struct {
		Code  string `json:"code"`
		Level string `json:"level"`
		Text  string `json:"text"`
		Do    string `json:"do"` // what to do about it
	} `json:"findings"`
}

func (a *app) doctor() *cobra.Command {
	cmd := a.verb("doctor ACCOUNT", "Check an account's setup, and say what to do; exit code 1 when something is wrong", func(ctx context.Context, args []string) error {
		body, err := a.api.Do(ctx, get(client.Path("accounts", args[0], "doctor")))
		if err != nil {
			return err
		}
		var d diagnosis
		if err := json.Unmarshal(body, &d); err != nil {
			return fmt.Errorf("what doctor found can't be read: %w", err)
		}
		if a.output == "json" {
			err = a.json(body)
		} else {
			err = table.Write(a.Stdout, []string{"LEVEL", "CODE", "FINDING"}, d.rows())
		}
		if err == nil && !d.Healthy {
			err = unhealthy{fmt.Sprintf("account %s is not healthy", args[0])}
		}
		return err
	})
	a.completeWords(cmd, accountIDs)
	return cmd
}

// rows gives what to do a line of its own.
func (d diagnosis) rows() [][]string {
	var rows [][]string
	for _, f := range d.Findings {
		rows = append(rows, []string{f.Level, f.Code, f.Text})
		if f.Do != "" {
			rows = append(rows, []string{"", "", "-> " + f.Do})
		}
	}
	return rows
}
