package command

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"kefu/infra/cli/client"
	"kefu/infra/cli/table"
)

const (
	// completionTime is how long a Tab may take. What doesn't come in time is not offered, and nothing is said.
	completionTime  = time.Second
	completionItems = 100
)

// source offers what may stand in the place of a word, by the words before it.
type source func(ctx context.Context, api *client.Client, before []string) []cobra.Completion

// fixed offers words that are always the same.
func fixed(words ...string) source {
	return func(context.Context, *client.Client, []string) []cobra.Completion { return words }
}

func accountIDs(ctx context.Context, api *client.Client, _ []string) []cobra.Completion {
	return offer(ctx, api, client.Path("accounts"), func(r accountRow) (id, about string) { return r.ID, r.Channel })
}

func agentIDs(ctx context.Context, api *client.Client, _ []string) []cobra.Completion {
	return offer(ctx, api, client.Path("agents"), func(r agentRow) (id, about string) { return r.ID, r.Name + ", " + r.Status })
}

func sessionIDs(ctx context.Context, api *client.Client, _ []string) []cobra.Completion {
	return offer(ctx, api, client.Path("sessions"), func(r sessionRow) (id, about string) {
		return r.ID, r.State + ", " + r.Account + ", " + r.Customer
	})
}

func messageIDs(ctx context.Context, api *client.Client, before []string) []cobra.Completion {
	return offer(ctx, api, client.Path("sessions", before[0], "messages"), func(r messageRow) (id, about string) {
		return r.ID, r.Direction + ", " + r.State
	})
}

func deadKeys(ctx context.Context, api *client.Client, before []string) []cobra.Completion {
	return offer(ctx, api, client.Path("accounts", before[0], "webhook", "dead"), func(r deadRow) (id, about string) {
		return r.Key, r.Event + ", " + r.Reason
	})
}

// offer reads one page.
func offer[T any](ctx context.Context, api *client.Client, path string, of func(T) (id, about string)) []cobra.Completion {
	p, err := api.Page(ctx, path, nil, "", completionItems)
	if err != nil {
		return nil
	}
	var out []cobra.Completion
	for _, item := range p.Items {
		var v T
		if json.Unmarshal(item, &v) != nil {
			return nil
		}
		id, about := of(v)
		out = append(out, cobra.CompletionWithDesc(table.Clean(id), table.Clean(about)))
	}
	return out
}

// completeWords completes the words of a command, each from its source.
func (a *app) completeWords(cmd *cobra.Command, sources ...source) {
	cmd.ValidArgsFunction = func(cmd *cobra.Command, before []string, begun string) ([]cobra.Completion, cobra.ShellCompDirective) {
		if len(before) >= len(sources) {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return a.ask(cmd, sources[len(before)], before, begun)
	}
}

// completeFlag completes the value of a flag from a source.
func (a *app) completeFlag(cmd *cobra.Command, flag string, from source) {
	register(cmd, flag, func(cmd *cobra.Command, before []string, begun string) ([]cobra.Completion, cobra.ShellCompDirective) {
		return a.ask(cmd, from, before, begun)
	})
}

// complete completes the value of a flag with fixed words.
func complete(cmd *cobra.Command, flag string, words ...string) {
	register(cmd, flag, func(_ *cobra.Command, _ []string, begun string) ([]cobra.Completion, cobra.ShellCompDirective) {
		return fitting(words, begun), cobra.ShellCompDirectiveNoFileComp
	})
}

func register(cmd *cobra.Command, flag string, f cobra.CompletionFunc) {
	_ = cmd.RegisterFlagCompletionFunc(flag, f) // fails for a flag that isn't there; then a test has nothing to complete
}

// ask asks Kefu once and briefly; whatever goes wrong, there is nothing to offer. A key file that is standard input is
// left alone: that is the shell's.
func (a *app) ask(cmd *cobra.Command, from source, before []string, begun string) ([]cobra.Completion, cobra.ShellCompDirective) {
	const none = cobra.ShellCompDirectiveNoFileComp
	a.verbose = false
	if a.keyFile == "-" || a.prepare() != nil || a.needKey(cmd.Context()) != nil {
		return nil, none
	}
	a.api.Tries = 1
	ctx, cancel := context.WithTimeout(cmd.Context(), completionTime)
	defer cancel()
	return fitting(from(ctx, a.api, before), begun), none
}

// fitting are those that go on as the word begins.
func fitting(all []cobra.Completion, begun string) []cobra.Completion {
	var fits []cobra.Completion
	for _, c := range all {
		if strings.HasPrefix(c, begun) {
			fits = append(fits, c)
		}
	}
	return fits
}
