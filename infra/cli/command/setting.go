package command

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"kefu/infra/cli/client"
)

const (
	defaultURL     = "http://127.0.0.1:8080"
	defaultTimeout = 30 * time.Second
	maxKey         = 4096
)

// setting says where Kefu is, who asks, and how to show the answer.
type setting struct {
	url     string
	keyFile string
	output  string
	timeout time.Duration
	verbose bool

	api *client.Client
}

// flags are those of every command.
func (a *app) flags(root *cobra.Command) {
	f := root.PersistentFlags()
	f.StringVar(&a.url, "url", "", "`address` of Kefu (default KEFU_URL, or "+defaultURL+")")
	f.StringVar(&a.keyFile, "key-file", "", "`file` that holds the key; - is standard input (default KEFU_KEY, which is the key itself)")
	f.StringVarP(&a.output, "output", "o", "table", "`form`: table or json")
	f.DurationVar(&a.timeout, "timeout", defaultTimeout, "how `long` to wait for an answer, of up to 3 tries each")
	f.BoolVarP(&a.verbose, "verbose", "v", false, "print method, path, status and time of each try to standard error")
	complete(root, "output", "table", "json")
}

// prepare reads the settings but for the key.
func (a *app) prepare() error {
	if a.output != "table" && a.output != "json" {
		return usage("--output is %q; want table or json", a.output)
	}
	if a.timeout <= 0 {
		return usage("--timeout is %s; want more", a.timeout)
	}
	base, err := client.ParseBase(cmp.Or(a.url, a.Getenv("KEFU_URL"), defaultURL))
	if err != nil {
		return usage("KEFU_URL or --url: %w", err)
	}
	a.api = &client.Client{Base: base, HTTP: client.NewHTTP(a.timeout), Wait: a.Wait}
	if a.verbose {
		a.api.Trace = func(t client.Trace) {
			status := "no answer"
			if t.Status != 0 {
				status = fmt.Sprint(t.Status)
			}
			a.note("%s %s %s %s", t.Method, t.Path, status, t.Took.Round(time.Millisecond))
		}
	}
	return nil
}

// note tells a person something beside the output.
func (a *app) note(format string, args ...any) {
	_, _ = fmt.Fprintf(a.Stderr, format+"\n", args...) // nobody else to tell
}

// needKey finds the key. No error shows it.
func (a *app) needKey(ctx context.Context) error {
	key, from := a.Getenv("KEFU_KEY"), "KEFU_KEY"
	if a.keyFile != "" {
		b, err := a.read(ctx, a.keyFile, maxKey)
		if err != nil {
			return usage("--key-file: %w", err)
		}
		key, from = string(b), "the file of --key-file"
	}
	key = strings.TrimSpace(key)
	switch {
	case key == "" && a.keyFile == "":
		return usage("there is no key: set KEFU_KEY, or --key-file FILE")
	case key == "":
		return usage("%s is empty", from)
	case strings.ContainsFunc(key, func(r rune) bool { return r <= ' ' || r > '~' }):
		return usage("%s holds more than a key, which is one word of letters, digits and signs", from)
	}
	a.api.Key = key
	return nil
}

// read reads a file that was named on the command line, or standard input for "-".
func (a *app) read(ctx context.Context, name string, limit int64) ([]byte, error) {
	if name == "-" {
		return a.readInput(ctx, limit)
	}
	f, err := os.Open(name) //nolint:gosec // the file that the user names
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // it was only read
	return readAll(f, name, limit)
}

// readInput reads standard input, until its end or ctx's: nothing else interrupts a read from a terminal.
func (a *app) readInput(ctx context.Context, limit int64) ([]byte, error) {
	var b []byte
	done := make(chan error, 1)
	go func() {
		var err error
		b, err = readAll(a.Stdin, "standard input", limit)
		done <- err
	}()
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case err := <-done:
		return b, err
	}
}

func readAll(in io.Reader, name string, limit int64) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(in, limit+1))
	if err == nil && int64(len(b)) > limit {
		err = fmt.Errorf("%s is longer than %d bytes", name, limit)
	}
	return b, err
}
