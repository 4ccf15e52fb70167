package command

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"kefu/infra/cli/table"
	"kefu/infra/cli/tail"
)

// leastEvery keeps a slip of the finger from becoming a flood.
const leastEvery = 200 * time.Millisecond

func (a *app) tail() *cobra.Command {
	var account string
	var every time.Duration
	cmd := a.verb("tail [SESSION]", "Follow new messages until Ctrl-C", func(ctx context.Context, args []string) error {
		t := tail.Tail{API: a.api, Account: account, Every: every, Wait: a.Wait, Print: a.line, Note: func(s string) { a.note("kefu: %s", table.Clean(s)) }}
		if len(args) > 0 {
			t.Session = args[0]
		}
		switch {
		case t.Session != "" && account != "":
			return usage("want a SESSION or --account, not both")
		case every < leastEvery:
			return usage("--every is %s; want at least %s", every, leastEvery)
		}
		return t.Run(ctx)
	})
	cmd.Long = `Follow new messages of a session, of an account, or of all sessions that the key sees, until Ctrl-C. Each is printed once, as
time, session, direction, type and text; with --output json as the interface's own object, one on each line.

It asks again and again. A round of one session is one call. A round of many is one call for the newest 200 sessions, and one
for each that has changed since the round before or in it; at the start, two for each that is open. A message that came and
failed between two rounds is printed with the session's next change.`
	cmd.Flags().StringVar(&account, "account", "", "only of this `account`")
	cmd.Flags().DurationVar(&every, "every", 2*time.Second, "`time` between two rounds")
	a.completeFlag(cmd, "account", accountIDs)
	a.completeWords(cmd, sessionIDs)
	return cmd
}

// line prints one message.
func (a *app) line(m tail.Message) error {
	if a.output == "json" {
		_, err := fmt.Fprintf(a.Stdout, "%s\n", m.Raw) // the interface writes no line ends inside
		return err
	}
	var r messageRow
	if err := json.Unmarshal(m.Raw, &r); err != nil {
		return fmt.Errorf("a message can't be read: %w", err)
	}
	_, err := fmt.Fprintf(a.Stdout, "%s  %s  %-3s  %-5s  %s\n",
		clock(r.CreatedAt), table.Clean(r.Session), table.Clean(r.Direction), table.Clean(r.Type), table.Clean(r.text))
	return err
}
