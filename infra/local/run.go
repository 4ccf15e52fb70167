package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"kefu/shared/app"
)

const defaultAddr = "127.0.0.1:8080"

// run serves until ctx ends.
func run(ctx context.Context, getenv func(string) string, out io.Writer) error {
	o, err := runOptions(getenv)
	if err != nil {
		return err
	}
	l, err := start(ctx, o)
	if err != nil {
		return err
	}
	if err := l.banner(out, o); err != nil {
		return errors.Join(err, l.close())
	}
	select {
	case <-ctx.Done():
	case err = <-l.done:
		l.done <- err
	}
	if err := l.close(); err != nil {
		return err
	}
	if o.cloud != nil {
		_, err = fmt.Fprintln(out, "\nStopped; nothing is kept.")
		return err
	}
	_, err = fmt.Fprintln(out, "\nStopped; everything is kept in", o.config.Data)
	return err
}

// runOptions reads the settings; whatever is wrong is reported together.
func runOptions(getenv func(string) string) (localOptions, error) {
	cloud, err := chosen(getenv)
	// The engine aws is started here, so that its own settings come from here too.
	config, bad := app.FromEnv(func(name string) string {
		if name == "KEFU_ENGINE" {
			return ""
		}
		return getenv(name)
	})
	err = errors.Join(err, bad)
	clock := &clock{}
	if text := getenv("KEFU_CLOCK_OFFSET"); text != "" {
		offset, bad := time.ParseDuration(text)
		if bad != nil {
			err = errors.Join(err, fmt.Errorf("KEFU_CLOCK_OFFSET is %q; want a duration such as 48h or 90s", text))
		}
		clock.Forward(offset)
	}
	if err != nil {
		return localOptions{}, err
	}
	if getenv("KEFU_LOG_LEVEL") == "" {
		config.LogLevel = slog.LevelWarn // a person is looking; each event has a line at level info
	}
	if getenv("KEFU_PRIVATE_HOOKS") == "" {
		config.PrivateHooks = true // the business's software is on this machine, too
	}
	if getenv("KEFU_WECHAT_URL") == "" {
		config.WeChatURL = "" // the simulator
	}
	if cloud != nil {
		config.Data = "" // it is all in the engines' memory
		cloud.logs = os.Stderr
	}
	addr := getenv("KEFU_ADDR")
	if addr == "" {
		addr = defaultAddr
	}
	log := slog.New(slog.NewJSONHandler(os.Stderr, &slog.HandlerOptions{Level: config.LogLevel}))
	return localOptions{addr: addr, config: config, cloud: cloud, clock: clock, log: log}, nil
}

// chosen is what KEFU_ENGINE says: nil for the embedded engine.
func chosen(getenv func(string) string) (*cloudOptions, error) {
	switch name := app.Engine(getenv("KEFU_ENGINE")); name {
	case "", app.Embedded:
		return nil, nil //nolint:nilnil // no cloud is no error
	case app.AWS:
		return &cloudOptions{}, nil
	default:
		return nil, fmt.Errorf("KEFU_ENGINE is %q; want embedded or aws", name)
	}
}

// banner says where everything is and how to have a first conversation.
func (l *local) banner(out io.Writer, o localOptions) error {
	text := fmt.Sprintf("Kefu is running. Ctrl-C ends it; the data are in %s.\n", o.config.Data)
	if o.cloud != nil {
		text = fmt.Sprintf("Kefu is running. Ctrl-C ends it.\n%s Everything is in memory and gone at the end.\n", l.about())
	}
	if offset := time.Duration(o.clock.offset.Load()); offset != 0 {
		text += fmt.Sprintf("The clock is %s ahead.\n", offset)
	}
	text += fmt.Sprintf("\n  interface   %s/v1   (described in %s/v1/openapi.json)\n  admin key   %s\n", l.base, l.base, l.admin.key)
	if l.platform == nil {
		_, err := fmt.Fprint(out, text, "\nSet the platform's callback URL to ", l.base, "/callback/ACCOUNT after PUT /v1/accounts/ACCOUNT.\n")
		return err
	}
	for _, g := range demoAgents {
		text += fmt.Sprintf("  agent %-5s %s\n", g.id, l.demo.Keys[g.id])
	}
	text += fmt.Sprintf("\nBe the customer here:\n\n  %s/simulator/\n", l.base)
	text += fmt.Sprintf(`
Write something there; then list the queue, accept the session and answer, as Ann:

  SESSION=$(curl -s -H 'Authorization: Bearer %[2]s' '%[1]s/v1/sessions?state=queued&limit=1' | tee -a /dev/stderr | grep -o '"id":"[^"]*' | cut -c7-)
  curl -s -X POST -H 'Authorization: Bearer %[2]s' %[1]s/v1/sessions/${SESSION:?nobody waits}/accept
  curl -s -X POST -H 'Authorization: Bearer %[2]s' -H 'Content-Type: application/json' -d '{"type":"text","text":{"content":"你好"}}' %[1]s/v1/sessions/${SESSION:?nobody waits}/messages

`, l.base, l.demo.Keys["ann"])
	_, err := fmt.Fprint(out, text)
	return err
}
