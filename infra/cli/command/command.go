// Package command is the command line: [Run] runs one command and returns the exit code. Each file holds the commands of
// one noun; what they share is in command.go (how a command is made), setting.go (where Kefu is), output.go (tables and
// JSON) and exit.go (errors and codes).
package command

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"kefu/infra/cli/table"
)

// Env is what a command has of the world.
type Env struct {
	Getenv func(string) string
	Stdin  io.Reader
	Stdout io.Writer
	Stderr io.Writer
	Now    func() time.Time
	// Wait lets a time pass, or returns ctx's error if that ends first.
	Wait func(ctx context.Context, d time.Duration) error
}

// System is the process's own world.
func System() Env {
	return Env{Getenv: os.Getenv, Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, Now: time.Now, Wait: wait}
}

func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// app is one run of the program.
type app struct {
	Env
	setting
	began bool // the words were right: what fails now is no wrong usage
}

// Run runs the command of args, and returns the exit code; `kefu help exit-codes` says what each means.
func Run(ctx context.Context, args []string, env Env) int {
	a := &app{Env: env}
	root := a.root(len(args) == 0)
	root.SetArgs(args)
	cmd, err := root.ExecuteContextC(ctx)
	if err == nil {
		return exitOK
	}
	if !a.began {
		err = usage("%w; see %s --help", err, cmd.CommandPath())
	}
	code, text := judge(err)
	if text != "" {
		_, _ = fmt.Fprintln(env.Stderr, "kefu:", table.Clean(text)) // there is nobody else to tell
	}
	return code
}

const about = `Kefu's HTTP interface on the command line.

  export KEFU_URL=http://127.0.0.1:8080     where Kefu is; this is the default
  export KEFU_KEY=kf_…                      or --key-file FILE

A key is never a word of the command: those stand in the process list and in the shell's history.
Lists follow all pages, up to --limit. With --output json each object is printed as the interface gives it, and a list as
{"items":[…]}. Calls that write carry an Idempotency-Key, so that trying again never does a thing twice.`

// root is the whole tree. Alone it shows what there is.
func (a *app) root(alone bool) *cobra.Command {
	root := a.group("kefu", "Kefu's HTTP interface on the command line",
		a.health(), a.accounts(), a.routing(), a.agents(), a.keys(), a.tenants(), a.sessions(), a.send(), a.message(),
		a.doctor(), a.webhook(), a.dead(), a.tail(), exitCodes())
	root.Long = about
	root.SilenceErrors, root.SilenceUsage = true, true
	root.SetIn(a.Stdin)
	root.SetOut(a.Stdout)
	root.SetErr(a.Stderr)
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return flagError(err) })
	a.flags(root)
	if alone {
		root.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
	}
	return root
}

// flagError says where keys belong to him who looks for a flag.
func flagError(err error) error {
	if err.Error() == "unknown flag: --key" {
		return fmt.Errorf("%w: a key on the command line can be read in the process list, so that one should be replaced; set KEFU_KEY or --key-file", err)
	}
	return err
}

// group is a noun whose verbs are below it.
func (a *app) group(use, short string, verbs ...*cobra.Command) *cobra.Command {
	cmd := &cobra.Command{
		Use: use, Short: short, DisableFlagsInUseLine: true,
		// So that a misspelt verb is called that, and not its flags unknown.
		FParseErrWhitelist: cobra.FParseErrWhitelist{UnknownFlags: true},
		Args:               cobra.ArbitraryArgs,
		RunE:               unknownVerb,
	}
	cmd.AddCommand(verbs...)
	return cmd
}

func unknownVerb(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return fmt.Errorf("%s wants a command", cmd.CommandPath())
	}
	text := fmt.Sprintf("there is no command %q", args[0])
	cmd.SuggestionsMinimumDistance = 1
	if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
		text += "; did you mean " + strings.Join(near, " or ") + "?"
	}
	return fmt.Errorf("%s", text)
}

// verb makes a command. Its use names the words it takes: "get ACCOUNT", in brackets those that may be missing.
func (a *app) verb(use, short string, do func(ctx context.Context, args []string) error) *cobra.Command {
	return a.bare(use, short, func(ctx context.Context, args []string) error {
		if err := a.needKey(ctx); err != nil {
			return err
		}
		return do(ctx, args)
	})
}

// bare makes a command that needs no key.
func (a *app) bare(use, short string, do func(ctx context.Context, args []string) error) *cobra.Command {
	return &cobra.Command{
		Use: use, Short: short, Args: words(use),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := a.prepare(); err != nil {
				return err
			}
			a.began = true
			return do(cmd.Context(), args)
		},
	}
}

// words holds what was typed against the words of a use.
func words(use string) cobra.PositionalArgs {
	names := strings.Fields(use)[1:]
	least := 0
	for _, n := range names {
		if !strings.HasPrefix(n, "[") {
			least++
		}
	}
	return func(_ *cobra.Command, args []string) error {
		for i, arg := range args {
			if i >= len(names) {
				return fmt.Errorf("%q is one word too many", arg)
			}
			if arg == "" {
				return fmt.Errorf("%s is empty", names[i])
			}
		}
		if len(args) < least {
			return fmt.Errorf("%s is missing", strings.Join(names[len(args):least], " "))
		}
		return nil
	}
}
