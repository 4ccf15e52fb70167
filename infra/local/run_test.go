package main

import (
	"bytes"
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"kefu/shared/app"
)

// terminal is one whose user presses Ctrl-C once everything has been printed.
type terminal struct {
	bytes.Buffer
	interrupt context.CancelFunc
}

func (t *terminal) Write(b []byte) (int, error) {
	n, err := t.Buffer.Write(b)
	if strings.Contains(t.String(), "/messages") {
		t.interrupt()
	}
	return n, err
}

// TestRun prints the page's address, the keys and three curl lines, and ends
// cleanly; what it generated is the same at the next start, and nobody else's to read.
func TestRun(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	getenv := func(name string) string {
		return map[string]string{"KEFU_ADDR": "127.0.0.1:0", "KEFU_DATA": folder}[name]
	}
	var keys []string
	for range 2 {
		ctx, cancel := context.WithCancel(t.Context())
		out := &terminal{interrupt: cancel}
		if err := run(ctx, getenv, out); err != nil {
			t.Fatal(err)
		}
		text := out.String()
		for _, want := range []string{"/simulator/\n", "kfadmin_", "agent ann", "agent bo", "/accept\n", "Stopped; everything is kept in"} {
			if !strings.Contains(text, want) {
				t.Errorf("%q is not printed:\n%s", want, text)
			}
		}
		if n := strings.Count(text, "curl -s"); n != 3 {
			t.Errorf("%d curl lines, want 3", n)
		}
		_, key, _ := strings.Cut(text, "agent ann   ")
		key, _, _ = strings.Cut(key, "\n")
		keys = append(keys, key)
	}
	if keys[0] == "" || keys[0] != keys[1] {
		t.Errorf("Ann's key is %q, then %q", keys[0], keys[1])
	}
	info, err := os.Stat(folder + "/demo.json")
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the demo's keys: %v, %v", info, err)
	}
}

// TestDead lists dead letters without their texts, and sends them again.
func TestDead(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	getenv := func(name string) string { return map[string]string{"KEFU_DATA": folder}[name] }
	ctx := t.Context()
	system, err := app.Open(app.Config{Data: folder})
	if err != nil {
		t.Fatal(err)
	}
	q := system.Queues().Route
	if err := q.Send(ctx, "shop", 0, []byte("what a customer wrote")); err != nil {
		t.Fatal(err)
	}
	for {
		batch, err := q.Receive(ctx, 1)
		if err != nil {
			t.Fatal(err)
		}
		if len(batch) == 0 {
			break
		}
		if err := q.Retry(ctx, batch[0].Receipt, 0); err != nil {
			t.Fatal(err)
		}
	}
	if err := system.Close(); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		args []string
		want string
	}{{nil, "route     1 dead letters"}, {[]string{"-redrive"}, "route     1 sent again"}, {nil, "route     0 dead letters"}} {
		var out bytes.Buffer
		if err := dead(ctx, getenv, &out, tt.args); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(out.String(), tt.want) || strings.Contains(out.String(), "customer wrote") {
			t.Errorf("%v: got %q, want %q and no text", tt.args, out.String(), tt.want)
		}
	}
}

// TestEngineAWS: what a person sets for it, and what is left out.
func TestEngineAWS(t *testing.T) {
	t.Parallel()
	env := map[string]string{"KEFU_ENGINE": "aws", "KEFU_DATA": "kept", "KEFU_CLOCK_OFFSET": "48h", "KEFU_ADMIN_KEY": "an-operators-own-key"}
	o, err := runOptions(func(name string) string { return env[name] })
	if err != nil {
		t.Fatal(err)
	}
	if o.cloud == nil || o.cloud.engines != nil || o.cloud.logs != os.Stderr {
		t.Errorf("got %+v, want engines of its own, and the functions' log on standard error", o.cloud)
	}
	if o.config.Data != "" || o.config.AdminKey.Reveal() != "an-operators-own-key" || o.clock.offset.Load() != int64(48*time.Hour) {
		t.Errorf("got data in %q, key %q, clock %d ahead; want no data, the key and 48 hours", o.config.Data, o.config.AdminKey.Reveal(), o.clock.offset.Load())
	}
	delete(env, "KEFU_ENGINE")
	if o, err := runOptions(func(name string) string { return env[name] }); err != nil || o.cloud != nil || o.config.Data != "kept" {
		t.Errorf("without it: got %+v, %v, want the embedded engine on the folder", o.cloud, err)
	}
}
