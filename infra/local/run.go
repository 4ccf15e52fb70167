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
	config, err := app.FromEnv(getenv)
	clock := &clock{}
	if text := getenv("KEFU_CLOCK_OFFSET"); text != "" {
		offset, bad := time.ParseDuration(text)
		if bad != nil {
			err = errors.Join(err, fmt.Errorf("KEFU_CLOCK_OFFSET is %q; want a duration such as 48h or 90s", text))
		}
		clock.Forward(offset)
	}
	if err != nil {
		return err
	}
	if getenv("KEFU_LOG_LEVEL") == "" {
		config.LogLevel = slog.LevelWarn // a person is looking; each event has a line at level info
	}
	if getenv("KEFU_WECHAT_URL") == "" {
		config.WeChatURL = "" // the simulator
	}
	addr := getenv("KEFU_ADDR")
	if addr == "" {
		addr = defaultAddr
	}
	log := slog.New(slog.NewJSONHandler(os.Stderr, &slog.HandlerOptions{Level: config.LogLevel}))
	l, err := start(ctx, localOptions{addr: addr, config: config, clock: clock, log: log})
	if err != nil {
		return err
	}
	if err := l.banner(out, config.Data, clock); err != nil {
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
	_, err = fmt.Fprintln(out, "\nStopped; everything is kept in", config.Data)
	return err
}

// banner says where everything is and how to have a first conversation.
func (l *local) banner(out io.Writer, data string, c *clock) error {
	text := fmt.Sprintf("Kefu is running. Ctrl-C ends it; the data are in %s.\n", data)
	if offset := time.Duration(c.offset.Load()); offset != 0 {
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
